/**
 * The paper's data sets: what is embedded stands for them in the profile `embedded`, the profile `paper` takes themselves.
 *
 * @module
 */
import type { CellRequest, SetPlugin } from "../../../core/kinds/mod.ts";
import { food101, kineticsSounds, ucf51 } from "../../../datasets/mod.ts";
import { part } from "../../config.ts";
import { ON_ICONS, ON_MOJI } from "../adding.ts";

/** Data with its encoders and how it is trained on. */
type Setting = Pick<CellRequest, "dataset" | "encoder" | "training">;

/** A data set of the paper. */
export interface PaperData {
  /** As tables name it. */
  readonly name: string;
  readonly embedded: Setting & {
    readonly name: string;
    /** Whether the encoders of all its modalities give feature maps, which some fusions need. */
    readonly maps: boolean;
  };
  readonly paper: Setting & {
    /** The set that must be prepared. */
    readonly set: string;
  };
}

/** Where a set is looked for: the folder that `data prepare` writes it into where none is named. */
export const folderOf = (set: string): string => `data/${set}`;

/** A set as the paper trains on it; equal epochs are compared. */
function settingsOf({ name, paper }: SetPlugin): PaperData["paper"] {
  return {
    set: name,
    dataset: part("files", { path: folderOf(name) }),
    encoder: paper!.encoder,
    training: { budget: "epochs", ...paper!.training },
  };
}

/** Kinetics-Sounds: audio dominates. */
export const KS: PaperData = {
  name: "KS",
  embedded: { name: "av-digits", maps: true, dataset: part("av-digits"), encoder: part("cnn"), training: {} },
  paper: settingsOf(kineticsSounds),
};

/** UCF-51: two views of one object. */
export const UCF: PaperData = {
  name: "UCF-51",
  embedded: {
    name: "icon-tri",
    maps: false,
    dataset: part(ON_ICONS.dataset),
    encoder: ON_ICONS.encoder,
    training: ON_ICONS.training,
  },
  paper: settingsOf(ucf51),
};

/** Food-101: text dominates. */
export const FOOD: PaperData = {
  name: "Food-101",
  embedded: {
    name: "moji-tri",
    maps: false,
    dataset: part(ON_MOJI.dataset),
    encoder: ON_MOJI.encoder,
    training: ON_MOJI.training,
  },
  paper: settingsOf(food101),
};
