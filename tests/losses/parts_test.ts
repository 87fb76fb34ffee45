/** Losses as parts: their options, by value. */
import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { LossContext, TrainStep, Valued } from "../../core/kinds/mod.ts";
import { use } from "../../core/options.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  balancedWeights,
  builtinLosses,
  contributionGap,
  crossEntropy,
  crossEntropyLoss,
  focal,
  focalLoss,
  generalCrossEntropy,
  jensenShannon,
  klDivergence,
  minimumInformation,
  modalityTerms,
  readouts,
} from "../../losses/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { assertClose, values } from "../helpers/tensors.ts";

const context: LossContext = { modalities: ["a", "b", "c"], classes: 3, counts: [6, 3, 0] };
const logits = () => tf.tensor2d([[2, 0, -1], [0.5, 1, 0]]);
const labels = () => tf.tensor1d([0, 1], "int32");
const soft = (row: number[]) => {
  const powers = row.map(Math.exp);
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};
const rows = [[2, 0, -1], [0.5, 1, 0]].map(soft);

Deno.test("cross-entropy: smoothing spreads its share over all classes, weights are N / (C n_c)", () => {
  assertEquals(balancedWeights([6, 3, 0]), [0.5, 1, 0]);
  const plain = [-Math.log(rows[0][0]), -Math.log(rows[1][1])];
  const everywhere = rows.map((row) => row.reduce((sum, p) => sum - Math.log(p) / 3, 0));
  const expected = plain.map((value, n) => 0.7 * value + 0.3 * everywhere[n]);
  tf.tidy(() => {
    assertClose(values(generalCrossEntropy(logits(), labels(), { smoothing: 0.3 })), expected, 1e-6);
    const both = crossEntropyLoss.create({ smoothing: 0.3, classWeights: "balanced" }, context);
    assertClose(values(both.ofLogits!(logits(), labels())), [0.5 * expected[0], expected[1]], 1e-6);
    const step = { output: { logits: logits() }, labels: labels() } as unknown as TrainStep;
    const terms = crossEntropyLoss.create({}, context).terms(step);
    assertEquals(Object.keys(terms), ["cross-entropy"]);
    assertClose(values(terms["cross-entropy"]), plain, 1e-6);
  });
  const { counts: _counts, ...without } = context;
  const refused = () => crossEntropyLoss.create({ classWeights: "balanced" }, without);
  assertThrows(refused, Refusal, "the training set's class counts must be known");
});

Deno.test("focal is (1 - p)^gamma of cross-entropy, 2 where nothing is said, with a finite gradient at p = 1", () => {
  const expected = (gamma: number) => [rows[0][0], rows[1][1]].map((p) => -((1 - p) ** gamma) * Math.log(p));
  tf.tidy(() => {
    for (const gamma of [0.5, 1, 3]) assertClose(values(focalLoss(logits(), labels(), gamma)), expected(gamma), 1e-6);
    assertClose(values(focal.create({}, context).ofLogits!(logits(), labels())), expected(2), 1e-6);
    const sure = tf.tensor2d([[40, 0, 0]]);
    const pass = record(() => tf.sum(focalLoss(sure, tf.tensor1d([0], "int32"), 0.5)));
    assertEquals(values(pass.gradients(pass.value, [sure])[0]).every(Number.isFinite), true);
    pass.dispose();
  });
});

Deno.test("divergences by hand: KL of softened distributions from the first to the second, Jensen-Shannon both ways", () => {
  const [p, q] = [[1, 0, 0.5], [0, 0.25, 2]];
  const kl = (a: number[], b: number[]) => a.reduce((sum, value, c) => sum + value * Math.log(value / b[c]), 0);
  const half = (row: number[]) => soft(row.map((value) => value / 2));
  tf.tidy(() => {
    const [one, two] = [tf.tensor2d([p]), tf.tensor2d([q])];
    assertAlmostEquals(values(klDivergence(one, two))[0], kl(soft(p), soft(q)), 1e-6);
    assertAlmostEquals(values(klDivergence(one, two, 2))[0], kl(half(p), half(q)), 1e-6);
    const middle = soft(p).map((value, c) => (value + soft(q)[c]) / 2);
    const both = (kl(soft(p), middle) + kl(soft(q), middle)) / 2;
    const turned = (kl(middle, soft(p)) + kl(middle, soft(q))) / 2;
    assertAlmostEquals(values(jensenShannon(one, two))[0], both, 1e-6);
    assertAlmostEquals(values(jensenShannon(one, two, true))[0], turned, 1e-6);
  });
});

Deno.test("readouts: a term a modality, of its own logits, 0 where it is dropped, by the criterion that is chosen", () => {
  tf.tidy(() => {
    const own = { a: logits(), b: tf.neg(logits()) as tf.Tensor2D, c: tf.zerosLike(logits()) };
    const keep = {
      a: tf.tensor2d([[1], [1]]),
      b: tf.tensor2d([[0], [1]]),
      c: tf.tensor2d([[1], [0]]),
    };
    const step = {
      ...{ modalities: context.modalities, labels: labels(), keep },
      solo: () => ({ logits: own }),
    } as unknown as TrainStep;
    const ce = (row: number[], label: number) => -Math.log(soft(row)[label]);
    const terms = readouts.create({}, context).terms(step);
    assertEquals(Object.keys(terms), ["readout:a", "readout:b", "readout:c"]);
    assertClose(values(terms["readout:a"]), [ce([2, 0, -1], 0), ce([0.5, 1, 0], 1)], 1e-6);
    assertClose(values(terms["readout:b"]), [0, ce([-0.5, -1, 0], 1)], 1e-6);
    assertClose(values(terms["readout:c"]), [Math.log(3), 0], 1e-6);
    const chosen = readouts.create({ criterion: use(focal, { gamma: 0.5 }) }, {
      ...context,
      readouts: () => ({ ...own, a: own.c }),
    });
    assertClose(
      values(chosen.terms({ ...step, keep: null } as TrainStep)["readout:a"]),
      [Math.sqrt(2 / 3) * Math.log(3), Math.sqrt(2 / 3) * Math.log(3)],
      1e-6,
    );
    const named = modalityTerms("own", own, step, crossEntropy);
    assertEquals(Object.keys(named), ["own:a", "own:b", "own:c"]);
  });
  const whole = () => readouts.create({ criterion: use(contributionGap) }, context);
  assertThrows(whole, Refusal, "a criterion must be a loss of any logits");
});

Deno.test("ARM's losses as parts: ranges, minima and gradients are those that their options say", () => {
  tf.tidy(() => {
    const phi = [0.9, -0.6, 0.3];
    const asked: unknown[] = [];
    const valued = {
      p: tf.tensor1d([0.5]),
      nmi: tf.tensor2d([[0.2, 0.4, 0.6]]),
      contributions(gradient: unknown) {
        asked.push(gradient);
        return tf.tensor2d([phi]);
      },
    } as unknown as Valued;
    const terms = (plugin: typeof contributionGap, options: object) =>
      Object.values(plugin.create({ ...options }, { ...context, valuation: () => valued }).terms({} as TrainStep))
        .map((term) => values(term)[0])[0];
    const gap = (row: number[]) => {
      const mean = row.reduce((a, b) => a + b) / 3;
      return row.reduce((sum, value) => sum + Math.abs(value - mean), 0) / mean;
    };
    // m (phi + m - 1) / (2m - 1); max(phi, 0); as it is.
    const shifted = gap(phi.map((value) => 3 * (value + 2) / 5));
    assertAlmostEquals(terms(contributionGap, {}), shifted, 1e-5);
    assertAlmostEquals(terms(contributionGap, { range: "clamp", probGradient: true }), gap([0.9, 0, 0.3]), 1e-5);
    assertAlmostEquals(terms(contributionGap, { range: "raw", asymmetric: true }), gap(phi), 1e-5);
    assertEquals(asked, [
      { probabilities: false, asymmetric: false },
      { probabilities: true, asymmetric: false },
      { probabilities: false, asymmetric: true },
    ]);
    // 1 - p min I; softmin lies below the minimum by at most log(3) / tau, here log(1 + e^-4 + e^-8) / 20 at tau = 20.
    const soft = (tau: number) => -Math.log([0.2, 0.4, 0.6].reduce((sum, own) => sum + Math.exp(-tau * own), 0)) / tau;
    assertAlmostEquals(terms(minimumInformation, { minimum: "min" }), 1 - 0.5 * 0.2, 1e-6);
    assertAlmostEquals(terms(minimumInformation, {}), 1 - 0.5 * soft(20), 1e-5);
    assertAlmostEquals(terms(minimumInformation, { tau: 5 }), 1 - 0.5 * Math.max(0, soft(5)), 1e-5);
  });
  // Through the part, by phi, at mean .2 and signs +, -, +: the gaps' gradient is centred; the mean's is S / mean^2 / 3.
  const gradientOf = (options: object) =>
    tf.tidy(() => {
      const phi = tf.tensor2d([[0.9, -0.6, 0.3]]);
      const valuation = () => ({ contributions: () => phi }) as unknown as Valued;
      const made = contributionGap.create({ range: "raw", ...options }, { ...context, valuation });
      const pass = record(() => tf.sum(made.terms({} as TrainStep).phiCMI));
      const found = values(pass.gradients(pass.value, [phi])[0]);
      pass.dispose();
      return found;
    });
  const centred = [2 / 3, -4 / 3, 2 / 3].map((sign) => sign / 0.2);
  assertClose(gradientOf({}), centred, 1e-5);
  assertClose(gradientOf({ denominatorGradient: true }), centred.map((own) => own - 1.6 / 0.04 / 3), 1e-4);
  assertClose(gradientOf({ asymmetric: true }), [0, -5, 0], 1e-5);
  assertEquals(builtinLosses.map(({ name, task = false }) => [name, task]), [
    ["contribution-gap", false],
    ["cross-entropy", true],
    ["focal", true],
    ["minimum-information", false],
    ["readouts", false],
  ]);
});
