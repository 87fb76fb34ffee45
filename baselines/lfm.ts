/**
 * Dynamically learning the modality gap ("LFM").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, mapByModality } from "../core/modality.ts";
import { defineMethod, type Host, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { jensenShannon } from "../losses/divergence.ts";
import { whereKept } from "../losses/kept.ts";
import { needsTwo } from "./unimodal.ts";

/** Options of `lfm`. */
export interface LfmOptions {
  readonly schedule: "fitted" | "stretched" | "learned" | "constant";
  readonly share: number;
  readonly rate: number;
  readonly divergence: "js" | "reversed";
}

/** The released code's weight of cross-entropy, fitted to what 200 epochs learnt: a polynomial of the epoch. */
const FITTED = [0.204624, 3.35473e-3, 1.2299e-4, -2.92947e-6, 2.23835e-8, -5.39718e-11];
const FITTED_EPOCHS = 200;

/** a_0(e) of the released schedule; it holds for 0 <= e < 200 and leaves 0..1 beyond. */
export function fittedShare(epoch: number): number {
  return FITTED.reduceRight((sum, coefficient) => sum * epoch + coefficient, 0);
}

/** a_1 within what the released code allows. */
export function clippedGapWeight(weight: number): number {
  return Math.min(0.95, Math.max(0.05, weight));
}

/** Mean over pairs of modalities of the divergence of their readouts, [B]; a pair counts where a sample has both. */
function gapLoss(step: TrainStep, reversed: boolean): tf.Tensor1D {
  const { logits } = step.solo();
  const pairs = step.modalities.flatMap((one, u) =>
    step.modalities.slice(u + 1).map((two) => {
      const terms = jensenShannon(at(logits, one), at(logits, two), reversed);
      return whereKept(whereKept(terms, step.keep, one), step.keep, two);
    })
  );
  return tf.div(tf.addN(pairs), pairs.length) as tf.Tensor1D;
}

const GAP = "lfm/gap";

/** Training samples of the step through which the weight is learnt: one batch, another each epoch. */
function probeItems(host: Host): Int32Array {
  const size = host.labels("train").length;
  return host.random.split("lfm").permutation(size).subarray(0, Math.min(host.batchSize, size));
}

/** How far a_1 is moved to either side to see what a step with it does. */
const REACH = 0.05;

/** d CE_validation(theta') / d a_1 through one training step theta -> theta', as a central difference. */
async function slope(host: Host, weight: number): Promise<number> {
  const losses = [];
  for (const moved of [weight + REACH, weight - REACH]) {
    const id = await host.snapshot();
    host.setControl(GAP, moved);
    await host.train([{ programs: ["main"], items: probeItems(host) }]);
    losses.push((await host.evaluate("validation")).loss);
    await host.restore(id);
  }
  return (losses[0] - losses[1]) / (2 * REACH);
}

/**
 * Weighs the task's loss against a divergence between the modalities' predictions, with weights that change over the epochs.
 *
 * The paper learns the weights; the released code ships a polynomial fitted to what it learnt in 200 epochs (`fitted`), which
 * `stretched` spreads over the epochs of this run. `learned` follows the cross-entropy on validation through one training step,
 * as the paper means it; the released code steps by the first tensor of a product with the Hessian instead. For more than two
 * modalities the divergence is the mean over pairs.
 */
export const lfm: MethodPlugin = defineMethod<LfmOptions>({
  name: "lfm",
  about: "weighs the task's loss against the divergence between the modalities' predictions",
  formula: `L = 2 (a_0 CE(l, y) + a_1 mean_{u<v} JS(softmax l_u, softmax l_v)),  a_0 + a_1 = 1,  a_1 in [.05, .95]
    fitted: a_0(e) = .204624 + 3.35473e-3 e + 1.22990e-4 e^2 - 2.92947e-6 e^3 + 2.23835e-8 e^4 - 5.39718e-11 e^5
    learned: a_1 <- a_1 - rate d CE_validation(theta') / d a_1,  theta' = theta after one step with a_1`,
  source: 'Yang et al., "Facilitating Multimodal Classification via Dynamically Learning Modality Gap", NeurIPS 2024',
  options: {
    schedule: {
      type: "choice",
      choices: ["fitted", "stretched", "learned", "constant"],
      default: "fitted",
      about: "where the weights come from",
      source: "fitted is the released code's; learned is the paper's, by a difference in place of second derivatives",
    },
    share: {
      type: "number",
      default: 0.95,
      min: 0,
      max: 1,
      tune: [0, 0.2, 0.5, 0.8],
      about: "constant: a_1; learned: its start",
      source: "released code (start)",
    },
    rate: {
      type: "number",
      default: 1e-4,
      min: 0,
      tune: [1e-4, 1, 30],
      about: "learned: step of a_1, once an epoch, halved every 20 epochs",
      source: "released code, whose gradient is of another scale",
    },
    divergence: {
      type: "choice",
      choices: ["js", "reversed"],
      default: "js",
      about: "Jensen-Shannon, or KL from the mean to each prediction",
      source: "js is the paper's; reversed is what the released code's order of arguments gives",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ schedule, share, rate, divergence }) => {
    const start = schedule === "constant" ? share : clippedGapWeight(schedule === "learned" ? share : 1 - FITTED[0]);
    return {
      name: "lfm",
      declares: { controls: { [GAP]: start }, solo: true, claims: ["weigh the task's loss against a gap"] },
      async beforeEpoch(host) {
        if (schedule === "constant") return;
        if (schedule === "learned") {
          // At first nothing is learnt yet; at last its two steps would leave no sample for the model.
          if (host.epoch === 0 || host.samplesLeft <= 2 * host.batchSize) return;
          const [weight] = host.control(GAP);
          const step = rate * 0.5 ** Math.floor((host.epoch - 1) / 20);
          host.setControl(GAP, clippedGapWeight(weight - step * await slope(host, weight)));
          return;
        }
        const epoch = schedule === "fitted" ? host.epoch : host.epoch * FITTED_EPOCHS / host.epochs;
        host.setControl(GAP, clippedGapWeight(1 - fittedShare(Math.min(epoch, FITTED_EPOCHS - 1))));
      },
      taskLoss(terms, step) {
        const weight = tf.mul(tf.sub(1, step.scope.control(GAP)), 2);
        return mapByModality(terms, (term) => tf.mul(term, weight));
      },
      loss: (step) => ({ gap: tf.mul(gapLoss(step, divergence === "reversed"), tf.mul(step.scope.control(GAP), 2)) }),
      report: (host) => ({ gapWeight: host.control(GAP)[0] }),
    };
  },
});
