/**
 * Does adding modalities help?
 *
 * @module
 */
import { type CellRequest, defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { part } from "../config.ts";

/** Plain multilayer perceptrons and AdamW at its usual rate: what the sets were probed with. */
const encoder = part("mlp");
const training = { optimizer: "adamw", learningRate: 0.001, epochs: 15 };

function grid(name: string, modalities: readonly string[]): GridPlugin {
  const cell = (label: string, methods: readonly string[], own?: readonly string[]): CellRequest => ({
    label,
    dataset: part(name),
    ...(own === undefined ? {} : { modalities: own }),
    encoder,
    fusion: part("concat"),
    methods: methods.map((method) => part(method)),
    training,
  });
  return defineGrid({
    name: `${name}-adding`,
    question:
      `Does concatenating all modalities of ${name} beat the best of them, and what do unimodal losses and ARM add?`,
    seeds: [0, 1, 2],
    cells: [
      cell("concat", []),
      ...modalities.map((modality) => cell(`${modality} only`, [], [modality])),
      cell("uni-ce", ["uni-ce"]),
      cell("arm", ["arm"]),
    ],
  });
}

/** Picture, speech and text of emoji. */
export const mojiAdding: GridPlugin = grid("moji-tri", ["image", "speech", "text"]);
/** Path, raster and text of icons. */
export const iconAdding: GridPlugin = grid("icon-tri", ["path", "raster", "text"]);
