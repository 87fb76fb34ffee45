/** Tiny datasets and models of tests. */
import type { Dataset, Method, Split } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import type { TrainingConfig } from "../../core/record.ts";
import type { Library } from "../../core/library.ts";
import { fingerprintOf } from "../../datasets/mod.ts";
import type { Model } from "../../training/mod.ts";

/** Names of up to four modalities; "audio" sorts first. */
const names = ["audio", "image", "text", "video"];

/** A classification set of m modalities of unequal widths; the first is the cleanest. */
export async function toyDataset(
  m: number,
  sizes = { train: 75, validation: 30, test: 45 },
  classes = 3,
): Promise<Dataset> {
  const widths = [5, 7, 4, 6].slice(0, m);
  const split = (name: string, size: number): Split => {
    const random = new Random(1).split("toy", name);
    const labels = Int32Array.from({ length: size }, (_, n) => n % classes);
    const inputs: Record<string, Float32Array> = {};
    widths.forEach((width, u) => {
      const noise = 0.6 + 0.5 * u;
      inputs[names[u]] = Float32Array.from(
        { length: size * width },
        (_, i) => noise * random.normal() + (i % width === labels[Math.floor(i / width)] ? 1.6 : 0),
      );
    });
    return { size, labels, inputs, groups: Array.from({ length: size }, (_, n) => `${name} ${n}`) };
  };
  const splits = {
    train: split("train", sizes.train),
    validation: split("validation", sizes.validation),
    test: split("test", sizes.test),
  };
  return {
    name: "toy",
    modalities: Object.fromEntries(
      widths.map((width, u) => [names[u], { shape: [width], dtype: "float32", about: "blobs" }]),
    ),
    classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
    splits,
    fingerprint: await fingerprintOf(splits),
    notices: [],
  };
}

/** Training that takes moments. */
export const toyTraining: TrainingConfig = {
  budget: "samples",
  epochs: 4,
  batchSize: 16,
  optimizer: "sgd",
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: "cosine",
  stepAt: 0.7,
  clipNorm: 10,
  select: "best",
};

/** A model of registered parts on a dataset of vectors. */
export function toyModel(
  library: Library,
  dataset: Dataset,
  fusion: string,
  methods: readonly (string | [string, Record<string, unknown>] | Method)[],
  fusionOptions: Record<string, unknown> = {},
  widthOf: (u: number) => number = (u) => 8 + u,
): Model {
  const modalities = Object.keys(dataset.modalities).sort();
  const context = { modalities, classes: dataset.classes.length };
  const mlp = library.of("encoder").get("mlp");
  const built = library.of("fusion").get(fusion).create({ ...fusionOptions }, context);
  // As many hidden layers as the fusion wants stages.
  const hidden = Array.from({ length: Math.max(1, built.needs.stages ?? 0) }, (_, l) => 9 - l);
  return {
    context,
    encoders: Object.fromEntries(modalities.map((modality, u) => [
      modality,
      // Unequal feature widths, so that nothing may rely on equal ones.
      mlp.create({ hidden, width: widthOf(u) }, dataset.modalities[modality]),
    ])),
    fusion: built,
    methods: methods.map((method) => {
      if (typeof method !== "string" && !Array.isArray(method)) return method as Method;
      const [name, options] = typeof method === "string" ? [method, {}] : method;
      const bound = library.bind("method", { name, options });
      return bound.plugin.create(bound.options, context);
    }),
  };
}
