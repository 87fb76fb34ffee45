/**
 * Grids: experiments as data.
 *
 * @module
 */
import type { PartConfig } from "../record.ts";
import type { About } from "./about.ts";
import { complete, defineKind, type Kind } from "./kind.ts";

/** One configuration as asked for: parts by name with some options, still without a seed. */
export interface CellRequest {
  /** What it is called in tables; unique in its grid. */
  readonly label: string;
  readonly dataset: PartConfig;
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
}

/** The kind of grids. */
export const gridKind: Kind<GridPlugin> = defineKind<GridPlugin>({
  name: "grid",
  plural: "grids",
  about: "a question and the configurations that answer it",
  functions: {},
  ordered: true,
  describe: ({ seeds, cells }) => [
    `Seeds: ${seeds.join(", ")}`,
    `Configurations: ${cells.map(({ label }) => label).join(", ")}`,
  ],
});

/** Defines a grid. */
export function defineGrid(
  grid: { readonly name: string; readonly question: string } & Pick<GridPlugin, "cells" | "seeds">,
): GridPlugin {
  const { question, ...rest } = grid;
  return complete(gridKind, { ...rest, about: question, options: {} });
}
