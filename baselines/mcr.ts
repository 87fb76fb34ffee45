/**
 * The multimodal competition regularizer ("MCR").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type Method, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { jensenShannon } from "../losses/divergence.ts";
import { membersOf } from "../miv/shapley.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { identityMatrix } from "../tensor/identity_matrix.ts";
import { needsTwo, ownLogits, SHARED_CLAIMS, shuffledRows, unimodalLosses } from "./unimodal.ts";

/** Options of `mcr`. */
export interface McrOptions {
  readonly competition: number;
  readonly readouts: number;
  readonly contrast: number;
  readonly permutations: number;
  readonly strategy: "greedy" | "independent" | "collaborative";
  readonly target: "fixed" | "moving";
}

/** How much a player minds what the others' permutations do: k of J_u + k J_v. */
const INTEREST = { greedy: -1, independent: 0, collaborative: 1 } as const;

/** The same values with a gradient times `factor`. */
function withFactor(x: tf.Tensor2D, factor: number): tf.Tensor2D {
  if (factor === 1) return x;
  if (factor === 0) return stopGradient(x);
  return tf.add(tf.mul(x, factor), stopGradient(tf.mul(x, 1 - factor))) as tf.Tensor2D;
}

/** What `permutationEffect` takes. */
export interface PermutationInputs {
  /** Every modality's part of the logits, [B, C]. */
  readonly parts: ByModality<tf.Tensor2D>;
  /** What the parts leave of the logits, [B, C] or [1, C]. */
  readonly rest: tf.Tensor2D;
  /** K permutations of the rows for each modality, one after the other, int32 [K B]. */
  readonly permuted: ByModality<tf.Tensor1D>;
  readonly permutations: number;
  /** Gradient that a modality outside of the subset gets, in multiples of its own. */
  readonly interest: number;
  /** Whether the prediction without permutation is differentiated. */
  readonly moving: boolean;
}

/**
 * J_S: how far predictions move when the modalities of S take other rows' values, as the Jensen-Shannon divergence from the
 * prediction as it is, a mean over permutations.
 *
 * @returns [B].
 */
export function permutationEffect(subset: readonly string[], inputs: PermutationInputs): tf.Tensor1D {
  const { parts, rest, permuted, permutations, interest, moving } = inputs;
  const names = Object.keys(parts).sort();
  const own = byModality(names, (name) => withFactor(at(parts, name), subset.includes(name) ? 1 : interest));
  const sum = (tensors: tf.Tensor2D[]) => tf.addN([...tensors, tf.zerosLike(own[names[0]])]) as tf.Tensor2D;
  const [rows] = own[names[0]].shape;
  const repeat = (x: tf.Tensor2D) => tf.tile(x, [permutations, 1]) as tf.Tensor2D;
  const still = tf.add(sum(names.filter((name) => !subset.includes(name)).map((name) => own[name])), rest);
  const moved = subset.map((name) => tf.gather(own[name], at(permuted, name)) as tf.Tensor2D);
  const changed = tf.addN([repeat(still as tf.Tensor2D), ...moved]) as tf.Tensor2D;
  // In a moving target all players' terms reach everybody: those in S count 1, the others their interest.
  const reach = moving ? subset.length + interest * (names.length - subset.length) : 0;
  const target = tf.add(sum(names.map((name) => withFactor(at(parts, name), reach))), rest) as tf.Tensor2D;
  const terms = jensenShannon(changed, repeat(target));
  return tf.mean(tf.reshape(terms, [permutations, rows]), 0) as tf.Tensor1D;
}

/**
 * Supervised contrast of features: each pair of rows of one class against the first row's rows of other classes, by cosine.
 * The mean over ordered pairs; 0 where there is none.
 *
 * @param features Of one width, [N, d] in all.
 * @param labels Int32 [N].
 * @param weights 0 for rows that do not count, [N].
 */
export function classContrast(
  features: tf.Tensor2D,
  labels: tf.Tensor1D,
  weights: tf.Tensor1D,
  temperature: number,
): tf.Scalar {
  const [size] = features.shape;
  const norms = tf.sqrt(tf.add(tf.sum(tf.square(features), 1, true), 1e-12));
  const unit = tf.div(features, norms) as tf.Tensor2D;
  const scores = tf.div(tf.matMul(unit, unit, false, true), temperature);
  const same = tf.cast(tf.equal(tf.reshape(labels, [size, 1]), tf.reshape(labels, [1, size])), "float32");
  const counted = tf.mul(tf.reshape(weights, [size, 1]), tf.reshape(weights, [1, size]));
  const positive = tf.mul(tf.mul(same, tf.sub(1, identityMatrix(size))), counted);
  const powers = tf.exp(scores);
  const against = tf.sum(tf.mul(powers, tf.mul(tf.sub(1, same), counted)), 1, true);
  const terms = tf.mul(tf.sub(tf.log(tf.add(powers, against)), scores), positive);
  return tf.div(tf.sum(terms), tf.maximum(tf.sum(positive), 1)) as tf.Scalar;
}

const TEMPERATURE = 0.5;

/** Contrast over all features together where they have one width, else within each modality. */
function contrastOf(step: TrainStep): tf.Scalar {
  const { modalities, labels, features, keep } = step;
  const pooled = modalities.map((modality) => features[modality].pooled);
  const weights = modalities.map((modality) =>
    keep === null ? step.weights : tf.mul(step.weights, tf.reshape(at(keep, modality), [-1])) as tf.Tensor1D
  );
  if (new Set(pooled.map(({ shape }) => shape[1])).size === 1) {
    const stacked = tf.tile(labels, [modalities.length]) as tf.Tensor1D;
    return classContrast(tf.concat(pooled, 0) as tf.Tensor2D, stacked, tf.concat(weights) as tf.Tensor1D, TEMPERATURE);
  }
  const each = pooled.map((own, u) => classContrast(own, labels, weights[u], TEMPERATURE));
  return tf.div(tf.addN(each), each.length) as tf.Scalar;
}

/** K random permutations of the batch's rows for each modality, [K B]. */
function drawn(step: TrainStep, permutations: number): Record<string, tf.Tensor1D> {
  const { modalities } = step;
  const each = tf.split(shuffledRows(step, "aux:mcr", modalities.length * permutations), modalities.length);
  return byModality(modalities, (_, u) => tf.reshape(each[u], [-1]) as tf.Tensor1D);
}

function regularizer(options: McrOptions, modalities: readonly string[]): Method {
  const { competition, readouts, contrast, permutations, strategy, target } = options;
  const subsets = Array.from({ length: 2 ** modalities.length - 2 }, (_, s) => membersOf(s + 1, modalities));
  const game = (step: TrainStep): tf.Tensor1D => {
    const kernels = step.kernels()!;
    const parts = mapByModality(step.features, ({ pooled }, modality) => {
      const part = tf.matMul(pooled, at(kernels, modality));
      return (step.keep === null ? part : tf.mul(part, at(step.keep, modality))) as tf.Tensor2D;
    });
    // What is left of the logits: the bias.
    const rest = stopGradient(tf.sub(step.output.logits, tf.addN(Object.values(parts)))) as tf.Tensor2D;
    const inputs: PermutationInputs = {
      parts,
      rest,
      permuted: drawn(step, permutations),
      permutations,
      interest: INTEREST[strategy],
      moving: target === "moving",
    };
    const terms = tf.addN(subsets.map((subset) => permutationEffect(subset, inputs)));
    // A row that lacks a modality says nothing of what it depends on.
    const whole = step.keep === null ? terms : tf.mul(
      terms,
      tf.reshape(Object.values(step.keep).reduce((product, flags) => tf.mul(product, flags) as tf.Tensor2D), [-1]),
    );
    return tf.mul(whole, -competition) as tf.Tensor1D;
  };
  return {
    name: "mcr",
    declares: { claims: [SHARED_CLAIMS.readouts, CLAIMS.readout] },
    readout: ownLogits,
    loss: (step) => ({
      ...unimodalLosses(step, ownLogits(step), readouts),
      competition: game(step),
      ...contrast === 0 ? {} : { contrast: tf.mul(contrastOf(step), contrast) },
    }),
  };
}

/**
 * Lets modalities compete for how much the prediction depends on them: each moves so that permuting it changes the prediction
 * more, and, if greedy, permuting the others changes it less.
 *
 * The permuted predictions are made of the parts that add up to the logits, so the fusion must be linear in its features; the
 * released code runs encoders again. Subsets of more than two modalities: a player gains by all subsets that it is in. The
 * loss term has the players' gradients in one; its value is that of the independent game, as the greedy one's is always 0.
 * The paper's information bottleneck, whose weight is 0 in the released scripts, is left out, and so is pretraining.
 */
export const mcr: MethodPlugin = defineMethod<McrOptions>({
  name: "mcr",
  about: "makes modalities compete for how much the prediction depends on them, by permuting them among samples",
  formula:
    `L = CE(l, y) + mu sum_u CE(l_u, y) + lambda_C Con - lambda_M sum_u (J_u + k J_v), the other's part without gradient
    J_u = mean over K permutations pi of JS(softmax l(f_u[pi], f_v), softmax l);  k: greedy -1, independent 0, collaborative 1`,
  source:
    'Kontras et al., "Balancing Multimodal Training Through Game-Theoretic Regularization", NeurIPS 2025; weights of its released scripts',
  options: {
    competition: {
      type: "number",
      default: 0.1,
      min: 0,
      tune: [0.001, 0.01, 0.1, 1],
      about: "weight lambda_M of the game",
      source: "released script for CREMA-D; 0.01 for AVE, 0.001 for UCF",
    },
    readouts: {
      type: "number",
      default: 0.01,
      min: 0,
      tune: [0.01, 0.1, 1],
      about: "weight mu of the modalities' own losses",
      source: "released script for CREMA-D; 0.1 for UCF",
    },
    contrast: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0, 0.1, 1],
      about: "weight lambda_C of the contrast between classes",
      source: "released script for CREMA-D",
    },
    permutations: {
      type: "integer",
      default: 32,
      min: 1,
      tune: [8, 32],
      about: "permutations K of every batch",
      source: "released script for CREMA-D",
    },
    strategy: {
      type: "choice",
      choices: ["greedy", "independent", "collaborative"],
      default: "greedy",
      about: "whether players want others to matter less, do not mind, or want them to matter more",
      source: "all released scripts are greedy",
    },
    target: {
      type: "choice",
      choices: ["fixed", "moving"],
      default: "fixed",
      about: "whether the prediction that permuted ones are compared with is differentiated",
      source: "chosen here; the released code's moves, which for greedy players is the same",
    },
  },
  worksWith: "fusions that are linear in the features (concat, sum, decision)",
  // Permutations are drawn by the modalities' places.
  symmetric: false,
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion, context) =>
    fusion.kernels === undefined
      ? "it permutes the modalities' parts of the logits, and this fusion's logits are no sum of such; concat's are"
      : needsTwo(context),
  create: (options, { modalities }) => regularizer(options, modalities),
});
