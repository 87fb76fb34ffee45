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

/** SHA-256 (hex) over the SHA-256 of every array of every split: labels, then inputs in sorted order of modalities. */
export async function fingerprintOf(splits: Dataset["splits"]): Promise<string> {
  const parts: string[] = [];
  for (const name of ["train", "validation", "test"] as const) {
    const { labels, inputs } = splits[name];
    for (const array of [labels, ...modalitiesOf(inputs).map((modality) => inputs[modality])]) {
      const bytes = new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
      parts.push(hex(await crypto.subtle.digest("SHA-256", bytes)));
    }
  }
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\n"))));
}
