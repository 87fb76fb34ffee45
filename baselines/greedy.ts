/**
 * Balanced multimodal learning by conditional learning speed ("Greedy").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Refusal } from "../core/refusal.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";
import type { NamedTensors } from "../core/program.ts";
import { groupOf, type Scope } from "../core/scope.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { zeros } from "../nn/initializers.ts";

/** Options of `greedy`. */
export interface GreedyOptions {
  readonly epsilon: number;
  readonly steps: number;
  readonly start: number;
  readonly choice: "speed" | "random";
  readonly runningGate: "own" | "first";
}

/**
 * Which modality is to be curated, as a one-hot vector [m], or zeros.
 *
 * The speed of each modality is s_u = log10(M'_u / M_u). The fastest bypass is curated if its lead is above epsilon: over the
 * other modality for two, over the mean for more.
 *
 * @param main Accumulated M_u, [m].
 * @param bypass Accumulated M'_u, [m].
 */
export function curationOf(main: tf.Tensor1D, bypass: tf.Tensor1D, epsilon: number): tf.Tensor1D {
  const m = main.shape[0];
  const speed = tf.mul(tf.log(tf.div(tf.add(bypass, 1e-30), tf.add(main, 1e-30))), Math.LOG10E) as tf.Tensor1D;
  const fastest = tf.max(speed);
  const lead = tf.sub(fastest, m === 2 ? tf.min(speed) : tf.mean(speed));
  const chosen = tf.oneHot(tf.argMax(speed), m, 1, 0, "float32");
  return tf.mul(chosen, tf.cast(tf.greater(lead, epsilon), "float32")) as tf.Tensor1D;
}

/**
 * A random choice among "none" and the modalities, all equally likely, as a one-hot vector [m] or zeros.
 *
 * @param draw Uniform in [0, 1).
 */
export function randomCuration(draw: tf.Scalar, m: number): tf.Tensor1D {
  const chosen = tf.cast(tf.floor(tf.mul(draw, m + 1)), "int32");
  // Entry 0 stands for "none".
  const oneHot = tf.reshape(tf.oneHot(tf.reshape(chosen, [1]), m + 1, 1, 0, "float32"), [m + 1]) as tf.Tensor1D;
  return tf.slice1d(oneHot, 1, m);
}

/** Learning speed of a set of parameters: the sum of squared gradients over the sum of squared values. */
export function relativeSpeed(
  names: readonly string[],
  gradients: NamedTensors,
  params: Readonly<NamedTensors>,
): tf.Scalar {
  const squares = (tensors: tf.Tensor[]) => tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor))));
  const present = names.filter((name) => gradients[name] !== undefined);
  if (present.length === 0) return tf.scalar(0);
  const top = squares(present.map((name) => gradients[name]));
  const bottom = squares(present.map((name) => params[name]));
  return tf.div(top, tf.maximum(bottom, 1e-12)) as tf.Scalar;
}

const GROUP = "aux:greedy";

/** What each row's part of a weighted mean is, [B]; rows of weight 0 do not count. */
function partsOf(rows: number, weights: tf.Tensor1D | null): tf.Tensor1D {
  if (weights === null) return tf.fill([rows], 1 / rows);
  return tf.div(weights, tf.maximum(tf.sum(weights), 1e-12));
}

/** M_u, M'_u, who is curated (all [m]) and for how many steps more. */
function stateOf(scope: Scope, m: number) {
  const group = scope.group(GROUP);
  return {
    main: group.buffer("main", [m], zeros) as tf.Tensor1D,
    bypass: group.buffer("bypass", [m], zeros) as tf.Tensor1D,
    curated: group.buffer("curated", [m], zeros) as tf.Tensor1D,
    left: group.buffer("left", [], zeros),
  };
}

/** The gate whose mean stands for modality u's: its own, or by the released slip the first one's for the second. */
function seenGate(
  gates: ByModality<tf.Tensor2D>,
  modality: string,
  [first, second]: readonly string[],
  running: GreedyOptions["runningGate"],
): tf.Tensor2D {
  const own = at(gates, modality);
  if (running === "own" || modality !== second) return own;
  const other = at(gates, first);
  if (other.shape[1] === own.shape[1]) return other;
  throw new Refusal({
    what: 'use method "greedy" with runningGate=first',
    must: `"${first}" and "${modality}" must have equal channels`,
    found: `found ${other.shape[1]} and ${own.shape[1]}`,
    hint: "take runningGate=own, or encoders of one width",
  });
}

/** Gates of a level, [B, c_u] each: those of who is curated are their running mean, which takes this step in. */
function curatedGates(
  gates: ByModality<tf.Tensor2D>,
  scope: Scope,
  level: number,
  modalities: readonly string[],
  running: GreedyOptions["runningGate"],
): ByModality<tf.Tensor2D> {
  const group = scope.group(GROUP).in(`level${level + 1}`);
  const each = tf.split(stateOf(scope, modalities.length).curated, modalities.length);
  const flags = byModality(modalities, (_, u) => each[u]);
  const weights = scope.weights();
  // All levels have seen the same steps.
  const count = tf.add(scope.group(GROUP).buffer("seen", [], zeros), 1);
  scope.group(GROUP).update("seen", count);
  const share = tf.div(1, count);
  const rest = tf.sub(1, share);
  const parts = tf.expandDims(tf.mul(partsOf(at(gates, modalities[0]).shape[0], weights), share), 1);
  return mapByModality(gates, (gate, modality) => {
    const before = group.in(modality).buffer("mean", [1, gate.shape[1]], zeros);
    // Cumulative average over all training steps, curated ones included: the batch's mean enters by its share.
    const seen = stopGradient(seenGate(gates, modality, modalities, running));
    const mean = tf.add(tf.sum(tf.mul(parts, seen), 0, true), tf.mul(before, rest));
    group.in(modality).update("mean", mean);
    const flag = at(flags, modality);
    return tf.add(tf.mul(gate, tf.sub(1, flag)), tf.mul(mean, flag)) as tf.Tensor2D;
  });
}

/**
 * Accumulates this step's speeds and decides who is curated from the next step on.
 *
 * @param main Relative speed of each modality's encoder and head, [m].
 * @param bypass That of the fusion's parameters on the path into it, [m].
 */
function decide(
  scope: Scope,
  main: tf.Tensor1D,
  bypass: tf.Tensor1D,
  { epsilon, steps, start, choice }: GreedyOptions,
): void {
  const m = main.shape[0];
  const state = stateOf(scope, m);
  const free = tf.cast(tf.lessEqual(state.left, 0), "float32");
  const nextMain = tf.add(state.main, tf.mul(main, free)) as tf.Tensor1D;
  const nextBypass = tf.add(state.bypass, tf.mul(bypass, free)) as tf.Tensor1D;
  const late = tf.cast(tf.greaterEqual(scope.control("epoch"), start), "float32");
  const group = scope.group(GROUP);
  group.update("main", nextMain);
  group.update("bypass", nextBypass);
  if (choice === "random") {
    const draw = group.in("choice").random("uniform", []) as tf.Scalar;
    group.update("curated", tf.mul(randomCuration(draw, m), late));
    return;
  }
  const decided = tf.mul(curationOf(nextMain, nextBypass, epsilon), tf.mul(late, free));
  const rest = tf.maximum(tf.sub(state.left, 1), 0);
  // A decision starts Q steps; otherwise what runs goes on until none are left.
  group.update("left", tf.add(tf.mul(rest, tf.sub(1, free)), tf.mul(tf.sum(decided), steps)));
  group.update("curated", tf.add(decided, tf.mul(state.curated, tf.cast(tf.greater(rest, 0), "float32"))));
}

/**
 * While a modality is curated, its channel gates are replaced by their running mean, so that its encoder learns without
 * help from the others. Works on fusions with channel gates; trains every head by its own cross-entropy.
 *
 * M_u accumulates the relative gradient norm of modality u's encoder and head, M'_u that of the fusion's parameters on the
 * path into u; neither while curating, and neither is ever reset. A decision acts from the next step on.
 *
 * The paper has two modalities; for more, the lead is over the mean of all speeds. The released code keeps its running means
 * outside of its checkpoints, updates them in evaluation too and may curate there; here they are buffers of training alone.
 */
export const greedy: MethodPlugin = defineMethod<GreedyOptions>({
  name: "greedy",
  about: "curates the modality whose cross-modal path learns fastest, by freezing its gates to their mean",
  formula: `M_u += |grad theta_u|^2 / |theta_u|^2, M'_u the same for the bypass;  s_u = log10(M'_u / M_u)
    if max s - (other | mean) s > epsilon: for Q steps the gates of argmax s are their running mean;  L = sum_u CE(l_u)`,
  source:
    'Wu et al., "Characterizing and Overcoming the Greedy Nature of Learning in Multi-modal Deep Neural Networks", ICML 2022',
  options: {
    epsilon: {
      type: "number",
      default: 0.01,
      min: 0,
      tune: [0.001, 0.01, 0.1],
      about: "least lead in log10 speed; a huge one turns curation off",
      source: "released configuration",
    },
    steps: {
      type: "integer",
      default: 5,
      min: 1,
      tune: [5, 10, 20],
      about: "curated steps Q after a decision",
      source: "released configuration",
    },
    start: {
      type: "integer",
      default: 1,
      min: 0,
      tune: [1, 5],
      about: "first epoch of decisions, from 0",
      source: "released code (2, counted from 1)",
    },
    choice: {
      type: "choice",
      choices: ["speed", "random"],
      default: "speed",
      about: "who is curated: the fastest bypass, or at every step a draw among nobody and all modalities",
      source: "the paper's guided version; random is its control",
    },
    runningGate: {
      type: "choice",
      choices: ["own", "first"],
      default: "own",
      about: "whose gate the second modality's running mean follows; first needs equal channels",
      source: "the paper; the released code follows the first by a slip",
    },
  },
  worksWith: "fusions with channel gates (mmtm); the released code's mmtm has scale 1: --set mmtm.scale=1",
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion, { modalities }) =>
    fusion.channelGates === undefined
      ? "it replaces channel gates between stages, and this fusion has none; mmtm has"
      : modalities.length < 2
      ? "it compares modalities and needs at least two"
      : null,
  create: (options, { modalities }) => ({
    name: "greedy",
    declares: { claims: [CLAIMS.taskLoss, CLAIMS.channelGates] },
    channelGates: (level, gates, scope) =>
      scope.mode === "eval" // prediction is never curated
        ? gates
        : curatedGates(gates, scope, level, modalities, options.runningGate),
    taskLoss(_terms, step) {
      const { own } = step.output;
      if (own === undefined) {
        throw new Refusal({
          what: 'use method "greedy"',
          must: "the fusion must have a head of its own per modality",
          hint: "take mmtm with loss=separate",
        });
      }
      return Object.fromEntries(
        modalities.map((modality) => [
          `head:${modality}`,
          whereKept(crossEntropy(at(own, modality), step.labels), step.keep, modality),
        ]),
      );
    },
    gradients(gradients, { params }, step) {
      const names = Object.keys(params).sort();
      const speeds = (of: (modality: string) => readonly string[]) =>
        tf.stack(modalities.map((modality) => relativeSpeed(of(modality), gradients, params))) as tf.Tensor1D;
      const main = speeds((modality) =>
        names.filter((name) => [`encoder:${modality}`, `head:${modality}`].includes(groupOf(name)))
      );
      const bypass = speeds((modality) => names.filter((name) => step.bypass(name).includes(modality)));
      decide(step.scope, main, bypass, options);
      return gradients;
    },
    emit(step) {
      const { main, bypass, curated } = stateOf(step.scope, modalities.length);
      return {
        stats: Object.fromEntries(
          Object.entries({ curated, main, bypass }).flatMap(([name, values]) =>
            tf.split(values, modalities.length).map((part, u) => [
              `${name}:${modalities[u]}`,
              tf.reshape(part, []) as tf.Scalar,
            ])
          ),
        ),
      };
    },
  }),
});
