/**
 * Somebody's own features, from files and without code.
 *
 * @module
 */
import { dirname, join, parse, resolve } from "node:path";
import { type Dataset, type DatasetPlugin, defineDataset } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { datasetOf } from "./build.ts";
import { type ReadOptions, readSamples, type Samples } from "./samples.ts";
import { guess } from "./guess.ts";
import { DataFiles } from "./refs.ts";
import { type FilesSpec, parseSpec } from "./spec.ts";
import { parseTokenizers, withTokenizers } from "./tokenized.ts";

/** Options of `files`. */
export interface FilesOptions {
  readonly path: string;
  readonly skipBroken: boolean;
  readonly memory: number;
  readonly readers: number;
  readonly tokenizers: string;
}

/** Where the description of some data is kept: in its folder, or beside its file. */
export function specPath(path: string): string {
  const { dir, name, base } = parse(resolve(path));
  if (base === "dataset.json" || base.endsWith(".dataset.json")) return resolve(path);
  return isFile(path) ? join(dir, `${name}.dataset.json`) : join(resolve(path), "dataset.json");
}

function isFile(path: string): boolean {
  return Deno.statSync(path).isFile;
}

/** What is said of some data, or guessed. */
export interface Described {
  readonly spec: FilesSpec;
  /** Folder that its references are relative to. */
  readonly root: string;
  /** Where it is kept, or would be. */
  readonly kept: string;
  /** Whether it was guessed just now. */
  readonly guessed: boolean;
  readonly notes: readonly string[];
}

/** @throws {Refusal} If nothing is there. */
function checkThere(path: string): void {
  if (path === "") {
    throw new Refusal({
      what: "load files",
      must: "they must have a path",
      found: "found none",
      hint: "write --data FOLDER_OR_FILE, or --set files.path=...",
    });
  }
  try {
    Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    throw new Refusal({
      what: `read data "${path}"`,
      must: "it must exist",
      found: "nothing is there",
      hint: "check the path",
    });
  }
}

/**
 * What `dataset.json` says of some data; without one, a guess.
 *
 * @param tokenizers Of texts, by modality, beside what it says.
 * @throws {Refusal} If neither can be had.
 */
export async function describe(path: string, tokenizers: Readonly<Record<string, string>> = {}): Promise<Described> {
  const described = await withoutTokenizers(path);
  const named = Object.fromEntries(Object.entries(tokenizers).map(([name, file]) => [name, resolve(file)]));
  return { ...described, spec: withTokenizers(described.spec, named, described.root) };
}

async function withoutTokenizers(path: string): Promise<Described> {
  checkThere(path);
  const kept = specPath(path);
  const root = dirname(kept);
  let text: string | null = null;
  try {
    text = await Deno.readTextFile(kept);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (text !== null) return { spec: parseSpec(text, kept), root, kept, guessed: false, notes: [] };
  return { ...await guess(resolve(path)), root, kept, guessed: true };
}

/**
 * Reads all samples of some data.
 *
 * @throws {Refusal} If anything does not fit.
 */
export async function samplesOf({ spec, root }: Described, options: ReadOptions = {}): Promise<Samples> {
  const files = new DataFiles(root);
  let open = false;
  try {
    const samples = await readSamples(files, spec, options);
    // What is read by index is read as long as the dataset is used.
    open = Object.values(samples.values).some(({ stream }) => stream !== undefined);
    return samples;
  } finally {
    if (!open) await files.close();
  }
}

/** files: features of any model, from arrays and tables. */
export const files: DatasetPlugin = defineDataset<FilesOptions>({
  name: "files",
  tiny: { path: new URL("../data/example.csv", import.meta.url).pathname },
  about: "your own features: .npy, .npz, .safetensors, .csv, .tsv or .parquet, one array per modality and labels",
  source: "yours; dataset.json says what each file is, and is guessed and written where it is missing",
  options: {
    path: {
      type: "text",
      default: "",
      about: "folder, file or dataset.json",
      source: "yours",
      place: true,
    },
    skipBroken: {
      type: "boolean",
      default: false,
      about: "leave samples with broken files or values out, counted and listed",
      source: "chosen here: refused, so that nothing is missing unseen",
    },
    memory: {
      type: "integer",
      default: 2048,
      min: 0,
      about: "MiB that modalities may take in memory; above, .npy, .safetensors and media are read by index",
      source: "chosen here: every worker holds its own",
      place: true,
    },
    readers: {
      type: "integer",
      default: 2,
      min: 0,
      max: 64,
      about: "threads that read, decode and augment ahead what is read by index; changes no result",
      source: "chosen here: while one waits for the disk, the other works",
      place: true,
    },
    tokenizers: {
      type: "text",
      default: "",
      about: "tokenizer.json of texts by modality, MODALITY=FILE,...; else their words are numbered",
      source: "yours",
      place: true,
    },
  },
  async load({ path, skipBroken, memory, readers, tokenizers }): Promise<Dataset> {
    const described = await describe(path, parseTokenizers(tokenizers));
    const samples = await samplesOf(described, { skip: skipBroken, most: memory * 2 ** 20 });
    return await datasetOf(described.spec, samples, readers);
  },
});
