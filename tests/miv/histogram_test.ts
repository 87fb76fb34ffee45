import * as tf from "@tensorflow/tfjs";
import fc from "../helpers/properties.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { byModality } from "../../core/modality.ts";
import { Random } from "../../core/random.ts";
import {
  automaticBins,
  cumulativeBins,
  entropiesOf,
  jointTable,
  type Normalization,
  standardise,
  tablesOf,
} from "../../miv/mod.ts";
import { type EstimatorName, informationOf, informationOfVectors } from "../helpers/estimators.ts";
import { Refusal } from "../../core/refusal.ts";
import { assertClose, golden, values } from "../helpers/tensors.ts";

interface Golden {
  cases: {
    d: number;
    m: number;
    bins: number;
    assignment: EstimatorName;
    norm: Normalization;
    conditionalNorm: Normalization;
    rows: { nmi: number[]; ncmi: number[] }[];
  }[];
}

const reference = golden<Golden>("miv");

const row = (d: number, phase: number) =>
  Array.from({ length: d }, (_, n) => Math.sin(1.7 * n + phase) + 0.3 * Math.cos(0.37 * n * (1 + phase)));

/** The vectors of the golden script: three samples. */
function samples(d: number, m: number): { parts: Record<string, tf.Tensor2D>; fused: tf.Tensor2D } {
  const parts = Array.from({ length: m }, (_, u) => [0, 1, 2].map((s) => row(d, 0.9 * u + 0.31 * s)));
  const fused = [0, 1, 2].map((s) =>
    row(d, 5 + s).map((noise, n) => 0.2 * noise + parts.reduce((sum, part, u) => sum + (u + 1) * part[s][n], 0))
  );
  return {
    parts: Object.fromEntries(parts.map((part, u) => [`m${u}`, tf.tensor2d(part)])),
    fused: tf.tensor2d(fused),
  };
}

for (const { d, m, rows, assignment, ...options } of reference.cases) {
  Deno.test(`informationOf() equals NumPy: ${JSON.stringify({ d, m, assignment, ...options })}`, () => {
    tf.tidy(() => {
      const { parts, fused } = samples(d, m);
      const { nmi, ncmi } = informationOf(parts, fused, { ...options, estimator: assignment });
      assertClose(values(nmi), rows.flatMap((sample) => sample.nmi), 2e-5);
      assertClose(values(ncmi), rows.flatMap((sample) => sample.ncmi), 2e-5);
    });
  });
}

Deno.test("informationOf() of bits: exclusive or, a copy given a third, and three copies", () => {
  tf.tidy(() => {
    const bits = (text: string) => tf.tensor2d([[...text].map(Number)]);
    const of = (x: string, y: string, z: string) =>
      informationOf({ x: bits(x), z: bits(z) }, bits(y), { bins: 2, estimator: "hard" });
    // ncmi is [B, i, j] = NCMI(y; j | i) over x, z: entry [z, x] is index 2.
    const xor = of("0011", "0101", "0110");
    assertClose(values(xor.nmi), [0, 0], 1e-6);
    assertAlmostEquals(values(xor.ncmi)[2], 1, 1e-5);
    const copy = of("0011", "0011", "0101");
    assertClose(values(copy.nmi), [1, 0], 1e-5);
    assertAlmostEquals(values(copy.ncmi)[2], 1, 1e-5);
    // H(x|z) = 0: by convention 0, not 0 / 0.
    assertClose(values(of("0011", "0011", "0011").ncmi), [0, 0, 0, 0], 1e-6);
  });
});

Deno.test("differences of cumulative bins are the definitions: one-hot rows, and hat functions that sum to 1", () => {
  tf.tidy(() => {
    const v = [-2.5, -2, -1.2, -0.01, 0, 0.7, 1.99, 2, 3];
    const vector = tf.tensor4d([[[v]]]);
    for (const bins of [2, 3, 4, 7]) {
      const shares = (binning: "hard" | "soft") => {
        // Soft bins take values in units of the distance between centres.
        const unit = binning === "hard" ? 1 : (bins - 1) / 4;
        const all = cumulativeBins(tf.mul(vector, unit), bins, binning, [-2 * unit, 2 * unit]);
        const [first, ...steps] = tf.cast(all, "float32").arraySync()[0][0];
        assertEquals(first, v.map(() => 1));
        return v.map((_, n) => {
          const s = [1, ...steps.map((row) => row[n]), 0];
          return Array.from({ length: bins }, (_, k) => s[k] - s[k + 1]);
        });
      };
      v.forEach((raw, n) => {
        const value = Math.max(-2, Math.min(2, raw));
        const bin = Math.min(bins - 1, Math.floor((value + 2) / 4 * bins));
        assertEquals(shares("hard")[n], Array.from({ length: bins }, (_, k) => Number(k === bin)));
        const delta = 4 / (bins - 1);
        const hats = Array.from({ length: bins }, (_, k) => Math.max(0, 1 - Math.abs(value + 2 - k * delta) / delta));
        assertClose(shares("soft")[n], hats, 1e-5);
      });
    }
    assertEquals(values(standardise(tf.fill([1, 5], 3))), [0, 0, 0, 0, 0]);
  });
});

Deno.test("entropiesOf() equals entropies of tables counted one by one", () => {
  const random = new Random(8);
  for (const [variables, bins] of [[2, 2], [2, 5], [3, 2], [3, 4], [2, 33], [3, 11]]) {
    const n = 50;
    const drawn = Array.from({ length: variables }, () => Array.from({ length: n }, () => random.integer(bins)));
    tf.tidy(() => {
      // S_k of every variable, and sums of products of one each.
      const steps = drawn.map((list) => Array.from({ length: bins }, (_, k) => list.map((bin) => Number(bin >= k))));
      const products = steps.reduce<number[][]>(
        (rows, own) => rows.flatMap((row) => own.map((step) => row.map((value, k) => value * step[k]))),
        [new Array(n).fill(1)],
      );
      const moments = tf.tensor2d([products.map((row) => row.reduce((sum, value) => sum + value, 0))]);
      const entropies = entropiesOf(moments, variables, bins, { form: "moments", scale: 1 / n });
      for (let subset = 1; subset < 1 << variables; subset++) {
        const counts = new Map<string, number>();
        for (let k = 0; k < n; k++) {
          const cell = drawn.filter((_, v) => subset >> v & 1).map((list) => list[k]).join();
          counts.set(cell, (counts.get(cell) ?? 0) + 1 / n);
        }
        const expected = [...counts.values()].reduce((sum, p) => sum - p * Math.log(p), 0);
        assertAlmostEquals(values(entropies)[subset - 1], expected, 1e-4);
      }
      const table = jointTable(moments, variables, bins, { form: "moments", scale: 1 / n });
      assertEquals(table.shape, [1, ...new Array(variables).fill(bins)]);
      assertAlmostEquals(values(tf.sum(table))[0], 1, 1e-5);
      // The same from the cells' counts.
      const reading = { form: "shares", scale: 1 } as const;
      const shares = tf.reshape(table, [1, -1]) as tf.Tensor2D;
      assertClose(values(entropiesOf(shares, variables, bins, reading)), values(entropies), 1e-5);
      assertEquals(values(jointTable(shares, variables, bins, reading)), values(table));
    });
  }
});

Deno.test("tables by counting and by products hold the same observations, weighed or not, and take what is no number", () => {
  const random = new Random(3);
  const drawn = (rows: number, n: number) =>
    tf.tensor3d(Array.from({ length: rows * 4 * n }, () => random.uniform()), [rows, 4, n]);
  tf.tidy(() => {
    const sets = (weighed: boolean) =>
      [[2, 17], [1, weighed ? 9 : 17]].map(([rows, n]) => ({
        values: drawn(rows, n),
        portions: weighed ? tf.tensor2d(Array.from({ length: n }, (_, k) => k % 3 === 0 ? 0 : 1 / n), [1, n]) : null,
      }));
    for (const weighed of [false, true]) {
      const given = sets(weighed);
      for (const others of [[[1], [2], [3]], [[2]], [[1, 2], [1, 3], [3, 2]], [[2, 3]]]) {
        const variables = others[0].length + 1;
        const made = (bins: number, few: number) => tablesOf(given, variables, bins, "hard", [0, 1], few);
        for (const bins of [2, 5]) {
          const [counted, multiplied] = [made(bins, 0), made(bins, Infinity)];
          assertEquals([counted.form, multiplied.form], ["shares", "moments"]);
          const [a, b] = [counted, multiplied].map((tables) => jointTable(tables.of(others), variables, bins, tables));
          assertEquals(a.shape, [3 * others.length, ...new Array(variables).fill(bins)]);
          assertClose(values(a), values(b), 1e-6);
        }
      }
    }
    const odd = [{ values: tf.tensor3d([[[NaN, -Infinity, Infinity, 2], [0, 0, 0.5, -1]]]), portions: null }];
    assertEquals(values(tablesOf(odd, 2, 2, "hard", [0, 1], 0).of([[1]])), [2, 0, 1, 1]);
  });
});

Deno.test("mismatched pairs are judged with the estimate: as the matched ones of equal samples, in every form", () => {
  tf.tidy(() => {
    for (const m of [1, 2, 3]) {
      const one = Array.from({ length: 1 + m }, (_, v) => row(40, v));
      const equal = tf.tensor3d([one, one, one, one, one]);
      const varied = tf.tensor3d(Array.from({ length: 5 }, (_, n) => one.map((_, v) => row(40, v + 7.3 * n))));
      for (const estimator of ["hard", "soft", "straight-through", "gaussian", "official"] as const) {
        for (const weights of [null, tf.tensor1d([1, 1, 2, 1, 0])]) {
          for (const granularity of ["sample", "batch"] as const) {
            const options = { estimator, granularity };
            const { floor, ...matched } = informationOfVectors(equal, options, weights, 3);
            assertEquals(floor!.nmi.shape, [3, m]);
            assertEquals(floor!.ncmi.shape, [3, m, m]);
            for (const quantity of ["nmi", "ncmi", "mi", "cmi"] as const) {
              const rows = tf.slice(matched[quantity] as tf.Tensor, 0, 3);
              assertClose(values(floor![quantity]), values(rows), 1e-4);
            }
            const found = informationOfVectors(varied, options, weights, 3);
            const plain = informationOfVectors(varied, options, weights);
            assertEquals(plain.floor, null);
            assertClose(values(found.nmi), values(plain.nmi), 1e-6);
            if (granularity === "batch") continue;
            // Fused features of samples 1, 2, 3 with the parts of 0, 1, 2.
            const mixed = tf.concat(
              [tf.slice(varied, [1, 0, 0], [3, 1, -1]), tf.slice(varied, [0, 1, 0], [3, m, -1])],
              1,
            );
            const expected = informationOfVectors(mixed as tf.Tensor3D, options);
            assertClose(values(found.floor!.nmi), values(expected.nmi), 1e-5);
            assertClose(values(found.floor!.ncmi), values(expected.ncmi), 1e-5);
          }
        }
      }
      assertThrows(() => informationOfVectors(equal, {}, null, 5), Refusal, "at least 6: found 5");
    }
  });
});

const vectors = fc.record({
  d: fc.integer({ min: 5, max: 40 }),
  m: fc.integer({ min: 1, max: 4 }),
  batch: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  bins: fc.integer({ min: 2, max: 5 }),
  mix: fc.double({ min: 0, max: 2, noNaN: true }),
});

function drawn({ d, m, batch, seed, mix }: { d: number; m: number; batch: number; seed: number; mix: number }) {
  const random = new Random(seed);
  const draw = () => tf.tensor2d(Array.from({ length: batch * d }, () => random.normal()), [batch, d]);
  const parts: Record<string, tf.Tensor2D> = {};
  for (let u = 0; u < m; u++) parts[`m${u}`] = draw();
  const fused = Object.values(parts).reduce<tf.Tensor>((sum, part) => tf.add(sum, tf.mul(part, mix)), draw());
  return { parts, fused: fused as tf.Tensor2D };
}

Deno.test("informationOf() is within [0, 1], and straight-through has the values of hard bins", () => {
  fc.assert(
    fc.property(vectors, (given) => {
      tf.tidy(() => {
        const { parts, fused } = drawn(given);
        for (const estimator of ["hard", "soft"] as const) {
          const { nmi, ncmi } = informationOf(parts, fused, { bins: given.bins, estimator });
          for (const value of [...values(nmi), ...values(ncmi)]) assert(value >= 0 && value <= 1, `${value}`);
        }
        const hard = informationOf(parts, fused, { bins: given.bins, estimator: "hard" });
        const through = informationOf(parts, fused, { bins: given.bins });
        assertClose(values(through.nmi), values(hard.nmi), 1e-6);
        assertClose(values(through.ncmi), values(hard.ncmi), 1e-6);
      });
    }),
    { numRuns: 40 },
  );
});

Deno.test("informationOf() does not depend on the names' order, the coordinates' order, scale, shift or other rows", () => {
  fc.assert(
    fc.property(vectors, (given) => {
      tf.tidy(() => {
        const { parts, fused } = drawn(given);
        const { m, bins, d } = given;
        const options = { bins, estimator: "hard" as const };
        const plain = informationOf(parts, fused, options);
        const names = Object.keys(parts);
        const reversed = byModality(names, (_, u) => parts[names[m - 1 - u]]);
        const turned = informationOf(reversed, fused, options);
        assertClose(values(tf.reverse(turned.nmi, 1)), values(plain.nmi), 1e-5);
        assertClose(values(tf.reverse(turned.ncmi, [1, 2])), values(plain.ncmi), 1e-5);
        const order = tf.tensor1d([...new Random(3).permutation(d)], "int32");
        const moved = informationOf(
          byModality(names, (name) => tf.gather(parts[name], order, 1) as tf.Tensor2D),
          tf.gather(fused, order, 1) as tf.Tensor2D,
          options,
        );
        assertClose(values(moved.nmi), values(plain.nmi), 1e-5);
        const alone = informationOf(
          byModality(names, (name) => tf.slice(parts[name], [0, 0], [1, d])),
          tf.slice(fused, [0, 0], [1, d]),
          options,
        );
        assertClose(values(alone.nmi), values(tf.slice(plain.nmi, [0, 0], [1, m])), 1e-5);
      });
    }),
    { numRuns: 25 },
  );
});

Deno.test("a copy has NMI 1, independent parts have little, and more mixing gives more", () => {
  tf.tidy(() => {
    const random = new Random(5);
    const draw = () => tf.tensor2d(Array.from({ length: 8 * 512 }, () => random.normal()), [8, 512]);
    const [x, z] = [draw(), draw()];
    const nmiOf = (fused: tf.Tensor) => {
      const { nmi } = informationOf({ x, z }, fused as tf.Tensor2D, { bins: 4, estimator: "hard" });
      return values(tf.mean(nmi, 0));
    };
    assertAlmostEquals(nmiOf(x)[0], 1, 1e-5);
    assert(nmiOf(draw())[0] < 0.03);
    const ladder = [0.2, 0.5, 1, 3].map((a) => nmiOf(tf.add(tf.mul(x, a), z))[0]);
    assertEquals(ladder, [...ladder].sort((a, b) => a - b));
  });
});

Deno.test("the gradient of soft bins equals finite differences", () => {
  tf.tidy(() => {
    const { parts, fused } = samples(33, 2);
    const f = (part: tf.Tensor2D) => {
      const { nmi, ncmi } = informationOf({ ...parts, m0: part }, fused, { bins: 3, estimator: "soft" });
      return tf.add(tf.sum(nmi), tf.mul(2, tf.sum(ncmi)));
    };
    const pass = record(() => f(parts.m0));
    const gradient = values(pass.gradients(pass.value, [parts.m0])[0]);
    pass.dispose();
    // Along the gradient itself, where the slope is its length and rounding matters least.
    const slope = Math.hypot(...gradient);
    const direction = gradient.map((g) => g / slope);
    const h = 1e-3;
    const at = (t: number) => values(f(tf.add(parts.m0, tf.mul(tf.tensor2d(direction, [3, 33]), t)) as tf.Tensor2D))[0];
    const difference = (at(h) - at(-h)) / (2 * h);
    assertAlmostEquals(slope, difference, 0.03 * slope);
  });
});

Deno.test("gradients are finite where an entropy vanishes, and straight-through gives those of soft bins", () => {
  tf.tidy(() => {
    const { parts, fused } = samples(33, 2);
    const gradientOf = (part: tf.Tensor2D, estimator: EstimatorName) => {
      const pass = record(() => {
        const { nmi, ncmi } = informationOf({ ...parts, m0: part }, fused, { bins: 3, estimator });
        return tf.add(tf.sum(nmi), tf.sum(ncmi));
      });
      const gradient = values(pass.gradients(pass.value, [part])[0]);
      pass.dispose();
      return gradient;
    };
    for (const value of gradientOf(tf.zeros([3, 33]), "soft")) assert(Number.isFinite(value));
    assertClose(gradientOf(parts.m0, "straight-through"), gradientOf(parts.m0, "soft"), 1e-6);
  });
});

Deno.test("informationOf() refuses unequal widths and bins below 2", () => {
  const fused = tf.ones([2, 8]) as tf.Tensor2D;
  assertThrows(
    () => informationOf({ a: tf.ones([2, 7]) as tf.Tensor2D }, fused),
    Refusal,
    'information of "a" as parts must have the fused width 8: found 7',
  );
  assertThrows(
    () => informationOf({ a: fused }, fused, { bins: 1 }),
    Refusal,
    "bins must be an integer from 2 to 100",
  );
  assertEquals([automaticBins(255), automaticBins(256)], [3, 4]);
});
