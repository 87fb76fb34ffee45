/**
 * Separately trained unimodal models, averaged.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality, mapByModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type Step } from "../core/kinds/mod.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { SHARED_CLAIMS } from "./unimodal.ts";

/** Options of `unimodal-ensemble`. */
export interface UnimodalEnsembleOptions {
  readonly average: "probability" | "logit";
}

/** Logits of the average prediction of the modalities that each sample keeps; 0 where it keeps none. */
function averaged(step: Step, average: UnimodalEnsembleOptions["average"]): tf.Tensor2D {
  const own = mapByModality(
    step.output.own!,
    (logits) => average === "probability" ? tf.softmax(logits) as tf.Tensor2D : logits,
  );
  const { keep, modalities } = step;
  const shares = keep === null
    ? byModality(modalities, () => 1 / modalities.length)
    : mapByModality(keep, (flags) => tf.div(flags, tf.maximum(tf.addN(Object.values(keep)), 1)) as tf.Tensor2D);
  const mean = tf.addN(modalities.map((modality) => tf.mul(at(own, modality), shares[modality])));
  return (average === "probability" ? tf.log(tf.add(mean, 1e-12)) : mean) as tf.Tensor2D;
}

/**
 * One model per modality, each trained by its own cross-entropy alone, and the average of what they predict: what joint
 * training has to beat.
 *
 * Encoders and heads share no parameter and no loss term, so each is trained as in a run of its modality alone, but that
 * clipping looks at the gradients of all together and that one epoch is selected for all.
 */
export const unimodalEnsemble: MethodPlugin = defineMethod<UnimodalEnsembleOptions>({
  name: "unimodal-ensemble",
  about: "averages the predictions of models that are trained on one modality each",
  formula: "L = sum_u CE(l_u, y), nothing shared;  p = (1/m) sum_u softmax(l_u)  |  l = (1/m) sum_u l_u",
  source: "common practice; the plain rival of joint training",
  options: {
    average: {
      type: "choice",
      choices: ["probability", "logit"],
      default: "probability",
      about: "what is averaged",
      source: "probabilities, as ensembles usually are; logits, as late fusion has it",
    },
  },
  worksWith: "fusions whose logits are made of heads of one modality each, on whole encoders (decision, sum)",
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion) =>
    fusion.late !== true
      ? "it needs a head of its own for every modality and nothing shared; decision's and sum's fusions are so"
      : (fusion.needs.stages ?? 0) > 0
      ? "its models must not see each other, and this fusion lets encoders do so; decision's and sum's do not"
      : null,
  create: ({ average }) => ({
    name: "unimodal-ensemble",
    declares: { claims: [CLAIMS.taskLoss, SHARED_CLAIMS.readouts, SHARED_CLAIMS.logits] },
    output: (step) => ({ ...step.output, logits: averaged(step, average) }),
    taskLoss: (_terms, step) =>
      Object.fromEntries(
        step.modalities.map((modality) => [
          `head:${modality}`,
          whereKept(crossEntropy(at(step.output.own!, modality), step.labels), step.keep, modality),
        ]),
      ),
  }),
});
