/** Metrics worked out by hand, for three modalities and three classes. */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import {
  accuracy,
  argmaxRows,
  confusion,
  type DetailedPass,
  likelihood,
  macroF1,
  metricsOf,
  recalls,
} from "../../training/mod.ts";

const close = (found: number, expected: number, what?: string) => assertAlmostEquals(found, expected, 1e-6, what);

Deno.test("argmaxRows() takes the first of equals, row by row", () => {
  assertEquals([...argmaxRows(Float32Array.of(1, 3, 3, -1, -2, -3, 0, 0, 0), 3)], [1, 0, 0]);
});

Deno.test("likelihood() is the softmax at the label, and its mean logarithm; large logits do not overflow", () => {
  const { probabilities, loss } = likelihood(
    Float32Array.of(Math.log(1), Math.log(2), Math.log(5), 1000, 0, 0),
    Int32Array.of(2, 0),
    3,
  );
  close(probabilities[0], 5 / 8);
  close(probabilities[1], 1);
  close(loss, -Math.log(5 / 8) / 2);
});

/** True 0, 0, 0, 1, 1, 2; predicted 0, 0, 1, 1, 0, 1: class 2 is never predicted. */
const labels = Int32Array.of(0, 0, 0, 1, 1, 2);
const predicted = Int32Array.of(0, 0, 1, 1, 0, 1);

Deno.test("confusion(), recall and macro-F1 of an unbalanced case with a class that is never predicted", () => {
  const counts = confusion(predicted, labels, 3);
  // Rows are true classes, columns predicted ones.
  assertEquals([...counts], [2, 1, 0, 1, 1, 0, 0, 1, 0]);
  close(accuracy(predicted, labels), 3 / 6);
  const [zero, one, two] = recalls(counts, 3);
  close(zero, 2 / 3);
  close(one, 1 / 2);
  close(two, 0);
  // Precisions 2/3 and 1/3: F1 is 2 2/(3 + 3) and 2 1/(2 + 3).
  close(macroF1(counts, 3), (2 / 3 + 2 / 5 + 0) / 3);
  const precisions = (2 / 3 + 1 / 3 + 0) / 3;
  assert(Math.abs(macroF1(counts, 3) - precisions) > 1e-3);
  // A class that occurs nowhere counts as 0, in recall and in the mean.
  assertEquals(recalls(confusion(Int32Array.of(0), Int32Array.of(0), 2), 2), [1, 0]);
  close(macroF1(confusion(Int32Array.of(0), Int32Array.of(0), 2), 2), 0.5);
});

const log = (...p: number[]) => Float32Array.from(p, Math.log);

/** Two samples of classes 0 and 1. */
const pass: DetailedPass = {
  logits: log(0.5, 0.25, 0.25, 0.7, 0.2, 0.1),
  pooled: {},
  solo: {
    a: log(0.6, 0.2, 0.2, 0.1, 0.8, 0.1),
    b: log(0.2, 0.6, 0.2, 0.3, 0.4, 0.3),
    c: log(0.1, 0.1, 0.8, 0.6, 0.3, 0.1),
  },
  // Other readouts than solo, with other accuracies.
  ablateMean: {
    a: log(0.1, 0.8, 0.1, 0.1, 0.8, 0.1),
    b: log(0.8, 0.1, 0.1, 0.1, 0.8, 0.1),
    c: log(0.1, 0.8, 0.1, 0.8, 0.1, 0.1),
  },
  nmi: Float32Array.of(0.9, 0.5, 0.1, 0.7, 0.3, 0.2),
  // NCMI(f_y; f_j | f_i) at [n, i, j].
  ncmi: Float32Array.of(
    ...[0, 0.4, 0.05, 0.8, 0, 0.1, 0.85, 0.45, 0],
    ...[0, 0.1, 0.2, 0.5, 0, 0.15, 0.6, 0.25, 0],
  ),
  fused: new Float32Array(2),
  parts: {},
};
const truth = { size: 2, labels: Int32Array.of(0, 1), inputs: {}, groups: ["x", "y"] };
const metrics = metricsOf(pass, truth, ["a", "b", "c"], 3, "split");

/** phi_i = p_y I_i + sum over j != i of p_j (I_j - NC_ij), in the order a, b, c. */
const phi = [
  [
    0.5 * 0.9 + 0.2 * (0.5 - 0.4) + 0.1 * (0.1 - 0.05),
    0.5 * 0.5 + 0.6 * (0.9 - 0.8) + 0.1 * (0.1 - 0.1),
    0.5 * 0.1 + 0.6 * (0.9 - 0.85) + 0.2 * (0.5 - 0.45),
  ],
  [
    0.2 * 0.7 + 0.4 * (0.3 - 0.1) + 0.3 * (0.2 - 0.2),
    0.2 * 0.3 + 0.8 * (0.7 - 0.5) + 0.3 * (0.2 - 0.15),
    0.2 * 0.2 + 0.8 * (0.7 - 0.6) + 0.4 * (0.3 - 0.25),
  ],
];

Deno.test("metricsOf() of three modalities: accuracies, probabilities and information, each its own", () => {
  assertEquals(metrics.size, 2);
  close(metrics.accuracy, 0.5);
  // Both are predicted as class 0: precision 1/2 and recall 1 there, nothing elsewhere.
  close(metrics.macroF1, (2 / 3) / 3);
  close(metrics.loss, -(Math.log(0.5) + Math.log(0.2)) / 2);
  assertEquals(metrics.recall, [1, 0, 0]);
  assertEquals(Object.keys(metrics.perModality), ["a", "b", "c"]);
  const of = (field: "accuracy" | "ablateMean" | "nmi" | "probability" | "phi") =>
    ["a", "b", "c"].map((name) => metrics.perModality[name][field]);
  assertEquals(of("accuracy"), [1, 0.5, 0]);
  assertEquals(of("ablateMean"), [0.5, 1, 0]);
  assertNotEquals(of("accuracy"), of("ablateMean"));
  of("nmi").forEach((value, u) => close(value, [(0.9 + 0.7) / 2, (0.5 + 0.3) / 2, (0.1 + 0.2) / 2][u]));
  of("probability").forEach((value, u) => close(value, [(0.6 + 0.8) / 2, (0.2 + 0.4) / 2, (0.1 + 0.3) / 2][u]));
  of("phi").forEach((value, u) => close(value, (phi[0][u] + phi[1][u]) / 2));
  assert(Object.values(metrics.perModality).every(({ readout }) => readout === "split"));
});

Deno.test("contributionGap is the mean over samples and all three pairs; jointContribution the mean over modalities", () => {
  const gaps = phi.map(([a, b, c]) => Math.abs(a - b) + Math.abs(a - c) + Math.abs(b - c));
  close(metrics.contributionGap, (gaps[0] + gaps[1]) / (2 * 3));
  close(metrics.jointContribution, phi.flat().reduce((sum, value) => sum + value, 0) / 6);
});

Deno.test("metricsOf() of two modalities has one pair, of one none", () => {
  const ab = { a: pass.solo.a, b: pass.solo.b };
  const two = {
    ...pass,
    solo: ab,
    ablateMean: ab,
    nmi: Float32Array.of(0.9, 0.5, 0.7, 0.3),
    ncmi: Float32Array.of(0, 0.4, 0.8, 0, 0, 0.1, 0.5, 0),
  };
  const pair = [
    [0.5 * 0.9 + 0.2 * (0.5 - 0.4), 0.5 * 0.5 + 0.6 * (0.9 - 0.8)],
    [0.2 * 0.7 + 0.4 * (0.3 - 0.1), 0.2 * 0.3 + 0.8 * (0.7 - 0.5)],
  ];
  const gap = (Math.abs(pair[0][0] - pair[0][1]) + Math.abs(pair[1][0] - pair[1][1])) / 2;
  close(metricsOf(two, truth, ["a", "b"], 3, "own").contributionGap, gap);

  const one = {
    ...pass,
    solo: { a: pass.solo.a },
    ablateMean: { a: pass.ablateMean.a },
    nmi: Float32Array.of(0.9, 0.7),
    ncmi: Float32Array.of(0, 0),
  };
  assertEquals(metricsOf(one, truth, ["a"], 3, "own").contributionGap, 0);
});
