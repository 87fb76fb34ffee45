/**
 * Mistakes in `baselines/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const nested = ["tests/baselines/nested_test.ts"];
const behaviour = ["tests/baselines/nested_behaviour_test.ts"];
const mcr = ["tests/baselines/mcr_test.ts"];

const arm = ["tests/baselines/arm_test.ts"];
const steps = ["tests/baselines/in_step_test.ts"];
const formulas = ["tests/baselines/in_step_formulas_test.ts"];
const within = ["tests/baselines/in_step_behaviour_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("baselines/arm/valuation.ts", arm, [
    ["apart === null ? both : tf.mul(both, apart) as tf.Tensor1D", "both"],
    ["tf.notEqual(tf.slice(groups, [0], [pairs])", "tf.equal(tf.slice(groups, [0], [pairs])"],
  ]),
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
    [
      "train: [`encoder:${modality}`, mapGroup(modality), HEAD],",
      "",
      "the term of a stage has no path to other groups, and what no path leads to is not moved",
    ],
  ]),
  ...mutantsOf("baselines/umt.ts", nested, [
    ["tf.mean(tf.squaredDifference(features, teacher), 1)", "tf.sum(tf.squaredDifference(features, teacher), 1)"],
  ]),
  ...mutantsOf("baselines/unimodal_ensemble.ts", nested, [
    ['average === "probability" ? tf.softmax(logits) as tf.Tensor2D : logits', "logits"],
  ]),
  ...mutantsOf("baselines/agm.ts", steps, [
    ["factorial(size - 1) * factorial(m - size)", "factorial(size) * factorial(m - size)"],
    ["tf.sub(tf.mean(scores), scores), m / (m - 1)", "tf.sub(tf.mean(scores), scores), 1"],
    ["const gap = tf.sub(reference, ratios);", "const gap = tf.sub(ratios, reference);"],
    ["tf.sub(scores, tau)", "scores"],
    [
      "agmCoefficients(agmRatios(tau), agmRatios(scores), alpha, cap)",
      "agmCoefficients(agmRatios(scores), agmRatios(tau), alpha, cap)",
    ],
  ]),
  ...mutantsOf("baselines/amco.ts", formulas, [
    ["tf.greaterEqual(rank, count)", "tf.greater(rank, count)"],
    ["tf.minimum(level, epsilon)", "level"],
  ]),
  ...mutantsOf("baselines/amco.ts", steps, [
    ["tf.greater(found, threshold)", "tf.less(found, threshold)"],
    ["tf.mul(flags[u], tf.sub(1, mask))", "tf.sub(1, mask)"],
  ]),
  ...mutantsOf("baselines/amid.ts", steps, [
    ["tf.notEqual(tf.expandDims(labels, 0)", "tf.equal(tf.expandDims(labels, 0)"],
    ["tf.logSumExp(masked, 0)", "tf.logSumExp(masked, 1)"],
    ["modalities.filter((other) => other !== modality)", "modalities"],
  ]),
  ...mutantsOf("baselines/arl.ts", steps, [
    ["tf.sub(1, shares(sizes))", "shares(sizes)"],
    ["tf.add(speeds(step), 1)", "speeds(step)"],
    ["host.setControl(weight, host.epoch >= warmup ? gamma : 1)", "host.setControl(weight, gamma)"],
  ]),
  ...mutantsOf("baselines/arl.ts", formulas, [["0.6 / m", "0"]]),
  ...mutantsOf("baselines/cggm.ts", steps, [
    ["tf.mul(guided(step).kappa, rho)", "guided(step).kappa"],
    ["const f = stopGradient(step.features[modality].pooled);", "const f = step.features[modality].pooled;"],
    ["tf.sub(accuracy, before.accuracy)", "accuracy"],
    ["tf.scalar(rate)", "tf.scalar(1)"],
    ["tf.addN(parts)), lambda / m)", "tf.addN(parts)), lambda)"],
  ]),
  ...mutantsOf("baselines/cml.ts", steps, [
    ["tf.relu(tf.sub(fewer, more))", "tf.relu(tf.sub(more, fewer))"],
    ["const before = all[k].sure;", "const before = all[0].sure;"],
    ["tf.mul(tf.addN(terms), lambda)", "tf.addN(terms)"],
  ]),
  ...mutantsOf("baselines/dgl.ts", steps, [
    ['(group.startsWith("encoder:") ? own : joint)', "joint"],
    ["unimodalLosses(step, step.solo().logits, alpha)", "unimodalLosses(step, step.solo().logits)"],
  ]),
  ...mutantsOf("baselines/mbsd.ts", steps, [
    ["tf.logicalOr(", "tf.logicalAnd("],
    ["tf.greater(p, q)", "tf.greater(q, p)"],
    ["weightGradient ? gap : stopGradient(gap)", "gap"],
    ["weight / pairs.length", "weight"],
  ]),
  ...mutantsOf("baselines/mla.ts", steps, [
    ["tf.div(next, tf.maximum(tf.sqrt(tf.sum(tf.square(next))), 1e-12))", "next"],
    ["tf.greater(count, 0)", "tf.greaterEqual(count, 0)"],
    ["updateFirst ? next : p", "next"],
    ["tf.floor(tf.div(done, m))", "done"],
    ["tf.mul(tf.exp(logP), logP)", "tf.neg(tf.mul(tf.exp(logP), logP))"],
  ]),
  ...mutantsOf("baselines/mlb.ts", steps, [
    ["tf.sub(tf.sum(scores), scores), m - 1", "tf.sum(scores), m - 1"],
    ["tf.greater(ratio, 1), tf.fill([m], beta)", "tf.less(ratio, 1), tf.fill([m], beta)"],
    ["rank < 2", "rank < 3"],
  ]),
  ...mutantsOf("baselines/mm_cosine.ts", steps, [
    ["inverseNorm(kernel, 0)", "inverseNorm(kernel, 1).mean()"],
    ["tf.mul(inverseNorm(features, 1), scale)", "inverseNorm(features, 1)"],
  ]),
  ...mutantsOf("baselines/arm/valuation.ts", ["tests/baselines/huge_numbers_test.ts"], [
    ["tf.mul(given, squareScale(given, 2))", "given"],
    ["squareScale(given, 2)", "squareScale(given)"],
  ]),
  ...mutantsOf("baselines/ogm_ge.ts", ["tests/baselines/huge_numbers_test.ts"], [
    ["tf.div(tf.sqrt(variance), scale)", "tf.sqrt(variance)"],
  ]),
  ...mutantsOf("baselines/mla.ts", ["tests/baselines/huge_numbers_test.ts"], [
    ["const scale = squareScale(k);", "const scale = tf.scalar(1);"],
  ]),
  ...mutantsOf("baselines/pmr.ts", ["tests/baselines/huge_numbers_test.ts"], [
    ["squareScale(gaps, 2)", "squareScale(gaps)"],
  ]),
  ...mutantsOf("baselines/mm_pareto.ts", steps, [
    ["tf.fill([], 0.5)", "tf.fill([], 1)"],
    ["tf.sub(ownNorm, product)", "tf.sub(jointNorm, product)"],
    ["tf.maximum(tf.div(plain, norm(squares(scaled(mixed)))), 1)", "tf.div(plain, norm(squares(scaled(mixed))))"],
    ["both ? tf.add(joint[full], own[full]) : joint[full] ?? own[full]", "joint[full] ?? own[full]"],
  ]),
  ...mutantsOf("baselines/mslr.ts", formulas, [
    ["[...queue.slice(1), accuracy]", "[...queue, accuracy]"],
    ["mean === 0 ? 1 : accuracy / mean", "accuracy / mean"],
  ]),
  ...mutantsOf("baselines/mslr.ts", within, [
    ["save: () => tracks", "save: () => []"],
  ]),
  ...mutantsOf("baselines/mslr.ts", steps, [
    ["host.epoch >= start && host.epoch <= end", "host.epoch >= start"],
  ]),
  ...mutantsOf("baselines/opm.ts", formulas, [
    ["tf.greater(ratio, 1), tf.clipByValue(raised, 0, 1)", "tf.less(ratio, 1), tf.clipByValue(raised, 0, 1)"],
    ["tf.tanh(tf.sub(ratio, 1))", "tf.tanh(ratio)"],
  ]),
  ...mutantsOf("baselines/pdf.ts", steps, [
    ["tf.sub(total, logs), tf.where", "logs, tf.where"],
    ["tf.add(confidences, holo)", "confidences"],
    ["tf.mul(belief, rc)", "belief"],
    ["const f = stopGradient(step.features[modality].pooled);", "const f = step.features[modality].pooled;"],
  ]),
  ...mutantsOf("baselines/pmr.ts", steps, [
    ["tf.div(best, tf.maximum(scores, 1e-12)), 1", "tf.div(best, tf.maximum(scores, 1e-12)), 0"],
    ["-entropy", "entropy"],
    ["tf.mul(tf.mul(1e-8, units), units)", "tf.mul(tf.mul(1, units), units)"],
  ]),
  ...mutantsOf("baselines/pmr.ts", ["tests/baselines/huge_numbers_test.ts"], [
    ["tf.div(tf.sqrt(tf.add(squares", "tf.mul(tf.sqrt(tf.add(squares"],
  ]),
  ...mutantsOf("baselines/pmr.ts", formulas, [
    ["seen[c] === 0 ? 0 : share", "share"],
    ["if (counts[c] === 0) continue;", "if (counts[c] === 0) { seen[c] = 0; continue; }"],
  ]),
  ...mutantsOf("baselines/qmf.ts", steps, [
    ['margin === "paper" ? 1 : -1', "1"],
    ["tf.minimum(low, tf.min(tf.add(values, absent), 0))", "tf.min(tf.add(values, absent), 0)"],
    ["detach ? stopGradient(energy) : energy", "energy"],
  ]),
  ...mutantsOf("baselines/qmf.ts", formulas, [
    ["visits[k] === 0 && epoch > 0", "visits[k] === 0"],
    ["sums[k] / visits[k]", "sums[k]"],
  ]),
];

export default list;
