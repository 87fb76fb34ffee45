import * as tf from "@tensorflow/tfjs";
import fc from "../helpers/properties.ts";
import { Refusal } from "../../core/refusal.ts";
import { tracedEstimator } from "../../miv/mod.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { Random } from "../../core/random.ts";
import { minimumLoss } from "../../losses/mod.ts";
import {
  estimatorWarning,
  gaussianCmi,
  gaussianMi,
  knnCmi,
  ksgInformation,
  ksgMi,
  lowerBound,
  numpyBins,
  officialCmi,
  officialNmi,
  pluginBias,
  scalars,
  viewOf,
} from "../../miv/mod.ts";
import { type Estimating, type EstimatorName, informationOf, named, shuffledFloor } from "../helpers/estimators.ts";
import { assertClose, golden, values } from "../helpers/tensors.ts";

interface Conditional {
  cmi: number;
  hx: number;
  hy: number;
  sqrt: number;
  official: { cmi: number; ncmi: number };
}
interface Golden {
  bits: Record<"xor" | "copy" | "same", Conditional & { mi: number }>;
  waves: { mi: Record<string, { mi: number; mean: number; sqrt: number }>; cmi: Record<string, Conditional> };
  official: {
    name: string;
    a: number[][];
    b: number[][];
    fused: number[][];
    nmi: number[];
    ncmi: number[];
    cmi: number[];
    rows: number[][];
  }[];
  gaussian: { m: number; nmi: number[]; ncmi: number[] }[];
  neighbours: {
    k: number;
    x: number[][];
    y: number[][];
    z: number[][];
    mi: number;
    cmi: number;
    gaussianMi: number;
    gaussianCmi: number;
  }[];
}
const reference = golden<Golden>("estimators");

/** A row [1, n] of numbers. */
const row = (list: readonly number[]) => tf.tensor2d([[...list]]);
const bits = (text: string) => [...text].map(Number);
/** The deterministic sequences of the golden script. */
const sequence = (multiplier: number, modulus: number) =>
  Array.from({ length: 64 }, (_, i) => (multiplier * i % modulus) / modulus);
const x64 = sequence(37, 101);
const y64 = x64.map((x, i) => (x + 0.3 * sequence(53, 97)[i]) % 1);
const z64 = sequence(29, 89);

/** MI of x and y, and CMI given z: everything an estimator says of three rows. */
function of(x: readonly number[], y: readonly number[], z: readonly number[], options: Estimating) {
  const { nmi, ncmi, mi, cmi } = informationOf({ x: row(x), z: row(z) }, row(y), options);
  return { nmi: values(nmi)[0], mi: values(mi)[0], ncmi: values(ncmi)[2], cmi: values(cmi)[2] };
}

Deno.test("three bits: MI, CMI, NCMI, and what the released code makes of them", () => {
  tf.tidy(() => {
    for (
      const [name, x, y, z] of [["xor", "0011", "0101", "0110"], ["copy", "0011", "0011", "0101"], [
        "same",
        "0011",
        "0011",
        "0011",
      ]] as const
    ) {
      const expected = reference.bits[name];
      const found = of(bits(x), bits(y), bits(z), { estimator: "hard", bins: 2 });
      assertAlmostEquals(found.mi, expected.mi, 1e-6);
      assertAlmostEquals(found.cmi, expected.cmi, 1e-6);
      assertAlmostEquals(found.ncmi, expected.sqrt, 1e-5);
      const official = of(bits(x), bits(y), bits(z), { estimator: "official", bins: 2 });
      assertAlmostEquals(official.cmi, expected.official.cmi, 2e-6);
      assertAlmostEquals(official.ncmi, expected.official.ncmi, 1e-6);
      const host = officialCmi(bits(x), bits(y), bits(z));
      assertAlmostEquals(host.cmi, expected.official.cmi, 1e-9);
      assertAlmostEquals(host.ncmi, expected.official.ncmi, 1e-9);
    }
  });
});

Deno.test("a deterministic sequence in equal bins of [min, max]: MI, both normalisations, CMI, the released code's", () => {
  tf.tidy(() => {
    const range = { estimator: "hard", edges: "range" } as const;
    for (const [bins, expected] of Object.entries(reference.waves.mi)) {
      for (const norm of ["mean", "sqrt"] as const) {
        const found = of(x64, y64, z64, { ...range, bins: Number(bins), cmiBins: 2, norm });
        assertAlmostEquals(found.mi, expected.mi, 2e-6);
        assertAlmostEquals(found.nmi, expected[norm], 1e-6);
      }
      assertAlmostEquals(officialNmi(x64, y64, Number(bins)), expected.mean, 1e-9);
    }
    for (const [text, expected] of Object.entries(reference.waves.cmi)) {
      const bins = Number(text);
      const found = of(x64, y64, z64, { ...range, bins });
      assertAlmostEquals(found.cmi, expected.cmi, 2e-6);
      assertAlmostEquals(found.ncmi, expected.sqrt, 2e-6);
      const official = of(x64, y64, z64, { estimator: "official", cmiBins: bins });
      assertAlmostEquals(official.ncmi, expected.official.ncmi, 1e-6);
      assertAlmostEquals(official.cmi, expected.official.cmi, 5e-5);
    }
  });
});

for (const { name, a, b, fused, nmi, ncmi, cmi, rows } of reference.official) {
  Deno.test(`"official" equals the released functions on random inputs, whole batch and per sample: ${name}`, () => {
    const [A, B, F] = [a.flat(), b.flat(), fused.flat()];
    assertAlmostEquals(officialNmi(A, F), nmi[0], 1e-8);
    assertAlmostEquals(officialNmi(B, F), nmi[1], 1e-8);
    assertAlmostEquals(officialCmi(A, F, B).ncmi, ncmi[0], 1e-8);
    assertAlmostEquals(officialCmi(B, F, A).cmi, cmi[1], 1e-6);
    tf.tidy(() => {
      const parts = { a: tf.tensor2d(a), b: tf.tensor2d(b) };
      const found = informationOf(parts, tf.tensor2d(fused), { estimator: "official" });
      // Every sample gets the batch's value.
      assertClose(values(found.nmi), Array.from({ length: 12 }, (_, k) => nmi[k % 2]), 1e-6);
      const table = values(found.ncmi);
      for (let n = 0; n < 6; n++) {
        assertAlmostEquals(table[4 * n + 2], ncmi[0], 1e-6);
        assertAlmostEquals(table[4 * n + 1], ncmi[1], 1e-6);
      }
      const each = informationOf(parts, tf.tensor2d(fused), {
        estimator: "official",
        granularity: "sample",
        cmiBins: 3,
      });
      assertClose(values(tf.slice(each.nmi, [0, 0], [6, 1])), rows[0], 1e-6);
      assertClose(values(tf.slice(each.ncmi, [0, 1, 0], [6, 1, 1])), rows[1], 2e-6);
    });
  });
}

Deno.test("numpyBins() closes the last bin, and a constant sits in the middle of a range of 1", () => {
  assertEquals([...numpyBins([0, 0.25, 0.5, 0.99, 1], 4)], [0, 1, 2, 3, 3]);
  assertEquals([...numpyBins([3, 3], 30)], [15, 15]);
});

Deno.test('"gaussian" equals squared (partial) correlations of NumPy, and its nats the closed form', () => {
  const wave = (n: number, phase: number) =>
    Array.from({ length: n }, (_, k) => Math.sin(1.7 * k + phase) + 0.3 * Math.cos(0.37 * k * (1 + phase)));
  tf.tidy(() => {
    for (const { m, nmi, ncmi } of reference.gaussian) {
      const parts = Array.from({ length: m }, (_, u) => wave(50, 0.9 * u));
      const fused = wave(50, 5).map((noise, k) => 0.2 * noise + parts.reduce((sum, z, u) => sum + (u + 1) * z[k], 0));
      const found = informationOf(Object.fromEntries(parts.map((z, u) => [`m${u}`, row(z)])), row(fused), {
        estimator: "gaussian",
      });
      assertClose(values(found.nmi), nmi, 1e-5);
      assertClose(values(found.ncmi), ncmi, 5e-5);
      assertClose(values(found.mi), nmi.map((squared) => -0.5 * Math.log(1 - squared)), 1e-4);
    }
  });
});

for (const [index, { k, x, y, z, mi, cmi, ...gaussian }] of reference.neighbours.entries()) {
  Deno.test(`ksgMi(), knnCmi() and Gaussian determinants equal SciPy by brute force: case ${index}`, () => {
    const points = (rows: number[][]) => ({ values: rows.flat(), width: rows[0].length });
    const [X, Y, Z] = [x, y, z].map(points);
    assertAlmostEquals(ksgMi(X, Y, { k }), mi, 1e-9);
    assertAlmostEquals(knnCmi(X, Y, Z, { k }), cmi, 1e-9);
    assertAlmostEquals(gaussianMi(X, Y), gaussian.gaussianMi, 1e-9);
    assertAlmostEquals(gaussianCmi(X, Y, Z), gaussian.gaussianCmi, 1e-9);
  });
}

/** Correlated rows with closed-form information. */
function correlated(rho: number, n: number, seed: number) {
  const random = new Random(seed);
  const draw = () => Array.from({ length: n }, () => random.normal());
  const [x, z, e] = [draw(), draw(), draw()];
  return { x, z, y: x.map((value, i) => rho * value + Math.sqrt(1 - rho * rho) * e[i]) };
}

Deno.test("KSG and the Gaussian form find -1/2 ln(1 - rho^2) of 2,000 normals; given an independent third, too", () => {
  for (const rho of [0, 0.6, 0.9]) {
    const { x, y, z } = correlated(rho, 2000, 7);
    const truth = -0.5 * Math.log(1 - rho * rho);
    assertAlmostEquals(ksgMi(scalars(x), scalars(y)), truth, 0.06);
    assertAlmostEquals(gaussianMi(scalars(x), scalars(y)), truth, 0.04);
    // Every further dimension biases neighbours low where dependence is strong.
    assertAlmostEquals(knnCmi(scalars(x), scalars(y), scalars(z)), truth, 0.06 + 0.15 * rho ** 2);
  }
  const { x, y, z } = correlated(0.8, 200, 1);
  const found = ksgInformation({ x, z }, y, 100, { k: 10 });
  assertEquals([found.nmi.length, found.ncmi.length], [4, 8]);
  assertAlmostEquals(found.nmi[0], 0.64, 0.2);
  assert(found.nmi[1] < 0.25);
});

Deno.test("estimators on points refuse what they cannot use", () => {
  const some = scalars([1, 2, 3, 4, 5]);
  assertThrows(() => ksgMi(some, scalars([1, 2])), Refusal, "same number of samples: found 5, 2");
  assertThrows(() => ksgMi(some, some, { k: 5 }), Refusal, "at least 6 samples: found 5");
  assertThrows(() => ksgMi(some, some, { k: 0 }), Refusal, "k must be an integer >= 1");
  assertThrows(() => ksgMi(some, scalars([1, 2, NaN, 4, 5])), Refusal, "found NaN at index 2");
  assertThrows(() => ksgMi(some, { values: [1, 2, 3], width: 2 }), Refusal, "whole rows");
  assertThrows(() => gaussianMi(some, some), Refusal, "positive definite");
});

/** Three samples of two parts and their noisy sum. */
function drawn(seed: number, batch = 3, d = 33) {
  const random = new Random(seed);
  const draw = () => tf.tensor2d(Array.from({ length: batch * d }, () => random.normal()), [batch, d]);
  const [a, b] = [draw(), draw()];
  return { parts: { a, b }, fused: tf.addN([a, tf.mul(b, 0.7), tf.mul(draw(), 0.5)]) as tf.Tensor2D };
}

for (const estimator of ["soft", "gaussian"] as const) {
  for (const granularity of ["sample", "batch"] as const) {
    Deno.test(`the gradient of "${estimator}" per ${granularity} equals finite differences`, () => {
      tf.tidy(() => {
        const { parts, fused } = drawn(3);
        const f = (a: tf.Tensor2D) => {
          const { nmi, ncmi } = informationOf({ ...parts, a }, fused, { estimator, granularity, bins: 3 });
          return tf.add(tf.sum(nmi), tf.mul(2, tf.sum(ncmi)));
        };
        const pass = record(() => f(parts.a));
        const gradient = values(pass.gradients(pass.value, [parts.a])[0]);
        pass.dispose();
        const slope = Math.hypot(...gradient);
        const h = 2e-3;
        const at = (t: number) =>
          values(f(tf.add(parts.a, tf.tensor2d(gradient.map((g) => g / slope * t), [3, 33]))))[0];
        assertAlmostEquals((at(h) - at(-h)) / (2 * h), slope, 0.04 * slope);
      });
    });
  }
}

Deno.test('"hard" and "official" have no gradient', () => {
  tf.tidy(() => {
    const { parts, fused } = drawn(3);
    for (const estimator of ["hard", "official"] as const) {
      const pass = record(() => tf.sum(informationOf(parts, fused, { estimator }).nmi));
      assertEquals(pass.gradients(pass.value, [parts.a]), [null]);
      pass.dispose();
    }
  });
});

Deno.test("chain rule: I(y; i) + I(y; j | i) = I(y; j) + I(y; i | j); MI is symmetric; all within their bounds", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer({ min: 0, max: 1000 }),
        bins: fc.integer({ min: 2, max: 6 }),
        estimator: fc.constantFrom<EstimatorName>("hard", "soft", "straight-through"),
        granularity: fc.constantFrom("sample" as const, "batch" as const),
        edges: fc.constantFrom("standard" as const, "range" as const),
      }),
      ({ seed, bins, estimator, granularity, edges }) => {
        tf.tidy(() => {
          const { parts, fused } = drawn(seed);
          const options = { estimator, bins, granularity, edges: estimator === "hard" ? edges : "standard" } as const;
          const { mi, cmi, nmi, ncmi } = informationOf(parts, fused, options);
          const [i, c] = [values(mi), values(cmi)];
          for (let n = 0; n < 3; n++) {
            assertAlmostEquals(i[2 * n] + c[4 * n + 1], i[2 * n + 1] + c[4 * n + 2], 5e-6);
          }
          for (const value of [...i, ...c]) assert(value > -1e-5);
          for (const value of [...values(nmi), ...values(ncmi)]) assert(value >= 0 && value <= 1);
          // I(x; y) = I(y; x).
          const turned = informationOf({ x: fused }, parts.a, options);
          assertClose(values(turned.mi), [i[0], i[2], i[4]], 5e-6);
        });
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("granularity batch: padded rows do not count, and every sample gets the batch's value", () => {
  tf.tidy(() => {
    const { parts, fused } = drawn(11, 4);
    const padded = (v: tf.Tensor) => tf.concat([v, tf.fill([2, 33], 50)], 0) as tf.Tensor2D;
    const weights = tf.tensor1d([1, 1, 1, 1, 0, 0]);
    for (const estimator of ["hard", "soft", "straight-through", "gaussian", "official"] as const) {
      const options = { estimator, granularity: "batch" } as const;
      const plain = informationOf(parts, fused, options);
      const more = informationOf({ a: padded(parts.a), b: padded(parts.b) }, padded(fused), options, weights);
      assertClose(values(tf.slice(more.nmi, [0, 0], [4, 2])), values(plain.nmi), 1e-5);
      assertClose(values(tf.slice(more.ncmi, [0, 0, 0], [4, 2, 2])), values(plain.ncmi), 1e-5);
      assertEquals(values(plain.nmi).slice(0, 2), values(plain.nmi).slice(2, 4));
    }
  });
});

Deno.test("a step along the gradient of L_phiMI raises information, on average over a batch", () => {
  tf.tidy(() => {
    const random = new Random(2);
    const draw = (scale: number) =>
      tf.tensor2d(Array.from({ length: 32 * 256 }, () => scale * random.normal()), [32, 256]);
    const [a, b] = [draw(1), draw(0.5)];
    const noise = draw(0.6);
    const p = tf.fill([32], 0.7) as tf.Tensor1D;
    const measure = (first: tf.Tensor2D, second: tf.Tensor2D) =>
      informationOf({ a: first, b: second }, tf.addN([first, second, noise]) as tf.Tensor2D).nmi;
    const pass = record(() => tf.sum(minimumLoss(lowerBound(p, measure(a, b)))));
    const gradients = pass.gradients(pass.value, [a, b]).map((gradient) => gradient!);
    pass.dispose();
    const least = (nmi: tf.Tensor2D) => values(tf.mean(tf.min(nmi, 1)))[0];
    const before = least(measure(a, b));
    let last = before;
    for (const step of [0.01, 0.03, 0.1]) {
      const moved = [a, b].map((f, u) => {
        const direction = gradients[u];
        const length = tf.div(tf.norm(f, 2, 1, true), tf.add(tf.norm(direction, 2, 1, true), 1e-12));
        return tf.sub(f, tf.mul(direction, tf.mul(length, step))) as tf.Tensor2D;
      });
      const after = least(measure(moved[0], moved[1]));
      assert(after > last, `a step of ${step}: ${last} to ${after}`);
      last = after;
    }
  });
});

Deno.test("shuffledFloor() is what mismatched samples give: near the expected bias, far below matched ones", () => {
  tf.tidy(() => {
    const { parts, fused } = drawn(5, 16, 512);
    const matched = values(tf.mean(informationOf(parts, fused).nmi, 0));
    const floor = values(tf.mean(shuffledFloor(parts, fused).nmi, 0));
    const { nmi } = pluginBias(4, 4, 512);
    for (const value of floor) assert(value < 2 * nmi && value > nmi / 4, `${value} against ${nmi}`);
    for (const value of matched) assert(value > 5 * nmi);
    assertThrows(() => shuffledFloor({ a: tf.ones([1, 8]) }, tf.ones([1, 8])), Refusal, "at least 2: found 1");
  });
});

Deno.test("estimatorWarning() speaks where bins outnumber what the observations can fill, and is data", () => {
  assertEquals(estimatorWarning(named(), 512), null);
  assertEquals(estimatorWarning(named("gaussian"), 8), null);
  const warning = estimatorWarning(named("hard", { bins: 4 }), 64);
  assert(warning!.startsWith("64 observations are few for 4 bins"), warning!);
  assert(estimatorWarning(named("hard", { bins: 30, cmiBins: 2 }), 512) !== null);
  // The released code's bins, but with a batch of observations.
  assertEquals(estimatorWarning(named("official"), 512, 128), null);
});

Deno.test("estimators choose bins by the width, and refuse contradictions and what cannot be traced", () => {
  const built = (name: EstimatorName, options = {}, width = 512) => tracedEstimator(named(name, options), width);
  assertEquals(built("hard").settings, { bins: 4, cmiBins: 4 });
  assertEquals(built("hard", {}, 255).settings, { bins: 3, cmiBins: 3 });
  assertEquals(built("hard", { bins: 8, cmiBins: 2 }).settings, { bins: 8, cmiBins: 2 });
  assertThrows(() => built("hard", { cmiBins: 1 }), Refusal, "bins must be an integer from 2 to 100");
  assertThrows(() => built("soft", { edges: "range" }), Refusal, "only hard bins have such edges");
  assertThrows(() => tracedEstimator(named("ksg"), 8), Refusal, "it runs on the host alone");
});

Deno.test("viewOf() pairs what each view says, centred or not, and refuses unequal widths", () => {
  tf.tidy(() => {
    const pooled = { a: tf.tensor2d([[1, 2], [3, 4]]), b: tf.tensor2d([[5, 6], [7, 8]]) };
    const fused = tf.tensor2d([[0, 1], [2, 5]]);
    const solo = { parts: { a: tf.tensor2d([[1, 1], [2, 2]]), b: pooled.b }, fused: tf.tensor2d([[9, 9], [8, 8]]) };
    const projection = tf.tensor2d([[1, 0], [0, 1], [10, 0], [0, 10]]);
    const sources = { solo: () => solo, pooled, fused, projection: () => projection };
    const all = tf.tensor1d([1, 1]);
    assertEquals(values(viewOf("aligned", "none", sources, all).parts["a"]), [1, 1, 2, 2]);
    assertEquals(values(viewOf("aligned", "batch", sources, all).fused), [0.5, 0.5, -0.5, -0.5]);
    assertEquals(values(viewOf("raw", "none", sources, all).fused), [0, 1, 2, 5]);
    assertEquals(values(viewOf("official", "none", sources, all).fused), [51, 62, 73, 84]);
    assertEquals(values(viewOf("raw", "batch", sources, tf.tensor1d([1, 0])).parts["a"]), [0, 0, 2, 2]);
    assertThrows(
      () => viewOf("raw", "none", { ...sources, fused: tf.ones([2, 3]) }, all),
      Refusal,
      'features of "a" with the fused feature as both must have one width: found 2 and 3',
    );
    assertThrows(
      () => viewOf("official", "none", { solo: () => solo, pooled, fused }, all),
      Refusal,
      "needs a random projection",
    );
  });
});
