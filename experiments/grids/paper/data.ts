/**
 * The paper's data sets: what is embedded stands for them in the profile `embedded`, the profile `paper` takes themselves.
 *
 * @module
 */
import type { CellRequest } from "../../../core/kinds/mod.ts";
import { part } from "../../config.ts";

/** Data with its encoders and how it is trained on. */
type Setting = Pick<CellRequest, "dataset" | "encoder" | "training">;

/** A data set of the paper. */
export interface PaperData {
  /** As tables name it. */
  readonly name: string;
  readonly embedded: Setting & { readonly name: string };
  readonly paper: Setting;
}

/** What the paper states for all (SGD unless another stands there); equal epochs are compared. */
const STATED = { budget: "epochs", schedule: "constant", momentum: 0.9, weightDecay: 5e-4 };

/** Kinetics-Sounds: audio dominates. */
export const KS: PaperData = {
  name: "KS",
  embedded: { name: "av-digits", dataset: part("av-digits"), encoder: part("cnn"), training: {} },
  paper: {
    dataset: part("files", { path: "data/kinetics-sounds" }),
    encoder: part("resnet18"),
    training: { ...STATED, learningRate: 1e-3, batchSize: 64, epochs: 80 },
  },
};
