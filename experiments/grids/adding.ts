/**
 * Does adding modalities help?
 *
 * @module
 */
import { type CellRequest, defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import type { PartConfig } from "../../core/record.ts";
import { part } from "../config.ts";

/** Plain multilayer perceptrons and AdamW at its usual rate, what the sets were probed with; three seeds. */
export const ADDING: {
  readonly encoder: PartConfig;
  readonly training: CellRequest["training"];
  readonly seeds: number[];
} = {
  encoder: part("mlp"),
  training: { optimizer: "adamw", learningRate: 0.001, epochs: 15 },
  seeds: [0, 1, 2],
};

/** Concatenation of a set's modalities, or of some of them, in that setting. */
export function addingCell(name: string, label: string, own?: readonly string[]): CellRequest {
  return {
    label,
    dataset: part(name),
    ...(own === undefined ? {} : { modalities: own }),
    encoder: ADDING.encoder,
    fusion: part("concat"),
    methods: [],
    training: ADDING.training,
  };
}

function grid(name: string, modalities: readonly string[]): GridPlugin {
  return defineGrid({
    name: `${name}-adding`,
    question:
      `Does concatenating all modalities of ${name} beat the best of them, and what do unimodal losses and ARM add?`,
    seeds: ADDING.seeds,
    cells: [
      addingCell(name, "concat"),
      ...modalities.map((modality) => addingCell(name, `${modality} only`, [modality])),
      ...["uni-ce", "arm"].map((method) => ({ ...addingCell(name, method), methods: [part(method)] })),
    ],
  });
}

/** Picture, speech and text of emoji. */
export const mojiAdding: GridPlugin = grid("moji-tri", ["image", "speech", "text"]);
/** Path, raster and text of icons. */
export const iconAdding: GridPlugin = grid("icon-tri", ["path", "raster", "text"]);
