/**
 * Datasets that come with the package: compressed files beside a manifest of their digests.
 *
 * @module
 */
import { mapByModality } from "../core/modality.ts";
import type { Split, SplitName } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { hex } from "./fingerprint.ts";

/** A stored file with SHA-256 (hex) of its compressed bytes and of its contents. */
export interface StoredFile {
  readonly path: string;
  readonly stored: string;
  readonly decoded: string;
}

/** Where contents are from. */
export interface StoredSource {
  readonly package: string;
  readonly licence: string;
  readonly use: string;
}

/** What every manifest of an embedded dataset says. */
export interface StoredManifest {
  readonly format: 1;
  readonly files: Readonly<Record<string, StoredFile>>;
  readonly sources: readonly StoredSource[];
  /** The command that builds the files anew. */
  readonly build: string;
}

async function read(dataset: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`./data/${name}`, import.meta.url);
  const absent = (found: string, cause?: unknown) =>
    new Refusal({
      what: `load dataset "${dataset}"`,
      must: `${name} must be there`,
      found,
      hint: url.protocol === "file:" ? "restore the file from the package" : undefined,
    }, { cause });
  let response: Response;
  try {
    // fetch reads both an installed package over https and a checkout on disk.
    response = await fetch(url);
  } catch (error) {
    // What is not there on the disk, and a server that is not reached, have no status.
    if (error instanceof TypeError) throw absent(error.message.replaceAll(/ \(os error \d+\)/g, ""), error);
    throw error;
  }
  if (!response.ok) throw absent(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** Reads a manifest. @throws {Refusal} If it is not there. */
export async function readManifest<M extends StoredManifest>(dataset: string, path: string): Promise<M> {
  return JSON.parse(new TextDecoder().decode(await read(dataset, path))) as M;
}

/** Contents of a stored file. @throws {Refusal} If it is not there, or its digest or that of its contents is another. */
export async function unpack(dataset: string, { files, build }: StoredManifest, name: string): Promise<Uint8Array> {
  const { path, stored, decoded } = files[name];
  const bytes = await read(dataset, path);
  const check = (what: string, wanted: string, found: string) => {
    if (wanted !== found) {
      throw new Refusal({
        what: `load dataset "${dataset}"`,
        must: `the ${what} of ${path} must have SHA-256 ${wanted}`,
        found: `found ${found}`,
        hint: `restore the file from the package, or build it anew by: ${build}`,
      });
    }
  };
  check("bytes", stored, await sha256(bytes));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const content = new Uint8Array(await new Response(stream).arrayBuffer());
  check("contents", decoded, await sha256(content));
  return content;
}

/** Licence notices of a manifest's sources. */
export function noticesOf({ sources }: StoredManifest): string[] {
  return sources.map((item) => `${item.package}, ${item.licence}: ${item.use}`);
}

/** Mean and standard deviation over all values. */
interface Moments {
  readonly mean: number;
  readonly std: number;
}

function moments(values: Float32Array): Moments {
  // By index: it takes a third of the time of iterating, over millions of values.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}

/**
 * Standardises modalities in place, by mean and standard deviation over all their values in the training split.
 *
 * @param modalities Which; the others stay as they are.
 * @returns Those means and standard deviations.
 */
export function standardise(
  splits: Readonly<Record<SplitName, Pick<Split, "inputs">>>,
  modalities: readonly string[],
): Record<string, Moments> {
  const chosen = Object.fromEntries(modalities.map((name) => [name, splits.train.inputs[name] as Float32Array]));
  const scale = mapByModality(chosen, moments);
  for (const { inputs } of Object.values(splits)) {
    for (const name of modalities) {
      const { mean, std } = scale[name];
      const values = inputs[name];
      for (let i = 0; i < values.length; i++) values[i] = (values[i] - mean) / std;
    }
  }
  return scale;
}

/** Values by a mean and standard deviation, in place; as they are where there is none. */
export function standardised<T extends Float32Array | Int32Array>(values: T, scale?: Moments): T {
  if (scale === undefined) return values;
  for (let i = 0; i < values.length; i++) values[i] = (values[i] - scale.mean) / scale.std;
  return values;
}
