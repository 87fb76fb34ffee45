import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertNotEquals } from "@std/assert";
import { curationOf } from "../../baselines/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";
import { values } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const of = (main: number[], bypass: number[], epsilon: number) =>
  tf.tidy(() => values(curationOf(tf.tensor1d(main), tf.tensor1d(bypass), epsilon)));

Deno.test("curationOf() chooses the fastest bypass if its lead is above epsilon", () => {
  // Two: s = log10(.1/1), log10(.01/1) = -1, -2: a lead of 1.
  assertEquals(of([1, 1], [0.1, 0.01], 0.9), [1, 0]);
  assertEquals(of([1, 1], [0.1, 0.01], 1.1), [0, 0]);
  assertEquals(of([1, 0.1], [0.1, 0.1], 0.5), [0, 1]);
  // Three: s = -1, -2, -3, mean -2: the lead over the mean is 1.
  assertEquals(of([1, 1, 1], [0.1, 0.01, 0.001], 0.9), [1, 0, 0]);
  assertEquals(of([1, 1, 1], [0.1, 0.01, 0.001], 1.1), [0, 0, 0]);
});

const library = createLibrary();
const dataset = await toyDataset(2);
const engine = await onnxCpu.create();
const run = (methods: [string, Record<string, unknown>][], loss: string, training = {}) =>
  train({
    model: toyModel(library, dataset, "mmtm", methods, { loss, scale: 1 }),
    dataset,
    engine,
    training: { ...toyTraining, ...training },
    seed: 0,
  });

Deno.test("greedy with an epsilon that nothing reaches equals mmtm trained by separate losses, bit for bit", async () => {
  const plain = await run([], "separate");
  const idle = await run([["greedy", { epsilon: 1e9 }]], "separate");
  for (const [name, { data }] of Object.entries(plain.params)) assertEquals(idle.params[name].data, data, name);
  assertEquals(JSON.stringify(idle.summary.test), JSON.stringify(plain.summary.test));
});

Deno.test("greedy curates exactly Q steps after a decision, from its first epoch on", async () => {
  const curated: number[] = [];
  await train({
    model: (() => {
      const model = toyModel(library, dataset, "mmtm", [["greedy", { epsilon: 0, steps: 3, start: 1 }]]);
      const watch = {
        name: "watch",
        afterStep: (stats: Readonly<Record<string, number>>) => {
          curated.push(stats["greedy/curated:audio"] + stats["greedy/curated:image"]);
        },
      };
      return { ...model, methods: [...model.methods, watch] };
    })(),
    dataset,
    engine,
    training: { ...toyTraining, epochs: 3 },
    seed: 0,
  });
  // Epoch 0 has 5 steps without decisions; the first step of epoch 1 decides; then 3 curated steps and 1 that decides.
  assertEquals(curated, [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1]);
  // The last epoch counts: on validation, an epoch before the first decision may be the best.
  const last = { select: "last" };
  const acting = await run([["greedy", { epsilon: 0 }]], "separate", last);
  assertNotEquals(JSON.stringify(acting.summary), JSON.stringify((await run([], "separate", last)).summary));
});

Deno.test("greedy refuses a fusion without channel gates and says which has them", () => {
  const context = { modalities: ["audio", "image"], classes: 3 };
  const concat = library.fusions.get("concat").create({}, context);
  assertEquals(
    library.methods.get("greedy").refuses!(concat, context, {}),
    "it replaces channel gates between stages, and this fusion has none; mmtm has",
  );
});
