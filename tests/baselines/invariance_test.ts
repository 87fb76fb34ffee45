/** Methods at their neutral values equal plain training bit for bit, and what each damps or repeats is bounded. */
import fc from "../helpers/properties.ts";
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { discrepancyRatios, modulation } from "../../baselines/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";
import { values } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const dataset = await toyDataset(3);
const run = (fusion: string, methods: [string, Record<string, unknown>][]) =>
  train({
    model: toyModel(library, dataset, fusion, methods),
    dataset,
    engine,
    training: { ...toyTraining, epochs: 2, select: "last" },
    seed: 0,
  });

const neutral: [string, string, Record<string, unknown>][] = [
  ["concat", "sample-valuation", { warmup: 99 }],
  ["mmtm", "sample-valuation", { warmup: 99 }],
  ["sum", "modality-valuation", { warmup: 0, sampler: { name: "masked-share", options: { alpha: 0 } } }],
  ["concat", "uni-ce", { weight: 0 }],
  ["decision", "ogm", { start: 9, end: 9 }],
  ["film", "ogm-ge", { start: 9, end: 9 }],
  ["gated", "ogm", { alpha: 0 }],
];
for (const [fusion, name, options] of neutral) {
  Deno.test(`${name} with ${JSON.stringify(options)} equals plain ${fusion} bit for bit, and by default does not`, async () => {
    const plain = await run(fusion, []);
    const idle = await run(fusion, [[name, options]]);
    for (const [full, { data }] of Object.entries(plain.params)) assertEquals(idle.params[full].data, data, full);
    assertEquals(JSON.stringify(idle.summary.test), JSON.stringify(plain.summary.test));
    const active = "warmup" in library.of("method").get(name).options ? { warmup: 1 } : {};
    const strong = name === "ogm" ? { alpha: 1 } : active;
    assertNotEquals(
      JSON.stringify((await run(fusion, [[name, strong]])).summary.test),
      JSON.stringify(plain.summary.test),
    );
  });
}

Deno.test("OGM: 0 <= k <= 1, the modality behind keeps its gradient, and a sum damps one at most", () => {
  const scores = fc.array(fc.double({ min: 0.01, max: 60, noNaN: true }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(scores, fc.double({ min: 0, max: 3, noNaN: true }), (given, alpha) => {
      tf.tidy(() => {
        const tensors = given.map((score) => tf.scalar(score));
        for (const others of ["mean", "sum", "least"] as const) {
          const k = discrepancyRatios(tensors, others).map((ratio) => values(modulation(ratio, alpha))[0]);
          assert(k.every((own) => own >= 0 && own <= 1));
          assertEquals(k[given.indexOf(Math.min(...given))], 1);
          if (others === "sum") assert(k.filter((own) => own < 1).length <= 1);
        }
        if (given.length === 2) {
          const forms = (["mean", "sum", "least"] as const).map((others) =>
            discrepancyRatios(tensors, others).map((ratio) => values(ratio)[0])
          );
          assertEquals(forms[1], forms[0]);
          assertEquals(forms[2], forms[0]);
        }
      });
    }),
    { numRuns: 50 },
  );
});
