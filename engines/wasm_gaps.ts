/**
 * What tfjs's WebAssembly backend (4.22) gets wrong and is not composed anew: refused, as an error is better than a wrong
 * number; and kernels that take truths of one byte for numbers of four.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { ComposedKernel } from "./composed_kernels.ts";
import { Refusal } from "../core/refusal.ts";

/** Kernels whose values are wrong, with what they do. */
const wrong: Readonly<Record<string, string>> = {
  Conv3DBackpropFilterV2: "gives other gradients than the CPU's",
  Conv3DBackpropInputV2: "gives other gradients than the CPU's",
  MaxPool3D: "takes the largest of negative numbers for 1e-38",
  MaxPoolWithArgmax: "takes the largest of negative numbers for 1e-38",
};

function fail(kernel: string, what: string): never {
  throw new Refusal({
    what: `run kernel ${kernel} on WebAssembly`,
    found: `its kernel ${what}`,
    hint: "use another engine (onnx:cpu, cpu)",
  });
}

/** Kernels that fail with the reason. */
export const refusals: Readonly<Record<string, ComposedKernel>> = Object.fromEntries(
  Object.entries(wrong).map(([kernel, what]) => [kernel, () => fail(kernel, what)]),
);

/** The backend's own, which knows no batches. */
export const gather: ComposedKernel = (k, inputs, attrs) => {
  if ((attrs as { batchDims?: number }).batchDims) fail("GatherV2", "reads other samples' rows within batches");
  return k.run("GatherV2/own", inputs, attrs as Record<string, unknown>);
};

/** A kernel of the backend, with truths as numbers meanwhile. */
export function onTruths(name: string, inputs: readonly string[]): ComposedKernel {
  return (k, given, attrs) => {
    const own = (values: Record<string, tf.TensorInfo>) =>
      k.run(`${name}/own`, values, attrs as Record<string, unknown> | undefined);
    if (given[inputs[0]].dtype !== "bool") return own(given);
    const numbers = Object.fromEntries(inputs.map((input) => [input, k.cast(given[input], "int32")]));
    return k.cast(own({ ...given, ...numbers }), "bool");
  };
}
