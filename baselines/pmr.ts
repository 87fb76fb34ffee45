/**
 * Prototypical modal rebalance.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { defineMethod, type Host, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { zeros } from "../nn/initializers.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { squareScale } from "../tensor/square_scale.ts";
import { keptMean, needsTwo, statsOf, windowOptions } from "./unimodal.ts";

/** Options of `pmr`. */
export interface PmrOptions {
  readonly alpha: number;
  readonly momentum: number;
  readonly coefficient: "paper" | "switch";
  readonly entropy: number;
  readonly entropyEpochs: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Logits of a classification by prototypes: minus the Euclidean distance to each, sqrt(d^2 + 1e-8).
 *
 * @param features [B, d].
 * @param prototypes [C, d].
 * @param seen 1 for classes that have a prototype, [C]; the others get -1e9.
 */
export function prototypeLogits(features: tf.Tensor2D, prototypes: tf.Tensor2D, seen: tf.Tensor1D): tf.Tensor2D {
  const gaps = tf.sub(tf.expandDims(features, 1), tf.expandDims(prototypes, 0));
  const scale = squareScale(gaps, 2);
  const squares = tf.sum(tf.square(tf.mul(gaps, scale)), 2);
  const units = tf.reshape(scale, squares.shape);
  const distance = tf.div(tf.sqrt(tf.add(squares, tf.mul(tf.mul(1e-8, units), units))), units);
  return tf.sub(tf.mul(tf.neg(distance), seen), tf.mul(tf.sub(1, seen), 1e9)) as tf.Tensor2D;
}

/**
 * How much each modality is helped: clip(s_max / s_u - 1, 0, 1), or whether it is behind at all.
 *
 * @param scores s_u, [m].
 */
export function pmrCoefficients(scores: tf.Tensor1D, form: "paper" | "switch"): tf.Tensor1D {
  const best = tf.max(scores);
  return form === "switch"
    ? tf.cast(tf.less(scores, best), "float32")
    : tf.clipByValue(tf.sub(tf.div(best, tf.maximum(scores, 1e-12)), 1), 0, 1);
}

/**
 * Prototypes after a pass: the mean feature of every class in it, blended with what was there; a class that the pass lacks
 * keeps its prototype, one that was never seen before takes the mean alone.
 *
 * @param features [n, d], row-major.
 * @param labels One per row; -1 for rows that lack the modality.
 * @param old [C, d] and whether each class was seen, [C].
 * @param share Share of the old prototype.
 */
export function nextPrototypes(
  features: Float32Array,
  labels: ArrayLike<number>,
  old: { readonly prototypes: Float32Array; readonly seen: Float32Array },
  share: number,
): { prototypes: Float32Array; seen: Float32Array } {
  const classes = old.seen.length;
  const width = old.prototypes.length / classes;
  const sums = new Float64Array(old.prototypes.length);
  const counts = new Float64Array(classes);
  for (let n = 0; n < labels.length; n++) {
    if (labels[n] < 0) continue;
    counts[labels[n]]++;
    for (let k = 0; k < width; k++) sums[labels[n] * width + k] += features[n * width + k];
  }
  const prototypes = old.prototypes.slice();
  const seen = old.seen.slice();
  for (let c = 0; c < classes; c++) {
    if (counts[c] === 0) continue;
    const kept = seen[c] === 0 ? 0 : share;
    for (let k = 0; k < width; k++) {
      const index = c * width + k;
      prototypes[index] = (1 - kept) * sums[index] / counts[c] + kept * old.prototypes[index];
    }
    seen[c] = 1;
  }
  return { prototypes, seen };
}

const GROUP = "aux:pmr";
/** Passes whose prototypes replace the last: the untrained encoders', and those of their first epoch. */
const FRESH = 2;

/** Prototypes of a modality's classes, [C, d] and [C]. */
function prototypesOf(scope: Scope, modality: string, classes: number, width: number) {
  const group = scope.group(GROUP).in(modality);
  return {
    prototypes: group.buffer("prototypes", [classes, width], zeros) as tf.Tensor2D,
    seen: group.buffer("seen", [classes], zeros) as tf.Tensor1D,
  };
}

/** Samples that prototypes are taken from: a tenth of the epoch's batches, at least one. */
function subsetOf(host: Host): Int32Array {
  const size = host.labels("train").length;
  const batches = Math.max(1, Math.floor(Math.ceil(size / host.batchSize) / 10));
  return host.random.split("pmr").permutation(size).slice(0, batches * host.batchSize);
}

/**
 * Modalities that are behind are pulled towards the prototypes of their classes, and in the first epochs the one that is
 * ahead is held back by the entropy of its prototype prediction.
 *
 * Prototypes are taken before each epoch from a tenth of the training set (the released code takes them from validation, for
 * one dataset from test data), carry no gradient, and act on encoders alone. The released code helps by 0 or 1 (`switch`) and
 * has no entropy term. For more than two modalities each is compared with the best; the entropy term holds back the best
 * by the largest lead.
 */
export const pmr: MethodPlugin = defineMethod<PmrOptions>({
  name: "pmr",
  about: "pulls the encoders that are behind towards prototypes of their classes",
  formula: `p_u = softmax_k(-|f_u - c_u^k|), s_u = sum p_u[y];  w_u = clip(max s / s_u - 1, 0, 1)
    L = CE(l) + alpha sum_u w_u CE(p_u), in the first epochs - mu max_u w_u H(p_best);  c <- (1 - momentum) mean + momentum c`,
  source: 'Fan et al., "PMR: Prototypical Modal Rebalance for Multimodal Learning", CVPR 2023, Eqs. 6-13',
  options: {
    alpha: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.1, 0.5, 1, 2, 3],
      about: "weight of the prototype losses",
      source: "the paper: 1 or 2; released scripts 0.1 to 3; BalanceBenchmark 0.6",
    },
    momentum: {
      type: "number",
      default: 0.2,
      min: 0,
      max: 1,
      tune: [0, 0.2, 0.5],
      about: "share of the old prototype from the third pass on",
      source: "released code's default; its commands use 0, BalanceBenchmark 0.5",
    },
    coefficient: {
      type: "choice",
      choices: ["paper", "switch"],
      default: "paper",
      about: "how much a modality is helped: by its distance to the best, or 1 if it is behind",
      source: "the paper; switch as in the released code",
    },
    entropy: {
      type: "number",
      default: 0.01,
      min: 0,
      tune: [0, 0.001, 0.01],
      about: "weight mu of the entropy term that holds back the best modality; 0 for none",
      source: "the paper: 0.01 or 0.001; not in the released code",
    },
    entropyEpochs: {
      type: "integer",
      default: 5,
      min: 0,
      tune: [0, 5, 10],
      about: "epochs with the entropy term",
      source: "chosen here; the paper says the first few",
    },
    ...windowOptions(0, 70, "released code, of 100 epochs"),
  },
  cost: { forwards: 1, backwards: 1 },
  passes: () => 0.1,
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ alpha, momentum, coefficient, entropy, entropyEpochs, start, end }, { modalities, classes }) => {
    const [window, early] = ["pmr/window", "pmr/early"];
    const measured = (step: TrainStep) =>
      step.memo("pmr", () => {
        const logits = byModality(modalities, (modality) => {
          const { pooled } = step.features[modality];
          const { prototypes, seen } = prototypesOf(step.scope, modality, classes, pooled.shape[1]);
          return { own: prototypeLogits(pooled, prototypes, seen), seen };
        });
        // A row whose class has no prototype teaches nothing and scores nothing.
        const known = byModality(
          modalities,
          (modality) => tf.gather(logits[modality].seen, step.labels) as tf.Tensor1D,
        );
        const losses = byModality(modalities, (modality) => {
          const term = tf.mul(crossEntropy(logits[modality].own, step.labels), known[modality]) as tf.Tensor1D;
          return whereKept(term, step.keep, modality);
        });
        const scores = tf.stack(modalities.map((modality) => {
          const raw = crossEntropy(stopGradient(logits[modality].own), step.labels);
          const valid = tf.mul(step.weights, known[modality]) as tf.Tensor1D;
          return keptMean(tf.exp(tf.neg(raw)), valid, step.keep, modality);
        })) as tf.Tensor1D;
        return { logits, losses, scores, help: pmrCoefficients(scores, coefficient) };
      });
    return {
      name: "pmr",
      declares: { controls: { [window]: 0, [early]: 0 } },
      async beforeEpoch(host) {
        const open = host.epoch >= start && host.epoch <= end;
        host.setControl(window, open ? 1 : 0);
        host.setControl(early, open && host.epoch < entropyEpochs ? 1 : 0);
        if (!open) return;
        const items = subsetOf(host);
        const { pooled } = await host.pass("train", undefined, items);
        const all = host.labels("train");
        const labelsOf = (modality: string) =>
          Int32Array.from(items, (item) => host.has("train", item, modality) ? all[item] : -1);
        const old = await host.buffers([GROUP]);
        const share = host.epoch - start < FRESH ? 0 : momentum;
        await host.setBuffers(Object.fromEntries(modalities.flatMap((modality) => {
          const name = (kind: string) => `${GROUP}/${modality}/${kind}`;
          const before = { prototypes: old[name("prototypes")], seen: old[name("seen")] };
          const after = nextPrototypes(pooled[modality], labelsOf(modality), before, share);
          return [[name("prototypes"), after.prototypes], [name("seen"), after.seen]];
        })));
      },
      loss(step) {
        const { logits, losses, scores, help } = measured(step);
        const open = tf.mul(step.scope.control(window), alpha);
        const each = tf.split(tf.mul(help, open), modalities.length);
        const terms: Record<string, tf.Tensor> = Object.fromEntries(
          modalities.map((modality, u) => [`prototype:${modality}`, tf.mul(losses[modality], each[u])]),
        );
        if (entropy === 0 || entropyEpochs === 0) return terms;
        const best = tf.split(tf.oneHot(tf.argMax(scores), modalities.length, 1, 0, "float32"), modalities.length);
        const held = tf.addN(modalities.map((modality, u) => {
          const logP = tf.logSoftmax(logits[modality].own);
          const own = whereKept(tf.neg(tf.sum(tf.mul(tf.exp(logP), logP), 1)) as tf.Tensor1D, step.keep, modality);
          return tf.mul(own, best[u]);
        }));
        const weight = tf.mul(tf.mul(tf.max(help), step.scope.control(early)), -entropy);
        return { ...terms, entropy: tf.mul(held, weight) };
      },
      emit(step) {
        const { scores, help } = measured(step);
        return { stats: statsOf({ score: scores, help }, modalities) };
      },
    };
  },
});
