/**
 * Adaptive mask co-optimisation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ByModality } from "../core/modality.ts";
import { defineMethod, type Keep, type MethodPlugin, type Step, type TrainStep } from "../core/kinds/mod.ts";
import type { Initializer, Scope } from "../core/scope.ts";
import { zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { needsTwo, SHARED_CLAIMS, statsOf, unimodalLosses, weightsOf } from "./unimodal.ts";

/** Options of `amco`. */
export interface AmcoOptions {
  readonly threshold: number;
  readonly epsilon: number;
  readonly ramp: "steps" | "released";
}

/** Mask rate p = sin(pi/2 min(epsilon, l) / epsilon). */
export function maskRate(level: tf.Scalar, epsilon: number): tf.Scalar {
  return tf.sin(tf.mul(tf.div(tf.minimum(level, epsilon), epsilon), Math.PI / 2)) as tf.Scalar;
}

/**
 * A mask that zeroes the floor(p n) entries of the smallest noise.
 *
 * @param noise All different, [n].
 */
export function smallestMask(noise: tf.Tensor1D, rate: tf.Scalar): tf.Tensor1D {
  const count = tf.floor(tf.add(tf.mul(rate, noise.shape[0]), 1e-6));
  const below = tf.less(tf.expandDims(noise, 0), tf.expandDims(noise, 1));
  const rank = tf.sum(tf.cast(below, "float32"), 1);
  return tf.cast(tf.greaterEqual(rank, count), "float32") as tf.Tensor1D;
}

/**
 * Share of each modality in one softmax over all its and the others' logits, meaned over rows: what the sum depends on.
 *
 * @returns [m], of sum 1.
 */
export function dependence(
  logits: ByModality<tf.Tensor2D>,
  modalities: readonly string[],
  weights: tf.Tensor1D,
  keep: Keep,
): tf.Tensor1D {
  const all = tf.stack(
    modalities.map((modality) => {
      const own = stopGradient(logits[modality]);
      return keep === null ? own : tf.add(own, tf.mul(tf.sub(keep[modality], 1), 1e9));
    }),
    1,
  ) as tf.Tensor3D;
  const [rows, m, classes] = all.shape;
  const mass = tf.sum(
    tf.reshape(tf.softmax(tf.reshape(all, [rows, m * classes])), [rows, m, classes]),
    2,
  ) as tf.Tensor2D;
  const share = tf.div(weights, tf.maximum(tf.sum(weights), 1e-12));
  return tf.reshape(tf.matMul(tf.reshape(share, [1, rows]) as tf.Tensor2D, mass), [m]) as tf.Tensor1D;
}

const GROUP = "aux:amco";

const identity: Initializer = (shape) =>
  Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Number(i % (shape[1] + 1) === 0));

/**
 * Entries of the logits of a modality on which the sum depends are zeroed, more of them the longer training goes on within an
 * epoch; every modality's readout is trained too.
 *
 * This is the form of BalanceBenchmark's code, whose paper is said to mask features; it could not be verified. As written
 * there, the level grows by epoch / 10 at every step, so that from the third epoch on a dependent modality is wholly masked
 * (`ramp: released`); by default it grows to epoch / 10 over an epoch.
 */
export const amco: MethodPlugin = defineMethod<AmcoOptions>({
  name: "amco",
  about: "zeroes random logits of the modalities that the sum depends on, more of them within every epoch",
  formula:
    `dep_u = [mean share of u's block in softmax([l_1; ...; l_m]) > sigma], of the step before;  l = A sum_u mask_u l_u + a
    mask_u: floor(p C) entries 0 where dep_u, p = sin(pi/2 min(eps, t)/eps);  L = CE(l) + sum_u CE(l_u)`,
  source:
    'Zhou et al., "Adaptive Mask Co-Optimization for Modal Dependence in Multimodal Learning", ICASSP 2023; as in BalanceBenchmark',
  options: {
    threshold: {
      type: "number",
      default: 0.5,
      min: 0,
      max: 1,
      tune: [0.4, 0.5, 0.6],
      about: "share sigma of the softmax above which a modality is depended on",
      source: "BalanceBenchmark",
    },
    epsilon: {
      type: "number",
      default: 0.3,
      min: 0.01,
      tune: [0.1, 0.3, 1],
      about: "level at which all entries are masked",
      source: "BalanceBenchmark",
    },
    ramp: {
      type: "choice",
      choices: ["steps", "released"],
      default: "steps",
      about: "how much the level grows at a step: by a tenth of the epoch's number over its steps, or by that tenth",
      source: "chosen here; released: BalanceBenchmark",
    },
  },
  worksWith: "fusions that are linear in the features (concat, sum, decision)",
  // Masks are drawn by the modalities' places.
  symmetric: false,
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion, context) =>
    fusion.kernels === undefined
      ? "it adds up the modalities' own logits, and this fusion's logits are no such sum; concat's are"
      : needsTwo(context),
  create: ({ threshold, epsilon, ramp }, { modalities, classes }) => {
    const m = modalities.length;
    const steps = "amco/steps";
    const state = (scope: Scope) => {
      const group = scope.group(GROUP);
      return {
        dependent: group.buffer("dependent", [m], zeros) as tf.Tensor1D,
        done: group.buffer("done", [], zeros),
        epoch: group.buffer("epoch", [], () => Float32Array.of(-1)),
      };
    };
    /** Level of this step; counts it. */
    const rate = (step: Step): tf.Scalar =>
      step.memo("amco/rate", () => {
        const { done, epoch } = state(step.scope);
        const now = step.scope.control("epoch");
        const count = tf.add(tf.where(tf.equal(epoch, now), done, tf.zerosLike(done)), 1);
        const group = step.scope.group(GROUP);
        group.update("done", count);
        group.update("epoch", tf.mul(now, 1));
        const growth = tf.div(now, 10);
        const each = ramp === "released" ? growth : tf.div(growth, step.scope.control(steps));
        return maskRate(tf.mul(count, each) as tf.Scalar, epsilon);
      });
    const sum = (step: Step): tf.Tensor2D => {
      const { logits } = step.solo();
      const training = step.scope.mode === "train";
      const noise = training ? tf.split(step.scope.group("noise:amco").random("uniform", [m, classes]), m) : [];
      const flags = training ? tf.split(state(step.scope).dependent, m) : [];
      return tf.addN(modalities.map((modality, u) => {
        let own: tf.Tensor = logits[modality];
        if (training) {
          const mask = smallestMask(tf.reshape(noise[u], [classes]) as tf.Tensor1D, rate(step));
          own = tf.mul(own, tf.sub(1, tf.mul(flags[u], tf.sub(1, mask))));
        }
        return step.keep === null ? own : tf.mul(own, step.keep[modality]);
      })) as tf.Tensor2D;
    };
    const shares = (step: TrainStep) =>
      step.memo("amco/shares", () => dependence(step.solo().logits, modalities, weightsOf(step), step.keep));
    return {
      name: "amco",
      declares: { controls: { [steps]: 1 }, claims: [SHARED_CLAIMS.logits, SHARED_CLAIMS.readouts] },
      plan(host, base) {
        const count = base.reduce(
          (all, { items, epochs = 1 }) => all + Math.ceil(items.length / host.batchSize) * epochs,
          0,
        );
        host.setControl(steps, Math.max(1, count));
        return base;
      },
      output: (step) => ({
        ...step.output,
        logits: linear(step.scope.group(GROUP), sum(step), {
          width: classes,
          kernelInit: identity,
          biasInit: zeros,
        }) as tf.Tensor2D,
      }),
      loss: (step) => unimodalLosses(step, step.solo().logits),
      emit(step) {
        const found = shares(step);
        step.scope.group(GROUP).update("dependent", tf.cast(tf.greater(found, threshold), "float32"));
        return { stats: { ...statsOf({ share: found }, modalities), rate: rate(step) } };
      },
    };
  },
});
