/**
 * What tfjs leaves to its kernels to check. Nothing is computed while a program is recorded, so inputs that do not fit would
 * pass, to be refused without a line, clamped or misread by the runtime later; here the operation that is wrong throws.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ValueSpec } from "../graph/ir.ts";
import type { AttributesOf, KernelName } from "./kernels.ts";

type Values = readonly (ValueSpec | null)[];
type Check<K extends KernelName> = (inputs: readonly ValueSpec[], attributes: AttributesOf<K>) => void;

const written = ({ shape }: ValueSpec) => `[${shape.join(", ")}]`;

function alike(inputs: readonly ValueSpec[], what: string, but = -1): void {
  const [first] = inputs;
  for (const other of inputs) {
    const fits = other.shape.length === first.shape.length &&
      other.shape.every((extent, axis) => axis === but || extent === first.shape[axis]);
    if (!fits) {
      throw new RangeError(
        `tensors to ${what} must have one shape${but < 0 ? "" : ` but for axis ${but}`}: ` +
          `found ${written(first)} and ${written(other)}`,
      );
    }
  }
}

const checks: { readonly [K in KernelName]?: Check<K> } = {
  Concat: (inputs, { axis }) => alike(inputs, "concatenate", axis),
  Einsum: (inputs, { equation }) => {
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, inputs.length);
    const tensors = inputs.map(({ shape }) => ({ shape: [...shape] }) as tf.Tensor);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors);
  },
  Pack: (inputs) => alike(inputs, "stack"),
  UnsortedSegmentSum: ([x, ids]) => {
    if (ids.shape.every((extent, axis) => extent === x.shape[axis])) return;
    throw new RangeError(`segments must be numbered along the first axes of ${written(x)}: found ${written(ids)}`);
  },
};

/** @throws {RangeError} If shapes of the inputs do not fit. */
export function checkInputs<K extends KernelName>(kernel: K, inputs: Values, attributes: unknown): void {
  (checks[kernel] as Check<K> | undefined)?.(inputs as readonly ValueSpec[], attributes as AttributesOf<K>);
}

/** @throws {RangeError} If an output would have no whole number of entries along an axis. */
export function checkOutputs(kernel: string, outputs: readonly ValueSpec[]): void {
  for (const output of outputs) {
    if (output.shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) continue;
    throw new RangeError(`the result of ${kernel} must have whole extents: it would be ${written(output)}`);
  }
}
