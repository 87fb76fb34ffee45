/**
 * Recurrent networks over sequences.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { SpecsFor } from "../core/options.ts";
import { defineEncoder, type Encoder, type EncoderPlugin, type ModalityInfo, type Stage } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { dropout, uniform } from "../nn/mod.ts";

/** Options of `gru` and `lstm`. */
export interface RecurrentOptions {
  readonly width: number;
  readonly layers: number;
  readonly bidirectional: boolean;
  readonly pooling: "last" | "mean";
  readonly dropout: number;
}

/** One step of a cell: input and recurrent projections [B, gates h] and the state before to the state after. */
interface Cell {
  readonly gates: number;
  step(input: tf.Tensor, recurrent: tf.Tensor, state: readonly tf.Tensor[]): readonly tf.Tensor[];
  /** Tensors in a state; the first is the output. */
  readonly states: number;
}

const gruCell: Cell = {
  gates: 3,
  states: 1,
  step(input, recurrent, [h]) {
    const [ir, iz, inn] = tf.split(input, 3, 1);
    const [hr, hz, hn] = tf.split(recurrent, 3, 1);
    const r = tf.sigmoid(tf.add(ir, hr));
    const z = tf.sigmoid(tf.add(iz, hz));
    const n = tf.tanh(tf.add(inn, tf.mul(r, hn)));
    return [tf.add(n, tf.mul(z, tf.sub(h, n)))];
  },
};

const lstmCell: Cell = {
  gates: 4,
  states: 2,
  step(input, recurrent, [_h, c]) {
    const [i, f, g, o] = tf.split(tf.add(input, recurrent), 4, 1);
    const next = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    return [tf.mul(tf.sigmoid(o), tf.tanh(next)), next];
  },
};

/** One layer in one direction: [B, T, d] to its outputs [B, h] by time. Parameters are named and lie as in PyTorch. */
function direction(
  scope: Scope,
  x: tf.Tensor,
  cell: Cell,
  width: number,
  suffix: string,
  reverse: boolean,
): tf.Tensor[] {
  const [batch, steps, input] = x.shape as [number, number, number];
  const rows = cell.gates * width;
  const init = uniform(1 / Math.sqrt(width));
  const weight = (name: string, columns: number) =>
    scope.param(`weight_${name}_${suffix}`, [rows, columns], init) as tf.Tensor2D;
  const bias = (name: string) => scope.param(`bias_${name}_${suffix}`, [rows], init);
  // The input's part of all steps is one product.
  const projected = tf.add(
    tf.matMul(tf.reshape(x, [batch * steps, input]), weight("ih", input), false, true),
    bias("ih"),
  );
  const inputs = tf.unstack(tf.reshape(projected, [batch, steps, rows]), 1);
  const recurrent = weight("hh", width);
  const shift = bias("hh");
  let state: readonly tf.Tensor[] = Array.from({ length: cell.states }, () => tf.zeros([batch, width]));
  const outputs = new Array<tf.Tensor>(steps);
  for (let k = 0; k < steps; k++) {
    const t = reverse ? steps - 1 - k : k;
    state = cell.step(inputs[t], tf.add(tf.matMul(state[0] as tf.Tensor2D, recurrent, false, true), shift), state);
    outputs[t] = state[0];
  }
  return outputs;
}

function recurrent(cell: Cell, options: RecurrentOptions): Encoder {
  const { width, layers, bidirectional, pooling, dropout: rate } = options;
  const stages = Array.from({ length: layers }, (_, index): Stage => (x, scope) => {
    const inner = scope.in("rnn");
    const given = index === 0 ? x : dropout(inner.in(`l${index}`), x, rate);
    const forward = tf.stack(direction(inner, given, cell, width, `l${index}`, false), 1);
    if (!bidirectional) return forward;
    return tf.concat([forward, tf.stack(direction(inner, given, cell, width, `l${index}_reverse`, true), 1)], 2);
  });
  return {
    tokens: true,
    stages,
    head(map) {
      const tokens = map as tf.Tensor3D;
      if (pooling === "mean") return { pooled: tf.mean(tokens, 1), tokens };
      const steps = tokens.shape[1];
      const state = (t: number, from: number) =>
        tf.reshape(tf.slice(tokens, [0, t, from], [-1, 1, width]), [-1, width]);
      // The reverse direction ends at the first step.
      const pooled = bidirectional ? tf.concat([state(steps - 1, 0), state(0, width)], 1) : state(steps - 1, 0);
      return { pooled: pooled as tf.Tensor2D, tokens };
    },
  };
}

const options: SpecsFor<RecurrentOptions> = {
  width: {
    type: "integer",
    default: 64,
    min: 1,
    tune: [64, 128, 256],
    about: "width of the hidden state, in each direction",
    source: "chosen here for short sequences",
  },
  layers: {
    type: "integer",
    default: 1,
    min: 1,
    about: "number of layers, each a stage",
    tune: [1, 2],
    source: "PyTorch's default",
  },
  bidirectional: {
    type: "boolean",
    default: false,
    about: "run in both directions and concatenate",
    source: "PyTorch's default",
  },
  pooling: {
    type: "choice",
    choices: ["last", "mean"],
    default: "last",
    about: "the last state, or the mean of all",
    source: "chosen here: the common readout of a classifier",
  },
  dropout: {
    type: "number",
    default: 0,
    min: 0,
    max: 0.95,
    about: "dropout rate between layers",
    tune: [0, 0.1, 0.3],
    source: "PyTorch's default",
  },
};

const refuses = ({ shape, dtype }: ModalityInfo): string | null =>
  dtype === "float32" && shape.length === 2 ? null : "it needs [steps, width] of numbers";

/**
 * Gated recurrent units in PyTorch's form, with a bias on each side of the reset gate. All steps are unrolled into the
 * traced program, so compiling takes time in proportion to their number.
 */
export const gru: EncoderPlugin = defineEncoder<RecurrentOptions>({
  name: "gru",
  tiny: { width: 6 },
  about: "gated recurrent network over sequences of vectors; gives tokens",
  formula: `r = sigmoid(W_r x + b_r + U_r h + c_r);  z = sigmoid(W_z x + b_z + U_z h + c_z)
    n = tanh(W_n x + b_n + r * (U_n h + c_n));  h <- (1 - z) * n + z * h`,
  source: "Cho et al., EMNLP 2014, in the variant of PyTorch and cuDNN",
  options,
  refuses,
  create: (resolved) => recurrent(gruCell, resolved),
});

/** Long short-term memory. All steps are unrolled into the traced program. */
export const lstm: EncoderPlugin = defineEncoder<RecurrentOptions>({
  name: "lstm",
  tiny: { width: 6 },
  about: "long short-term memory over sequences of vectors; gives tokens",
  formula: `i, f, o = sigmoid(W x + b + U h + c) each;  g = tanh(W_g x + b_g + U_g h + c_g)
    s <- f * s + i * g;  h <- o * tanh(s)`,
  source: "Hochreiter and Schmidhuber, Neural Computation 1997, with forget gates (Gers et al., 2000)",
  options,
  refuses,
  create: (resolved) => recurrent(lstmCell, resolved),
});
