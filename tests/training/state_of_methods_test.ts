/** Start values, budgets, copies of parameters, derived columns and teachers, as methods have them. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { at } from "../../core/modality.ts";
import type { Method } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { keptRun } from "../../contracts/kept.ts";
import { type Checkpoint, train } from "../../training/mod.ts";
import { trained } from "../helpers/train.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const dataset = await toyDataset(2);

Deno.test("startParams() gives the start values of the chosen groups in every epoch, also after a restart", async () => {
  const seen: Record<string, Float32Array>[] = [];
  const looks: Method = {
    name: "looks",
    async beforeEpoch(host) {
      const starts = host.startParams(["encoder:audio"]);
      assert(Object.keys(starts).every((full) => full.startsWith("encoder:audio/")));
      const now = await host.params(["encoder:audio"]);
      const equal = Object.keys(now).every((full) => now[full].every((value, i) => value === starts[full][i]));
      assertEquals(equal, host.epoch === 0);
      seen.push(starts);
    },
  };
  const whole = await trained(engine, toyModel(library, dataset, "concat", [looks]), dataset);
  await trained(engine, toyModel(library, dataset, "concat", [looks]), dataset, { resume: whole.checkpoints[1] });
  for (const starts of seen) assertEquals(starts, seen[0]);
});

Deno.test("samplesLeft counts down with nested training, and is infinite where epochs are counted", async () => {
  const left: number[] = [];
  const looks: Method = {
    name: "looks",
    async beforeEpoch(host) {
      left.push(host.samplesLeft);
      if (host.epoch === 0) await host.train([{ programs: ["main"], items: Int32Array.of(0, 1, 2) }]);
      left.push(host.samplesLeft);
    },
  };
  await trained(engine, toyModel(library, dataset, "concat", [looks]), dataset, { training: { epochs: 2 } });
  assertEquals(left, [150, 147, 72, 72]);
  left.length = 0;
  await trained(engine, toyModel(library, dataset, "concat", [looks]), dataset, {
    training: { epochs: 1, budget: "epochs" },
  });
  assertEquals(left, [Infinity, Infinity]);
});

Deno.test("copies of parameters start equal to them, stay while they move, and are in the checkpoint", async () => {
  const method: Method = { name: "copies", declares: { copies: { "first": ["encoder:*", "head"] } } };
  const { checkpoints } = await trained(engine, toyModel(library, dataset, "concat", [method]), dataset);
  const { tensors } = checkpoints[0];
  const copied = Object.keys(tensors).filter((name) => name.startsWith("buffer:first/"));
  assertEquals(
    copied.map((name) => name.slice("buffer:first/".length)).sort(),
    Object.keys(tensors).filter((name) => /^param:(encoder:|head\/)/.test(name))
      .map((name) => name.slice("param:".length)).sort(),
  );
  for (const name of copied) assertEquals(checkpoints[3].tensors[name].data, tensors[name].data);
  const moved = copied.filter((name) =>
    tensors[name].data.some((value, i) => value !== tensors[name.replace("buffer:first/", "param:")].data[i])
  );
  assert(moved.length > 0);
});

Deno.test("a derived column may be as wide as features, is filled by its method and is not in the checkpoint", async () => {
  let found = 0;
  const method: Method = {
    name: "derived",
    declares: { columns: { wide: { width: { featuresOf: "image" }, init: 0, derived: true } } },
    beforeEpoch: (host) => void host.table("wide").fill(3),
    loss: (step) => ({ wide: tf.mul(tf.mean(step.rows("wide"), 1) as tf.Tensor1D, 1) }),
    afterEpoch: (host) => {
      found = host.table("wide").length;
    },
  };
  const { checkpoints, records } = await trained(engine, toyModel(library, dataset, "concat", [method]), dataset);
  assertEquals(found, 75 * 9); // the second encoder of a toy model has nine features
  assertEquals(records.map(({ loss }) => loss.wide), [3, 3, 3, 3]);
  assert(!Object.keys(checkpoints[0].tensors).some((name) => name.includes("wide")));
});

Deno.test("teachers are asked by declared names, on open splits, and only where somebody trained them", async () => {
  const ask = (name: string, split: string): Method => ({
    name: "asks",
    declares: { teachers: { known: { modalities: ["audio"], fusion: { name: "concat" } } } },
    beforeEpoch: async (host) => void await host.teacher(name, split as "train"),
  });
  const run = (method: Method) =>
    train({
      model: toyModel(library, dataset, "concat", [method]),
      dataset,
      engine,
      training: { ...toyTraining, epochs: 1 },
      seed: 0,
    });
  await assertRejects(() => run(ask("other", "train")), Refusal, "declared are known");
  await assertRejects(() => run(ask("known", "train")), Refusal, "no teachers were given");
  await assertRejects(() => run(ask("known", "test")), Error, 'split "test"');
});

Deno.test("what a program does not train keeps its running statistics", async () => {
  const library = createLibrary();
  const { wide, image } = {
    wide: library.of("encoder").get("cnn"),
    image: { shape: [8, 8, 1], dtype: "float32" as const },
  };
  const row = 64;
  const pictures = await toyDataset(2);
  for (const split of Object.values(pictures.splits)) {
    for (const name of ["audio", "image"]) {
      (split.inputs as Record<string, Float32Array>)[name] = Float32Array.from(
        { length: split.size * row },
        (_, i) => Math.sin(i),
      );
    }
  }
  const modalities = { audio: { ...image, about: "a picture" }, image: { ...image, about: "a picture" } };
  const set = { ...pictures, modalities };
  const only: Method = {
    name: "only",
    declares: { programs: [{ name: "audio-only", train: ["encoder:audio"] }] },
    plan: (_host, base) => base.map((segment) => ({ ...segment, programs: ["audio-only"] })),
  };
  const model = {
    ...toyModel(library, dataset, "concat", [only]),
    encoders: {
      audio: wide.create({ channels: [3], width: 4, norm: "batch" }, modalities.audio),
      image: wide.create({ channels: [3], width: 4, norm: "batch" }, modalities.image),
    },
  };
  const { checkpoints } = await trained(engine, model, set, { training: { epochs: 2 } });
  const statistics = (modality: string) =>
    Object.keys(checkpoints[0].tensors).filter((name) => name.startsWith(`buffer:encoder:${modality}/`));
  const moves = (name: string) =>
    checkpoints[0].tensors[name].data.some((value, i) => value !== checkpoints[1].tensors[name].data[i]);
  assert(statistics("audio").length > 0 && at({ audio: statistics("audio") }, "audio").every(moves));
  assert(statistics("image").length > 0 && !statistics("image").some(moves));
});

Deno.test("what a method keeps to itself and in the table goes on between two epochs of a run that is taken up", async () => {
  const told: number[] = [];
  const counting = (): Method => {
    let seen = 0;
    return {
      name: "counts",
      declares: { columns: { own: { width: 1, init: 1 } } },
      beforeEpoch(host) {
        told.push(seen + host.table("own")[3]);
        host.table("own")[3] += 1;
      },
      afterEpoch: () => void (seen += 10),
      save: () => seen,
      load: (saved) => void (seen = saved as number),
    };
  };
  const run = (resume?: Checkpoint) =>
    keptRun({
      model: toyModel(library, dataset, "concat", [counting()]),
      dataset,
      engine,
      training: { ...toyTraining, epochs: 3, select: "last" },
      seed: 0,
      resume,
    });
  const { checkpoints } = await run();
  assertEquals(told.splice(0), [1, 12, 23]);
  await run(checkpoints[0]);
  assertEquals(told, [12, 23]);
});
