/**
 * Fingerprints of loaded data.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { modalitiesOf } from "../core/modality.ts";
import type { Dataset, ModalityInfo, Rows } from "../core/kinds/mod.ts";
import { bytesOf, chunksOf, inputNames } from "./rows.ts";

/** SHA-256 (hex) of an array's bytes. */
async function digestOf(values: Float32Array | Int32Array | Uint8Array): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", bytesOf(values)));
}

/** Hexadecimal form of a digest. */
export function hex(digest: ArrayBuffer): string {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Which samples share a group, whatever the groups are called: their first sample's index for each [N]; `undefined` where
 * every sample is a group of its own.
 */
function partitionOf(groups: readonly string[]): Int32Array | undefined {
  const first = new Map<string, number>();
  const partition = Int32Array.from(groups, (group, n) => {
    if (!first.has(group)) first.set(group, n);
    return first.get(group)!;
  });
  return first.size === groups.length ? undefined : partition;
}

/**
 * SHA-256 (hex) of all rows one behind the other, read for it: that of the array, were they in memory.
 *
 * @param size How many there are.
 * @param dtype @default {"float32"}
 */
export async function digestOfRows(
  rows: Rows,
  size: number,
  dtype: ModalityInfo["dtype"] = "float32",
): Promise<string> {
  const hash = createHash("sha256");
  for await (
    const { values } of chunksOf({ size, inputs: {}, rows: { values: rows } }, "values", { shape: [rows.width], dtype })
  ) {
    hash.update(bytesOf(values));
  }
  return hash.digest("hex");
}

/**
 * SHA-256 (hex) over the SHA-256 of every array of every split: labels, inputs in sorted order of modalities, and where
 * samples lack some, which they have.
 *
 * @param modalities For data whose shapes may change while its values stay: their shapes and types count too, and the
 *   groups of samples, which floors and pairs are made by.
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
    const split = splits[name];
    const { labels, inputs, rows = {}, present, groups } = split;
    parts.push(await digestOf(labels));
    const shared = modalities === undefined ? undefined : partitionOf(groups);
    if (shared !== undefined) parts.push(await digestOf(shared));
    for (const modality of inputNames(split)) {
      if (Object.hasOwn(inputs, modality)) {
        parts.push(await digestOf(inputs[modality]));
        continue;
      }
      const own = rows[modality];
      parts.push(await (own.digest?.() ?? digestOfRows(own, split.size, modalities?.[modality].dtype)));
    }
    if (present !== undefined) parts.push(await digestOf(present));
  }
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\n"))));
}
