/**
 * ReconBoost.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type Method, type MethodPlugin, type Step, type TrainStep } from "../core/kinds/mod.ts";
import { crossEntropy, labelProbability } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { ones } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { SHARED_CLAIMS } from "./unimodal.ts";

/** Options of `recon-boost`. */
export interface ReconBoostOptions {
  readonly boost: number;
  readonly rectify: number;
  readonly own: number;
  readonly others: number;
  readonly agreement: number;
  readonly agreementGradient: boolean;
  readonly hidden: number;
}

/** Weights of a boosting step's terms: which pull a modality, and how much. */
export type BoostWeights = Pick<ReconBoostOptions, "own" | "others">;

/**
 * Cross-entropy of one modality that counts less where the others have solved a sample: -(w_1 - w_2 q_y) log p_y / C.
 *
 * @param logits The modality's own, [B, C].
 * @param solved q_y, probability of the label by the others, [B].
 * @returns [B].
 */
export function boostedLoss(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  solved: tf.Tensor1D,
  { own, others }: BoostWeights,
): tf.Tensor1D {
  const weight = tf.div(tf.sub(own, tf.mul(solved, others)), logits.shape[1]);
  return tf.mul(crossEntropy(logits, labels), weight) as tf.Tensor1D;
}

/** Mean squared difference of two predictions over the classes, [B]. */
export function disagreement(one: tf.Tensor2D, two: tf.Tensor2D): tf.Tensor1D {
  return tf.mean(tf.squaredDifference(tf.softmax(one), tf.softmax(two)), 1);
}

/** Where an epoch stands: which modality's stage, which of its two phases, and whether that phase begins. */
export interface BoostStage {
  readonly stage: number;
  /** Position of the modality. */
  readonly turn: number;
  readonly phase: "boost" | "rectify";
  readonly begins: boolean;
}

/** The stage of an epoch, with `boost` epochs of the first phase and `rectify` of the second per stage. */
export function stageOf(epoch: number, boost: number, rectify: number, modalities: number): BoostStage {
  const stage = Math.floor(epoch / (boost + rectify));
  const within = epoch % (boost + rectify);
  const phase = within < boost ? "boost" : "rectify";
  return { stage, turn: stage % modalities, phase, begins: within === 0 || within === boost };
}

const HEAD = "aux:recon-boost";
const SCALE = "aux:recon-boost-scale";
const LATER = "recon-boost/later";

const mapGroup = (modality: string) => `aux:recon-boost:${modality}`;

/** Logits of every modality by one head for all; features that are not as wide as the widest get a linear map first. */
function sharedHead(step: Step, hidden: number): Record<string, tf.Tensor2D> {
  const widest = Math.max(...step.modalities.map((modality) => step.features[modality].pooled.shape[1]));
  const scope = step.scope.group(HEAD);
  return byModality(step.modalities, (modality) => {
    const { pooled } = step.features[modality];
    const wide = pooled.shape[1] === widest
      ? pooled
      : linear(step.scope.group(mapGroup(modality)), pooled, { width: widest });
    const x = hidden === 0 ? wide : tf.relu(linear(scope.in("hidden"), wide, { width: hidden }));
    return linear(scope.in("out"), x, { width: step.classes }) as tf.Tensor2D;
  });
}

function boosting(options: ReconBoostOptions, modalities: readonly string[]): Method {
  const { boost, rectify, agreement, agreementGradient, hidden } = options;
  const heads = (step: Step) => step.memo("recon-boost/heads", () => sharedHead(step, hidden));
  const scaleOf = (step: Step) => step.scope.group(SCALE).param("beta", [], ones);
  /** beta times the sum of some modalities' logits, where they are kept. */
  const joined = (step: Step, names: readonly string[]): tf.Tensor2D => {
    const own = heads(step);
    const { keep } = step;
    const parts = names.map((name) => keep === null ? at(own, name) : tf.mul(at(own, name), at(keep, name)));
    const none = tf.zerosLike(at(own, modalities[0]));
    return tf.mul(tf.addN([none, ...parts]), scaleOf(step)) as tf.Tensor2D;
  };
  const boostTerm = (step: TrainStep, modality: string, turn: number): tf.Tensor1D => {
    const own = at(heads(step), modality);
    const later = step.scope.control(LATER);
    // In the first stage nobody else has learnt anything: the others are uniform and there is nothing to agree with.
    const others = tf.mul(joined(step, modalities.filter((other) => other !== modality)), later) as tf.Tensor2D;
    const solved = labelProbability(stopGradient(others), step.labels);
    const terms = boostedLoss(own, step.labels, solved, options);
    const last = modalities[(turn + modalities.length - 1) % modalities.length];
    if (last === modality) return whereKept(terms, step.keep, modality);
    const mine = agreementGradient ? own : stopGradient(own);
    const apart = whereKept(disagreement(mine, stopGradient(at(heads(step), last))), step.keep, last);
    return whereKept(tf.add(terms, tf.mul(apart, tf.mul(later, agreement))) as tf.Tensor1D, step.keep, modality);
  };
  return {
    name: "recon-boost",
    declares: {
      claims: [
        CLAIMS.taskLoss,
        CLAIMS.readout,
        CLAIMS.alternates,
        SHARED_CLAIMS.readouts,
        SHARED_CLAIMS.logits,
      ],
      controls: { [LATER]: 0 },
      passesKeep: true,
      programs: [
        ...modalities.map((modality) => ({
          name: `recon-boost/${modality}`,
          train: [`encoder:${modality}`, mapGroup(modality), HEAD],
          lossKeys: [`boost:${modality}`],
        })),
        { name: "recon-boost/rectify", lossKeys: ["joint"] },
      ],
    },
    readout: heads,
    output: (step) => ({ ...step.output, logits: joined(step, modalities), own: heads(step), parts: undefined }),
    taskLoss: (_terms, step) => ({ joint: crossEntropy(step.output.logits, step.labels) }),
    loss: (step) => Object.fromEntries(modalities.map((name, u) => [`boost:${name}`, boostTerm(step, name, u)])),
    beforeEpoch(host) {
      const { stage } = stageOf(host.epoch, boost, rectify, modalities.length);
      host.setControl(LATER, stage === 0 ? 0 : 1);
    },
    plan(host, base) {
      const { turn, phase, begins } = stageOf(host.epoch, boost, rectify, modalities.length);
      const modality = modalities[turn];
      const program = phase === "boost" ? `recon-boost/${modality}` : "recon-boost/rectify";
      const groups = phase === "boost" ? [`encoder:${modality}`, mapGroup(modality), HEAD] : ["*"];
      return base.map((segment, index) => ({
        ...segment,
        programs: [program],
        ...begins && index === 0 ? { resetOptimizer: groups } : {},
      }));
    },
    report(host) {
      const { stage, phase } = stageOf(host.epoch, boost, rectify, modalities.length);
      return { stage, rectifies: phase === "rectify" ? 1 : 0 };
    },
  };
}

/**
 * Boosting by turns: each modality's encoder learns what the others have not solved, then all are set right together.
 *
 * One head serves all modalities; where features differ in width, the narrower ones get a linear map of their own first. The
 * fusion's own head is not used, so that its parameters stay as they started. Stages cycle over any number of modalities; the first boosts against a uniform
 * prediction. In the released codes the agreement term has no gradient (`agreementGradient: false`).
 */
export const reconBoost: MethodPlugin = defineMethod<ReconBoostOptions>({
  name: "recon-boost",
  tiny: { boost: 1, rectify: 1, hidden: 7 },
  about: "trains one encoder at a time on what the others have not solved, then all together",
  formula: `l = beta sum_u l_u, one head for all;  stage of u, first: q = softmax(sg[beta sum_{v != u} l_v])
    L = mean (1/C) (-w_1 + w_2 q_y) log softmax(l_u)_y + alpha MSE(softmax l_u, sg[softmax l_prev]);  then: L = CE(l, y)`,
  source: 'Hua et al., "ReconBoost: Boosting Can Achieve Modality Reconcilement", ICML 2024',
  options: {
    boost: {
      type: "integer",
      default: 4,
      min: 1,
      tune: [1, 4],
      about: "epochs of one encoder alone per stage",
      source: "released code; BalanceBenchmark has 1",
    },
    rectify: {
      type: "integer",
      default: 4,
      min: 0,
      tune: [1, 4],
      about: "epochs of all together per stage",
      source: "released code; BalanceBenchmark has 1",
    },
    own: {
      type: "number",
      default: 5,
      min: 0,
      tune: [1, 5],
      about: "weight w_1 of the modality's own loss",
      source: "released code",
    },
    others: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.5, 1],
      about: "weight w_2 of what the others have solved",
      source: "released code",
    },
    agreement: {
      type: "number",
      default: 0.5,
      min: 0,
      tune: [0, 0.5],
      about: "weight alpha of the agreement with the modality before",
      source: "released code",
    },
    agreementGradient: {
      type: "boolean",
      default: true,
      about: "whether the agreement moves the encoder",
      source: "the paper means it to; both released codes compute it without a gradient",
    },
    hidden: {
      type: "integer",
      default: 256,
      min: 0,
      tune: [0, 256],
      about: "width of the shared head's hidden layer; 0 for a linear head",
      source: "released code; BalanceBenchmark has a linear head",
    },
  },
  worksWith: "fusions that leave encoders alone; their own head is not used",
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion) =>
    (fusion.needs.stages ?? 0) > 0
      ? "it trains one encoder at a time, and this fusion lets encoders see each other; concat does not"
      : null,
  create: (options, { modalities }) => boosting(options, modalities),
});
