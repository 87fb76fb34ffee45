/**
 * Indices that name no place, refused on eager backends: they look at a tuple's place in memory alone and read or write
 * another element without a word.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { Refusal } from "../core/refusal.ts";
import type { ComposedKernel } from "./composed_kernels.ts";

/** @throws {Refusal} If a number of a tuple is no place along its axis. */
function checkIndices(kernel: string, numbers: ArrayLike<number>, extents: readonly number[]): void {
  for (let i = 0; i < numbers.length; i++) {
    const extent = extents[i % extents.length];
    if (numbers[i] >= 0 && numbers[i] < extent) continue;
    throw new Refusal({
      what: `run kernel ${kernel}`,
      must: `its indices must be integers in 0..${extent - 1}`,
      found: `found ${numbers[i]}`,
    });
  }
}

/** A kernel of the backend after a look at its indices, whose shape is [..., depth] (or [count] of places in a vector). */
function checked(
  kernel: string,
  indices: string,
  extents: (inputs: Record<string, tf.TensorInfo>, attrs: Record<string, unknown>) => readonly number[],
): ComposedKernel {
  return (k, inputs, attrs) => {
    const given = inputs[indices];
    const depth = given.shape.length < 2 && kernel === "SparseToDense" ? 1 : given.shape.at(-1)!;
    const shape = extents(inputs, attrs as Record<string, unknown>).slice(0, depth);
    checkIndices(kernel, k.numbers(given), shape);
    return k.run(`${kernel}/own`, inputs, attrs as Record<string, unknown>);
  };
}

/** Kernels by tuples of indices. */
export const indexChecks: Readonly<Record<string, ComposedKernel>> = {
  GatherNd: checked("GatherNd", "indices", ({ params }) => params.shape),
  ScatterNd: checked("ScatterNd", "indices", (_, { shape }) => shape as number[]),
  SparseToDense: checked("SparseToDense", "sparseIndices", (_, { outputShape }) => outputShape as number[]),
  TensorScatterUpdate: checked("TensorScatterUpdate", "indices", ({ tensor }) => tensor.shape),
};
