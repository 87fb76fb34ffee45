import { assertAlmostEquals, assertEquals } from "@std/assert";
import { selectEngine } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { argmaxRows, predictionsOf, softmaxRows } from "../../training/mod.ts";
import { toyDataset, toyModel } from "../helpers/toy.ts";
import { trained } from "../helpers/train.ts";

Deno.test("softmaxRows() gives e^x over its sum, each row by itself, and bears large logits", () => {
  const rows = softmaxRows(Float32Array.of(0, Math.log(3), 1000, 1000), 2);
  assertAlmostEquals(rows[0], 0.25, 1e-7);
  assertAlmostEquals(rows[1], 0.75, 1e-7);
  assertEquals([...rows.slice(2)], [0.5, 0.5]);
});

Deno.test("predictionsOf() keeps classes, probabilities and contributions of each sample, by hand for m = 3", () => {
  const log = (...p: number[]) => Float32Array.from(p, Math.log);
  const m = 3;
  // Two samples, two classes; information of 0 leaves phi to the probabilities alone.
  const pass = {
    logits: log(0.2, 0.8, 0.6, 0.4),
    pooled: {},
    solo: { a: log(0.5, 0.5, 0.9, 0.1), b: log(0.3, 0.7, 0.2, 0.8), c: log(0.6, 0.4, 0.5, 0.5) },
    ablateMean: {},
    nmi: new Float32Array(2 * m),
    ncmi: new Float32Array(2 * m),
    fused: new Float32Array(2),
    parts: {},
  };
  const split = { size: 2, labels: Int32Array.of(1, 1), inputs: {}, groups: ["clip", "clip"] };
  const own = predictionsOf(pass, split, "test", ["a", "b", "c"], 2);
  assertEquals(own.split, "test");
  assertEquals([...own.ids], [0, 1]);
  assertEquals([...own.groups], [0, 0]);
  assertEquals([...own.labels], [1, 1]);
  assertEquals([...own.predicted], [1, 0]);
  assertAlmostEquals(own.confidence[0], 0.8, 1e-6);
  assertAlmostEquals(own.confidence[1], 0.6, 1e-6);
  assertAlmostEquals(own.fused![2], 0.6, 1e-6);
  assertAlmostEquals(own.solo!.b[1], 0.7, 1e-6);
  assertAlmostEquals(own.solo!.a[3], 0.1, 1e-6);
  assertEquals(Object.keys(own.phi), ["a", "b", "c"]);
  assertEquals(own.phi.c.length, 2);
});

Deno.test("train() keeps what the tested parameters predict: its accuracies are those of the summary", async () => {
  const library = createLibrary();
  const { engine } = await selectEngine("cpu");
  const dataset = await toyDataset(3);
  const { result: { predictions, summary } } = await trained(
    engine,
    toyModel(library, dataset, "concat", []),
    dataset,
    { training: { learningRate: 0.5 } },
  );
  assertEquals(predictions.map(({ split }) => split), ["validation", "test"]);
  for (const own of predictions) {
    const metrics = summary[own.split];
    const hits = own.labels.filter((label, i) => label === own.predicted[i]).length;
    assertEquals(hits / own.labels.length, metrics.accuracy);
    assertEquals([...own.labels], [...dataset.splits[own.split].labels]);
    for (const modality of ["audio", "image", "text"]) {
      const solo = argmaxRows(own.solo![modality], 3);
      assertEquals(
        solo.filter((c, i) => c === own.labels[i]).length / solo.length,
        metrics.perModality[modality].accuracy,
      );
      const mean = own.phi[modality].reduce((sum, value) => sum + value, 0) / own.labels.length;
      assertAlmostEquals(mean, metrics.perModality[modality].phi, 1e-6);
    }
  }
  await engine.dispose();
});
