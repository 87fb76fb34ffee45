/**
 * Optimisers as pure functions with PyTorch's exact semantics.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { NamedTensors } from "../core/program.ts";

/** What changes from step to step. */
export interface StepScalars {
  readonly learningRate: tf.Scalar;
  /** How many updates the parameter has had with this one: from 1. */
  readonly step: tf.Scalar;
}

/** A parameter and its slots after an update. */
export interface Updated {
  readonly param: tf.Tensor;
  readonly slots: NamedTensors;
}

/** An optimiser. Slots start at zero. */
export interface Optimizer {
  readonly name: "sgd" | "adamw";
  /** Names of the tensors that it keeps per parameter, of the parameter's shape. */
  readonly slots: readonly string[];
  /** One update of one parameter. */
  apply(param: tf.Tensor, gradient: tf.Tensor, slots: Readonly<NamedTensors>, scalars: StepScalars): Updated;
}

/** Options of all optimisers; each takes what it knows. */
export interface OptimizerOptions {
  /** SGD. @default {0} */
  readonly momentum?: number;
  /** SGD. @default {false} */
  readonly nesterov?: boolean;
  /** SGD: added to the gradient. AdamW: decoupled. @default {0} */
  readonly weightDecay?: number;
  /** AdamW. @default {[0.9, 0.999]} */
  readonly betas?: readonly [number, number];
  /** AdamW, outside the square root. @default {1e-8} */
  readonly epsilon?: number;
}

/**
 * SGD: g += wd p; v = momentum v + g; g = nesterov ? g + momentum v : v; p -= lr g.
 *
 * PyTorch sets v = g at the first step; with v starting at 0 and no dampening that is the same.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: OptimizerOptions = {}): Optimizer {
  return {
    name: "sgd",
    slots: momentum === 0 ? [] : ["momentum"],
    apply(param, gradient, slots, { learningRate }) {
      let direction = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(param, weightDecay));
      const next: NamedTensors = {};
      if (momentum !== 0) {
        const velocity = tf.add(tf.mul(slots["momentum"], momentum), direction);
        next["momentum"] = velocity;
        direction = nesterov ? tf.add(direction, tf.mul(velocity, momentum)) : velocity;
      }
      return { param: tf.sub(param, tf.mul(direction, learningRate)), slots: next };
    },
  };
}

/**
 * AdamW (Loshchilov and Hutter, ICLR 2019): p *= 1 - lr wd; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps).
 */
export function adamW(
  { weightDecay = 0, betas = [0.9, 0.999], epsilon = 1e-8 }: OptimizerOptions = {},
): Optimizer {
  const [b1, b2] = betas;
  return {
    name: "adamw",
    slots: ["m", "v"],
    apply(param, gradient, slots, { learningRate, step }) {
      const decayed = weightDecay === 0 ? param : tf.mul(param, tf.sub(1, tf.mul(learningRate, weightDecay)));
      const m = tf.add(tf.mul(slots["m"], b1), tf.mul(gradient, 1 - b1));
      const v = tf.add(tf.mul(slots["v"], b2), tf.mul(tf.square(gradient), 1 - b2));
      // 1 - b^t by expm1: in single precision the difference would lose half its digits at the first steps.
      const rest = (beta: number) => tf.neg(tf.expm1(tf.mul(step, Math.log(beta))));
      const correction1 = rest(b1);
      const correction2 = tf.sqrt(rest(b2));
      const denominator = tf.add(tf.div(tf.sqrt(v), correction2), epsilon);
      const change = tf.mul(tf.div(learningRate, correction1), tf.div(m, denominator));
      return { param: tf.sub(decayed, change), slots: { m, v } };
    },
  };
}

/** The optimiser of a name. */
export function createOptimizer(name: "sgd" | "adamw", options: OptimizerOptions = {}): Optimizer {
  return name === "sgd" ? sgd(options) : adamW(options);
}

/** Clipped gradients. */
export interface Clipped {
  readonly gradients: NamedTensors;
  /** L2 norm over all gradients before clipping. */
  readonly norm: tf.Scalar;
  /** 1 if the norm was above the limit, else 0. */
  readonly clipped: tf.Scalar;
}

/** Scales all gradients by min(1, max / (norm + 1e-6)), as PyTorch's `clip_grad_norm_`. */
export function clipByGlobalNorm(gradients: Readonly<NamedTensors>, max: number): Clipped {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(tf.addN(squares)) as tf.Scalar;
  const scale = tf.minimum(tf.div(max, tf.add(norm, 1e-6)), 1);
  const scaled: NamedTensors = {};
  for (const [name, gradient] of Object.entries(gradients)) scaled[name] = tf.mul(gradient, scale);
  return { gradients: scaled, norm, clipped: tf.cast(tf.greater(norm, max), "float32") as tf.Scalar };
}
