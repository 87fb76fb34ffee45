/**
 * Information-regulated learning ("InfoReg").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { defineMethod, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import type { NamedTensors } from "../core/program.ts";
import { groupOf } from "../core/scope.ts";
import { labelProbability } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { zeros } from "../nn/initializers.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { keptMean, needsTwo, perModality, SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `info-reg`. */
export interface InfoRegOptions {
  readonly strength: readonly number[];
  readonly score: "mean" | "sum";
  readonly window: "own" | "first";
  readonly threshold: number;
  readonly span: number;
}

/**
 * Whether modalities still gain information quickly: k = (A - A') / A for A the sum of the last `span` values, A' that of the
 * `span` values before the last; 1 before the first epoch, 0 where A is.
 *
 * @param traces F of every finished epoch.
 */
export function informationGain(traces: readonly number[], span: number): number {
  if (traces.length === 0) return 1;
  const sum = (values: readonly number[]) => values.slice(-span).reduce((total, value) => total + value, 0);
  const now = sum(traces);
  return now === 0 ? 0 : (now - sum(traces.slice(0, -1))) / now;
}

/**
 * beta_u = c_u exp(tanh(gap_u)) where a modality's score is above the mean of the others', else 0.
 *
 * @param scores One scalar per modality.
 */
export function regulation(scores: readonly tf.Scalar[], strengths: readonly number[]): tf.Scalar[] {
  return scores.map((own, u) => {
    const others = scores.filter((_, v) => v !== u);
    const gap = tf.sub(own, tf.div(tf.addN(others), others.length));
    const ahead = tf.cast(tf.greater(gap, 0), "float32");
    return tf.mul(tf.mul(tf.exp(tf.tanh(gap)), strengths[u]), ahead) as tf.Scalar;
  });
}

/** F of a step: over the tensors with two or more axes, the sum of their mean squared gradients. */
export function squaredGradients(gradients: Readonly<NamedTensors>): tf.Scalar {
  const matrices = Object.keys(gradients).sort().filter((full) => gradients[full].rank >= 2);
  if (matrices.length === 0) return tf.scalar(0);
  return tf.addN(matrices.map((full) => tf.mean(tf.square(gradients[full])))) as tf.Scalar;
}

const COPY = "info-reg";
const OPEN = "info-reg/open";

/**
 * Holds encoders that are ahead near their values at the start of the epoch, as long as they still gain information quickly,
 * and trains every modality's readout.
 *
 * Information is judged by how the squared gradients of the last epochs grow: not a trace of Fisher's matrix, but the sum
 * over tensors of their mean squared batch gradients, as the released code has it. For more than two modalities a score is
 * compared with the mean of the others.
 */
export const infoReg: MethodPlugin = defineMethod<InfoRegOptions>({
  name: "info-reg",
  about: "slows the encoders that are ahead, while they gain information quickly, by a pull to the epoch's start",
  formula: `L = CE(l, y) + sum_u CE(l_u, y);  gap_u = s_u - mean_{v != u} s_v,  s_u = mean_B softmax(l_u)_y
    where gap_u > 0 and the window is open:  g_u <- g_u + c_u exp(tanh(gap_u)) (theta_u - theta_u^0)
    open: (A - A') / A > threshold, A the sum of the last 10 epochs' squared gradients F_u, A' that of the epoch before`,
  source:
    'Huang et al., "Adaptive Unimodal Regulation for Balanced Multimodal Information Acquisition", CVPR 2025; formulas of its released code',
  options: {
    strength: {
      type: "numbers",
      default: [0.95],
      about: "c, one for all modalities or one each in sorted order",
      source: "released code: 0.95 for audio, 0.1 for visual",
    },
    score: {
      type: "choice",
      choices: ["mean", "sum"],
      default: "mean",
      about: "score of a modality: mean or sum over the batch of the label's probability",
      source: "the released code sums, so that tanh is 1 nearly always; the mean keeps it graded",
    },
    window: {
      type: "choice",
      choices: ["own", "first"],
      default: "own",
      about: "whose squared gradients open a modality's window",
      source: "the released code takes those of the first for all",
    },
    threshold: {
      type: "number",
      default: 0.05,
      tune: [0.02, 0.05, 0.1],
      about: "least growth that keeps a window open",
      source: "released code",
    },
    span: {
      type: "integer",
      default: 10,
      min: 1,
      tune: [5, 10],
      about: "epochs that are summed",
      source: "released code",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context, { strength }) => {
    const { length } = context.modalities;
    return strength.length === 1 || strength.length === length
      ? needsTwo(context)
      : `its strength must be one number, or one for each of ${length} modalities: found ${strength.length}`;
  },
  create: ({ strength, score, window, threshold, span }, { modalities }) => {
    const strengths = modalities.map((_, u) => strength.length === 1 ? strength[0] : strength[u]);
    const blank = () => byModality(modalities, () => 0);
    let traces: Record<string, number[]> = byModality(modalities, () => []);
    let sums: Record<string, number> = blank();
    const gains = () =>
      modalities.map((modality) => informationGain(traces[window === "own" ? modality : modalities[0]], span));
    const coefficients = (step: TrainStep) => step.memo("info-reg/coefficients", () => coefficientsOf(step));
    const coefficientsOf = (step: TrainStep): Record<string, tf.Scalar> => {
      const { logits } = step.solo();
      const scores = modalities.map((modality) => {
        const p = labelProbability(stopGradient(logits[modality]), step.labels);
        return score === "mean"
          ? keptMean(p, step.weights, step.keep, modality)
          : tf.sum(tf.mul(p, whereKept(step.weights, step.keep, modality))) as tf.Scalar;
      });
      const open = perModality(step.scope.control(OPEN) as tf.Tensor1D, modalities);
      const betas = regulation(scores, strengths);
      return byModality(modalities, (modality, u) => tf.mul(betas[u], open[modality]) as tf.Scalar);
    };
    return {
      name: "info-reg",
      declares: {
        copies: { [COPY]: ["encoder:*"] },
        controls: { [OPEN]: modalities.map(() => 1) },
        solo: true,
        claims: [SHARED_CLAIMS.readouts],
      },
      async beforeEpoch(host) {
        const now = await host.params(["encoder:*"]);
        await host.setBuffers(Object.fromEntries(Object.entries(now).map(([full, x]) => [`${COPY}/${full}`, x])));
        host.setControl(OPEN, gains().map((gain) => gain > threshold ? 1 : 0));
      },
      loss: (step) => unimodalLosses(step, step.solo().logits),
      gradients(gradients, { params }, step) {
        const betas = coefficients(step);
        const result = { ...gradients };
        const found: Record<string, NamedTensors> = byModality(modalities, () => ({}));
        for (const [full, gradient] of Object.entries(gradients)) {
          const modality = groupOf(full).slice("encoder:".length);
          if (groupOf(full) !== `encoder:${modality}`) continue;
          const start = step.scope.group(COPY).buffer(full, gradient.shape, zeros);
          result[full] = tf.add(gradient, tf.mul(tf.sub(params[full], start), betas[modality]));
          found[modality][full] = result[full];
        }
        step.memo("info-reg/traces", () => byModality(modalities, (modality) => squaredGradients(found[modality])));
        return result;
      },
      emit(step) {
        const betas = coefficients(step);
        const made = step.memo("info-reg/traces", () => byModality(modalities, () => tf.scalar(0)));
        return {
          stats: Object.fromEntries(modalities.flatMap((modality) => [
            [`beta:${modality}`, betas[modality]],
            [`trace:${modality}`, made[modality]],
          ])),
        };
      },
      afterStep(stats) {
        for (const modality of modalities) sums[modality] += stats[`info-reg/trace:${modality}`];
      },
      afterEpoch() {
        for (const modality of modalities) traces[modality].push(sums[modality]);
        sums = blank();
      },
      report(host) {
        const open = host.control(OPEN);
        return Object.fromEntries(modalities.map((modality, u) => [`open:${modality}`, open[u]]));
      },
      save: () => structuredClone({ traces, sums }),
      load: (saved) => {
        ({ traces, sums } = saved as { traces: typeof traces; sums: typeof sums });
      },
    };
  },
});
