import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { bitSets, type InformationSet } from "../../datasets/mod.ts";
import {
  centredRows,
  contributions,
  fusionWeights,
  ranged,
  type SavedFeatures,
  valuate,
  type ValuationInputs,
  valuationTables,
} from "../../miv/mod.ts";
import { informationOf, named } from "../helpers/estimators.ts";
import { assertClose, values } from "../helpers/tensors.ts";

/** A model of m modalities with additive fusion: 11 samples of width 40, 3 classes. */
function saved(m: number, subsets = false): ValuationInputs {
  const random = new Random(9).split(m);
  const [size, width, classes] = [11, 40, 3];
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const names = ["audio", "image", "text", "video"].slice(0, m);
  const parts = Object.fromEntries(names.map((name) => [name, draw(size * width)]));
  const solo = Object.fromEntries(names.map((name) => [name, draw(size * classes)]));
  const sum = (of: Record<string, Float32Array>, members: readonly string[]) =>
    Float32Array.from(
      { length: Object.values(of)[0].length },
      (_, i) => members.reduce((total, name) => total + of[name][i], 0),
    );
  const some: Record<string, Float32Array> = {};
  if (subsets) {
    for (let mask = 1; mask < 1 << m; mask++) {
      const members = names.filter((_, u) => mask >> u & 1);
      if (members.length > 1) some[members.join("+")] = sum(solo, members);
    }
  }
  return {
    labels: Int32Array.from({ length: size }, (_, n) => n % classes),
    classes,
    width,
    logits: sum(solo, names),
    solo,
    fused: sum(parts, names),
    parts,
    subsets: some,
  };
}

Deno.test("valuate() puts together what its formulas give, for 1 to 4 modalities", async () => {
  for (const m of [1, 2, 3, 4]) {
    const inputs = saved(m);
    const found = await valuate(inputs, { batchSize: 4 });
    const names = Object.keys(inputs.parts);
    tf.tidy(() => {
      const rows = (array: SavedFeatures) => tf.tensor2d(centredRows(Float32Array.from(array), 40), [11, 40]);
      const { nmi, ncmi } = informationOf(
        Object.fromEntries(names.map((name) => [name, rows(inputs.parts[name])])),
        rows(inputs.fused),
        { estimator: "hard" },
      );
      const truth = (logits: SavedFeatures) =>
        tf.sum(
          tf.mul(
            tf.softmax(tf.tensor2d(Float32Array.from(logits), [11, 3])),
            tf.oneHot(tf.tensor1d(inputs.labels, "int32"), 3),
          ),
          1,
        );
      const p = truth(inputs.logits) as tf.Tensor1D;
      const solo = tf.stack(names.map((name) => truth(inputs.solo[name])), 1) as tf.Tensor2D;
      const phi = contributions(p, solo, nmi, ncmi);
      assertClose(found.perSample.nmi, values(nmi), 1e-5);
      assertClose(found.perSample.ncmi, values(ncmi), 1e-5);
      assertClose(found.perSample.phi, values(phi), 1e-5);
      assertClose(found.perSample.fusionWeights, values(fusionWeights(ranged(phi, "shift"))), 1e-4);
      const mean = values(tf.mean(phi, 0));
      found.perModality.forEach((row, u) => {
        assertEquals(row.modality, names[u]);
        assertAlmostEquals(row.phi, mean[u], 1e-5);
      });
      assertAlmostEquals(found.joint, mean.reduce((sum, value) => sum + value, 0) / m, 1e-5);
    });
    // Sum of weights is m; classes together are the whole; the lower bound is below every modality's share.
    for (let n = 0; n < 11; n++) {
      assertAlmostEquals(found.perSample.fusionWeights.subarray(n * m, (n + 1) * m).reduce((a, b) => a + b), m, 1e-4);
      for (let u = 0; u < m; u++) assert(found.perSample.bound[n] <= found.perSample.phiMi[n * m + u] + 1e-6);
    }
    const weighted = found.perClass.reduce((sum, row) => sum + row.joint! * row.count, 0) / 11;
    assertAlmostEquals(weighted, found.joint, 1e-6);
    assertEquals(found.warnings.length, 1); // 40 coordinates are few
  }
});

Deno.test("valuate() with every subset gives exact Shapley values that add up to what all modalities add", async () => {
  const inputs = saved(3, true);
  const { shapleyAccuracy, shapleyProbability, accuracy } = await valuate(inputs);
  for (const result of [shapleyAccuracy!, shapleyProbability!]) {
    const total = result.subsets["audio+image+text"] - result.subsets[""];
    assertAlmostEquals(result.mean.reduce((sum, value) => sum + value, 0), total, 1e-6);
    const column = (u: number) =>
      result.values.filter((_, k) => k % 3 === u).reduce((sum, value) => sum + value, 0) / 11;
    assertClose(result.mean, [0, 1, 2].map(column), 1e-5);
    assertAlmostEquals(result.interaction[0][1], result.interaction[1][0], 1e-12);
  }
  assertAlmostEquals(shapleyAccuracy!.subsets["audio+image+text"], accuracy, 1e-9);
  assertAlmostEquals(shapleyAccuracy!.subsets[""], 4 / 11, 1e-6);
  // Two modalities need no more than solo logits; three lack their pairs.
  assert((await valuate(saved(2))).shapleyAccuracy !== null);
  assertEquals((await valuate(saved(3))).shapleyAccuracy, null);
});

Deno.test("valuate() of three modalities: NCMI is the mean over samples and over the other modalities, and has a floor of its own", async () => {
  const { perModality, perSample: { ncmi } } = await valuate(saved(3));
  perModality.forEach((row, j) => {
    let sum = 0;
    for (let n = 0; n < 11; n++) for (let i = 0; i < 3; i++) if (i !== j) sum += ncmi[(n * 3 + i) * 3 + j];
    assertAlmostEquals(row.ncmi, sum / 22, 1e-6);
    assert(row.ncmiFloor! > row.nmiFloor! && row.ncmiFloor! < 1, `${row.ncmiFloor} ${row.nmiFloor}`);
  });
});

Deno.test("valuate() takes every estimator; the floor is below matched information; order of modalities is no matter", async () => {
  const inputs = saved(2);
  for (const estimator of ["straight-through", "soft", "gaussian", "official", "ksg"] as const) {
    const found = await valuate(inputs, { estimator: named(estimator) });
    assertEquals(found.estimator["estimator"], named(estimator).name);
    for (const row of found.perModality) {
      assert(Number.isFinite(row.phi) && row.nmiFloor! < row.nmi, `${estimator} ${row.nmi}`);
      assert(Number.isFinite(row.ncmiFloor), `${estimator} ${row.ncmiFloor}`);
    }
  }
  const swapped = await valuate({ ...inputs, parts: { image: inputs.parts["image"], audio: inputs.parts["audio"] } });
  assertEquals(swapped.perSample.phi, (await valuate(inputs)).perSample.phi);
  // A sample's contribution does not depend on the batch it is measured with.
  const small = await valuate(inputs, { batchSize: 3 });
  assertClose(small.perSample.phi, (await valuate(inputs)).perSample.phi, 1e-6);
});

/** Contributions of bits shown as 400 coordinates, at certain readouts (p = 1). */
function bitContributions(set: InformationSet): { phi: number[]; nmi: number[] } {
  const { sources, target } = set.sample(4000, new Random(3));
  return tf.tidy(() => {
    const row = (array: ArrayLike<number>) => tf.tensor2d([...Array.from(array)], [1, 4000]);
    // Two of the sets have a target of four values: bins of its range.
    const { nmi, ncmi } = informationOf(
      { x1: row(sources["x1"].values), x2: row(sources["x2"].values) },
      row(target.values),
      { estimator: "hard", edges: "range", bins: 4 },
    );
    const phi = contributions(tf.ones([1]), tf.ones([1, 2]), nmi, ncmi);
    return { phi: values(phi), nmi: values(nmi) };
  });
}

// The table of docs/valuation.md: I_i, NC and phi_i at p = 1 in theory.
const theory = {
  // phi = 1 + (1 - 0)
  redundant: [2, 2],
  // the first: 1 + (0 - 0); the second: 0 + (1 - 1)
  unique: [1, 0],
  // 0 + (0 - 1)
  synergy: [-1, -1],
  // I = ln 2 / sqrt(ln 2 ln 4), NC = ln 2 / sqrt(ln 2 ln 2): 0.7071 + (0.7071 - 1)
  copy: [Math.SQRT2 - 1, Math.SQRT2 - 1],
} as const;

for (const [kind, expected] of Object.entries(theory)) {
  Deno.test(`contributions of ${kind} modalities have the signs and sizes that theory demands`, async () => {
    const { phi } = bitContributions(bitSets[kind as keyof typeof theory]);
    assertClose(phi, expected, 0.02);
    const text = await Deno.readTextFile(new URL("../../docs/valuation.md", import.meta.url));
    const line = text.split("\n").find((row) => row.startsWith(`| ${kind} `))!;
    const shown = line.split("|").slice(-3, -1).map((cell) => Number(cell.trim().replace("−", "-")));
    assertClose(shown, expected, 0.01);
  });
}

Deno.test("a copied modality in an additive fusion is redundant; an independent one beside it adds less than itself", () => {
  tf.tidy(() => {
    const random = new Random(1);
    const draw = () => tf.tensor2d(Array.from({ length: 8 * 512 }, () => random.normal()), [8, 512]);
    const [a, b] = [draw(), draw()];
    const phiOf = (x: tf.Tensor2D, y: tf.Tensor2D) => {
      const { nmi, ncmi } = informationOf({ x, y }, tf.add(x, y) as tf.Tensor2D, { estimator: "hard" });
      return values(tf.mean(contributions(tf.ones([8]), tf.ones([8, 2]), nmi, ncmi), 0));
    };
    // A copy: I = 1 and NC = 0 by convention, phi = 2 each.
    assertClose(phiOf(a, a), [2, 2], 1e-4);
    // Independent parts of a sum: each makes the other readable, NC > I, and interaction information is negative.
    const [first, second] = phiOf(a, b);
    assert(first < 0.2 && second < 0.2, `${first} ${second}`);
  });
});

Deno.test("valuationTables() has one row per modality, class and sample, without holes", async () => {
  const inputs = saved(2);
  const found = await valuate(inputs, { classes: ["a", "b", "c"] });
  const tables = valuationTables(found, inputs.labels);
  assertEquals([tables.modalities.rows.length, tables.classes.rows.length, tables.samples.rows.length], [2, 3, 11]);
  for (const { columns, rows } of Object.values(tables)) {
    for (const row of rows) assertEquals(row.length, columns.length);
  }
  assertEquals(tables.samples.rows[4].slice(0, 2), [4, "b"]);
  assertEquals(tables.samples.columns.slice(-3), ["shapley:image", "ncmi:image|audio", "ncmi:audio|image"]);
});

Deno.test("every column of the tables of three modalities is what its name says, by sample, class and modality", async () => {
  const inputs = saved(3, true);
  const found = await valuate(inputs, { classes: ["a", "b", "c"] });
  const { perSample: s, perModality, perClass, shapleyProbability, shapleyAccuracy } = found;
  const { modalities, classes, samples } = valuationTables(found, inputs.labels);
  const names = ["audio", "image", "text"];
  const every = Array.from({ length: 11 }, (_, n) => n);
  const mean = (items: readonly number[], of: (n: number) => number) =>
    items.reduce((sum, n) => sum + of(n), 0) / items.length;
  const softmax = (logits: SavedFeatures, n: number) => {
    const powers = [0, 1, 2].map((c) => Math.exp(logits[3 * n + c]));
    return powers.map((power) => power / powers.reduce((a, b) => a + b));
  };
  /** The probability of the true class, and whether it is the largest. */
  const truth = (logits: SavedFeatures, n: number) => softmax(logits, n)[inputs.labels[n]];
  const hit = (logits: SavedFeatures, n: number) => truth(logits, n) === Math.max(...softmax(logits, n)) ? 1 : 0;
  const at = (values: Float32Array, u: number) => (n: number) => values[3 * n + u];
  const own = (column: string, row: number) => modalities.rows[row][modalities.columns.indexOf(column)] as number;
  assertEquals(modalities.rows.map(([name]) => name), names);
  const given = (j: number, n: number) => [0, 1, 2].filter((i) => i !== j).map((i) => s.ncmi[(3 * n + i) * 3 + j]);
  names.forEach((name, u) => {
    const solo = inputs.solo[name];
    const expected: Record<string, number> = {
      accuracy: mean(every, (n) => hit(solo, n)),
      p: mean(every, (n) => truth(solo, n)),
      nmi: mean(every, at(s.nmi, u)),
      ncmi: mean(every, (n) => given(u, n).reduce((a, b) => a + b) / 2),
      phiMi: mean(every, at(s.phiMi, u)),
      phi: mean(every, at(s.phi, u)),
      negative: mean(every, (n) => s.phi[3 * n + u] < 0 ? 1 : 0),
      fusionWeight: mean(every, at(s.fusionWeights, u)),
      shapleyAccuracy: shapleyAccuracy!.mean[u],
      shapleyProbability: mean(every, at(shapleyProbability!.values, u)),
    };
    for (const [column, value] of Object.entries(expected)) assertAlmostEquals(own(column, u), value, 1e-5, column);
    // The floors are of other pairs: a test of their own has them.
    assertEquals(
      modalities.columns.filter((column) => !Object.hasOwn(expected, column)),
      ["modality", "nmiFloor", "ncmiFloor"],
    );
    assertEquals([own("nmiFloor", u), own("ncmiFloor", u)], [perModality[u].nmiFloor, perModality[u].ncmiFloor]);
  });
  const row = (table: typeof classes, k: number) =>
    Object.fromEntries(table.columns.map((column, c) => [column, table.rows[k][c]])) as Record<string, number>;
  const perName = (column: string, value: (u: number) => number) =>
    names.map((name, u) => [`${column}:${name}`, value(u)] as const);
  for (let c = 0; c < 3; c++) {
    const items = every.filter((n) => n % 3 === c);
    const found = row(classes, c);
    assertEquals([found["class"], found["count"]], [["a", "b", "c"][c], items.length] as unknown as number[]);
    const expected = Object.fromEntries([
      ["accuracy", mean(items, (n) => hit(inputs.logits, n))],
      ["p", mean(items, (n) => truth(inputs.logits, n))],
      ["joint", mean(items, (n) => s.phi.subarray(3 * n, 3 * n + 3).reduce((a, b) => a + b) / 3)],
      ...perName("phi", (u) => mean(items, at(s.phi, u))),
      ...perName("nmi", (u) => mean(items, at(s.nmi, u))),
      ...perName("p", (u) => mean(items, (n) => truth(inputs.solo[names[u]], n))),
    ]);
    for (const [column, value] of Object.entries(expected)) assertAlmostEquals(found[column], value, 1e-5, column);
    assertEquals(Object.keys(found).length, 2 + Object.keys(expected).length);
    assertEquals(perClass[c].count, items.length);
  }
  for (const n of [0, 4, 10]) {
    const found = row(samples, n);
    assertEquals([found["sample"], found["class"]], [n, ["a", "b", "c"][n % 3]] as unknown as number[]);
    const expected = Object.fromEntries([
      ["p", truth(inputs.logits, n)],
      ["joint", s.phi.subarray(3 * n, 3 * n + 3).reduce((a, b) => a + b) / 3],
      ["bound", s.bound[n]],
      ...perName("phi", (u) => s.phi[3 * n + u]),
      ...perName("phiMi", (u) => s.phiMi[3 * n + u]),
      ...perName("nmi", (u) => s.nmi[3 * n + u]),
      ...perName("p", (u) => truth(inputs.solo[names[u]], n)),
      ...perName("fw", (u) => s.fusionWeights[3 * n + u]),
      ...perName("shapley", (u) => shapleyProbability!.values[3 * n + u]),
      // NCMI of j given i.
      ...[[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]].map(([i, j]) =>
        [`ncmi:${names[j]}|${names[i]}`, s.ncmi[(3 * n + i) * 3 + j]] as const
      ),
    ]);
    for (const [column, value] of Object.entries(expected)) assertAlmostEquals(found[column], value, 1e-5, column);
    assertEquals(Object.keys(found).length, 2 + Object.keys(expected).length);
  }
});

Deno.test("valuate() of one sample and of a class without samples: no NaN anywhere, a note instead", async () => {
  const all = saved(2);
  const first = (values: SavedFeatures, width: number) => values.subarray(0, width) as SavedFeatures;
  const one: ValuationInputs = {
    ...all,
    labels: all.labels.subarray(0, 1),
    logits: first(all.logits, 3),
    fused: first(all.fused, 40),
    parts: { audio: first(all.parts["audio"], 40), image: first(all.parts["image"], 40) },
    solo: { audio: first(all.solo["audio"], 3), image: first(all.solo["image"], 3) },
  };
  const found = await valuate(one, { classes: ["a", "b", "c"] });
  assert(found.warnings.some((text) => text.startsWith("one sample: it is not centred")));
  assert(found.warnings.includes("classes without a sample have no means: b, c"));
  assertEquals(found.perClass.map(({ count, joint }) => [count, joint === null]), [[1, false], [0, true], [0, true]]);
  assertEquals(found.perModality.map(({ nmiFloor, ncmiFloor }) => [nmiFloor, ncmiFloor]), [[null, null], [null, null]]);
  assertEquals(found.estimator["centring"], "none");
  // Not centred: what is left of the sample has information.
  assert(found.perModality.every(({ nmi }) => nmi > 0));
  for (const { rows } of Object.values(valuationTables(found, one.labels))) {
    for (const cell of rows.flat()) assert(cell === null || typeof cell === "string" || Number.isFinite(cell));
  }
});

Deno.test("valuate() centres features of 64 bits before it narrows them, whatever their mean and scale", async () => {
  const inputs = saved(2);
  const expected = await valuate(inputs);
  for (const [scale, shift] of [[1, 1e9], [1e-60, 0], [1e60, 1e64]]) {
    for (const centring of ["batch", "none"] as const) {
      const moved = (values: SavedFeatures) => Float64Array.from(values, (value) => value * scale + shift);
      const found = await valuate(
        {
          ...inputs,
          fused: moved(inputs.fused),
          parts: { audio: moved(inputs.parts["audio"]), image: moved(inputs.parts["image"]) },
        },
        { centring },
      );
      const reference = centring === "batch" ? expected : await valuate(inputs, { centring });
      assertClose(found.perSample.nmi, reference.perSample.nmi, 1e-3);
      assertClose(found.perSample.phi, reference.perSample.phi, 1e-2);
    }
  }
});

Deno.test("valuate() says what is wrong with its inputs", async () => {
  const good = saved(2);
  const refuses = async (changed: Partial<ValuationInputs>, text: string) => {
    await assertRejects(() => valuate({ ...good, ...changed }), Refusal, text);
  };
  await refuses({ parts: {}, solo: {} }, "at least one modality");
  await refuses({ solo: { audio: good.solo["audio"] } }, "same modalities: found audio, image and audio");
  await refuses({ labels: new Int32Array(0) }, "a label per sample: found none");
  await refuses(
    { labels: good.labels.with(3, 7) },
    "labels as they must be 0..2, a column of logits each: found 7 at sample 3",
  );
  await refuses(
    { logits: good.logits.slice(1) },
    "logits as its shape must be [11, 3], 33 values: found 32, beside logits 32",
  );
  await refuses({ labels: good.labels.slice(1) }, "logits as its shape must be [10, 3], 30 values: found 33");
  await refuses(
    { parts: { ...good.parts, image: new Float32Array(11 * 8) } },
    'part "image" as its shape must be [11, 40], 440 values: found 88, beside logits 33, fused 440, part "audio" 440',
  );
  await refuses({ classes: 1 }, "classes must be an integer >= 2: found 1");
  await refuses({ width: 0.5 }, "width must be an integer >= 1: found 0.5");
  await refuses({ subsets: { "image+audio": good.logits } }, "in sorted order, joined by +");
  await refuses({ subsets: { "audio+video": good.logits } }, 'subset "audio+video"');
  for (const name of ["a+b", "constructor", "__proto__", "none", "a:b"]) {
    const parts = Object.fromEntries([[name, good.parts["audio"]], ["image", good.parts["image"]]]);
    const solo = Object.fromEntries([[name, good.solo["audio"]], ["image", good.solo["image"]]]);
    await refuses({ parts, solo }, `Cannot use modality ${JSON.stringify(name)}`);
  }
  await assertRejects(
    () => valuate({ ...good, fused: (good.fused as Float32Array).with(5, NaN) }),
    Error,
    "fused as every value must be finite: found NaN at index 5",
  );
});
