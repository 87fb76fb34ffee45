/**
 * What somebody has of a set: its samples, what is not there, and what has no sample.
 *
 * @module
 */
import { type ByModality, mapByModality, modalitiesOf } from "../../core/modality.ts";
import type { Official, SetModality, SetPlugin, SetSample } from "../../core/kinds/mod.ts";
import type { RawOptions } from "../../core/options.ts";
import { Refusal } from "../../core/refusal.ts";
import { twoFolders } from "../files/films.ts";
import { openSetFolder } from "./folder.ts";

/** The samples of a set that are in a folder. */
export interface ListedSet {
  readonly set: SetPlugin;
  /** Folder that paths are relative to. */
  readonly root: string;
  /** Names of the classes in the order of their indices. */
  readonly classes: readonly string[];
  readonly modalities: ByModality<SetModality>;
  /** As listed, each once. */
  readonly samples: readonly SetSample[];
  /** Ids that are listed more than once. */
  readonly repeated: readonly string[];
  /** Files of media that no sample has. */
  readonly unlisted: readonly string[];
  /** The numbers that it is compared with. */
  readonly official: (Official & { readonly name: string }) | null;
  readonly notes: readonly string[];
}

/** Names of a sample's modalities of which nothing is there. */
export function lacking({ files }: SetSample): string[] {
  return modalitiesOf(files).filter((modality) => files[modality] === "");
}

/** Classes as they are known, or those of the samples in alphabetic order. @throws {Refusal} If a label is none. */
function classesOf(
  set: SetPlugin,
  samples: readonly SetSample[],
  classes: readonly string[] = set.classes,
): readonly string[] {
  if (classes.length === 0) return [...new Set(samples.map(({ label }) => label))].sort();
  const known = new Set(classes);
  const odd = samples.find(({ label }) => !known.has(label));
  if (odd === undefined) return classes;
  throw new Refusal({
    what: `use sample "${odd.id}" of ${set.title}`,
    must: `its label must be one of the ${classes.length} classes`,
    found: `found ${JSON.stringify(odd.label)}`,
  });
}

/**
 * Finds the samples of a set in a folder; no file of media is read.
 *
 * @param options The set's options.
 * @param settings How files become values, by modality, where that differs from the set's own.
 * @throws {Refusal} If lists are missing or wrong, or there is no sample.
 */
export async function listSet(
  set: SetPlugin,
  root: string,
  options: RawOptions = {},
  settings: ByModality<Partial<SetModality>> = {},
): Promise<ListedSet> {
  const folder = await openSetFolder(root);
  const { samples, official, classes, modalities = set.modalities, notes = [] } = await set.list(folder, options);
  if (samples.length === 0) {
    throw new Refusal({ what: `read ${set.title} in "${root}"`, must: "there must be a sample", found: "found none" });
  }
  const first = new Map<string, SetSample>();
  const repeated: string[] = [];
  for (const sample of samples) {
    const other = first.get(sample.id);
    if (other === undefined) first.set(sample.id, sample);
    else repeated.push(other.split === sample.split ? sample.id : `${sample.id} (${other.split} and ${sample.split})`);
  }
  const own = [...first.values()];
  const used = new Set(own.flatMap(({ files }) => Object.values(files)).flatMap((path) => twoFolders(path) ?? [path]));
  const unlisted = [...folder.seen].flatMap(([at, names]) =>
    [...names.keys()].map((name) => `${at}/${name}`).filter((path) => !used.has(path))
  );
  return {
    set,
    root,
    classes: classesOf(set, own, classes),
    modalities: mapByModality(modalities, (own, name) => ({ ...own, ...settings[name] })),
    samples: own,
    repeated,
    unlisted,
    official: official === undefined ? null : { name: official, ...set.official[official] },
    notes,
  };
}
