/**
 * `tf.logSumExp` where the largest value is infinite: x minus the largest is no number there, so that nothing is subtracted.
 * The logarithm of a sum of zeros is -infinity, that of infinity is infinity.
 *
 * @module
 */
import { insideLogSumExp } from "../tensor/tape.ts";
import type { ComposedKernel } from "./composed_kernels.ts";

/** Subtraction, which spares infinite largest values in `tf.logSumExp`. */
const subtract: ComposedKernel = (k, { a, b }) => {
  if (!insideLogSumExp()) return k.run("Sub/own", { a, b });
  const largest = k.run("Select", { condition: k.run("IsInf", { x: b }), t: k.zeros(b.shape), e: b });
  return k.run("Sub/own", { a, b: largest });
};

/** Of every backend, that which records for the compiled engines among them. */
export const logSumExpKernels: Readonly<Record<string, ComposedKernel>> = { Sub: subtract };
