/** What information in a training graph must not depend on: the features' unit, constants, the engine. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { float32, type NamedHostTensors, type Program } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { type BoundPart, use } from "../../core/options.ts";
import type { EstimatorPlugin } from "../../core/kinds/mod.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { centred, gaussian, histogram, informationOf, jointTable, tablesOf } from "../../miv/mod.ts";
import { assertClose, values } from "../helpers/tensors.ts";

const [rows, width, names] = [3, 64, ["a", "b", "c"]];

/** Three parts and a fused feature of two of them; `b` is the same everywhere if a level is given. */
function inputs(scale = 1, level?: number): NamedHostTensors {
  const draw = (name: string) => {
    const random = new Random(2).split(name);
    return Float32Array.from({ length: rows * width }, () => scale * random.normal());
  };
  const parts = Object.fromEntries(names.map((name) => [name, draw(name)]));
  if (level !== undefined) parts.b.fill(level);
  const fused = parts.a.map((value, i) => value + parts.c[i]);
  return Object.fromEntries(
    Object.entries({ ...parts, fused }).map(([name, data]) => [name, float32(data, [rows, width])]),
  );
}

/** Information of the parts with the fused feature, and the gradient of all of it towards two of the parts. */
function program(estimator: BoundPart<EstimatorPlugin>): Program {
  const spec = { shape: [rows, width], dtype: "float32" } as const;
  return {
    name: "information",
    state: {},
    inputs: Object.fromEntries([...names, "fused"].map((name) => [name, spec])),
    apply(_, fed) {
      const parts = Object.fromEntries(names.map((name) => [name, fed[name] as tf.Tensor2D]));
      const pass = record(() => {
        const found = informationOf(parts, fed.fused as tf.Tensor2D, { estimator });
        return { ...found, loss: tf.add(tf.sum(found.nmi), tf.sum(found.ncmi)) };
      });
      const [a, b] = pass.gradients(pass.value.loss, [parts.a, parts.b]);
      pass.dispose();
      return { state: {}, outputs: { nmi: pass.value.nmi, ncmi: pass.value.ncmi, a: a!, b: b! } };
    },
  };
}

/** What a program gives on each engine for each of some inputs. */
async function onBoth(made: Program, given: readonly NamedHostTensors[]) {
  const found: Record<string, readonly number[]>[][] = [];
  for (const plugin of [cpu, onnxCpu]) {
    const engine = await plugin.create();
    const [state, compiled] = [engine.createState({}), await engine.compile(made)];
    const all = [];
    for (const one of given) {
      const outputs = await compiled.run(state, one);
      all.push(Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]])));
    }
    found.push(all);
    compiled.dispose();
    state.dispose();
    await engine.dispose();
  }
  return found;
}

const estimators = {
  "soft, 3 bins": use(histogram, { binning: "soft", bins: 3 }),
  "soft, 9 bins": use(histogram, { binning: "soft", bins: 9 }),
  "straight-through, 4 bins": use(histogram, { binning: "straight-through", bins: 4 }),
  gaussian: use(gaussian),
} as const;

for (const [name, estimator] of Object.entries(estimators)) {
  Deno.test(`${name}: information in a step does not see the features' unit; gradients scale with it`, async () => {
    const scales = [1, 1e-30, 1e-18, 1e-5, 1e-3, 1e5, 1e18, 1e30];
    for (const [right, ...others] of await onBoth(program(estimator), scales.map((scale) => inputs(scale)))) {
      assert(right.nmi.some((value) => value > 0.1));
      others.forEach((found, k) => {
        assertClose(found.nmi, right.nmi, 1e-4);
        assertClose(found.ncmi, right.ncmi, 1e-4);
        // Of gradients the largest say what is right: at 1e30 they are near the smallest numbers there are.
        const largest = Math.max(...right.a.map(Math.abs));
        assertClose(
          found.a.map((value) => value * scales[k + 1] / largest),
          right.a.map((value) => value / largest),
          2e-3,
        );
      });
    }
  });

  Deno.test(`${name}: a constant has no information and no gradient, eager and compiled`, async () => {
    const levels = [0, 0.1, -7.3, 1e5, 1e-20];
    for (const found of await onBoth(program(estimator), levels.map((level) => inputs(1, level)))) {
      for (const { nmi, a, b } of found) {
        assert(b.every((value) => value === 0), `${b.slice(0, 4)}`);
        assert(a.some((value) => value !== 0) && a.every(Number.isFinite));
        // The second column is the constant one.
        assert([1, 4, 7].every((place) => Math.abs(nmi[place]) < 1e-6), `${nmi}`);
      }
    }
  });
}

/** NCMI(y; j | i) of soft bins in double precision, from the definition. */
function softNcmi(vectors: readonly (readonly number[])[], bins: number): number {
  const n = vectors[0].length;
  const hats = vectors.map((vector) => {
    const mean = vector.reduce((sum, x) => sum + x, 0) / n;
    const deviation = Math.sqrt(vector.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
    const delta = 4 / (bins - 1);
    return vector.map((x) => {
      const v = Math.max(-2, Math.min(2, (x - mean) / deviation));
      return Array.from({ length: bins }, (_, k) => Math.max(0, 1 - Math.abs(v + 2 - k * delta) / delta));
    });
  });
  const table = new Map<string, number>();
  for (let o = 0; o < n; o++) {
    hats[0][o].forEach((y, p) =>
      hats[1][o].forEach((j, q) =>
        hats[2][o].forEach((i, r) => {
          if (y * j * i > 0) table.set(`${p},${q},${r}`, (table.get(`${p},${q},${r}`) ?? 0) + y * j * i / n);
        })
      )
    );
  }
  const entropy = (kept: readonly number[]) => {
    const margin = new Map<string, number>();
    for (const [cell, share] of table) {
      const key = kept.map((v) => cell.split(",")[v]).join();
      margin.set(key, (margin.get(key) ?? 0) + share);
    }
    return [...margin.values()].reduce((sum, p) => sum - p * Math.log(p), 0);
  };
  const [given, y, j] = [entropy([2]), entropy([0, 2]), entropy([1, 2])];
  return (y + j - given - entropy([0, 1, 2])) / Math.sqrt((y - given) * (j - given));
}

Deno.test("soft NCMI at 30 bins is that of double precision to 1e-5, eager and compiled; so it is at 3, 4 and 8", async () => {
  const given = inputs();
  const row = (name: string, n: number) => [...given[name].data].slice(n * width, (n + 1) * width);
  for (const bins of [3, 4, 8, 30]) {
    const estimator = use(histogram, { binning: "soft", bins });
    for (const [{ ncmi }] of await onBoth(program(estimator), [given])) {
      for (let n = 0; n < rows; n++) {
        for (const [i, j] of [[0, 1], [1, 0], [1, 2], [2, 0]]) {
          const right = softNcmi([row("fused", n), row(names[j], n), row(names[i], n)], bins);
          assertClose([ncmi[n * 9 + i * 3 + j]], [right], 1e-5);
        }
      }
    }
  }
});

Deno.test("tables of many cells: an empty one is exactly 0, a full one what was counted, hard and soft", () => {
  tf.tidy(() => {
    // Places on an axis whose soft centres are 0 to 5: between centres 1 and 2, and on centre 4.
    const sets = [{ values: tf.tensor3d([[[1.25, 4, 1.25], [4, 1.5, 4]]]), portions: null }];
    const soft = tablesOf(sets, 2, 6, "soft", [0, 5], 0);
    const expected = new Array(36).fill(0);
    [expected[1 * 6 + 4], expected[2 * 6 + 4]] = [1.5, 0.5];
    [expected[4 * 6 + 1], expected[4 * 6 + 2]] = [0.5, 0.5];
    assertEquals([soft.form, values(soft.of([[1]]))], ["shares", expected]);
    const hard = tablesOf(sets, 2, 6, "hard", [0, 6], 0);
    const counted = new Array(36).fill(0);
    [counted[1 * 6 + 4], counted[4 * 6 + 1]] = [2, 1];
    assertEquals(values(hard.of([[1]])), counted);
  });
});

Deno.test("hat functions have the gradient of differences of cumulative functions, on both of their sides", () => {
  const random = new Random(4);
  const drawn = (shape: number[], high: number) =>
    tf.tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => high * random.uniform()), shape);
  tf.tidy(() => {
    const [places, weights] = [drawn([2, 3, 20], 5) as tf.Tensor3D, drawn([2, 6, 6, 6], 1)];
    const gradientOf = (few: number) => {
      const pass = record(() => {
        const tables = tablesOf([{ values: places, portions: null }], 3, 6, "soft", [0, 5], few);
        return tf.sum(tf.mul(jointTable(tables.of([[1, 2]]), 3, 6, tables), weights));
      });
      const [gradient] = pass.gradients(pass.value, [places]);
      pass.dispose();
      return values(gradient);
    };
    const hats = gradientOf(0);
    assert(hats.filter((value) => Math.abs(value) > 1e-3).length > 60);
    assertClose(hats, gradientOf(Infinity), 1e-5);
  });
});

Deno.test("centred(): what all samples have alike is exactly 0, of any size; what only padding changes counts as alike", () => {
  tf.tidy(() => {
    // Seven sevenths of these are not what they were as 32-bit floats.
    const rows = Array.from({ length: 7 }, (_, n) => [0.1, n, 0.3, 7e8, 1e-20]);
    const found = centred(tf.tensor2d([...rows, [9, 9, 9, 9, 9]]), tf.tensor1d([...rows.map(() => 1), 0]));
    const table = found.arraySync() as number[][];
    rows.forEach((_, n) => {
      const [a, b, ...others] = table[n];
      assertEquals([a, ...others], [0, 0, 0, 0]);
      assertClose([b], [n - 3], 1e-6);
    });
    assertClose(table[7].slice(0, 3), [8.9, 6, 8.7], 1e-6);
  });
});
