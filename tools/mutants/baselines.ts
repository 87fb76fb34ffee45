/**
 * Mistakes in `baselines/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const nested = ["tests/baselines/nested_test.ts"];
const behaviour = ["tests/baselines/nested_behaviour_test.ts"];
const mcr = ["tests/baselines/mcr_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("baselines/data_remixing.ts", nested, [
    ["value < values[best] ? u : best", "value > values[best] ? u : best"],
    [".filter((block) => block.items.length > 0).reverse()", ".filter((block) => block.items.length > 0)"],
    ["host.epoch < warmup ? alpha : gamma", "host.epoch < warmup ? gamma : alpha"],
  ]),
  ...mutantsOf("baselines/data_remixing.ts", behaviour, [
    ["if (host.epoch < warmup) return base;", "if (host.epoch <= warmup) return base;"],
    ['host.has("train", item, modality)', "true"],
  ]),
  ...mutantsOf("baselines/g2d.ts", nested, [
    ["tf.less(all, own)", "tf.greater(all, own)"],
    ["logitWeight * temperature ** 2", "logitWeight * temperature"],
    ['kl === "fused" ? step.output.logits', 'kl !== "fused" ? step.output.logits'],
    ["if (epoch < start || epoch > end) return modalities;", "if (epoch < start || epoch >= end) return modalities;"],
  ]),
  ...mutantsOf("baselines/g_blending.ts", nested, [
    ["Math.max(0, (vn - tn) - (v0 - t0))", "Math.abs((vn - tn) - (v0 - t0))"],
    ["Math.max(overfitting ** 2, 1e-4)", "Math.max(overfitting, 1e-4)"],
    ["branches - 1, 1);", "0, 1);"],
  ]),
  ...mutantsOf("baselines/g_blending.ts", behaviour, [
    ["await host.restore(id);", ""],
    ["host.setControl(WEIGHTS, new Array(branches).fill(1));", ""],
    ["if (host.samplesLeft <= needed) {", "if (host.samplesLeft < needed) {"],
  ]),
  ...mutantsOf("baselines/info_reg.ts", nested, [
    ["tf.sub(params[full], start)", "tf.sub(start, params[full])"],
    ["tf.exp(tf.tanh(gap))", "tf.exp(gap)"],
    ["gradients[full].rank >= 2", "gradients[full].rank >= 1"],
    ["return now === 0 ? 0 :", "return now === 0 ? 1 :"],
  ]),
  ...mutantsOf("baselines/info_reg.ts", behaviour, [
    ["structuredClone({ traces, sums })", "structuredClone({ traces, sums: blank() })"],
    ["gain > threshold ? 1 : 0", "1"],
  ]),
  ...mutantsOf("baselines/lfm.ts", nested, [
    [
      "const weight = tf.mul(tf.sub(1, step.scope.control(GAP)), 2);",
      "const weight = tf.sub(1, step.scope.control(GAP));",
    ],
    ["tf.div(tf.addN(pairs), pairs.length)", "tf.addN(pairs)"],
    ["Math.min(epoch, FITTED_EPOCHS - 1)", "epoch"],
  ]),
  ...mutantsOf("baselines/lfm.ts", behaviour, [
    ["weight - step * await slope(host, weight)", "weight + step * await slope(host, weight)"],
  ]),
  ...mutantsOf("losses/divergence.ts", nested, [
    ["tf.add(divergence(middle, p), divergence(middle, q))", "tf.add(divergence(p, middle), divergence(q, middle))"],
    ["return divergence(log(teacher), log(logits));", "return divergence(log(logits), log(teacher));"],
  ]),
  ...mutantsOf("baselines/mcr.ts", mcr, [
    ["subset.includes(name) ? 1 : interest", "subset.includes(name) ? interest : 1"],
    ["subset.length + interest * (names.length - subset.length)", "1"],
    ["tf.mul(tf.sub(1, same), counted)", "counted"],
    ["2 ** modalities.length - 2", "2 ** modalities.length - 3"],
  ]),
  ...mutantsOf("baselines/re_learning.ts", nested, [
    ["if (count === 0) return;", ""],
    ["2 * (values[i] - low) / (high - low) - 1", "(values[i] - low) / (high - low)"],
    [
      "Math.tanh(lambda * Math.abs(own - at(validation, modality)))",
      "Math.tanh(lambda * (own - at(validation, modality)))",
    ],
    ["if (distance < least)", "if (distance <= least)"],
  ]),
  ...mutantsOf("baselines/re_learning.ts", behaviour, [
    ["w * start[full][i] + (1 - w) * x", "(1 - w) * start[full][i] + w * x"],
    ["epoch / every <= times", "epoch / every < times"],
  ]),
  ...mutantsOf("baselines/recon_boost.ts", nested, [
    ["tf.sub(own, tf.mul(solved, others))", "tf.add(own, tf.mul(solved, others))"],
    ["agreementGradient ? own : stopGradient(own)", "own"],
    ["modalities[(turn + modalities.length - 1) % modalities.length]", "modalities[(turn + 1) % modalities.length]"],
    ["const within = epoch % (boost + rectify);", "const within = epoch % boost;"],
  ]),
  ...mutantsOf("baselines/recon_boost.ts", behaviour, [
    ["train: [`encoder:${modality}`, mapGroup(modality), HEAD],", ""],
  ]),
  ...mutantsOf("baselines/umt.ts", nested, [
    ["tf.mean(tf.squaredDifference(features, teacher), 1)", "tf.sum(tf.squaredDifference(features, teacher), 1)"],
  ]),
  ...mutantsOf("baselines/unimodal_ensemble.ts", nested, [
    ['average === "probability" ? tf.softmax(logits) as tf.Tensor2D : logits', "logits"],
  ]),
];

export default list;
