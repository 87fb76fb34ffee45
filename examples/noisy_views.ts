/**
 * A dataset of one's own, in one file: three views of a class, each through its own noise.
 *
 * Bench it: `deno task bench --plugin ./examples/noisy_views.ts --dataset noisy-views --encoder mlp --compare none,ogm-ge`
 *
 * Outside this repository the imports below are `@armlab/armlab`, `@armlab/armlab/core` and `@armlab/armlab/datasets`.
 *
 * @module
 */
import { Random, Refusal } from "../core/mod.ts";
import { fingerprintOf } from "../datasets/mod.ts";
import { type DatasetPlugin, defineDataset, type Split } from "../mod.ts";

/** Options of `noisy-views`. */
export interface NoisyViewsOptions {
  readonly samples: number;
  readonly noise: readonly number[];
  readonly seed: number;
}

/** Modalities and their widths. */
const WIDTHS = { near: 8, middle: 12, far: 20 } as const;
const CLASSES = ["circle", "square", "triangle", "star"];

function split(name: string, size: number, { noise, seed }: NoisyViewsOptions): Split {
  const labels = Int32Array.from({ length: size }, (_, n) => n % CLASSES.length);
  const view = (modality: string, width: number, index: number) => {
    // Centres are the same in all splits, noise is not.
    const centres = new Random(seed).split("centres", modality);
    const centre = Float32Array.from({ length: CLASSES.length * width }, () => centres.normal());
    const random = new Random(seed).split(name, modality);
    return Float32Array.from(
      { length: size * width },
      (_, i) => centre[labels[Math.floor(i / width)] * width + i % width] + noise[index] * random.normal(),
    );
  };
  return {
    size,
    labels,
    inputs: Object.fromEntries(
      Object.entries(WIDTHS).map(([modality, width], index) => [modality, view(modality, width, index)]),
    ),
    // Samples of one group never lie in two splits. Here every sample is one of its own.
    groups: Array.from({ length: size }, (_, n) => `${name} ${n}`),
  };
}

/** Gaussian clouds around class centres; the farther the view, the noisier. */
export const noisyViews: DatasetPlugin = defineDataset<NoisyViewsOptions>({
  name: "noisy-views",
  about: "three views of four classes, each noisier than the one before",
  formula: "x_u = centre_u(y) + noise_u N(0, 1)",
  source: "an example",
  options: {
    samples: {
      type: "integer",
      default: 600,
      min: 8,
      about: "training samples; a quarter as many for validation, half for test",
      source: "an example",
    },
    noise: {
      type: "numbers",
      default: [2, 4, 6],
      about: "standard deviation of each view's noise",
      source: "an example",
    },
    seed: { type: "integer", default: 0, min: 0, about: "of centres and noise", source: "an example" },
  },
  tiny: { samples: 40 },
  async load(options) {
    if (options.noise.length !== 3) {
      throw new Refusal({
        what: 'load "noisy-views"',
        must: "noise must have three values",
        found: `found ${options.noise.length}`,
        hint: "--set dataset.noise=2,4,6",
      });
    }
    const splits = {
      train: split("train", options.samples, options),
      validation: split("validation", Math.ceil(options.samples / 4), options),
      test: split("test", Math.ceil(options.samples / 2), options),
    };
    return {
      name: "noisy-views",
      modalities: Object.fromEntries(
        Object.entries(WIDTHS).map(([modality, width]) => [
          modality,
          { shape: [width], dtype: "float32" as const, about: `${modality} view` },
        ]),
      ),
      classes: CLASSES,
      splits,
      fingerprint: await fingerprintOf(splits),
      notices: [],
    };
  },
});
