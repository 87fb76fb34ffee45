import { Refusal } from "../../core/refusal.ts";
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { curationOf, greedy, randomCuration } from "../../baselines/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";
import { bindScope } from "../../nn/mod.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";
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
  const concat = library.of("fusion").get("concat").create({}, context);
  assertEquals(
    library.of("method").get("greedy").refuses!(concat, context, {}),
    "it replaces channel gates between stages, and this fusion has none; mmtm has",
  );
});

Deno.test("greedy's running gate is the cumulative mean over all training steps and replaces the curated gate", () => {
  const expected = golden<{ greedy: { runningGate: number[][] } }>("baselines").greedy.runningGate;
  const context = { modalities: ["audio", "image"], classes: 3 };
  const run = (options: Record<string, unknown>, curated: number[]) =>
    tf.tidy(() => {
      const method = greedy.create(options, context);
      const zeros = () => tf.zeros([1, 3]);
      const name = (which: string) => `aux:greedy/level1/${which}`;
      let buffers: Record<string, tf.Tensor> = {
        "aux:greedy/main": tf.zeros([2]),
        "aux:greedy/bypass": tf.zeros([2]),
        "aux:greedy/curated": tf.tensor1d(curated),
        "aux:greedy/left": tf.scalar(0),
        "aux:greedy/seen": tf.scalar(0),
        [name("audio/mean")]: zeros(),
        [name("image/mean")]: zeros(),
      };
      const means: number[][][] = [];
      let out: Record<string, tf.Tensor> = {};
      for (let t = 0; t < 4; t++) {
        // A sixth row of weight 0 is padding.
        const gate = (phase: number) =>
          tf.concat([tf.sigmoid(wave([5, 3], 2, phase)), tf.fill([1, 3], 9)]) as tf.Tensor2D;
        const weights = tf.tensor1d([1, 1, 1, 1, 1, 0]);
        const bound = bindScope({ params: {}, buffers, controls: {}, key: null, mode: "train", weights });
        out = method.channelGates!(0, { audio: gate(t), image: gate(t + 9) }, bound.scope);
        buffers = { ...buffers, ...bound.updates() };
        means.push(["audio", "image"].map((modality) => values(buffers[name(`${modality}/mean`)])));
        // Prediction neither curates nor counts.
        const eval_ = bindScope({ params: {}, buffers, controls: {}, key: null, mode: "eval" });
        const gates = { audio: gate(t), image: gate(t + 9) };
        assertEquals(method.channelGates!(0, gates, eval_.scope), gates);
        assertEquals(eval_.updates(), {});
      }
      return { means, audio: values(out.audio), image: values(out.image) };
    });
  const free = run({}, [0, 0]);
  free.means.forEach(([audio], t) => assertClose(audio, expected[t], 1e-6));
  assertClose(free.audio.slice(0, 15), tf.tidy(() => values(tf.sigmoid(wave([5, 3], 2, 3)))), 1e-6);
  // The mean already holds the step's own gate when it is used.
  const curated = run({}, [1, 0]);
  for (let row = 0; row < 5; row++) assertClose(curated.audio.slice(3 * row, 3 * row + 3), expected[3], 1e-6);
  assertEquals(curated.image, free.image);
  // The released code's slip: the second modality's mean follows the first one's gate.
  const slip = run({ runningGate: "first" }, [0, 1]);
  slip.means.forEach(([audio, image], t) => {
    assertClose(audio, expected[t], 1e-6);
    assertClose(image, expected[t], 1e-6);
  });
  assertClose(slip.image.slice(0, 3), expected[3], 1e-6);
  assertNotEquals(run({}, [0, 1]).image, slip.image);
});

Deno.test("greedy's random choice is even among nobody and all modalities, and drawn anew at every step", async () => {
  tf.tidy(() => {
    const draws = Array.from({ length: 300 }, (_, i) => values(randomCuration(tf.scalar((i + 0.5) / 300), 2)).join());
    for (const choice of ["0,0", "1,0", "0,1"]) assertEquals(draws.filter((own) => own === choice).length, 100);
  });
  const seen: string[] = [];
  const model = toyModel(library, dataset, "mmtm", [["greedy", { choice: "random", start: 0 }]], { scale: 1 });
  const watch = {
    name: "watch",
    afterStep: (stats: Readonly<Record<string, number>>) => {
      seen.push(`${stats["greedy/curated:audio"]},${stats["greedy/curated:image"]}`);
    },
  };
  const training = { ...toyTraining, epochs: 6 };
  await train({ model: { ...model, methods: [...model.methods, watch] }, dataset, engine, training, seed: 0 });
  assertEquals(new Set(seen), new Set(["0,0", "1,0", "0,1"]));
  assertEquals(seen[0], "0,0"); // a draw acts from the next step on
});

Deno.test("greedy says what the slip and its own losses need", () => {
  const context = { modalities: ["audio", "image"], classes: 3 };
  const method = greedy.create({ runningGate: "first" }, context);
  tf.tidy(() => {
    const buffers = {
      "aux:greedy/main": tf.zeros([2]),
      "aux:greedy/bypass": tf.zeros([2]),
      "aux:greedy/curated": tf.zeros([2]),
      "aux:greedy/left": tf.scalar(0),
      "aux:greedy/seen": tf.scalar(0),
      "aux:greedy/level1/audio/mean": tf.zeros([1, 3]),
      "aux:greedy/level1/image/mean": tf.zeros([1, 4]),
    };
    const { scope } = bindScope({ params: {}, buffers, controls: {}, key: null, mode: "train" });
    const gates = { audio: tf.ones([2, 3]) as tf.Tensor2D, image: tf.ones([2, 4]) as tf.Tensor2D };
    assertThrows(() => method.channelGates!(0, gates, scope), Refusal, "must have equal channels: found 3 and 4");
  });
  const step = { output: {} } as Parameters<NonNullable<typeof method.taskLoss>>[1];
  assertThrows(() => method.taskLoss!({}, step), Refusal, "must have a head of its own per modality");
  assert(method.declares?.claims?.includes("replace the task's loss"));
});
