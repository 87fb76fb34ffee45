/**
 * Images in another size, with gradients. The axes are independent, so each is one gather (and a mean of two), and the
 * gradient of each is a product with the matrix of its weights.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { constantValue, sizeOf, type Value, type ValueSpec } from "../graph/ir.ts";
import type { ResizeAttributes } from "../trace/kernels.ts";
import { float, type KernelRule, type Rules } from "./rule.ts";
import { Refusal } from "../../../core/refusal.ts";

/** Which places of an axis each new place is made of: (1 - share) * lower + share * upper. */
interface Sources {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly share: readonly number[];
}

function ratio(given: number, wanted: number, alignCorners: boolean): number {
  return alignCorners && wanted > 1 ? (given - 1) / (wanted - 1) : given / wanted;
}

function linear(given: number, wanted: number, { alignCorners, halfPixelCenters }: ResizeAttributes): Sources {
  const scale = ratio(given, wanted, alignCorners);
  const place = Array.from({ length: wanted }, (_, i) => halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i);
  const lower = place.map((at) => Math.max(0, Math.floor(at)));
  return {
    lower,
    upper: place.map((at) => Math.max(0, Math.min(given - 1, Math.ceil(at)))),
    share: place.map((at, i) => at - lower[i]),
  };
}

function nearest(given: number, wanted: number, { alignCorners, halfPixelCenters }: ResizeAttributes): Sources {
  const scale = ratio(given, wanted, alignCorners);
  const lower = Array.from({ length: wanted }, (_, i) => {
    const at = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    return Math.max(0, Math.min(given - 1, alignCorners ? Math.round(at) : Math.floor(at)));
  });
  return { lower, upper: lower, share: lower.map(() => 0) };
}

/** Up to this extent a product with the matrix of weights is faster than gathering and mixing. */
const PRODUCT_EXTENT = 128;

/** One axis (1 or 2) of [batch, height, width, channels] made anew. */
function along(b: Builder, x: Value, axis: number, { lower, upper, share }: Sources): Value {
  if (lower.length === x.shape[axis] && lower.every((from, i) => from === i && share[i] === 0)) return x;
  const taken = (places: readonly number[]) =>
    b.op("Gather", [x, b.constant(places, [places.length], "int32")], { axis });
  const below = taken(lower);
  if (share.every((part) => part === 0)) return below;
  if (x.shape[axis] <= PRODUCT_EXTENT) {
    return weighted(b, x, axis, weights(b, x.shape[axis], { lower, upper, share }), true);
  }
  const shape = x.shape.map((_, i) => i === axis ? share.length : 1).slice(1);
  const part = b.reshape(constantValue([share.length], "float32", Float32Array.from(share)), shape);
  return b.op("Add", [below, b.op("Mul", [b.op("Sub", [taken(upper), below]), part])]);
}

/** The product with a matrix of weights [given, wanted], or its transpose, along an axis (1 or 2). */
function weighted(b: Builder, x: Value, axis: number, matrix: Value, forward: boolean): Value {
  const [before, after] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))];
  const left = forward ? b.transpose(matrix, [1, 0]) : matrix;
  const made = b.op("MatMul", [left, b.reshape(x, [before, x.shape[axis], after])]);
  return b.reshape(made, x.shape.map((extent, i) => i === axis ? left.shape[0] : extent));
}

/** The weights of an axis, [given, wanted]; made by the graph from lists of places, as the matrix may be large. */
function weights(b: Builder, given: number, { lower, upper, share }: Sources): Value {
  const rows = b.reshape(b.iota(given, "int32"), [given, 1]);
  const at = (places: readonly number[], part: readonly number[]) => {
    const hit = b.op("Equal", [rows, b.constant(places, [places.length], "int32")]);
    return b.op("Mul", [
      b.cast(hit, "float32"),
      b.intern(constantValue([part.length], "float32", Float32Array.from(part))),
    ]);
  };
  const below = at(lower, share.map((part) => 1 - part));
  return share.every((part) => part === 0) ? below : b.op("Add", [below, at(upper, share)]);
}

type Mode = typeof linear;

function resized<K extends "ResizeBilinear" | "ResizeNearestNeighbor">(mode: Mode): KernelRule<K> {
  const rule: KernelRule<"ResizeBilinear"> = {
    inputs: ["images"],
    infer: ([x], { size }) => {
      const shape = [x.shape[0], ...size, x.shape[3]];
      if (sizeOf(x.shape) === 0 && sizeOf(shape) > 0) {
        throw new Refusal({
          what: "trace a resizing",
          must: "the image must have pixels",
          found: `found [${x.shape.join(", ")}]`,
        });
      }
      return { shape, dtype: mode === nearest ? x.dtype : "float32" };
    },
    lower: (b, [x], attributes, [output]) => {
      const [height, width] = attributes.size;
      const rows = along(b, float(b, x), 1, mode(x.shape[1], height, attributes));
      return b.cast(along(b, rows, 2, mode(x.shape[2], width, attributes)), output.dtype);
    },
  };
  return rule as unknown as KernelRule<K>;
}

function gradient<K extends "ResizeBilinearGrad" | "ResizeNearestNeighborGrad">(mode: Mode): KernelRule<K> {
  const rule: KernelRule<"ResizeBilinearGrad"> = {
    inputs: ["images", "dy"],
    infer: ([images]: readonly ValueSpec[]) => ({ shape: images.shape, dtype: "float32" }),
    sums: true,
    note: "for half-pixel centres too, which tfjs's CPU takes for corners here; its shape is wrong where height and " +
      "width of the bilinear gradient differ",
    lower: (b, [images, dy], attributes) => {
      const [_, height, width] = images.shape;
      const [rows, columns] = attributes.size;
      const narrow = weighted(b, float(b, dy), 2, weights(b, width, mode(width, columns, attributes)), false);
      return weighted(b, narrow, 1, weights(b, height, mode(height, rows, attributes)), false);
    },
  };
  return rule as unknown as KernelRule<K>;
}

/** Rows of this family. */
export const resizeRules: Rules<
  "ResizeBilinear" | "ResizeBilinearGrad" | "ResizeNearestNeighbor" | "ResizeNearestNeighborGrad"
> = {
  ResizeBilinear: resized(linear),
  ResizeBilinearGrad: gradient(linear),
  ResizeNearestNeighbor: resized(nearest),
  ResizeNearestNeighborGrad: gradient(nearest),
};
