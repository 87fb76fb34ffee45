/** Core quantities of methods within a step on the toy logits of the references, and what must hold of them. */
import fc from "../helpers/properties.ts";
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  agmCoefficients,
  agmRatios,
  arlWeights,
  beliefWeights,
  cggmCoefficients,
  coBelief,
  confidenceHinge,
  cosineLogits,
  dependence,
  discrepancyRatios,
  dropProbability,
  energyConfidence,
  entropyWeights,
  historyExtremes,
  infoNce,
  maskRate,
  matrixCosine,
  matrixCosineGradient,
  mlbCoefficients,
  nextPrototypes,
  nextRow,
  pairTerms,
  paretoGradients,
  partWeights,
  pmrCoefficients,
  predictionConfidence,
  projectionUpdate,
  prototypeLogits,
  rankingTerms,
  relativeCalibration,
  removalChain,
  smallestMask,
  type Track,
  tracked,
} from "../../baselines/mod.ts";
import { crossEntropy, labelProbability } from "../../losses/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { assertClose, values } from "../helpers/tensors.ts";

const labels = () => tf.tensor1d([0, 1, 2], "int32");
const audio = () => tf.tensor2d([[2, 0, -1], [0.5, 1, 0], [0, 0, 1]]);
const video = () => tf.tensor2d([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0]]);
/** Gradients of a scalar, 0 where it does not depend on a tensor. */
const gradientsOf = (of: () => tf.Tensor, by: tf.Tensor[]): tf.Tensor[] => {
  const recording = record(of);
  return recording.gradients(recording.value, by).map((found, i) => found ?? tf.zerosLike(by[i]));
};
const test = (name: string, run: () => void) => Deno.test(name, () => tf.tidy(() => void run()));

// ------------------------------------------------------------------------------------------------------------------ agm

test("agm: scores, ratios and kappa of the toy logits", () => {
  const scores = tf.stack([audio(), video()].map((logits) => tf.mean(crossEntropy(logits, labels())))) as tf.Tensor1D;
  assertClose(values(scores), [0.467187, 1.115921], 1e-5);
  const ratios = agmRatios(scores);
  assertClose(values(ratios), [1.913119, 0.522707], 1e-5);
  const reference = agmRatios(tf.zeros([2]));
  assertClose(values(agmCoefficients(reference, ratios, 1, 0)), [0.401271, 1.611706], 1e-5);
  assertClose(values(agmCoefficients(reference, ratios, 2, 0.1)), [0.401271 ** 2, Math.exp(0.2)], 1e-5);
});

test("agm: parts sum to the output of all, whatever the subsets give, and follow the formulas for two and three", () => {
  assertEquals(partWeights(2), [[0.5, -0.5, 0.5], [-0.5, 0.5, 0.5]]);
  // phi_1 = (T - T_23)/3 + (T_12 - T_2)/6 + (T_13 - T_3)/6 + T_1/3
  assertClose(partWeights(3)[0], [1 / 3, -1 / 6, 1 / 6, -1 / 6, 1 / 6, -1 / 3, 1 / 3], 1e-12);
  for (const m of [2, 3, 4, 5]) {
    const sums = partWeights(m).reduce(
      (sum, row) => sum.map((value, i) => value + row[i]),
      new Array(2 ** m - 1).fill(0),
    );
    assertClose(sums, [...new Array(2 ** m - 2).fill(0), 1], 1e-12);
  }
});

test("agm: equal scores leave everything; who is ahead is damped, who is behind is helped", () => {
  assertClose(values(agmCoefficients(agmRatios(tf.zeros([3])), agmRatios(tf.fill([3], 0.7)), 2, 0)), [1, 1, 1], 1e-6);
  const kappa = values(agmCoefficients(agmRatios(tf.zeros([3])), agmRatios(tf.tensor1d([0.2, 0.7, 1.2])), 1, 0));
  assert(kappa[0] < 1 && Math.abs(kappa[1] - 1) < 1e-6 && kappa[2] > 1);
});

// ------------------------------------------------------------------------------------------------------------------ qmf

test("qmf: confidences, fusion and ranking of the toy logits", () => {
  const [own, other] = [energyConfidence(audio(), 10), energyConfidence(video(), 10)];
  assertClose(values(own), [0.216985, 0.168027, 0.155144], 1e-5);
  assertClose(values(other), [0.129438, 0.120194, 0.155144], 1e-5);
  const fused = tf.add(tf.mul(audio(), own), tf.mul(video(), other)) as tf.Tensor2D;
  assertClose(values(fused).slice(0, 3), [0.498688, 0, -0.216985], 1e-5);
  assertAlmostEquals(values(tf.mean(crossEntropy(fused, labels())))[0], 0.931659, 1e-5);
  const history = crossEntropy(audio(), labels());
  const spread = tf.sub(tf.max(history), tf.min(history));
  const kappa = tf.div(tf.sub(history, tf.min(history)), spread) as tf.Tensor1D;
  assertClose(values(kappa), [0, 1, 0.747612], 1e-5);
  const w = tf.reshape(own, [-1]) as tf.Tensor1D;
  assertAlmostEquals(values(tf.mean(rankingTerms(w, kappa, tf.ones([3]), 1)))[0], 0.634028, 1e-5);
  assertAlmostEquals(values(tf.mean(rankingTerms(w, kappa, tf.ones([3]), -1)))[0], 0, 1e-7);
});

test("qmf: the margins of paper and release differ where a pair is ranked right by more than it", () => {
  // kappa 0.6 and 0.5, weights turned round by 0.4: t (w_0 - w_1) = 0.4 > a = 0.1, both ways round.
  const terms = (margin: number) =>
    values(rankingTerms(tf.tensor1d([0.7, 0.3]), tf.tensor1d([0.6, 0.5]), tf.ones([2]), margin));
  assertClose(terms(1), [0.5, 0.5], 1e-6);
  assertClose(terms(-1), [0.3, 0.3], 1e-6);
  // In the right order by more than the margin, nothing is lost.
  assertClose(values(rankingTerms(tf.tensor1d([0.3, 0.7]), tf.tensor1d([0.6, 0.5]), tf.ones([2]), 1)), [0, 0], 1e-6);
});

Deno.test("qmf: extremes of histories per visit or summed; who was never visited counts 0 in the first epoch alone", () => {
  const sums = Float32Array.from([4, 0.5, 6, 0, 2, 3]);
  const visits = Float32Array.from([2, 1, 2, 0, 1, 2]);
  const found = (epoch: number, history: "visit" | "sum") => historyExtremes(sums, visits, 2, epoch, history);
  assertEquals(found(0, "visit"), [2, 0, 3, 1.5]);
  assertEquals(found(1, "visit"), [2, 0.5, 3, 1.5]);
  assertEquals(found(1, "sum"), [2, 0.5, 6, 3]);
  assertEquals(historyExtremes(sums, new Float32Array(6), 2, 1, "visit"), [0, 0, 0, 0]);
});

test("qmf: a padded batch pairs its last valid row with the first", () => {
  assertEquals(values(nextRow(tf.tensor1d([1, 2, 3, 9, 9]), tf.tensor1d([1, 1, 1, 0, 0]))).slice(0, 3), [2, 3, 1]);
  assertEquals(values(nextRow(tf.tensor1d([1, 2, 3]), tf.ones([3]))), [2, 3, 1]);
  assertEquals(values(nextRow(tf.tensor1d([4]), tf.ones([1]))), [4]);
});

// ------------------------------------------------------------------------------------------------------------------ mla

test("mla: entropy weights of the toy logits, and of those that are kept", () => {
  const logits = { audio: audio(), video: video() };
  const weights = values(entropyWeights(logits, ["audio", "video"], null));
  assertClose([weights[0], weights[2], weights[4]], [0.632784, 0.518765, 0.5], 1e-5);
  const column = (flags: number[]) => tf.tensor2d(flags, [3, 1]);
  const kept = values(
    entropyWeights(logits, ["audio", "video"], { audio: column([1, 0, 1]), video: column([1, 1, 0]) }),
  );
  assertClose(kept, [0.632784, 1 - 0.632784, 0, 1, 1, 0], 1e-5);
});

test("mla: one update of P, with the number and with the outer product in the denominator", () => {
  const r = tf.tensor2d([[1, 2]]);
  const p = (form: "scalar" | "elementwise") => values(projectionUpdate(tf.eye(2), r, tf.scalar(0.1), form));
  assertClose(p("scalar"), [0.803767, -0.392081, -0.392081, 0.215645], 1e-5);
  assertClose(p("elementwise"), [0.067332, -0.705386, -0.705386, 0.018065], 1e-5);
});

test("mla: P stays symmetric with norm 1, and for small alpha keeps nothing of the features it saw", () => {
  let p: tf.Tensor2D = tf.eye(4);
  for (let t = 0; t < 3; t++) {
    const r = tf.tensor2d([Array.from({ length: 4 }, (_, i) => Math.sin(2 * i + t))]);
    p = projectionUpdate(p, r, tf.scalar(1e-7));
    assertClose(values(tf.matMul(p, r, false, true)), [0, 0, 0, 0], 1e-4);
    assertClose(values(p), values(tf.transpose(p)), 1e-6);
    assertAlmostEquals(values(tf.norm(p))[0], 1, 1e-5);
  }
});

// ------------------------------------------------------------------------------------------------------------------ pmr

test("pmr: predictions by prototypes, and an unseen class", () => {
  const features = tf.tensor2d([[1, 0], [0, 1]]);
  const prototypes = tf.tensor2d([[1, 0.2], [0.1, 0.9]]);
  const p = (seen: number[]) => values(tf.softmax(prototypeLogits(features, prototypes, tf.tensor1d(seen))));
  assertClose(p([1, 1]), [0.745128, 0.254872, 0.242467, 0.757533], 1e-5);
  assertClose(p([1, 0]), [1, 0, 1, 0], 1e-6);
});

test("pmr: equal scores help nobody; the paper's help is graded and at most 1, the release's a switch", () => {
  const help = (scores: number[], form: "paper" | "switch") => values(pmrCoefficients(tf.tensor1d(scores), form));
  assertEquals(help([0.4, 0.4], "paper"), [0, 0]);
  assertEquals(help([0.4, 0.4], "switch"), [0, 0]);
  // rho = s_0 / s_1 = 2/3: beta = clip(1 / rho - 1) = 1/2, gamma = 0.
  assertClose(help([0.2, 0.3], "paper"), [0.5, 0], 1e-6);
  assertClose(help([0.1, 0.9, 0.6], "paper"), [1, 0, 0.5], 1e-6);
  assertEquals(help([0.1, 0.9, 0.6], "switch"), [1, 0, 1]);
});

Deno.test("pmr: prototypes are class means, blended with the old; absent classes stay, new ones are not blended", () => {
  const features = Float32Array.from([1, 2, 3, 4, 10, 20]);
  const start = { prototypes: new Float32Array(6), seen: new Float32Array(3) };
  const first = nextPrototypes(features, [0, 0, 2], start, 0.5);
  assertEquals([...first.prototypes], [2, 3, 0, 0, 10, 20]);
  assertEquals([...first.seen], [1, 0, 1]);
  const second = nextPrototypes(Float32Array.from([4, 5, 6, 6]), [0, 1], first, 0.25);
  assertEquals([...second.prototypes], [0.75 * 4 + 0.25 * 2, 0.75 * 5 + 0.25 * 3, 6, 6, 10, 20]);
  assertEquals([...second.seen], [1, 1, 1]);
  // A row that lacks the modality has no label here.
  const third = nextPrototypes(Float32Array.from([9, 9, 2, 2]), [-1, 0], start, 0);
  assertEquals([...third.prototypes], [2, 2, 0, 0, 0, 0]);
});

// ------------------------------------------------------------------------------------------------------------------ opm

test("opm: drop probability and theta of the toy logits; the modality behind is never dropped", () => {
  const scores = [audio(), video()].map((logits) => tf.sum(labelProbability(logits, labels())) as tf.Scalar);
  const rates = discrepancyRatios(scores).map((ratio) => values(dropProbability(ratio, 0.5, 0.5))[0]);
  assertClose(rates, [0.675156, 0], 1e-5);
  assertAlmostEquals((rates[0] + rates[1]) / 2, 0.337578, 1e-5);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 2, maxLength: 5 }), (given) => {
      tf.tidy(() => {
        const ratios = discrepancyRatios(given.map((score) => tf.scalar(score)));
        const q = ratios.map((ratio) => values(dropProbability(ratio, 0.9, 3))[0]);
        assert(q.every((own) => own >= 0 && own <= 1));
        assertEquals(q[given.indexOf(Math.min(...given))], 0);
      });
    }),
    { numRuns: 30 },
  );
});

// -------------------------------------------------------------------------------------------------------------- mmpareto

test("mmpareto: two conflicting gradients of the worked example, as one tensor", () => {
  const { gradients, cosine, share } = paretoGradients([tf.tensor1d([1, 0.5])], [tf.tensor1d([-0.5, 0.2])], 1.5);
  assertAlmostEquals(values(cosine)[0], -0.664364, 1e-5);
  assertAlmostEquals(values(share)[0], 0.294872, 1e-5);
  assertClose(values(gradients[0]), [-0.253058, 1.265291], 1e-5);
});

test("mmpareto: gradients that agree are added; those that conflict are worked against by neither, and lose no length", () => {
  const vector = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(vector, vector, (a, b) => {
      tf.tidy(() => {
        const tensors = (x: number[]) => [tf.tensor1d(x.slice(0, 2)), tf.tensor1d(x.slice(2))];
        const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
        if (Math.min(dot(a, a), dot(b, b)) < 0.1 || Math.abs(dot(a, b)) < 1e-3) return;
        // Of opposite gradients the mixture of least norm is 0: its direction is what rounding leaves.
        if (dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) < -0.999) return;
        const found = paretoGradients(tensors(a), tensors(b), 1).gradients.flatMap(values);
        if (dot(a, b) > 0) assertClose(found, a.map((value, i) => value + b[i]), 1e-5);
        for (const part of [[0, 2], [2, 5]]) {
          const [own, plain] = [found.slice(...part), a.map((value, i) => value + b[i]).slice(...part)];
          assert(Math.sqrt(dot(own, own)) > Math.sqrt(dot(plain, plain)) - 1e-4);
        }
        // As one tensor, the direction of least norm has a positive product with both.
        const [whole] = paretoGradients([tf.tensor1d(a)], [tf.tensor1d(b)], 1).gradients.map(values);
        assert(dot(whole, a) > -1e-3 && dot(whole, b) > -1e-3);
      });
    }),
    { numRuns: 60 },
  );
});

// -------------------------------------------------------------------------------------------------------------- mmcosine

test("mmcosine: lengths of features and of the head's columns do not count, and no logit exceeds the scale", () => {
  const f = tf.tensor2d([[1, 2], [-3, 0.5]]);
  const k = tf.tensor2d([[0.5, -1, 2], [1, 1, 0]]);
  const plain = values(cosineLogits(f, k, 10));
  assertAlmostEquals(plain[0], 10 * 2.5 / (Math.sqrt(5) * Math.sqrt(1.25)), 1e-5);
  assertClose(values(cosineLogits(tf.mul(f, 7), tf.mul(k, [[0.1, 3, 9]]), 10)), plain, 1e-4);
  assert(plain.every((value) => Math.abs(value) <= 10 + 1e-5));
});

test("mmcosine: a feature of length 0 has the logits 0 and no gradient", () => {
  const k = tf.tensor2d([[0.5, -1], [1, 1]]);
  const f = tf.tensor2d([[0, 0], [1, 0]]);
  assertEquals(values(cosineLogits(f, k, 10)).slice(0, 2), [0, 0]);
  const [gradient] = gradientsOf(() => tf.sum(tf.square(cosineLogits(f, k, 10))), [f]);
  assertEquals(values(gradient).slice(0, 2), [0, 0]);
  assert(values(gradient).every(Number.isFinite));
});

// ------------------------------------------------------------------------------------------------------------------ amco

test("amco: the rate goes from 0 to 1 at epsilon and stays; so many entries of the smallest noise are masked", () => {
  const rate = (level: number) => values(maskRate(tf.scalar(level), 0.3))[0];
  assertClose([rate(0), rate(0.1), rate(0.15), rate(0.3), rate(5)], [0, 0.5, Math.SQRT1_2, 1, 1], 1e-6);
  const noise = tf.tensor1d([0.9, 0.1, 0.5, 0.3]);
  const mask = (p: number) => values(smallestMask(noise, tf.scalar(p)));
  assertEquals([mask(0), mask(0.5), mask(0.74), mask(0.75), mask(1)], [
    [1, 1, 1, 1],
    [1, 0, 1, 0],
    [1, 0, 1, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
});

test("amco: shares of one softmax over all logits; padding and dropped modalities have none", () => {
  const logits = { audio: tf.tensor2d([[1, 0], [0, 0], [9, 9]]), video: tf.tensor2d([[0, 0], [2, 1], [0, 0]]) };
  const names = ["audio", "video"];
  const e = Math.E;
  const share = ((e + 1) / (e + 3) + 2 / (e * e + e + 2)) / 2;
  const weights = tf.tensor1d([1, 1, 0]);
  assertClose(values(dependence(logits, names, weights, null)), [share, 1 - share], 1e-6);
  const column = (flags: number[]) => tf.tensor2d(flags, [3, 1]);
  const kept = dependence(logits, names, weights, { audio: column([1, 0, 1]), video: column([1, 1, 1]) });
  assertAlmostEquals(values(kept)[0], (e + 1) / (e + 3) / 2, 1e-6);
});

// ------------------------------------------------------------------------------------------------------------------- cml

test("cml: confidences of the toy logits, and hinges per sample and over the batch", () => {
  const [more, fewer] = [predictionConfidence(tf.add(audio(), video())), predictionConfidence(audio())];
  assertClose(values(more), [0.899052, 0.54661, 0.422319], 1e-5);
  assertClose(values(fewer), [0.843795, 0.50648, 0.576117], 1e-5);
  assertAlmostEquals(values(tf.mean(confidenceHinge(more, fewer)))[0], 0.051266, 1e-5);
  assertAlmostEquals(values(tf.relu(tf.sum(tf.sub(fewer, more))))[0], 0.05841, 1e-5);
});

test("cml: subsets are nested and lose one modality each; a less confident subset costs nothing", () => {
  assertEquals(removalChain([2, 0, 1]), [1, 1, 0, 0, 1, 0]);
  assertEquals(removalChain([1, 0]), [1, 0]);
  assertClose(values(confidenceHinge(tf.tensor1d([0.9, 0.4]), tf.tensor1d([0.5, 0.6]))), [0, 0.2], 1e-6);
});

// ------------------------------------------------------------------------------------------------------------------ mbsd

const form = { distance: "logits", divergence: "kl", weightGradient: false } as const;

test("mbsd: weights and distances of the toy logits; a pair of which neither is right teaches nothing", () => {
  const { weight, distance } = pairTerms(audio(), video(), labels(), form);
  assertClose(values(weight), [0.391932, 0.139315, 0.364175], 1e-5);
  assertAlmostEquals(values(tf.mean(distance))[0], 0.23639, 1e-5);
  const wrong = pairTerms(audio(), video(), tf.tensor1d([1, 2, 1], "int32"), form);
  assertEquals([...values(wrong.weight), ...values(wrong.distance), ...values(wrong.divergence)], new Array(9).fill(0));
});

test("mbsd: equal predictions cost nothing; the divergence moves the weaker alone, the distance both", () => {
  const same = pairTerms(audio(), audio(), labels(), form);
  assertClose([...values(same.distance), ...values(same.divergence)], new Array(6).fill(0), 1e-6);
  const [a, b] = [audio(), video()];
  const moved = (part: "distance" | "divergence") =>
    gradientsOf(() => tf.sum(pairTerms(a, b, labels(), form)[part]), [a, b]).map((gradient) =>
      values(gradient).some((value) => Math.abs(value) > 1e-6)
    );
  // The audio is the stronger of every row.
  assertEquals(moved("divergence"), [false, true]);
  assertEquals(moved("distance"), [true, true]);
});

// ------------------------------------------------------------------------------------------------------------------ mslr

Deno.test("mslr: factors by accuracy, from the seventh epoch on", () => {
  const factors = (init: number, accuracies: number[]) => {
    let track: Track = { queue: [], ratio: 1 };
    return accuracies.map((accuracy) => {
      const used = init * track.ratio;
      track = tracked(track, accuracy, 5);
      return used;
    }).concat(init * track.ratio);
  };
  const [first, second] = [
    factors(0.9, [0.2, 0.3, 0.35, 0.4, 0.42, 0.5, 0.48]),
    factors(1.1, [0.1, 0.12, 0.2, 0.22, 0.25, 0.25, 0.3]),
  ];
  assertClose(first, [...new Array(6).fill(0.9), 1.347305, 1.096447], 1e-5);
  assertClose(second, [...new Array(6).fill(1.1), 1.544944, 1.586538], 1e-5);
});

Deno.test("mslr: a mean of 0 gives 1, and an accuracy that is no number changes nothing", () => {
  const idle = { queue: [0, 0], ratio: 3 };
  assertEquals(tracked(idle, 0.5, 2), { queue: [0, 0.5], ratio: 1 });
  assertEquals(tracked(idle, NaN, 2), idle);
});

// ------------------------------------------------------------------------------------------------------------------- mlb

test("mlb: coefficients of the toy's scores and of three modalities", () => {
  const k = (scores: number[], alpha: number, beta: number) =>
    values(mlbCoefficients(tf.tensor1d(scores), alpha, beta));
  const toy = [0.642131, 0.343657];
  assertClose(k(toy, 0.8, 2), [0.644387, 1.601069], 1e-5);
  assertClose(k(toy, 0.5, 10), [0.771687, 4.679894], 1e-5);
  assertClose(k(toy, 2, 0.5), [0.269576, 0.530058], 1e-5);
  assertClose(k([0.6, 0.4, 0.2], 0.8, 2), [0.620051, 1, 1.833655], 1e-5);
});

test("mlb: equal scores change nothing; the modality ahead is never stopped, a score of 0 gives the bound", () => {
  assertClose(values(mlbCoefficients(tf.fill([3], 0.4), 3, 5)), [1, 1, 1], 1e-5);
  const [ahead, behind] = values(mlbCoefficients(tf.tensor1d([1, 0]), 0.8, 2));
  assertAlmostEquals(ahead, 1 - Math.tanh(0.8), 1e-6);
  assertAlmostEquals(behind, 2, 1e-6);
});

// ------------------------------------------------------------------------------------------------------------------- arl

test("arl: speeds of the toy logits, of a clipped entropy, and of three modalities", () => {
  const omega = (H: number[], a: number[], T: number, weights: "entropy" | "inverse" | "released" = "entropy") =>
    values(arlWeights(tf.tensor1d(H), tf.tensor1d(a), T, weights));
  const toy: [number[], number[]] = [[0.839929, 1.046353], [1.833333, 0.6]];
  assertClose(omega(...toy, 8), [0.169432, 0.830568], 1e-5);
  assertClose(omega(...toy, 4), [0.311133, 0.688867], 1e-5);
  assertClose(omega(...toy, 8, "inverse"), [0.554717, 0.445283], 1e-5);
  assertClose(omega([0.2, 1.8], [3, 1], 8), [0.5, 0.5], 1e-5);
  assertClose(omega([0.6, 0.9, 1.5], [3, 2, 1], 8), [0.428986, 0.345977, 0.225037], 1e-5);
  assertEquals(omega(...toy, 8, "released"), [0.5, 0.5]);
});

test("arl: readouts without entropy or size count alike, and speeds sum to 1", () => {
  assertClose(values(arlWeights(tf.zeros([2]), tf.zeros([2]), 8, "entropy")), [0.5, 0.5], 1e-6);
  const three = values(arlWeights(tf.tensor1d([0.1, 1, 2]), tf.tensor1d([5, 0.1, 1]), 8, "entropy"));
  assertAlmostEquals(three.reduce((a, b) => a + b), 1, 1e-6);
});

// ------------------------------------------------------------------------------------------------------------------ cggm

test("cggm: coefficients with and without bounds, for two and three modalities, and where nothing was gained", () => {
  const kappa = (gains: number[], form: "clipped" | "released" = "clipped") =>
    values(cggmCoefficients(tf.tensor1d(gains), form)).map((value) => 1.3 * value);
  assertClose(kappa([0.1, 0.05]), [0.433333, 0.866667], 1e-5);
  assertClose(kappa([0, 0]), [1.3, 1.3], 1e-6);
  assertClose(kappa([0.1, -0.02], "released"), [-0.325, 1.625], 1e-5);
  assertClose(kappa([0.1, -0.02]), [0, 1.3], 1e-5);
  assertClose(kappa([0.1, -0.02, 0.05], "released"), [0.3, 1.5, 0.8], 1e-5);
  assertClose(kappa([0.1, -0.02, 0.05]), [0.3, 1.3, 0.8], 1e-5);
});

test("cggm: how far the head is turned from the classifiers, and the gradient of it", () => {
  const w = tf.tensor1d([1, 2, -1]);
  const heads = [tf.tensor1d([1, 0, 0]), tf.tensor1d([0, 1, -1])];
  const kappa = [1 / 3, 2 / 3];
  const cosines = heads.map((head) => values(matrixCosine(w, head))[0]);
  assertClose(cosines, [0.408248, 0.866025], 1e-5);
  assertAlmostEquals((1 - kappa[0] * cosines[0] - kappa[1] * cosines[1]) / 2, 0.143283, 1e-5);
  const pulls = heads.map((head, u) => values(matrixCosineGradient(w, head)).map((value) => -kappa[u] * value / 2));
  assertClose(pulls[0].map((value, i) => value + pulls[1][i]), [-0.008589, 0.02268, 0.036772], 1e-5);
  const [traced] = gradientsOf(() => matrixCosine(w, heads[0]), [w]);
  assertClose(values(matrixCosineGradient(w, heads[0])), values(traced), 1e-5);
});

// ------------------------------------------------------------------------------------------------------------------- pdf

test("pdf: co-beliefs and weights of two and three modalities, and calibrated ones", () => {
  const ones = (m: number) => tf.ones([1, m]) as tf.Tensor2D;
  const two = coBelief(tf.tensor2d([[0.8, 0.4]]), ones(2));
  assertClose(values(two.holo), [0.804163, 0.195837], 1e-5);
  assertClose(values(beliefWeights(two.belief, ones(2))), [0.732692, 0.267308], 1e-5);
  const rc = relativeCalibration([tf.tensor2d([[0.7, 0.2, 0.1]]), tf.tensor2d([[0.4, 0.35, 0.25]])], ones(2));
  assertClose(values(rc), [1, 0.227273], 1e-5);
  assertClose(values(beliefWeights(tf.mul(rc, two.belief), ones(2))), [0.812867, 0.187133], 1e-5);
  const three = coBelief(tf.tensor2d([[0.8, 0.4, 0.6]]), ones(3));
  assertClose(values(three.holo), [0.432391, 0.22238, 0.345229], 1e-5);
  assertClose(values(beliefWeights(three.belief, ones(3))), [0.43597, 0.236882, 0.327148], 1e-5);
});

test("pdf: a dropped modality leaves the sums; who stays alone has weight 1; sure confidences and uniform predictions are even", () => {
  const keep = tf.tensor2d([[1, 0, 1], [0, 1, 0]]);
  const { belief } = coBelief(tf.tensor2d([[0.8, 0.9, 0.4], [0.8, 0.9, 0.4]]), keep);
  assertClose(values(beliefWeights(belief, keep)), [0.732692, 0, 0.267308, 0, 1, 0], 1e-5);
  const even = coBelief(tf.tensor2d([[1, 1]]), tf.ones([1, 2]));
  assertClose(values(even.holo), [0.5, 0.5], 1e-5);
  const flat = tf.fill([1, 4], 0.25) as tf.Tensor2D;
  assertEquals(values(relativeCalibration([flat, flat], tf.ones([1, 2]))), [1, 1]);
});

// ------------------------------------------------------------------------------------------------------------------ amid

test("amid: InfoNCE by hand; rows of one class are no negatives, padded rows take no part", () => {
  const t = tf.tensor2d([[1, 0], [0, 1], [1, 0]]);
  const nce = (labels: number[], valid: number[]) =>
    values(infoNce(t, t, tf.tensor1d(labels, "int32"), tf.tensor1d(valid), 0.5));
  // Row 0: own pair 1 / 0.5; the negatives are at cosine 0 and 1.
  const own = Math.log(Math.exp(2) + 1 + Math.exp(2)) - 2;
  assertAlmostEquals(nce([0, 1, 2], [1, 1, 1])[0], own, 1e-5);
  assertAlmostEquals(nce([0, 1, 0], [1, 1, 1])[0], Math.log(Math.exp(2) + 1) - 2, 1e-5);
  assertClose(nce([0, 0, 0], [1, 1, 1]), [0, 0, 0], 1e-5);
  assertClose(nce([0, 1, 2], [1, 1, 0]), [Math.log(Math.exp(2) + 1) - 2, Math.log(Math.exp(2) + 1) - 2, 0], 1e-5);
});

test("amid: the contrastive bound is the same from either side, and does not see lengths", () => {
  const [t, s] = [audio(), video()];
  const nce = (a: tf.Tensor2D, b: tf.Tensor2D) => values(infoNce(a, b, labels(), tf.ones([3]), 0.1));
  assertClose(nce(s, t), nce(t, s), 1e-5);
  assertClose(nce(tf.mul(t, 3), s), nce(t, s), 1e-4);
});
