/**
 * Grids: experiments as data.
 *
 * @module
 */
import type { AcrossPlace, PartConfig } from "../record.ts";
import type { About } from "./about.ts";
import { complete, defineKind, type Kind } from "./kind.ts";
import { encoderText, partText, settingsText } from "./words.ts";

/** One configuration as asked for: parts by name with some options, still without a seed. */
export interface CellRequest {
  /** What it is called in tables; unique in its grid. */
  readonly label: string;
  readonly dataset: PartConfig;
  /** What it is of a comparison over several data sets. Absent if it is of none. */
  readonly across?: AcrossPlace;
  /** The modalities to use; all if absent. */
  readonly modalities?: readonly string[];
  /** One encoder for all modalities, or one each; `*` stands for all others. */
  readonly encoder: PartConfig | Readonly<Record<string, PartConfig>>;
  /** Files of weights that encoders start from, by modality. @default none */
  readonly weights?: Readonly<Record<string, string>>;
  /** Selectors of parameter groups that are not trained: `encoder:text`, `encoder:*`. @default none */
  readonly freeze?: readonly string[];
  /** Factors on the learning rate by selector of parameter groups: `{ "encoder:*": 0.1 }`. @default none */
  readonly rates?: Readonly<Record<string, number>>;
  readonly fusion: PartConfig;
  readonly methods: readonly PartConfig[];
  readonly training: Readonly<Record<string, unknown>>;
}

/** A question, the configurations that answer it and the seeds. Its `about` is the question, in one sentence. */
export interface GridPlugin extends About {
  readonly kind: "grid";
  readonly cells: readonly CellRequest[];
  readonly seeds: readonly number[];
  /** Further forms of it by name: on other data, with other settings. */
  readonly profiles?: Readonly<Record<string, GridProfile>>;
  /** What a paper prints for its rows. Absent if it is no table of one. */
  readonly printed?: Printed;
}

/** A form of a grid. */
export interface GridProfile extends Pick<GridPlugin, "cells" | "seeds"> {
  /** In one sentence. */
  readonly about: string;
  /** Which of its data stands for which column's, by the names that its cells have for it. */
  readonly standsFor: Readonly<Record<string, string>>;
  /** Sets that must be prepared, by the folder in which its cells look for them. @default none */
  readonly sets?: Readonly<Record<string, string>>;
}

/** A table as printed. */
export interface Printed {
  /** The paper and the number of the table. */
  readonly source: string;
  /** The subject that others are compared with. */
  readonly reference: string;
  readonly columns: readonly PrintedColumn[];
  /** What must be known to read it. */
  readonly notes: readonly string[];
}

/** A column of a printed table. */
export interface PrintedColumn {
  /** The data set as printed. */
  readonly data: string;
  /** The modality whose own accuracy it is, as printed. Absent of the accuracy of all. */
  readonly modality?: string;
  /** Where it is of a modality: which modality stands for it, by data. */
  readonly standsFor?: Readonly<Record<string, string>>;
  /** Percent by subject. */
  readonly values: Readonly<Record<string, number>>;
}

/** The kind of grids. */
export const gridKind: Kind<GridPlugin> = defineKind<GridPlugin>({
  name: "grid",
  plural: "grids",
  about: "a question and the configurations that answer it",
  functions: {},
  ordered: true,
  describe: ({ name, seeds, cells, profiles = {}, printed }) => [
    `Seeds: ${seeds.join(", ")}`,
    `Configurations: ${cells.map(({ label }) => label).join(", ")}`,
    `Runs: ${cells.length * seeds.length}`,
    `Data: ${each(cells.map(({ dataset }) => partText(dataset)))}`,
    `Encoders: ${each(cells.map(({ encoder }) => encoderText(encoder)))}`,
    `Training: ${each(cells.map(({ training }) => settingsText(training)))}`,
    ...Object.entries(profiles).map(([profile, { about }]) => `Profile ${profile}: ${about}`),
    ...(printed === undefined ? [] : [
      `Printed: ${printed.source}${printed.columns.length === 0 ? "; no value is known" : ""}`,
      ...printed.notes,
    ]),
    `Expected time: deno task ${
      printed === undefined ? `bench ${name}` : `armlab reproduce ${name}`
    } --dry-run says it, from runs that are kept or steps that it makes`,
  ],
});

/** What is said of many, each once. */
const each = (texts: readonly string[]) => [...new Set(texts)].join("; ");

/** Defines a grid. */
export function defineGrid(
  grid:
    & { readonly name: string; readonly question: string }
    & Pick<GridPlugin, "cells" | "seeds" | "profiles" | "printed">,
): GridPlugin {
  const { question, ...rest } = grid;
  return complete(gridKind, { ...rest, about: question, options: {} });
}
