/**
 * The paper's data sets: what is embedded stands for them in the profile `embedded`, the profile `paper` takes themselves.
 *
 * @module
 */
import type { CellRequest } from "../../../core/kinds/mod.ts";
import { kineticsSounds } from "../../../datasets/mod.ts";
import { part } from "../../config.ts";

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

/** What the paper states for all; equal epochs are compared. Where it states no number of epochs, that of KS stands. */
const STATED = { budget: "epochs", schedule: "constant", momentum: 0.9, weightDecay: 5e-4 };

/** Kinetics-Sounds: audio dominates. */
export const KS: PaperData = {
  name: "KS",
  embedded: { name: "av-digits", maps: true, dataset: part("av-digits"), encoder: part("cnn"), training: {} },
  paper: {
    set: "kinetics-sounds",
    dataset: part("files", { path: folderOf("kinetics-sounds") }),
    encoder: kineticsSounds.paper!.encoder,
    training: kineticsSounds.paper!.training,
  },
};

/** UCF-51: two views of one object. */
export const UCF: PaperData = {
  name: "UCF-51",
  embedded: {
    name: "icon-tri",
    maps: false,
    dataset: part("icon-tri"),
    encoder: { path: part("mlp"), raster: part("cnn"), text: part("mlp") },
    training: {},
  },
  paper: {
    set: "ucf-51",
    dataset: part("files", { path: folderOf("ucf-51") }),
    encoder: part("resnet18"),
    training: { ...STATED, learningRate: 5e-4, batchSize: 16, epochs: 80 },
  },
};

/** Food-101: text dominates. */
export const FOOD: PaperData = {
  name: "Food-101",
  embedded: {
    name: "moji-tri",
    maps: false,
    dataset: part("moji-tri"),
    encoder: { image: part("cnn"), speech: part("cnn"), text: part("mlp") },
    training: {},
  },
  paper: {
    set: "food-101",
    dataset: part("files", { path: folderOf("food-101") }),
    encoder: { image: part("vit-base"), text: part("bert-base") },
    training: { ...STATED, optimizer: "adamw", learningRate: 1e-4, batchSize: 64, epochs: 80 },
  },
};
