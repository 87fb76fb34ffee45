/**
 * Tensors of a run: its checkpoint and its tested model, each a file that is replaced as a whole.
 *
 * @module
 */
import { canonicalJson } from "../core/canonical.ts";
import type { NamedHostTensors } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { StoreError } from "./files.ts";
import { quoted } from "./run_files.ts";
import { readSafetensors, SEALED, writeSafetensors } from "./tensors.ts";

/** Where training can go on. */
export interface StoredCheckpoint<S> {
  readonly tensors: NamedHostTensors;
  readonly state: S;
}

/** The parameters and buffers that were tested. */
export interface StoredModel {
  readonly params: NamedHostTensors;
  readonly buffers: NamedHostTensors;
}

/** Writes a checkpoint. @param state Plain data; numbers must be finite. @throws {StoreError} If it cannot be written. */
export async function writeCheckpoint(
  path: string,
  run: string,
  tensors: NamedHostTensors,
  state: unknown,
): Promise<void> {
  await writeSafetensors(path, tensors, { format: SEALED, run, state: canonicalJson(state) });
}

/** Reads a checkpoint; `null` if there is none. @throws {StoreError} If it is damaged, of another run, or cannot be read. */
export async function readCheckpoint<S>(path: string, id: string): Promise<StoredCheckpoint<S> | null> {
  const stored = await readSafetensors(path);
  if (stored === null) return null;
  const { format, run, state } = stored.metadata;
  if (format !== SEALED || run !== id || state === undefined) {
    throw new StoreError("corrupt", path, {
      what: `read checkpoint "${path}"`,
      must: `it must be of run ${id} in format ${SEALED}`,
      found: `found run ${JSON.stringify(run ?? null)}, format ${JSON.stringify(format ?? null)}`,
      hint: "remove it to start anew",
    });
  }
  // Tensors and state come from one file that is replaced as a whole, so that they always belong together.
  return { tensors: stored.tensors, state: JSON.parse(state) as S };
}

/**
 * Writes the tested model; its metadata `buffers` lists which of its tensors are buffers.
 *
 * @throws {Refusal} If a parameter and a buffer have the same name.
 * @throws {StoreError} If it cannot be written.
 */
export async function writeModel(path: string, run: string, model: StoredModel): Promise<void> {
  const buffers = Object.keys(model.buffers).sort();
  const clash = buffers.find((name) => Object.hasOwn(model.params, name));
  if (clash !== undefined) {
    throw new Refusal({
      what: "keep the model",
      must: "names must be unique",
      found: `"${clash}" is a parameter and a buffer`,
    });
  }
  await writeSafetensors(path, { ...model.params, ...model.buffers }, {
    format: SEALED,
    run,
    buffers: canonicalJson(buffers),
  });
}

/** Reads the tested model; `null` if there is none. @throws {StoreError} If it is damaged, of another run, or unreadable. */
export async function readModel(path: string, id: string): Promise<StoredModel | null> {
  const hint = "remove it and run the same bench again, which trains the run anew";
  const stored = await readSafetensors(path, { what: "model", hint });
  if (stored === null) return null;
  const { run, buffers, format } = stored.metadata;
  const names = namesIn(buffers);
  // Older versions wrote no digest, and called that format 1.
  if (run !== id || names === null || (format !== "1" && format !== SEALED)) {
    throw new StoreError("corrupt", path, {
      what: `read model "${path}"`,
      must: `it must be of run ${id} and list its buffers`,
      found: run === id
        ? "it does not, or is of another format"
        : `found run ${run === undefined ? "none" : quoted(run)}`,
      hint,
    });
  }
  const pick = (wanted: boolean) =>
    Object.fromEntries(Object.entries(stored.tensors).filter(([name]) => names.has(name) === wanted));
  return { params: pick(false), buffers: pick(true) };
}

/** Names in the JSON of a model's metadata, or `null`. */
function namesIn(text: string | undefined): ReadonlySet<string> | null {
  try {
    const names = JSON.parse(text ?? "");
    return Array.isArray(names) && names.every((name) => typeof name === "string") ? new Set(names) : null;
  } catch {
    return null;
  }
}
