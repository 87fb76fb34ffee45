/**
 * Shapes of ONNX operators' results.
 *
 * @module
 */
import { type Attributes, printSpec, type Value } from "./ir.ts";

/** @throws {Error} Always: the node is illegal. */
export function fail(message: string): never {
  throw new Error(`Cannot infer the shape of an ONNX node: ${message}`);
}

/** An input that must be there. */
export function required(inputs: readonly (Value | null)[], index: number): Value {
  const value = inputs[index];
  if (value === null || value === undefined) fail(`input ${index} is missing`);
  return value;
}

/** Values of a constant int64 vector. */
export function constantInts(value: Value | null | undefined): number[] | null {
  if (value === null || value === undefined) return null;
  if (value.data === null || value.dtype !== "int64") {
    fail(`an int64 constant must be given: found ${printSpec(value)}`);
  }
  return Array.from(value.data as BigInt64Array, Number);
}

/** NumPy broadcasting of shapes. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: number[] = new Array(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i;
      if (shape[i] === 1) continue;
      if (result[axis] !== 1 && result[axis] !== shape[i]) {
        fail(`shapes do not broadcast: ${shapes.map((s) => `[${s.join(",")}]`).join(" ")}`);
      }
      result[axis] = shape[i];
    }
  }
  return result;
}

/** Axes counted from the front; `null` is all. */
export function axesOf(axes: readonly number[] | null, rank: number): number[] {
  if (axes === null) return Array.from({ length: rank }, (_, axis) => axis);
  return axes.map((axis) => axis < 0 ? axis + rank : axis);
}

/** What a reduction leaves; kept axes have the extent 1. */
export function reducedShape(shape: readonly number[], axes: readonly number[], keep: boolean): number[] {
  return keep
    ? shape.map((extent, axis) => axes.includes(axis) ? 1 : extent)
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Extent of a sliding window's output. */
function windowed(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
): number {
  return Math.floor((size + before + after - (dilation * (kernel - 1) + 1)) / stride) + 1;
}

/** A sliding window over the spatial axes. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** The window of an operator's attributes, with ONNX's defaults. */
export function windowOf(attributes: Attributes, rank: number): Window {
  const kernel = attributes["kernel_shape"] as number[];
  const ones: number[] = new Array(rank).fill(1);
  return {
    kernel,
    strides: attributes["strides"] as number[] ?? ones,
    dilations: attributes["dilations"] as number[] ?? ones,
    pads: attributes["pads"] as number[] ?? new Array(2 * rank).fill(0),
  };
}

/** Spatial extents of a sliding window's output. */
export function windowedShape(spatial: readonly number[], { kernel, strides, dilations, pads }: Window): number[] {
  return spatial.map((size, i) =>
    windowed(size, kernel[i], strides[i], dilations[i], pads[i], pads[i + spatial.length])
  );
}

/** Shape of a product of matrices, whose leading axes broadcast. */
export function matmulShape(a: readonly number[], b: readonly number[]): number[] {
  if (a.length < 2 || b.length < 2) fail(`MatMul needs ranks of 2 or more: found ${a.length} and ${b.length}`);
  const [m, k] = a.slice(-2);
  const [k2, n] = b.slice(-2);
  if (k !== k2) fail(`MatMul of [${a.join(",")}] and [${b.join(",")}]`);
  return [...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), m, n];
}
