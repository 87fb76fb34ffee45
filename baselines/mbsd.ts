/**
 * MBSD: modalities that are right teach those that are not.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineMethod, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { labelProbability } from "../losses/cross_entropy.ts";
import { klDivergence } from "../losses/divergence.ts";
import { whereKept } from "../losses/kept.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { needsTwo, SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `mbsd`. */
export interface MbsdOptions {
  readonly weight: number;
  readonly distance: "logits" | "probabilities";
  readonly divergence: "kl" | "released";
  readonly weightGradient: boolean;
}

/** What a pair of modalities is compared by. */
export interface PairTerms {
  /** |p_u[y] - p_v[y]| where either predicts right, else 0, [B]. */
  readonly weight: tf.Tensor1D;
  /** Squared distance of their predictions over the number of classes, times the weight, [B]. */
  readonly distance: tf.Tensor1D;
  /** Divergence of the weaker from the stronger, times the weight, [B]. */
  readonly divergence: tf.Tensor1D;
}

/** Terms of two modalities. @param one Logits [B, C]; so is `other`. */
export function pairTerms(
  one: tf.Tensor2D,
  other: tf.Tensor2D,
  labels: tf.Tensor1D,
  { distance, divergence, weightGradient }: Omit<MbsdOptions, "weight">,
): PairTerms {
  const [p, q] = [labelProbability(one, labels), labelProbability(other, labels)];
  const right = (logits: tf.Tensor2D) => tf.equal(tf.argMax(logits, 1), labels);
  const either = tf.cast(tf.logicalOr(right(one), right(other)), "float32");
  const gap = tf.mul(tf.abs(tf.sub(p, q)), either) as tf.Tensor1D;
  const weight = weightGradient ? gap : stopGradient(gap);
  const [a, b] = distance === "logits" ? [one, other] : [tf.softmax(one), tf.softmax(other)];
  const apart = tf.mean(tf.square(tf.sub(a, b)), 1) as tf.Tensor1D;
  const stronger = tf.expandDims(tf.cast(tf.greater(p, q), "float32"), 1);
  const pick = (x: tf.Tensor, y: tf.Tensor) => tf.add(tf.mul(x, stronger), tf.mul(y, tf.sub(1, stronger)));
  const strong = stopGradient(pick(one, other)) as tf.Tensor2D;
  const weak = pick(other, one) as tf.Tensor2D;
  return {
    weight,
    distance: tf.mul(weight, apart),
    divergence: tf.mul(weight, divergence === "kl" ? klDivergence(strong, weak) : released(strong, weak, labels)),
  };
}

/** p_weak (log p_weak - p_strong), probabilities of the label alone: a routine that expects logarithms, given none. */
function released(strong: tf.Tensor2D, weak: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const own = labelProbability(weak, labels);
  return tf.mul(own, tf.sub(tf.log(tf.maximum(own, 1e-12)), labelProbability(strong, labels)));
}

/**
 * Modalities teach each other where they differ and either is right: predictions are drawn together, and the weaker's
 * towards the stronger's. Who is stronger is decided per sample by the probability of the label.
 *
 * Known from BalanceBenchmark alone, whose divergence gives probabilities to a routine that expects logarithms (`released`), lets
 * the weights carry gradient (`weightGradient`), and for three modalities compares probabilities (`distance`).
 */
export const mbsd: MethodPlugin = defineMethod<MbsdOptions>({
  name: "mbsd",
  about:
    "draws the modalities' predictions together where they differ and either is right, the weaker's to the stronger's",
  formula: `w = |p_u[y] - p_v[y]| where u or v predicts y, else 0
    L = CE(l) + sum_u CE(l_u) + mean_pairs mean w (|l_u - l_v|^2 / C + KL(sg p_strong || p_weak))`,
  source: "MBSD as the released code of BalanceBenchmark has it; the paper behind the name was not available",
  options: {
    weight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.1, 0.3, 1],
      about: "weight of both terms between modalities",
      source: "BalanceBenchmark: 1",
    },
    distance: {
      type: "choice",
      choices: ["logits", "probabilities"],
      default: "logits",
      about: "what is drawn together",
      source: "BalanceBenchmark: logits for two modalities, probabilities for three",
    },
    divergence: {
      type: "choice",
      choices: ["kl", "released"],
      default: "kl",
      about: "from the weaker to the stronger: the divergence, or what BalanceBenchmark computes",
      source: "what is meant; released: BalanceBenchmark",
    },
    weightGradient: {
      type: "boolean",
      default: false,
      about: "whether the weights carry gradient",
      source: "chosen here: no; BalanceBenchmark yes",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ weight, ...form }, { modalities }) => {
    const pairs = modalities.flatMap((one, u) => modalities.slice(u + 1).map((other) => [one, other] as const));
    const compared = (step: TrainStep) =>
      step.memo("mbsd", () => {
        const { logits } = step.solo();
        return pairs.map(([one, other]) => {
          const terms = pairTerms(logits[one], logits[other], step.labels, form);
          const both = (x: tf.Tensor1D) => whereKept(whereKept(x, step.keep, one), step.keep, other);
          return { weight: both(terms.weight), distance: both(terms.distance), divergence: both(terms.divergence) };
        });
      });
    return {
      name: "mbsd",
      declares: { solo: true, claims: [SHARED_CLAIMS.readouts] },
      loss(step) {
        const found = compared(step);
        const joined = (part: "distance" | "divergence") =>
          tf.mul(tf.addN(found.map((terms) => terms[part])), weight / pairs.length);
        return {
          ...unimodalLosses(step, step.solo().logits),
          distance: joined("distance"),
          divergence: joined("divergence"),
        };
      },
      emit: (step) => ({
        stats: { gap: step.mean(tf.div(tf.addN(compared(step).map((terms) => terms.weight)), pairs.length)) },
      }),
    };
  },
});
