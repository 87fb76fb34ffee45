/**
 * Mistakes in `losses/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const losses = ["tests/losses"];

const list: readonly Mutant[] = [
  ...mutantsOf("losses/cross_entropy.ts", losses, [
    ["tf.sub(logits, tf.max(logits, 1, true))", "tf.sub(logits, tf.max(logits))"],
    ["tf.sub(tf.mul(powers, tf.div(each, total)), tf.mul(target, each))", "tf.sub(tf.div(powers, total), target)"],
    ["return tf.sum(tf.mul(tf.softmax(logits), target), 1);", "return tf.sum(tf.softmax(logits), 1);"],
    ["tf.mul(loss, 1 - smoothing)", "loss"],
    ["tf.neg(tf.mean(tf.logSoftmax(logits), 1))", "tf.neg(tf.sum(tf.logSoftmax(logits), 1))"],
    ["if (smoothing > 0) {", "if (smoothing > 0.5) {"],
    ["tf.gather(tf.tensor1d([...classWeights]), labels)", "tf.tensor1d([...classWeights])"],
    ["total / (counts.length * count)", "total / count"],
    ["count === 0 ? 0 : total", "count === 0 ? 1 : total"],
    ['if (classWeights === "balanced" && counts === undefined) {', "if (counts === undefined && smoothing > 9) {"],
    ['classWeights === "balanced" ? balancedWeights(counts!) : null', "null"],
    ["{ smoothing, classWeights: weights }", "{ classWeights: weights }"],
    ["task: true,", ""],
  ]),
  ...mutantsOf("losses/divergence.ts", losses, [
    ["tf.mul(tf.exp(p), tf.sub(p, q))", "tf.mul(tf.exp(q), tf.sub(p, q))"],
    ["tf.logSoftmax(tf.div(own, temperature))", "tf.logSoftmax(own)"],
    ["divergence(log(teacher), log(logits))", "divergence(log(logits), log(teacher))"],
    ["tf.mul(tf.add(tf.exp(p), tf.exp(q)), 0.5)", "tf.add(tf.exp(p), tf.exp(q))"],
    ["tf.add(divergence(middle, p), divergence(middle, q))", "tf.add(divergence(p, middle), divergence(q, middle))"],
    ["return tf.mul(halves, 0.5) as tf.Tensor1D;", "return halves as tf.Tensor1D;"],
    ["reversed = false", "reversed = true"],
  ]),
  ...mutantsOf("losses/focal.ts", losses, [
    ["tf.pow(rest, gamma)", "tf.pow(rest, 2)"],
    ["tf.maximum(tf.neg(tf.expm1(logarithm)), 1e-7)", "tf.neg(tf.expm1(logarithm))"],
    ["tf.neg(tf.expm1(logarithm))", "tf.exp(logarithm)"],
    ["default: 2,", "default: 1,"],
    ["task: true,", ""],
  ]),
  ...mutantsOf("losses/kept.ts", losses, [
    ["keep === null ? terms : tf.mul(terms, tf.reshape(at(keep, modality), [-1]))", "terms"],
    ["tf.reshape(at(keep, modality), [-1])", "tf.reshape(Object.values(keep)[0], [-1])"],
  ]),
  ...mutantsOf("losses/readouts.ts", losses, [
    [
      "whereKept(ofLogits(at(logits, modality), step.labels), step.keep, modality)",
      "ofLogits(at(logits, modality), step.labels)",
    ],
    ["`${prefix}:${modality}`", "`readout:${modality}`"],
    ["ofLogits(at(logits, modality), step.labels)", "ofLogits(at(logits, step.modalities[0]), step.labels)"],
    ["context.readouts?.(step) ?? step.solo().logits", "step.solo().logits"],
    ["if (ofLogits === undefined) {", "if (ofLogits === null) {"],
    ["criterion.plugin.create(criterion.options, context)", "criterion.plugin.create({}, context)"],
  ]),
  ...mutantsOf("losses/contribution_gap.ts", losses, [
    ["tf.div(tf.sum(tf.abs(gaps), 1), denominator)", "tf.div(tf.mean(tf.abs(gaps), 1), denominator)"],
    ["tf.sum(tf.abs(gaps), 1)", "tf.sum(gaps, 1)"],
    ["awayFromZero(denominatorGradient ? mean : stopGradient(mean))", "awayFromZero(mean)"],
    [
      "awayFromZero(denominatorGradient ? mean : stopGradient(mean))",
      "tf.abs(awayFromZero(denominatorGradient ? mean : stopGradient(mean)))",
    ],
    ["weakGaps(phi, stopGradient(mean))", "weakGaps(phi, mean)"],
    ["tf.less(phi, mean)", "tf.greater(phi, mean)"],
    ["gradient: (dy) => [centred(dy)]", "gradient: (dy) => [dy]"],
    [
      "gapLoss(ranged(phi, range), { denominatorGradient, asymmetric })",
      "gapLoss(phi, { denominatorGradient, asymmetric })",
    ],
    ["gapLoss(ranged(phi, range), { denominatorGradient, asymmetric })", "gapLoss(ranged(phi, range), {})"],
    ["{ probabilities: probGradient, asymmetric }", "{ probabilities: true, asymmetric }"],
    ["{ probabilities: probGradient, asymmetric }", "{ probabilities: probGradient }"],
    ['default: "shift",', 'default: "raw",'],
  ]),
  ...mutantsOf("losses/minimum_information.ts", losses, [
    ["tf.sub(1, lowerBound)", "tf.sub(0, lowerBound)"],
    ["lowerBound(p, nmi, minimum, tau)", 'lowerBound(p, nmi, "min", tau)'],
    ["lowerBound(p, nmi, minimum, tau)", "lowerBound(p, nmi, minimum, 20)"],
    ['default: "softmin",', 'default: "min",'],
  ]),
  ...mutantsOf("losses/mod.ts", losses, [["  readouts,\n];", "];"]]),
];

export default list;
