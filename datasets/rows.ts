/**
 * A split's inputs by sample, whether they are in memory or read by index.
 *
 * @module
 */
import type { ModalityInfo, Split } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";

/** Samples that are looked at together. */
const CHUNK = 256;
/** Samples that are read at once. */
const AT_ONCE = 8;

/** Names of a split's modalities, sorted. */
export function inputNames({ inputs, rows = {} }: Split): string[] {
  return [...Object.keys(inputs), ...Object.keys(rows)].sort();
}

/** Values of a modality, some samples at a time; each array is valid until the next. */
export async function* chunksOf(
  split: Pick<Split, "size" | "inputs" | "rows">,
  modality: string,
  { shape, dtype }: Pick<ModalityInfo, "shape" | "dtype">,
  chunk: number = CHUNK,
): AsyncGenerator<{ readonly from: number; readonly values: Float32Array | Int32Array }> {
  const width = sizeOf(shape);
  const whole = Object.hasOwn(split.inputs, modality) ? split.inputs[modality] : null;
  const buffer = whole !== null
    ? null
    : dtype === "int32"
    ? new Int32Array(chunk * width)
    : new Float32Array(chunk * width);
  for (let from = 0; from < split.size; from += chunk) {
    const to = Math.min(split.size, from + chunk);
    if (whole !== null) yield { from, values: whole.subarray(from * width, to * width) };
    else {
      // What is decoded is decoded some at once.
      for (let n = from; n < to; n += AT_ONCE) {
        const some = Array.from({ length: Math.min(AT_ONCE, to - n) }, (_, i) => n + i);
        await Promise.all(some.map((own) => split.rows![modality].copy(own, buffer!, (own - from) * width)));
      }
      yield { from, values: buffer!.subarray(0, (to - from) * width) };
    }
  }
}

/** Bytes of values, where they lie. */
export function bytesOf(values: Float32Array | Int32Array | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}
