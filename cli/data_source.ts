/**
 * `bench --data`: somebody's files as a dataset, described on the way.
 *
 * @module
 */
import { resolve } from "node:path";
import type { CellRequest, ModalityInfo } from "../core/kinds/mod.ts";
import { mapByModality } from "../core/modality.ts";
import type { PartConfig } from "../core/record.ts";
import { alignedTable, inspect, parseTokenizers } from "../datasets/mod.ts";
import { encodersOf, otherModalities, part } from "../experiments/config.ts";
import { StoreError, writeAtomic } from "../store/files.ts";

/** The encoder that takes an input of this shape: `bert` for ids, `cnn` for images and films, `gru` for sequences, else `mlp`. */
export function encoderFor({ shape, vocabulary }: ModalityInfo): PartConfig {
  if (vocabulary !== undefined) return part("bert");
  return part(shape.length >= 3 ? "cnn" : shape.length === 2 ? "gru" : "mlp");
}

/** Dataset and encoders for somebody's files. */
export interface DataParts {
  readonly dataset: PartConfig;
  readonly encoder: CellRequest["encoder"];
}

/**
 * Reads files, says what they are taken for, and keeps a guess as `dataset.json`.
 *
 * @param encoder Encoders that were named; every other modality gets the one that takes its input.
 * @param skip Whether broken samples are left out.
 * @param tokenizers Files of tokenizers, `MODALITY=FILE`.
 * @param say Takes a line or several for people.
 * @throws {Refusal} If the files cannot be read as a dataset.
 */
export async function dataParts(
  path: string,
  { encoder, skip, tokenizers = [] }: {
    readonly encoder?: CellRequest["encoder"];
    readonly skip: boolean;
    readonly tokenizers?: readonly string[];
  },
  say: (text: string) => void,
): Promise<DataParts> {
  const byName = parseTokenizers(tokenizers.join(","));
  const { described: { kept, guessed }, dataset, table, notes, json } = await inspect(path, skip, byName);
  const named = encoder === undefined ? {} : encodersOf({ encoder });
  const fitting = mapByModality(dataset.modalities, encoderFor);
  const left = named[otherModalities] === undefined
    ? Object.entries(fitting).filter(([modality]) => !Object.hasOwn(named, modality))
    : [];
  const encoders = { ...Object.fromEntries(left), ...named };
  say(`Data: ${path}\n${alignedTable(table)}`);
  for (const note of notes) say(`Note: ${note}.`);
  if (left.length > 0) {
    const chosen = left.map(([name, own]) => `${name} ${own.name}`).join(", ");
    say(`Encoders by what fits: ${chosen} (--encoder NAME for one of all).`);
  }
  if (guessed) say(await keep(kept, json));
  else say(`As ${kept} says.`);
  const placed = Object.entries(byName).map(([name, file]) => `${name}=${resolve(file)}`).join(",");
  const options = {
    path: resolve(path),
    ...skip ? { skipBroken: true } : {},
    ...placed === "" ? {} : { tokenizers: placed },
  };
  return { dataset: part("files", options), encoder: encoders };
}

/** Writes a description where there is none. A folder that cannot be written to is no obstacle: the guess stays the same. */
async function keep(path: string, json: string): Promise<string> {
  try {
    await writeAtomic(path, json);
    return `Guessed, and written to ${path}: edit it where it is wrong.`;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return `Guessed, and not kept: ${error.message}.`;
  }
}
