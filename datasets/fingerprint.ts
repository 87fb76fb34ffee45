/**
 * Fingerprints of loaded data.
 *
 * @module
 */
import { modalitiesOf } from "../core/modality.ts";
import type { Dataset } from "../core/kinds/mod.ts";

/** Hexadecimal form of a digest. */
export function hex(digest: ArrayBuffer): string {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * SHA-256 (hex) over the SHA-256 of every array of every split: labels, inputs in sorted order of modalities, and where
 * samples lack some, which they have.
 *
 * @param modalities For data whose shapes may change while its values stay: their shapes and types count too.
 */
export async function fingerprintOf(
  splits: Dataset["splits"],
  modalities?: Dataset["modalities"],
): Promise<string> {
  const parts: string[] = modalities === undefined ? [] : modalitiesOf(modalities).map((name) => {
    const { shape, dtype, vocabulary = 0 } = modalities[name];
    return JSON.stringify([name, shape, dtype, vocabulary]);
  });
  for (const name of ["train", "validation", "test"] as const) {
    const { labels, inputs, present } = splits[name];
    const arrays = [labels, ...modalitiesOf(inputs).map((modality) => inputs[modality])];
    for (const array of present === undefined ? arrays : [...arrays, present]) {
      const bytes = new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
      parts.push(hex(await crypto.subtle.digest("SHA-256", bytes)));
    }
  }
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\n"))));
}
