import { Refusal } from "../../core/refusal.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import {
  additiveUniformSet,
  bitSets,
  checkDataset,
  discreteSet,
  eachCoordinate,
  ellipticalSet,
  gaussianPair,
  halfCube,
  inverse,
  normalCdf,
  spiral,
  swissRoll,
  synthetic,
  syntheticTruth,
  tripleCorrelation,
  truthOf,
} from "../../datasets/mod.ts";
import { gaussianCmi, gaussianMi, knnCmi, ksgMi } from "../../miv/mod.ts";
import { assertClose } from "../helpers/tensors.ts";

const ln2 = Math.LN2;

Deno.test("two bits and a target: MI, CMI, interaction and Shapley values of the textbook cases", () => {
  const expected = {
    redundant: { mi: [ln2, ln2], cmi: 0, cmi2: 0, shapley: [ln2 / 2, ln2 / 2], index: -ln2 },
    unique: { mi: [ln2, 0], cmi: 0, cmi2: ln2, shapley: [ln2, 0], index: 0 },
    synergy: { mi: [0, 0], cmi: ln2, cmi2: ln2, shapley: [ln2 / 2, ln2 / 2], index: ln2 },
    copy: { mi: [ln2, ln2], cmi: ln2, cmi2: ln2, shapley: [ln2, ln2], index: 0 },
  } as const;
  for (const [kind, { mi, cmi, cmi2, shapley, index }] of Object.entries(expected)) {
    const { truth } = bitSets[kind as keyof typeof expected];
    assertClose(truth.mi, mi, 1e-12);
    // I(Y; X_2 | X_1) and I(Y; X_1 | X_2).
    assertAlmostEquals(truth.cmi[0][1], cmi, 1e-12);
    assertAlmostEquals(truth.cmi[1][0], cmi2, 1e-12);
    assertClose(truth.shapley, shapley, 1e-12);
    assertAlmostEquals(truth.interactionIndex[0][1], index, 1e-12);
    // Interaction information is symmetric.
    assertAlmostEquals(truth.interaction[0][1], truth.interaction[1][0], 1e-12);
    assertAlmostEquals(truth.interaction[0][1], -index, 1e-12);
  }
});

Deno.test("a Gaussian triple: truth of determinants, samples that show it", () => {
  const set = ellipticalSet({
    name: "triple",
    about: "",
    covariance: tripleCorrelation(0.7, 0.5, 0.2),
    widths: [1, 1],
    targetWidth: 1,
  });
  assertAlmostEquals(set.truth.mi[0], -0.5 * Math.log(1 - 0.49), 1e-12);
  const partial = (0.5 - 0.7 * 0.2) / Math.sqrt((1 - 0.49) * (1 - 0.04));
  assertAlmostEquals(set.truth.cmi[0][1], -0.5 * Math.log(1 - partial ** 2), 1e-12);
  assertAlmostEquals(set.truth.subsets[3], set.truth.mi[0] + set.truth.cmi[0][1], 1e-12);
  const { sources: { x1, x2 }, target } = set.sample(3000, new Random(1));
  assertAlmostEquals(gaussianMi(x1, target), set.truth.mi[0], 0.04);
  assertAlmostEquals(gaussianCmi(x2, target, x1), set.truth.cmi[0][1], 0.03);
  assertAlmostEquals(knnCmi(x2, target, x1), set.truth.cmi[0][1], 0.06);
  // The same samples come again from the same stream.
  assertEquals(set.sample(5, new Random(1)).target.values, set.sample(5, new Random(1)).target.values);
});

Deno.test("heavy tails, uniform margins, additive noise, spirals: nearest neighbours find the truth", () => {
  const student = (degrees: number, width: number) =>
    ellipticalSet({
      name: "student",
      about: "",
      covariance: Array.from({ length: 4 * width * width }, (_, i) => i % (2 * width + 1) === 0 ? 1 : 0),
      widths: [width],
      targetWidth: width,
      degrees,
      transformSource: eachCoordinate(Math.asinh),
      transformTarget: eachCoordinate(Math.asinh),
    });
  const uniform = ellipticalSet({
    name: "uniform",
    about: "",
    covariance: [1, 0.75, 0.75, 1],
    widths: [1],
    targetWidth: 1,
    transformSource: eachCoordinate(normalCdf),
    transformTarget: eachCoordinate(halfCube),
  });
  for (const set of [student(1, 1), uniform, additiveUniformSet(0.1), additiveUniformSet(0.75), gaussianPair(0.5)]) {
    const { sources: { x1 }, target } = set.sample(2000, new Random(4));
    assertAlmostEquals(ksgMi(x1, target), set.truth.mi[0], 0.06, set.name);
  }
});

Deno.test("transforms: normal distribution function, inverse, spiral keeps lengths, Swiss roll", () => {
  assertClose([-3, -1, 0, 0.5, 2].map(normalCdf), [0.001349898, 0.158655254, 0.5, 0.691462461, 0.977249868], 1e-6);
  assertAlmostEquals(inverse(normalCdf, -10, 10)(0.975), 1.959964, 1e-5);
  assertClose([...spiral(0, 1, Math.PI / 2)(Float64Array.of(1, 0, 0))], [0, 1, 0], 1e-12);
  assertAlmostEquals(Math.hypot(...spiral(1, 2, 1)(Float64Array.of(1, 2, 3))), Math.hypot(1, 2, 3), 1e-12);
  assertClose([...swissRoll(Float64Array.of(0))], [0, -1.5 * Math.PI / 21], 1e-12);
});

Deno.test("information sets refuse what is none", () => {
  assertThrows(
    () => discreteSet({ name: "half", about: "", outcomes: [{ sources: [0], target: 0, p: 0.5 }] }),
    Refusal,
    "probabilities must sum to 1: found 0.5",
  );
  const wrong = { name: "wide", about: "", covariance: [1], widths: [1], targetWidth: 1 };
  assertThrows(() => ellipticalSet(wrong), Refusal, "covariance must be 2 x 2: found 1");
  assertThrows(() => gaussianPair(1), Refusal, "positive definite");
  assertEquals(truthOf(1, () => 2).shapley, [2]);
});

Deno.test('dataset "synthetic" has labels that follow from the bits its modalities show', async () => {
  for (const kind of ["redundant", "unique", "synergy", "copy"] as const) {
    const dataset = await synthetic.load({ kind, noise: 0, width: 3, samples: 40, seed: 0 });
    checkDataset(dataset);
    assertEquals([dataset.splits.train.size, dataset.splits.validation.size, dataset.splits.test.size], [40, 10, 20]);
    const { labels, inputs } = dataset.splits.test;
    const sign = (values: ArrayLike<number>, n: number) => values[3 * n] > 0 ? 1 : -1;
    const [first, second] = [inputs["first"], inputs["second"]];
    // Without noise a bit is the sign along its direction; the direction's own sign is unknown: look at products.
    const products = new Set<string>();
    labels.forEach((label, n) => {
      if (kind === "redundant") products.add(`${sign(first, n) * sign(second, n)}`);
      if (kind === "unique") products.add(`${sign(first, n) * (2 * label - 1)}`);
      if (kind === "synergy") products.add(`${sign(first, n) * sign(second, n) * (2 * label - 1)}`);
      if (kind === "copy") {
        products.add(`${sign(first, n) * (label < 2 ? -1 : 1)}${sign(second, n) * (label % 2 * 2 - 1)}`);
      }
    });
    assertEquals(products.size, 1, kind);
    assert(syntheticTruth(kind).subsets[3] > 0.6);
  }
});
