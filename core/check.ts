/**
 * Checks that more than one room needs, with one wording.
 *
 * @module
 */
import { type ByModality, modalitiesOf } from "./modality.ts";

/** Anything with a shape: a tensor, a spec. */
export interface Shaped {
  readonly shape: readonly number[];
}

/** Checks a rank. @throws {TypeError} If a tensor's rank is not as wanted. */
export function checkRank(what: string, tensor: Shaped, rank: number): void {
  if (tensor.shape.length !== rank) {
    throw new TypeError(`Cannot use ${what} as it must have rank ${rank}: found shape [${tensor.shape.join(", ")}]`);
  }
}

/** Checks a shape; -1 fits any extent. @throws {TypeError} If a tensor's shape is not as wanted. */
export function checkShape(what: string, tensor: Shaped, shape: readonly number[]): void {
  const fits = tensor.shape.length === shape.length &&
    shape.every((extent, axis) => extent === -1 || extent === tensor.shape[axis]);
  if (!fits) {
    const wanted = shape.map((extent) => extent === -1 ? "any" : String(extent)).join(", ");
    throw new TypeError(
      `Cannot use ${what} as its shape must be [${wanted}]: found [${tensor.shape.join(", ")}]`,
    );
  }
}

/** The batch size of all modalities. @throws {TypeError} If the sizes differ, or there is no modality. */
export function checkBatch(what: string, tensors: ByModality<Shaped>): number {
  const modalities = modalitiesOf(tensors);
  if (modalities.length === 0) {
    throw new TypeError(`Cannot use ${what} as at least one modality must be given: found none`);
  }
  const size = tensors[modalities[0]].shape[0];
  for (const modality of modalities) {
    if (tensors[modality].shape[0] !== size) {
      const found = modalities.map((m) => `${m} ${tensors[m].shape[0]}`).join(", ");
      throw new TypeError(`Cannot use ${what} as all batch sizes must be equal: found ${found}`);
    }
  }
  return size;
}

/** The position of the first NaN or infinity, or -1. */
export function firstNonFinite(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) return i;
  }
  return -1;
}

/** Checks values. @throws {RangeError} If one is NaN or infinite; the message says where. */
export function checkFinite(what: string, values: ArrayLike<number>): void {
  const index = firstNonFinite(values);
  if (index !== -1) {
    throw new RangeError(`Cannot use ${what} as every value must be finite: found ${values[index]} at index ${index}`);
  }
}
