/** The competition regularizer against autograd over NumPy, where every player's term is written out. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { classContrast, permutationEffect } from "../../baselines/mod.ts";
import { mapByModality } from "../../core/modality.ts";
import type { TrainStep } from "../../core/kinds/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { membersOf } from "../../miv/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { train } from "../../training/mod.ts";
import { assertClose, golden, values } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

interface Setting {
  readonly m: number;
  readonly permuted: Record<string, number[][]>;
  readonly bias: number[];
}
interface Golden {
  readonly effects: (Setting & { J: { subset: string[]; value: number }[] })[];
  readonly games: (Setting & { interest: number; moving: boolean; gradients: Record<string, number[][]> })[];
  readonly contrast: { labels: number[]; value: number }[];
}
const reference = golden<Golden>("mcr");

const LOGITS: Record<string, number[][]> = {
  audio: [[2, 0, -1], [0.5, 1, 0], [0, 0, 1]],
  image: [[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0]],
  text: [[0, 0.3, 0], [0, 0, 0.6], [0.2, 0, 0.4]],
};
const inputsOf = ({ m, permuted, bias }: Setting, interest: number, moving: boolean) => ({
  parts: Object.fromEntries(Object.keys(LOGITS).slice(0, m).map((name) => [name, tf.tensor2d(LOGITS[name])])),
  rest: tf.tensor2d([bias]),
  permuted: mapByModality(permuted, (own) => tf.tensor1d(own.flat(), "int32")),
  permutations: permuted.audio.length,
  interest,
  moving,
});

Deno.test("permutationEffect(): how far predictions move, for every subset of two and three modalities", () => {
  for (const found of reference.effects) {
    tf.tidy(() => {
      const inputs = inputsOf(found, -1, false);
      for (const { subset, value } of found.J) {
        assertAlmostEquals(values(tf.mean(permutationEffect(subset, inputs)))[0], value, 1e-6);
      }
    });
  }
});

Deno.test("mcr's loss is the sum of the effects of all proper subsets, under the permutations that it draws", () => {
  for (const found of reference.effects) {
    tf.tidy(() => {
      const { parts, rest, permutations } = inputsOf(found, -1, false);
      const modalities = Object.keys(parts);
      const plugin = createLibrary().of("method").get("mcr");
      const options = { competition: 0.7, readouts: 0, contrast: 0, permutations };
      const method = plugin.create(options, { modalities, classes: 3 });
      // The i-th largest number of a row of noise says which row the i-th takes.
      const noise = modalities.flatMap((name) =>
        found.permuted[name].map((order) => {
          const row = new Array<number>(3).fill(0);
          order.forEach((from, i) => row[from] = 1 - i / 4);
          return row;
        })
      );
      const step = {
        modalities,
        keep: null,
        labels: tf.tensor1d([0, 1, 2], "int32"),
        features: mapByModality(parts, (pooled) => ({ pooled })),
        kernels: () => mapByModality(parts, () => tf.eye(3)),
        output: { logits: tf.add(tf.addN(Object.values(parts)), rest), own: parts },
        scope: { group: () => ({ random: () => tf.tensor2d(noise) }), weights: () => null },
      };
      const { competition } = method.loss!(step as unknown as TrainStep);
      const expected = found.J.reduce((sum, { value }) => sum + value, 0);
      assertAlmostEquals(values(tf.mean(competition))[0], -0.7 * expected, 1e-6);
    });
  }
});

for (const found of reference.games) {
  Deno.test(`permutationEffect(): gradients of the game of ${found.m}, k = ${found.interest}, target ${found.moving ? "moving" : "fixed"}`, () => {
    tf.tidy(() => {
      const inputs = inputsOf(found, found.interest, found.moving);
      const names = Object.keys(inputs.parts);
      const subsets = Array.from({ length: 2 ** found.m - 2 }, (_, s) => membersOf(s + 1, names));
      const pass = record(() => tf.neg(tf.addN(subsets.map((subset) => tf.mean(permutationEffect(subset, inputs))))));
      const gradients = pass.gradients(pass.value, names.map((name) => inputs.parts[name]));
      names.forEach((name, u) => assertClose(values(gradients[u]!), found.gradients[name].flat(), 1e-6));
      pass.dispose();
    });
  });
}

Deno.test("classContrast(): pairs of one class against the rest; 0 without pairs; rows of weight 0 do not count", () => {
  tf.tidy(() => {
    const features = tf.tensor2d([[1, 0], [0.8, 0.6], [1, 1], [0, 1]]);
    const of = (labels: number[], weights = [1, 1, 1, 1], rows = features) =>
      values(classContrast(rows, tf.tensor1d(labels, "int32"), tf.tensor1d(weights), 0.5))[0];
    for (const { labels, value } of reference.contrast) assertAlmostEquals(of(labels), value, 1e-5);
    const more = tf.concat([features, tf.tensor2d([[-3, 5]])]) as tf.Tensor2D;
    assertAlmostEquals(of([0, 1, 0, 1, 0], [1, 1, 1, 1, 0], more), reference.contrast[0].value, 1e-5);
  });
});

const library = createLibrary();
const engine = await onnxCpu.create();

Deno.test("mcr trains three modalities above chance, and without its terms equals plain training bit for bit", async () => {
  const dataset = await toyDataset(3);
  const run = (methods: Parameters<typeof toyModel>[3], fusion = "concat", widthOf?: (u: number) => number) =>
    train({
      model: toyModel(library, dataset, fusion, methods, {}, widthOf),
      dataset,
      engine,
      training: { ...toyTraining, epochs: 4, select: "last" },
      seed: 0,
    });
  const params = async (result: ReturnType<typeof run>) => {
    const { params } = await result;
    return Object.fromEntries(
      Object.entries(params).filter(([full]) => !full.startsWith("head:")).map(([full, { data }]) => [full, data]),
    );
  };
  const off = { competition: 0, readouts: 0, contrast: 0 };
  assertEquals(await params(run([["mcr", off]])), await params(run([])));
  for (const fusion of ["concat", "decision"]) {
    // Of unequal widths, then of one, whose features are contrasted with each other's.
    for (const widthOf of [undefined, () => 8]) {
      const { summary } = await run([["mcr", { permutations: 4 }]], fusion, widthOf);
      assert(summary.test.accuracy > 0.5, `${fusion}: ${summary.test.accuracy}`);
    }
  }
});

Deno.test("mcr: a heavier game makes predictions depend more on each modality; fusions that are not linear are refused", async () => {
  const plugin = library.of("method").get("mcr");
  const context = { modalities: ["audio", "image"], classes: 3 };
  const refusal = (fusion: string) =>
    plugin.refuses!(library.of("fusion").get(fusion).create({}, context), context, {});
  assertEquals([refusal("concat"), refusal("sum"), refusal("decision")], [null, null, null]);
  assert(refusal("film")!.includes("no sum of such"));
  const dataset = await toyDataset(2);
  const effect = async (competition: number) => {
    const records: Record<string, number>[] = [];
    await train({
      model: toyModel(library, dataset, "concat", [["mcr", { competition, contrast: 0, readouts: 0 }]]),
      dataset,
      engine,
      training: { ...toyTraining, epochs: 6 },
      seed: 0,
      onEpoch: ({ loss }) => void records.push({ ...loss }),
    });
    return -records[records.length - 1].competition / competition;
  };
  // The weight of the game is what makes predictions depend on modalities.
  assert(await effect(1) > await effect(1e-3));
});
