/**
 * Attention and the parts of transformers.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Initializer, Scope } from "../core/scope.ts";
import { gelu } from "./activations.ts";
import { linear } from "./linear.ts";
import { dropout } from "./normalization.ts";
import { Refusal } from "../core/refusal.ts";

/** Options of `attend`. */
export interface AttendOptions {
  /** Number of heads; must divide the width. */
  readonly heads: number;
  /** Which keys there are: 1, or 0 for padding, [B, S]. @default all */
  readonly present?: tf.Tensor2D | null;
  /** Dropout rate of the attention weights. @default {0} */
  readonly dropout?: number;
}

/** What is added to the score of an absent key: its weight becomes exactly 0 in float32. */
const ABSENT = -1e9;

/**
 * Scaled dot-product attention with several heads: softmax(Q K' / sqrt(d)) V in each, joined.
 *
 * A row without any present key attends to all alike; it must not be used.
 *
 * @param scope Draws the noise of dropout.
 * @param q Float32 [B, T, D].
 * @param k Float32 [B, S, D].
 * @param v Float32 [B, S, D].
 * @returns Float32 [B, T, D].
 * @throws {Refusal} If the heads do not divide the width.
 */
export function attend(scope: Scope, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, options: AttendOptions): tf.Tensor {
  const { heads, present = null, dropout: rate = 0 } = options;
  const [batch, steps, width] = q.shape;
  if (width % heads !== 0) {
    throw new Refusal({ what: "attend", must: `the heads must divide the width ${width}`, found: `found ${heads}` });
  }
  const size = width / heads;
  const apart = (x: tf.Tensor) => tf.transpose(tf.reshape(x, [batch, x.shape[1]!, heads, size]), [0, 2, 1, 3]);
  let scores = tf.matMul(apart(tf.mul(q, 1 / Math.sqrt(size))), apart(k), false, true);
  if (present !== null) {
    const absent = tf.mul(tf.sub(1, present), ABSENT);
    scores = tf.add(scores, tf.reshape(absent, [batch, 1, 1, k.shape[1]!]));
  }
  const weights = dropout(scope, tf.softmax(scores), rate);
  const joined = tf.transpose(tf.matMul(weights, apart(v)), [0, 2, 1, 3]);
  return tf.reshape(joined, [batch, steps, width]);
}

/**
 * Two linear layers with GELU between them: [..., D] to [..., D].
 *
 * @param inner Where the first layer's parameters are.
 * @param outer Where the second's are.
 */
export function feedForward(
  inner: Scope,
  outer: Scope,
  x: tf.Tensor,
  options: { readonly hidden: number; readonly kernelInit: Initializer },
): tf.Tensor {
  const { hidden, kernelInit } = options;
  const y = gelu(linear(inner, x, { width: hidden, kernelInit }));
  return linear(outer, y, { width: x.shape[x.rank - 1], kernelInit });
}
