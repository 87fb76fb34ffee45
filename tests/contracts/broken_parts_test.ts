/** Contracts of estimators, losses and samplers can fail: each of these parts breaks one on purpose. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  defineEstimator,
  defineLoss,
  defineSampler,
  type Estimator,
  type EstimatorPlugin,
  type EstimatorPromises,
  type Information,
  type Loss,
  type LossPlugin,
  type Sampler,
  type SamplerInputs,
  type SamplerPlugin,
  type TrainStep,
} from "../../core/kinds/mod.ts";
import type { AnyPart } from "../../core/library.ts";
import { contractsOf, judge } from "../../contracts/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { crossEntropy } from "../../losses/mod.ts";
import { gaussian } from "../../miv/estimators/gaussian.ts";
import { contractTools } from "../helpers/contracts.ts";

const tools = await contractTools();

async function breaks(part: AnyPart, claim: string, detail: string): Promise<void> {
  const contract = contractsOf(part.kind).find((candidate) => candidate.claim.includes(claim));
  assert(contract !== undefined, `no contract of ${part.kind}s claims "${claim}"`);
  const found = await judge(contract, part as never, tools);
  assertEquals(found.status, "broken", `${part.name}: ${claim}`);
  assertStringIncludes(found.detail, detail);
}

// ---------------------------------------------------------------------------------------------------------- estimators

const good = gaussian.create({}, { coordinates: 64 });
type Judge = NonNullable<Estimator["information"]>;

/** The Gaussian estimator with its values changed. */
function estimator(
  name: string,
  change: (found: Information, ...args: Parameters<Judge>) => Partial<Information>,
  promises: EstimatorPromises = {},
  before: (vectors: tf.Tensor3D) => tf.Tensor3D = (vectors) => vectors,
): EstimatorPlugin {
  return defineEstimator<Record<never, never>>({
    name,
    about: "breaks one contract",
    options: {},
    promises: () => promises,
    create: () => ({
      information(vectors, share) {
        const found = good.information!(before(vectors), share);
        return { ...found, ...change(found, vectors, share) };
      },
    }),
  });
}

Deno.test("estimators that leave their bounds, have information of a part with itself, or a wrong shape", async () => {
  const claim = "within 0..1";
  await breaks(
    estimator("wild", ({ nmi }) => ({ nmi: tf.mul(nmi, 3) as tf.Tensor2D })),
    claim,
    "outside of 0..1 (else promise bounded: false)",
  );
  await breaks(
    estimator("selfish", ({ ncmi }) => ({ ncmi: tf.add(ncmi, 0.1) as tf.Tensor3D })),
    claim,
    "on its diagonal and must be 0",
  );
  await breaks(
    estimator("flat", ({ nmi }) => ({ nmi: tf.mean(nmi, 0, true) as tf.Tensor2D })),
    claim,
    "nmi is [1, 1] and must be [3, 1]",
  );
  await breaks(
    estimator("careless", (found, vectors) => ({
      nmi: tf.mul(found.nmi, tf.div(tf.sum(tf.square(vectors)), tf.sum(tf.square(vectors)))) as tf.Tensor2D,
    })),
    claim,
    "where everything is 0, nmi is NaN",
  );
});

Deno.test("an estimator that finds most in noise", () =>
  breaks(
    estimator("contrary", ({ nmi }) => ({ nmi: tf.sub(1, nmi) as tf.Tensor2D })),
    "than in noise",
    "a part of correlation .9 has NMI",
  ));

Deno.test("estimators that prefer one of two vectors, or one unit", async () => {
  const power = (found: Information, vectors: tf.Tensor3D) => ({
    nmi: tf.mul(found.nmi, tf.sigmoid(tf.mean(tf.square(tf.slice(vectors, [0, 0, 0], [-1, 1, -1])), 2))) as tf.Tensor2D,
  });
  await breaks(estimator("partial", power), "I(x; y) = I(y; x)", "else promise symmetric: false");
  await breaks(estimator("metric", power), "units of its observations", "else promise scaleFree: false");
  const contract = contractsOf("estimator").find(({ claim }) => claim.includes("I(y; x)"))!;
  assertEquals(
    (await judge(contract, estimator("honest", power, { symmetric: false }) as never, tools)).status,
    "skipped",
  );
});

Deno.test("estimators that look at the order of observations, of parts, or at other rows", async () => {
  const claim = "order of observations, parts and rows";
  const place = tf.linspace(0.9, 1, 64);
  await breaks(
    estimator("ordered", () => ({}), {}, (vectors) => tf.mul(vectors, tf.square(place)) as tf.Tensor3D),
    claim,
    "with the observations in another order",
  );
  await breaks(
    estimator("ranking", ({ nmi }) => ({ nmi: tf.mul(nmi, tf.linspace(1, 0.5, nmi.shape[1])) as tf.Tensor2D })),
    claim,
    "with the parts in another order",
  );
  await breaks(
    estimator("social", ({ nmi }) => ({ nmi: tf.add(tf.mul(nmi, 0.5), tf.mul(tf.mean(nmi), 0.5)) as tf.Tensor2D })),
    claim,
    "a row depends on the others",
  );
});

Deno.test("an estimator that counts observations of weight 0", () =>
  breaks(
    defineEstimator<Record<never, never>>({
      name: "deaf",
      about: "breaks one contract",
      options: {},
      create: () => ({ information: (vectors) => good.information!(vectors, null) }),
    }),
    "observations of weight 0",
    "with other values in observations of weight 0",
  ));

Deno.test("estimators with another gradient than they promise", async () => {
  const twice = (found: Information): Partial<Information> => ({
    nmi: tf.customGrad((x) => {
      const own = x as tf.Tensor2D;
      return { value: tf.clone(own), gradFunc: (dy) => tf.mul(dy as tf.Tensor, 2) };
    })(found.nmi) as tf.Tensor2D,
  });
  await breaks(
    estimator("steep", twice, { gradient: "exact" }),
    "has the gradient that it promises",
    "finite differences give",
  );
  await breaks(
    estimator("still", (found) => ({ nmi: tf.round(found.nmi), ncmi: tf.round(found.ncmi) }), { gradient: "exact" }),
    "has the gradient that it promises",
    "0 everywhere",
  );
});

Deno.test("an estimator that reads values", () =>
  breaks(
    estimator("reading", ({ nmi }) => ({ nmi: nmi.dataSync()[0] > 2 ? nmi : tf.clone(nmi) })),
    "traced and compiled",
    "Cannot trace the reading of a tensor's value",
  ));

// -------------------------------------------------------------------------------------------------------------- losses

function loss(
  name: string,
  terms: (step: TrainStep) => Record<string, tf.Tensor>,
  more: Partial<Loss> & { readonly task?: boolean } = {},
): LossPlugin {
  const { task, ...rest } = more;
  return defineLoss<Record<never, never>>({
    name,
    about: "breaks one contract",
    options: {},
    task,
    create: () => ({ ...rest, terms: terms as Loss["terms"] }),
  });
}
const whole = ({ output, labels }: TrainStep) => crossEntropy(output.logits, labels);

Deno.test("losses with a mean instead of a value per sample, without a term, or with two for the task's one", async () => {
  const claim = "gives finite terms [B]";
  await breaks(loss("mean", (step) => ({ x: step.mean(whole(step)) })), claim, "a value for each sample");
  await breaks(loss("silent", () => ({})), claim, "it has no term");
  await breaks(
    loss("double", (step) => ({ x: whole(step), y: whole(step) }), { task: true, ofLogits: crossEntropy }),
    claim,
    "it stands for the task's loss and has 2 terms",
  );
});

const naive = (logits: tf.Tensor2D, labels: tf.Tensor1D) =>
  tf.neg(tf.log(tf.sum(tf.mul(tf.softmax(logits), tf.oneHot(labels, 3, 1, 0, "float32")), 1))) as tf.Tensor1D;

Deno.test("a loss that takes the logarithm of a probability of 0", async () => {
  const log = loss("naive", ({ output, labels }) => ({ x: naive(output.logits, labels) }), { ofLogits: naive });
  await breaks(log, "perfect and at hopeless predictions", "at hopeless predictions");
  await breaks(log, "less for right predictions", "all wrong");
});

Deno.test("losses that reward wrong predictions, or whose gradient is another's", async () => {
  const claim = "less for right predictions";
  const turned = (logits: tf.Tensor2D, labels: tf.Tensor1D) => crossEntropy(tf.neg(logits), labels);
  await breaks(loss("turned", (step) => ({ x: whole(step) }), { ofLogits: turned }), claim, "for a wrong one");
  const steep = (logits: tf.Tensor2D, labels: tf.Tensor1D) => {
    const plain = crossEntropy(logits, labels);
    const twice = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy) => tf.mul(dy as tf.Tensor, 2),
    }));
    return twice(plain) as tf.Tensor1D;
  };
  await breaks(loss("steep", (step) => ({ x: whole(step) }), { ofLogits: steep }), claim, "of finite differences");
  await breaks(loss("task", (step) => ({ x: whole(step) }), { task: true }), claim, "has no ofLogits");
});

Deno.test("losses that take what is no number for nothing, or spread it over the batch", async () => {
  const claim = "no numbers stay with their sample";
  const calm = (logits: tf.Tensor2D, labels: tf.Tensor1D) => {
    const own = crossEntropy(logits, labels);
    return tf.where(tf.isFinite(own), own, tf.zerosLike(own)) as tf.Tensor1D;
  };
  await breaks(loss("calm", (step) => ({ x: whole(step) }), { ofLogits: calm }), claim, "has the loss 0");
  const shared = (logits: tf.Tensor2D, labels: tf.Tensor1D) => {
    const own = crossEntropy(logits, labels);
    return tf.add(own, tf.mul(tf.mean(own), 0)) as tf.Tensor1D;
  };
  await breaks(loss("shared", (step) => ({ x: whole(step) }), { ofLogits: shared }), claim, "of others");
});

Deno.test("losses that count padded rows, or treat one modality apart", async () => {
  const plain = contractsOf("loss").find(({ claim }) => claim.includes("padded rows"))!;
  assertEquals((await judge(plain, loss("plain", (step) => ({ x: whole(step) })) as never, tools)).status, "held");
  const batchy = loss("batchy", (step) => {
    const own = whole(step);
    return { x: tf.mul(own, tf.mean(own)) };
  });
  await breaks(batchy, "padded rows", "depends on padded rows (weight 0)");
  const apart = loss("apart", (step) => {
    const { pooled } = step.features[step.modalities[0]];
    return { x: tf.mean(tf.square(pooled), 1) };
  });
  await breaks(apart, "how modalities are called", "changes with the names of modalities");
});

Deno.test("losses that read values, keep tensors, or divide by what is dropped", async () => {
  await breaks(
    loss("reading", (step) => ({ x: step.labels.dataSync()[0] > 0 ? whole(step) : tf.neg(whole(step)) })),
    "traced and compiled",
    "Cannot trace the reading of a tensor's value",
  );
  await breaks(
    loss("hoarding", (step) => ({ x: tf.keep(tf.clone(whole(step))) })),
    "leaves no tensor behind",
    "tensors behind",
  );
  await breaks(
    loss("dividing", (step) => {
      const kept = step.keep === null ? tf.scalar(1) : tf.reshape(Object.values(step.keep)[0], [-1]);
      return { x: tf.div(whole(step), kept) };
    }),
    "modalities dropped",
    "with one modality kept per sample",
  );
  // Finite itself; its gradient is 0 / 0 where the modality is dropped.
  await breaks(
    loss("rooting", (step) => {
      const kept = step.keep === null ? tf.scalar(1) : tf.reshape(Object.values(step.keep)[0], [-1]);
      return { x: tf.sqrt(tf.mul(whole(step), kept)) };
    }),
    "modalities dropped",
    'with one modality kept per sample, the gradient of "',
  );
});

// ------------------------------------------------------------------------------------------------------------ samplers

function sampler(name: string, plan: Sampler["plan"], keep = false, idle = false): SamplerPlugin {
  return defineSampler<Record<never, never>>({
    name,
    about: "breaks one contract",
    options: {},
    keep,
    idle,
    create: () => ({ plan }),
  });
}

Deno.test("samplers with samples that do not exist, masks that do not fit or drop everything, or an empty plan", async () => {
  const claim = "plans training samples";
  const each = (change: (items: Int32Array) => Int32Array): Sampler["plan"] => (base) =>
    base.map((segment) => ({ ...segment, items: change(segment.items) }));
  await breaks(sampler("beyond", each((items) => items.map((item) => item + 1))), claim, "holds sample 24");
  await breaks(sampler("idle", each((items) => items.slice(0, 0))), claim, "its plan is empty");
  const masks = (flags: (items: number) => Uint8Array): Sampler["plan"] => (base) =>
    base.map((segment) => ({ ...segment, keep: flags(segment.items.length) }));
  await breaks(
    sampler("secret", masks((n) => new Uint8Array(n * 2).fill(1))),
    claim,
    "it does not say so (keep: true)",
  );
  await breaks(
    sampler("short", masks((n) => new Uint8Array(n).fill(1)), true),
    claim,
    "a mask has 24 flags for 24 samples",
  );
  await breaks(sampler("bare", masks((n) => new Uint8Array(n * 2)), true), claim, "with no modality at all");
});

Deno.test("samplers that divide by what was measured, hide what they were told, or need a second class", async () => {
  const claim = "whatever is measured";
  const filtered = (keeps: (item: number, told: SamplerInputs) => boolean): Sampler["plan"] => (base, told) =>
    base.map((segment) => ({ ...segment, items: segment.items.filter((item) => keeps(item, told)) }));
  const share = (item: number, { joint }: SamplerInputs) =>
    joint![item] / Array.from(joint!).reduce((sum, own) => sum + own, 0);
  await breaks(
    sampler("sharing", filtered((item, told) => share(item, told) > -1)),
    claim,
    "with all measured values 0, for 3 modalities its plan is empty",
  );
  await breaks(
    sampler(
      "contrasting",
      filtered((item, { labels }) => labels[item] !== labels.at(-1) || labels[0] !== labels.at(-1)),
    ),
    claim,
    "with samples of one class, for 3 modalities its plan is empty",
  );
  await breaks(
    sampler("pairs", (base) => base.map((own) => ({ ...own, items: own.items.subarray(0, own.items.length & ~1) }))),
    claim,
    "with an epoch of one sample, for 3 modalities its plan is empty",
  );
  await breaks(
    sampler("mute", () => {
      throw new Refusal({ what: "plan" });
    }),
    claim,
    "it refuses without a reason",
  );
});

Deno.test("samplers with randomness or memory of their own", async () => {
  const claim = "plans the same from the same";
  await breaks(
    sampler(
      "dicing",
      (base) => base.map((segment) => ({ ...segment, items: segment.items.slice().sort(() => Math.random() - 0.5) })),
    ),
    claim,
    "made twice, it plans differently",
  );
  const counting = defineSampler<Record<never, never>>({
    name: "counting",
    about: "breaks one contract",
    options: {},
    create() {
      let epoch = 0;
      return {
        plan(base) {
          epoch++;
          return base.map((segment) => ({ ...segment, items: segment.items.slice(0, segment.items.length - epoch) }));
        },
      };
    },
  });
  await breaks(counting, claim, "an epoch before changes what it plans");
  await breaks(counting, "resumes from a checkpoint bit for bit", "does not end like one that was never stopped");
});

Deno.test("samplers that sort what they are given in place, or lose what segments say", async () => {
  await breaks(
    sampler("sorting", (base) => base.map((segment) => ({ ...segment, items: segment.items.sort() }))),
    "changes nothing of what it is given",
    "it changes the base plan",
  );
  await breaks(
    sampler("grasping", (base, { labels }) => {
      labels.fill(0);
      return base;
    }),
    "changes nothing of what it is given",
    "it changes what was measured",
  );
  const claim = "passes on programs";
  await breaks(
    sampler("main", (base) => base.map(({ items }) => ({ programs: ["main"], items }))),
    claim,
    "it loses programs of the base plan",
  );
  await breaks(
    sampler("once", (base) => base.map(({ epochs: _epochs, ...segment }) => segment)),
    claim,
    "it loses what segments say",
  );
  await breaks(
    sampler("forgetful", (base) => base.map(({ items, programs }) => ({ programs, items }))),
    claim,
    "it loses what segments say",
  );
  await breaks(
    sampler(
      "restless",
      (base) => base.map((segment) => ({ ...segment, items: segment.items.toReversed() })),
      false,
      true,
    ),
    claim,
    "it says that it is idle",
  );
});

Deno.test("a sampler whose segments run no program draws samples without a step", () =>
  breaks(
    sampler("passing", (base) => base.map((segment) => ({ ...segment, programs: [] }))),
    "from the budget",
    "it must draw at least one sample",
  ));
