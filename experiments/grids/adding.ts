/**
 * Does adding modalities help?
 *
 * @module
 */
import { type CellRequest, defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { iconTri, mojiTri } from "../../datasets/mod.ts";
import { part } from "../config.ts";

/** How a set's configurations are trained: with the encoders that the set names, wherever it stands. */
export interface AddingSetting {
  readonly dataset: string;
  readonly modalities: readonly string[];
  readonly encoder: CellRequest["encoder"];
  readonly training: CellRequest["training"];
  readonly seeds: readonly number[];
}

/**
 * Emoji with the set's own encoders and the standard training: at its rate the picture is learnt in a few epochs and the
 * text in ten, so that beside the picture it is hardly learnt.
 */
export const ON_MOJI: AddingSetting = {
  dataset: "moji-tri",
  modalities: ["image", "speech", "text"],
  encoder: mojiTri.encoder!,
  training: {},
  seeds: [0, 1, 2, 3, 4],
};

/** Icons with plain multilayer perceptrons and AdamW at its usual rate: two modalities that know little outvote one. */
export const ON_ICONS: AddingSetting = {
  dataset: "icon-tri",
  modalities: ["path", "raster", "text"],
  encoder: iconTri.encoder!,
  training: { optimizer: "adamw", learningRate: 0.001, epochs: 15 },
  seeds: [0, 1, 2],
};

/** Concatenation of a set's modalities, or of some of them, in its setting. */
export function addingCell(setting: AddingSetting, label: string, own = setting.modalities): CellRequest {
  const { encoder } = setting;
  return {
    label,
    dataset: part(setting.dataset),
    ...(own === setting.modalities ? {} : { modalities: own }),
    encoder: "name" in encoder ? encoder : Object.fromEntries(own.map((name) => [name, encoder[name]])),
    fusion: part("concat"),
    methods: [],
    training: setting.training,
  };
}

function grid(setting: AddingSetting): GridPlugin {
  const { dataset, modalities, seeds } = setting;
  return defineGrid({
    name: `${dataset}-adding`,
    question:
      `Does concatenating all modalities of ${dataset} beat the best of them, and what do unimodal losses and ARM add?`,
    seeds,
    cells: [
      addingCell(setting, "concat"),
      ...modalities.map((modality) => addingCell(setting, `${modality} only`, [modality])),
      ...["uni-ce", "arm"].map((method) => ({ ...addingCell(setting, method), methods: [part(method)] })),
    ],
  });
}

/** Picture, speech and text of emoji. */
export const mojiAdding: GridPlugin = grid(ON_MOJI);
/** Path, raster and text of icons. */
export const iconAdding: GridPlugin = grid(ON_ICONS);
