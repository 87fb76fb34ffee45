/**
 * Gradient-Blending.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineMethod, type Host, type MethodPlugin, type OpenSplit } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `g-blending`. */
export interface GBlendingOptions {
  readonly superEpoch: number;
  readonly estimate: number;
}

/** Losses of one branch before and after it was trained for a while. */
export interface BranchLosses {
  readonly train: readonly [number, number];
  readonly validation: readonly [number, number];
}

/**
 * Weights in proportion to G / O^2, which sum up to 1: G is what a branch gained on validation, O how much more it overfits.
 *
 * G below 0 counts as 0, O as at least 0 and O^2 as at least 1e-4; where no branch gained anything, all weigh the same.
 */
export function blendingWeights(branches: readonly BranchLosses[]): number[] {
  const scores = branches.map(({ train: [t0, tn], validation: [v0, vn] }) => {
    const overfitting = Math.max(0, (vn - tn) - (v0 - t0));
    return Math.max(0, v0 - vn) / Math.max(overfitting ** 2, 1e-4);
  });
  const total = scores.reduce((sum, score) => sum + score, 0);
  return scores.map((score) => total > 0 ? score / total : 1 / scores.length);
}

const WEIGHTS = "g-blending/weights";

/** Mean cross-entropy of the rows of logits that count. */
function meanLoss(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  counts: (sample: number) => boolean,
): number {
  let [sum, count] = [0, 0];
  for (let n = 0; n < labels.length; n++) {
    if (!counts(n)) continue;
    count++;
    const row = logits.subarray(n * classes, (n + 1) * classes);
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
    sum += top + Math.log(row.reduce((total, value) => total + Math.exp(value - top), 0)) - row[labels[n]];
  }
  return sum / Math.max(1, count);
}

/** Loss of one branch: a modality's readout where it alone is kept, or the fused prediction. */
async function branchLoss(host: Host, split: OpenSplit, modality: string | null): Promise<number> {
  if (modality === null) return (await host.evaluate(split)).loss;
  const { solo } = await host.pass(split, [modality]);
  return meanLoss(solo[modality], host.labels(split), host.classes, (n) => host.has(split, n, modality));
}

/** Trains each branch from where the model is, sees what it gains and how it overfits, and goes back. */
async function estimated(host: Host, epochs: number): Promise<BranchLosses[]> {
  const size = host.labels("train").length;
  const found: BranchLosses[] = [];
  for (const branch of [...host.modalities, null]) {
    const name = branch ?? "joint";
    const before = [await branchLoss(host, "train", branch), await branchLoss(host, "validation", branch)];
    const id = await host.snapshot();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const items = host.random.split("g-blending", name, epoch).permutation(size);
      await host.train([{ programs: [`g-blending/${name}`], items }]);
    }
    const after = [await branchLoss(host, "train", branch), await branchLoss(host, "validation", branch)];
    await host.restore(id);
    found.push({ train: [before[0], after[0]], validation: [before[1], after[1]] });
  }
  return found;
}

/**
 * Weighs the loss of every modality's readout and that of the fused prediction by how much each generalises against how much
 * it overfits, as measured by training each alone for a while.
 *
 * The measurement trains m + 1 branches; its samples are drawn from the run's budget. The paper trains each for as long as the
 * weights then hold (ten epochs); `estimate` says how long here. A later measurement that would use up the budget is left out
 * and the weights stay. BalanceBenchmark takes |G| and sums over sets of unequal size, and its validation set is the test set.
 */
export const gBlending: MethodPlugin = defineMethod<GBlendingOptions>({
  name: "g-blending",
  tiny: { superEpoch: 0 },
  about: "weighs unimodal and fused losses by measured overfitting against generalisation",
  formula: `L = sum_u w_u CE(l_u, y) + w_joint CE(l, y),  w_k in proportion to G_k / O_k^2, sum w = 1
    G = V_0 - V_n,  O = (V_n - T_n) - (V_0 - T_0):  validation and training loss before and after branch k alone is trained`,
  source: 'Wang et al., "What Makes Training Multi-Modal Classification Networks Hard?", CVPR 2020',
  options: {
    superEpoch: {
      type: "integer",
      default: 10,
      min: 0,
      tune: [0, 5, 10],
      about: "epochs between two measurements; 0 measures once, before the first",
      source: "the paper's online form has 10; 0 is its offline form",
    },
    estimate: {
      type: "integer",
      default: 1,
      min: 1,
      tune: [1, 3, 10],
      about: "epochs for which each branch is trained to measure it",
      source: "the paper has the super-epoch's ten, which at equal samples would leave nothing for the model",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  passes: ({ superEpoch }, { modalities }) => superEpoch === 0 ? 0 : 2 * (modalities.length + 1) / superEpoch,
  create: ({ superEpoch, estimate }, { modalities }) => {
    const branches = modalities.length + 1;
    return {
      name: "g-blending",
      declares: {
        controls: { [WEIGHTS]: Array.from({ length: branches }, () => 1 / branches) },
        solo: true,
        claims: [SHARED_CLAIMS.readouts],
        programs: [
          ...modalities.map((modality) => ({
            name: `g-blending/${modality}`,
            lossKeys: [`uni:${modality}`],
            modalities: [modality],
          })),
          { name: "g-blending/joint", lossKeys: ["joint"] },
        ],
      },
      async beforeEpoch(host) {
        const due = host.epoch === 0 || (superEpoch > 0 && host.epoch % superEpoch === 0);
        if (!due) return;
        const needed = branches * estimate * host.labels("train").length;
        if (host.samplesLeft <= needed) {
          if (host.epoch > 0) return;
          throw new Refusal({
            what: 'use method "g-blending"',
            must: "its measurement must leave samples for the model",
            found: `${needed} of ${host.samplesLeft} samples would go into it`,
            hint: "set a larger training.epochs",
          });
        }
        // A branch is trained by its own loss, unweighted.
        host.setControl(WEIGHTS, new Array(branches).fill(1));
        host.setControl(WEIGHTS, blendingWeights(await estimated(host, estimate)));
      },
      taskLoss(terms, step) {
        const weight = tf.slice1d(step.scope.control(WEIGHTS) as tf.Tensor1D, branches - 1, 1);
        return { joint: tf.mul(tf.addN(Object.values(terms)), weight) };
      },
      loss(step) {
        const weights = tf.split(step.scope.control(WEIGHTS) as tf.Tensor1D, branches);
        const terms = unimodalLosses(step, step.solo().logits);
        return Object.fromEntries(
          modalities.map((modality, u) => [`uni:${modality}`, tf.mul(at(terms, `uni:${modality}`), weights[u])]),
        );
      },
      report(host) {
        const weights = host.control(WEIGHTS);
        return Object.fromEntries([...modalities, "joint"].map((name, k) => [`weight:${name}`, weights[k]]));
      },
    };
  },
});
