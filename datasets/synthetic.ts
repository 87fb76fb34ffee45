/**
 * A trainable set of two modalities whose information about the label is known exactly.
 *
 * Each modality shows one bit as a fixed random direction plus Gaussian noise; the label follows from both bits as one of
 * four textbook cases says. The truth is that of the bits: what a modality is worth to a reader who can undo the noise.
 *
 * @module
 */
import { mapByModality } from "../core/modality.ts";
import { type Dataset, type DatasetPlugin, defineDataset, type Split, type SplitName } from "../core/kinds/mod.ts";
import { Random } from "../core/random.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { bitSets, type InformationTruth } from "./information_sets.ts";

/** How the modalities share their information about the label. */
export type SyntheticKind = "redundant" | "unique" | "synergy" | "copy";

/** Options of `synthetic`. */
export interface SyntheticOptions {
  readonly kind: SyntheticKind;
  readonly width: number;
  readonly noise: number;
  readonly samples: number;
  readonly seed: number;
}

/** Exact information of the modalities `first` and `second` about the label, in nats. */
export function syntheticTruth(kind: SyntheticKind): InformationTruth {
  return bitSets[kind].truth;
}

/** Shares of the training split that validation and test have. */
const SHARES: Readonly<Record<SplitName, number>> = { train: 1, validation: 0.25, test: 0.5 };

function drawn(name: SplitName, { kind, width, noise, samples, seed }: SyntheticOptions): Split {
  const size = Math.max(1, Math.round(samples * SHARES[name]));
  const random = new Random(seed).split("synthetic", kind);
  const bits = bitSets[kind].sample(size, random.split(name, "bits"));
  const sources = { first: bits.sources["x1"], second: bits.sources["x2"] };
  return {
    size,
    labels: Int32Array.from(bits.target.values),
    groups: Array.from({ length: size }, (_, n) => `${name} ${n}`),
    inputs: mapByModality(sources, ({ values }, modality) => {
      const direction = random.split("direction", modality);
      const shape = Array.from({ length: width }, () => direction.normal() / Math.sqrt(width));
      const own = random.split(name, "noise", modality);
      return Float32Array.from(
        { length: size * width },
        (_, i) => (2 * values[Math.floor(i / width)] - 1) * shape[i % width] + noise * own.normal(),
      );
    }),
  };
}

/** Two modalities that are redundant, unequal, synergistic or independent halves of the label. */
export const synthetic: DatasetPlugin = defineDataset<SyntheticOptions>({
  name: "synthetic",
  about: "two modalities whose information about the label is known: redundant, unique, synergy (exclusive or) or copy",
  formula: "x_u = (2 b_u - 1) direction_u + noise;  y = b_1 = b_2 | b_1 | b_1 xor b_2 | (b_1, b_2)",
  source: "textbook cases of partial information decomposition; made here, no data is fetched",
  options: {
    kind: {
      type: "choice",
      choices: ["redundant", "unique", "synergy", "copy"],
      default: "copy",
      about: "how the modalities share the label; a fusion that adds up logits cannot read an exclusive or",
      source: "chosen here: both modalities are needed, neither alone is worthless",
    },
    width: {
      type: "integer",
      default: 16,
      min: 1,
      about: "values per modality",
      source: "chosen here: trains in moments",
    },
    noise: {
      type: "number",
      default: 0.25,
      min: 0,
      about: "standard deviation of the noise; the signal has length 1",
      source: "chosen here: hard enough to tell methods apart",
    },
    samples: {
      type: "integer",
      default: 1000,
      min: 8,
      about: "training samples; a quarter validates, a half tests",
      source: "chosen here: trains in moments",
    },
    seed: { type: "integer", default: 0, min: 0, about: "seed of the set itself", source: "any" },
  },
  async load(options): Promise<Dataset> {
    const splits = {
      train: drawn("train", options),
      validation: drawn("validation", options),
      test: drawn("test", options),
    };
    return {
      name: "synthetic",
      modalities: mapByModality(splits.train.inputs, () => ({
        shape: [options.width],
        dtype: "float32" as const,
        about: "one bit along a fixed direction, with noise",
      })),
      classes: options.kind === "copy" ? ["00", "01", "10", "11"] : ["0", "1"],
      splits,
      fingerprint: await fingerprintOf(splits),
      notices: [],
    };
  },
});
