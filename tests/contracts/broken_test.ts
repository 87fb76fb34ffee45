/** Contracts can fail: each of these plugins breaks one on purpose, and the verdict names it. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { AnyPlugin } from "../../core/library.ts";
import { Library } from "../../core/library.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  type Dataset,
  defineDataset,
  defineEncoder,
  defineFusion,
  defineMethod,
  type Fusion,
  type FusionOutput,
  type FusionPlugin,
  type Method,
  type MethodPlugin,
  type ModelContext,
  type Preview,
  type TrainStep,
} from "../../core/kinds/mod.ts";
import { fingerprintOf } from "../../datasets/mod.ts";
import { weightedSum } from "../../examples/weighted_sum.ts";
import { noisyViews } from "../../examples/noisy_views.ts";
import { mapByModality } from "../../core/modality.ts";
import { zeros } from "../../nn/initializers.ts";
import { linear } from "../../nn/mod.ts";
import { contractsOf, type ContractTools, judge } from "../../contracts/mod.ts";
import { Predictor } from "../../training/mod.ts";
import { contractTools } from "../helpers/contracts.ts";

const tools = await contractTools();

/** The verdict of the contract whose claim has these words. */
async function verdict(plugin: AnyPlugin, claim: string, own: ContractTools = tools) {
  const contract = contractsOf(plugin.kind).find((candidate) => candidate.claim.includes(claim));
  assert(contract !== undefined, `no contract claims "${claim}"`);
  return await judge(contract, plugin as never, own);
}

async function breaks(plugin: AnyPlugin, claim: string, detail: string): Promise<void> {
  const found = await verdict(plugin, claim);
  assertEquals(found.status, "broken", `${plugin.name}: ${claim}`);
  assertStringIncludes(found.detail, detail);
}

/** A good fusion with one thing changed. */
function fusion(name: string, change: (good: Fusion, context: ModelContext) => Partial<Fusion>): FusionPlugin {
  return defineFusion({
    name,
    about: "breaks one contract",
    options: {},
    create: (_options, context) => {
      const good = weightedSum.create({}, context);
      return { ...good, ...change(good, context) };
    },
  });
}
const forward = (
  name: string,
  after: (output: FusionOutput, ...args: Parameters<Fusion["forward"]>) => FusionOutput,
): FusionPlugin => fusion(name, (good) => ({ forward: (...args) => after(good.forward(...args), ...args) }));
const withLogits = (output: FusionOutput, logits: tf.Tensor): FusionOutput => ({
  ...output,
  logits: logits as tf.Tensor2D,
});

Deno.test("a fusion with a fused feature of integers", () =>
  breaks(
    forward("rounded", (output) => ({ ...output, fused: tf.cast(output.fused, "int32") })),
    "gives finite logits",
    "must be float32",
  ));

Deno.test("a fusion with logits of a wrong shape", () =>
  breaks(
    forward("wide", (output) => withLogits(output, tf.concat([output.logits, output.logits], 1))),
    "gives finite logits",
    'fusion "wide" failed in forward: TypeError: it must give { fused: [B, d], logits: [B, C] }: logits is [1, 6] and must be [1, 3]',
  ));

Deno.test("a fusion that looks at what is dropped", () =>
  breaks(
    fusion("peeking", (good) => ({ forward: (features, _keep, ...rest) => good.forward(features, null, ...rest) })),
    "dropped modality",
    'logits depend on "audio" though it is dropped',
  ));

Deno.test("a fusion that ignores a modality", async () => {
  const deaf = forward("deaf", (output, features, keep, scope) => {
    const first = Object.keys(features).sort()[0];
    const heard = keep === null ? features[first].pooled : tf.mul(features[first].pooled, keep[first]);
    const head = linear(scope.group("head"), heard, { width: 3 });
    return withLogits(output, tf.add(head, tf.mul(output.logits, 0)));
  });
  await breaks(deaf, "dropped modality", 'logits do not depend on "image" though it is kept');
  await breaks(deaf, "gradient to the encoder", 'no gradient reaches the encoder of "image"');
  await breaks(deaf, "does not care how modalities are called", "no modality should be treated apart");
});

Deno.test("a fusion that divides by what may be nothing, and one that hides NaN", async () => {
  const unit = forward("unit", (output, features) => {
    const [first] = Object.keys(features).sort();
    const x = tf.sub(features[first].pooled, tf.mean(features[first].pooled, 0, true));
    return withLogits(output, tf.add(output.logits, tf.sum(tf.div(x, tf.norm(x)), 1, true)));
  });
  await breaks(unit, "keeps NaN to the sample", "on zeros, ");
  const plain = forward(
    "plain",
    (output) => withLogits(output, tf.where(tf.isNaN(output.logits), tf.zerosLike(output.logits), output.logits)),
  );
  await breaks(plain, "keeps NaN to the sample", "of a sample is hidden: its logits are 0, 0, 0");
});

Deno.test("a fusion that normalises over the batch", async () => {
  const batchy = forward(
    "batchy",
    (output) => withLogits(output, tf.sub(output.logits, tf.mean(output.logits, 0, true))),
  );
  await breaks(
    batchy,
    "predicts each sample by itself",
    'output "logits" of a sample in evaluation depends on the batch',
  );
  await breaks(batchy, "padded rows", "depends on padded rows (weight 0)");
});

Deno.test("a fusion that reads values", () =>
  breaks(
    forward("reading", (output) => {
      return withLogits(output, output.logits.dataSync()[0] > 0 ? output.logits : tf.neg(output.logits));
    }),
    "traced and compiled",
    "Cannot trace the reading of a tensor's value",
  ));

Deno.test("a fusion that draws its own randomness", () =>
  breaks(
    forward("dicing", (output) => withLogits(output, tf.mul(output.logits, 1 + Math.random()))),
    "traced and compiled",
    "Cannot trace unseeded randomness",
  ));

Deno.test("a fusion that keeps tensors", () =>
  breaks(
    forward("hoarding", (output) => {
      tf.keep(tf.clone(output.logits));
      return output;
    }),
    "leaves no tensor behind",
    "tensors behind",
  ));

Deno.test("a fusion that throws, and one that serves nothing", async () => {
  await breaks(
    fusion("failing", () => ({
      forward: () => {
        throw new Error("out of order");
      },
    })),
    "gives finite logits",
    'it throws PluginError: fusion "failing" failed in forward (',
  );
  const nobody = defineFusion({
    name: "nobody",
    about: "serves nothing",
    options: {},
    create: (_options, { modalities }): Fusion => {
      throw new Refusal({ what: 'use fusion "nobody"', found: `${modalities.length} modalities` });
    },
  });
  await breaks(nobody, "gives finite logits", "it refuses 2, 3 and 4 modalities");
});

Deno.test("options whose defaults or tuning values are not allowed, or that nothing checks", async () => {
  const option = (spec: object): AnyPlugin => ({
    ...weightedSum,
    options: { strength: spec as never },
    create: () => weightedSum.create({}, { modalities: ["a", "b"], classes: 3 }),
  });
  const number = { type: "number", about: "strength", min: 0 };
  await breaks(option({ ...number, default: -1 }), "options", "must be a number >= 0: found -1");
  await breaks(option({ ...number, default: 1, tune: [1, -2] }), "options", "must be a number >= 0: found -2");
  await breaks(option({ ...number, default: 1, about: " " }), "options", 'option "strength" does not say what it does');
  await breaks(
    option({ ...number, default: 1 }),
    "options",
    'option "strength" takes -1, which its spec does not allow',
  );
});

/** A method made of these hooks. */
function method(
  name: string,
  make: () => Omit<Method, "name">,
  refuses?: (fusion: Fusion) => string | null,
): MethodPlugin {
  const about = "breaks one contract";
  return defineMethod<Record<never, never>>({ name, about, options: {}, refuses, create: () => ({ name, ...make() }) });
}

Deno.test("a method that refuses everything, or without a reason", async () => {
  const refusing = (reason: string) => method("refusing", () => ({}), () => reason);
  await breaks(
    refusing("no"),
    "works with some registered fusion",
    "it refuses every registered fusion for 2 modalities",
  );
  const picky = method("picky", () => ({}), (of) => of.needs.stages === undefined ? null : "");
  await breaks(picky, "works with some registered fusion", "without a reason");
});

Deno.test("a method that asks for a loss term that not every choice of a fusion has", () =>
  breaks(
    method("particular", () => ({
      gradients: (gradients, book) => ({ ...gradients, ...book.of(["joint"]) }),
    })),
    "choices of each fusion",
    'on decision with loss=separate a step throws: method "particular" failed in gradients (',
  ));

Deno.test("a method with memory outside of buffers, tables and save()", () =>
  breaks(
    method("forgetful", () => {
      let epochs = 0;
      return {
        plan(host, base) {
          epochs++;
          return base.map((segment) => ({
            ...segment,
            items: segment.items.slice(0, host.epoch === 0 ? 30 : 10 * epochs),
          }));
        },
      };
    }),
    "resumes from a checkpoint bit for bit",
    "does not end like one that was never stopped",
  ));

Deno.test("a method that cuts a modality off", () =>
  breaks(
    method("cutting", () => ({
      gradients: (gradients) =>
        Object.fromEntries(Object.entries(gradients).filter(([name]) => !name.startsWith("encoder:image/"))),
    })),
    "leaves a gradient to the encoder",
    'no gradient reaches the encoder of "image"',
  ));

Deno.test("a method whose statistics count padding, and whose predictions look at the batch", async () => {
  const careless = method("careless", () => ({
    emit: (step) => ({ stats: { mean: tf.mean(step.output.logits) as tf.Scalar } }),
    output: (step) => withLogits(step.output, tf.sub(step.output.logits, tf.max(step.output.logits, 0, true))),
  }));
  await breaks(careless, "padded rows", "depends on padded rows (weight 0)");
  await breaks(careless, "predicts each sample by itself", "depends on the batch's other rows");
});

Deno.test("methods whose gradients, or statistics of labels, count padding though no loss does", async () => {
  const scaling = method("scaling", () => ({
    gradients: (gradients, _book, step) => {
      const size = tf.mean(tf.abs(step.output.logits));
      return Object.fromEntries(Object.entries(gradients).map(([name, own]) => [name, tf.mul(own, size)]));
    },
  }));
  await breaks(scaling, "padded rows", "the gradient of ");
  const counting = method("counting", () => ({
    emit: (step) => ({ stats: { mean: tf.mean(tf.cast(step.labels, "float32")) as tf.Scalar } }),
  }));
  await breaks(counting, "padded rows", "depends on padded rows (weight 0)");
  const weighing = method("weighing", () => ({
    emit: (step) => ({ stats: { mean: step.mean(tf.cast(step.labels, "float32") as tf.Tensor1D) } }),
  }));
  assertEquals((await verdict(weighing, "padded rows")).status, "held");
});

Deno.test("methods that divide by what may be nothing, keep it, hide what is no number, or need a second sample", async () => {
  const claim = "hides no NaN";
  // 0 where all rows are alike.
  const spread = ({ output: { logits } }: TrainStep) => tf.sum(tf.sub(tf.max(logits, 0), tf.min(logits, 0)));
  const loud = method(
    "loud",
    () => ({ emit: (step) => ({ stats: { share: tf.div(spread(step), spread(step)) as tf.Scalar } }) }),
  );
  await breaks(loud, claim, "is NaN");
  const lasting = method("lasting", () => ({
    emit: (step) => {
      const own = step.scope.group("aux:lasting");
      own.buffer("share", [], zeros);
      own.update("share", tf.log(spread(step)) as tf.Scalar);
      return {};
    },
  }));
  await breaks(lasting, claim, "becomes -Infinity");
  const hiding = method("hiding", () => ({
    taskLoss: (terms) =>
      mapByModality(terms, (term) => tf.where(tf.isNaN(term), tf.zerosLike(term), term) as tf.Tensor1D),
  }));
  await breaks(hiding, claim, "is hidden");
  // Finite up to 1e10, and infinity by infinity at 1e30.
  const squared = method("squared", () => ({
    gradients: (gradients) =>
      mapByModality(gradients, (own) => {
        const size = tf.add(tf.sum(tf.square(own)), 1);
        return tf.mul(own, tf.div(size, size));
      }),
  }));
  await breaks(squared, claim, "no loss or statistic shows it");
  const pairing = method("pairing", () => ({
    emit: (step) => {
      const all = step.output.logits;
      const { variance } = tf.moments(all, 0);
      return { stats: { pairs: tf.div(tf.sum(variance), all.shape[0] - 1) as tf.Scalar } };
    },
  }));
  await breaks(pairing, claim, "on a batch of one sample");
});

Deno.test("a method whose log counts what it has reported, and forgets it", () =>
  breaks(
    method("chatty", () => {
      let said = 0;
      return { report: () => ({ said: ++said }) };
    }),
    "resumes from a checkpoint bit for bit",
    "their logs differ",
  ));

Deno.test("a method that smuggles labels into prediction", async () => {
  // No hook gets at the test split; this one reaches into the harness.
  const { detail } = Predictor.prototype;
  let seen = 0;
  const cheating = method("cheating", () => ({
    beforeEpoch() {
      Predictor.prototype.detail = function (split) {
        seen = split.labels[0];
        return detail.call(this, split);
      };
    },
    output: (step) => withLogits(step.output, tf.add(step.output.logits, 0.01 * seen)),
  }));
  try {
    await breaks(
      cheating,
      "predicts without looking at labels",
      "other labels of the test split give other predictions",
    );
  } finally {
    Predictor.prototype.detail = detail;
  }
});

Deno.test("encoders with a wrong shape, and with batch statistics that count padding", async () => {
  const encoder = (name: string, head: (map: tf.Tensor, training: boolean) => tf.Tensor) =>
    defineEncoder({
      name,
      about: "breaks one contract",
      options: {},
      refuses: ({ shape, dtype }) => dtype === "float32" && shape.length === 1 ? null : "it needs a vector",
      create: () => ({
        tokens: false,
        stages: [(map, scope) => linear(scope.in("stage"), map, { width: 6 })],
        head: (map, scope) => ({ pooled: head(map, scope.mode === "train") as tf.Tensor2D }),
      }),
    });
  await breaks(
    encoder("deep", (map) => tf.tile(map, [1, map.shape[0]])),
    "features [B, d] of one width",
    "is 6 for 1 sample and 30 for 5",
  );
  const normalised = encoder("normalised", (map, training) => training ? tf.sub(map, tf.mean(map, 0, true)) : map);
  await breaks(normalised, "padded rows", "depends on padded rows (weight 0)");
  assertEquals((await verdict(normalised, "by itself in prediction")).status, "held");
});

Deno.test("datasets with shared groups, a missing class, repeated samples, wrong types and unsteady fingerprints", async () => {
  const dataset = (name: string, change: (good: Dataset) => Dataset | Promise<Dataset>): AnyPlugin =>
    defineDataset({
      name,
      about: "breaks one contract",
      options: {},
      load: async () => await change(await noisyViews.load(noisyViews.tiny!)),
    });
  const replaced = (good: Dataset, split: "train" | "test", fields: object): Dataset => ({
    ...good,
    splits: { ...good.splits, [split]: { ...good.splits[split], ...fields } },
  });
  const shared = dataset(
    "shared",
    (good) => replaced(good, "test", { groups: ["train 3", ...good.splits.test.groups.slice(1)] }),
  );
  await breaks(shared, "share no group", 'splits must share no group: "train 3" is in split "train" too');
  const missing = dataset(
    "missing",
    (good) => replaced(good, "train", { labels: good.splits.train.labels.map((label) => label === 2 ? 1 : label) }),
  );
  await breaks(missing, "every class", 'split "train" has no sample of triangle');
  const nan = dataset("nan", (good) => {
    const near = (good.splits.train.inputs.near as Float32Array).slice();
    near[17] = NaN;
    return replaced(good, "train", { inputs: { ...good.splits.train.inputs, near } });
  });
  await breaks(nan, "finite values", '"near" of sample 2 has NaN at position 1');
  const repeated = dataset(
    "repeated",
    ({ splits, ...rest }) => ({ ...rest, splits: { ...splits, test: splits.train } }),
  );
  await breaks(repeated, "repeats no sample", 'sample 0 of split "test" equals train 0 in all modalities');
  const typed = dataset("typed", (good) =>
    replaced(good, "train", {
      inputs: { ...good.splits.train.inputs, near: Int32Array.from(good.splits.train.inputs.near) },
    }));
  await breaks(typed, "declared type", '"near" of split "train" is declared float32 and kept in a Int32Array');
  const small = { kind: "image", width: 2, height: 2, channels: 1, values: new Uint8Array(3) } as const;
  const loud = { kind: "sound", sampleRate: 8000, values: Float32Array.of(0, 2) } as const;
  const shows = (preview: Preview) =>
    dataset(
      "shows",
      (good) => ({ ...good, preview: (name): Record<string, Preview[]> => name === "test" ? { near: [preview] } : {} }),
    );
  await breaks(shows(small), "shows its samples", 'image of "near" of sample 0 of split "test" has 3 values where 4');
  await breaks(
    shows(loud),
    "shows its samples",
    'sound of "near" of sample 0 of split "test" has a value outside -1..1',
  );
  let loads = 0;
  const unsteady = dataset("unsteady", async (good) => {
    const train = { ...good.splits.train, labels: good.splits.train.labels.map((label) => (label + loads) % 4) };
    loads++;
    const splits = { ...good.splits, train };
    return { ...good, splits, fingerprint: await fingerprintOf(splits) };
  });
  await breaks(unsteady, "fingerprint", "a second loading has fingerprint");
  await breaks(
    dataset("unnamed", (good) => ({ ...good, fingerprint: "none" })),
    "fingerprint",
    'its fingerprint is "none"',
  );
});

Deno.test("a dataset that no registered encoder takes", async () => {
  const library = new Library();
  library.add(noisyViews);
  const found = await verdict(noisyViews, "some registered encoder", { ...tools, library });
  assertEquals([found.status, found.detail], ["broken", 'no registered encoder takes "far" of shape [20]']);
});
