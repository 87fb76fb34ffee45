/** A run that is stopped anywhere ends like one that was not: from every checkpoint, whatever its methods do. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { keptRun } from "../../contracts/kept.ts";
import type { Method, Segment } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { Journal, type Surroundings } from "../../training/journal.ts";
import { type Checkpoint, InterruptedError, type Model, train } from "../../training/mod.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const three = await toyDataset(3);
const common = { ...toyTraining, epochs: 3, budget: "epochs", select: "best" } as const;
const training = common;

/** Every kind of state at once: nested training from a snapshot, a table, a control, memory of its own, what steps did. */
function busy(): Method {
  let seen = 0;
  let planned = 0;
  let steps = 0;
  return {
    name: "busy",
    declares: {
      columns: { own: { width: 2, init: 1 } },
      controls: { "busy/scale": 1 },
      programs: [{ name: "audio-only", train: ["encoder:audio", "head*"] }],
    },
    loss: (step) => ({ pull: tf.mul(step.scope.control("busy/scale"), tf.sum(step.rows("own"), 1)) }),
    emit: (step) => ({ rows: { own: tf.add(step.rows("own"), 0.25) as tf.Tensor2D } }),
    async beforeEpoch(host) {
      const before = await host.evaluate("validation", ["audio"]);
      const id = await host.snapshot();
      const items = host.random.split("busy").permutation(40);
      const losses = await host.train([{ programs: ["audio-only", "main"], items, epochs: 2 }]);
      const after = await host.evaluate("validation", ["audio"]);
      // What was learnt decides what is kept: a wrong answer on resuming would show.
      if (after.loss > before.loss * 0.999) await host.restore(id);
      const [logits, validation] = await Promise.all([host.logits("train"), host.logits("validation", ["text"])]);
      host.setControl("busy/scale", 1 + 0.01 * losses.joint + 1e-3 * Math.tanh(logits[4] + validation[1]));
      host.table("own")[3] += after.accuracy;
      seen += Math.round(1000 * after.loss);
    },
    async plan(host, base) {
      const { accuracy } = await host.evaluate("train");
      planned = Math.round(20 + 30 * accuracy);
      return base.map((segment): Segment => ({
        ...segment,
        items: Int32Array.from([...segment.items, ...segment.items.slice(0, planned)]),
        resetOptimizer: host.epoch === 1 ? ["head*"] : undefined,
      }));
    },
    afterStep: (stats) => void (steps += stats["loss/total"] > 1 ? 1 : 2),
    async afterEpoch(host) {
      const params = await host.params(["head"]);
      for (const values of Object.values(params)) values[0] += 1e-3;
      await host.setParams(params);
      await host.train([{ programs: ["main"], items: Int32Array.from({ length: 20 }, (_, i) => i) }]);
      seen++;
    },
    report: (host) => ({ seen, planned, steps, own: host.table("own").reduce((sum, value) => sum + value, 0) }),
    save: () => ({ seen, steps, list: Float32Array.of(seen) }),
    load: (saved) => {
      const own = saved as { seen: number; steps: number; list: Float32Array };
      assertEquals(own.list[0], own.seen);
      ({ seen, steps } = own);
    },
  };
}

const configurations: Record<string, () => Model> = {
  "concat": () => toyModel(library, three, "concat", []),
  "arm": () => toyModel(library, three, "concat", [["arm", { warmup: 1 }]]),
  "sample-valuation": () => toyModel(library, three, "sum", [["sample-valuation", { warmup: 0 }]]),
  "a method that trains within its hooks": () => toyModel(library, three, "concat", [busy()]),
};

/** As a file would keep it. */
function copied({ tensors, state }: Checkpoint): Checkpoint {
  return {
    tensors: Object.fromEntries(
      Object.entries(tensors).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
    ),
    state: JSON.parse(JSON.stringify(state)),
  };
}

const json = (value: unknown) => JSON.stringify(value);

for (const [name, model] of Object.entries(configurations)) {
  // One of them by samples: its last checkpoint is taken when the budget is used up and the epoch is not yet measured.
  const training = { ...common, budget: name === "concat" ? "samples" : "epochs" } as const;
  Deno.test(`${name}: from a checkpoint at any step a run ends bit for bit like one that was never stopped`, async () => {
    const whole = await keptRun({
      model: model(),
      dataset: three,
      engine,
      training,
      seed: 0,
      checkpointEvery: { steps: 1 },
    });
    const { within } = whole;
    // Checkpoints do not change what they are of.
    const plain = await keptRun({ model: model(), dataset: three, engine, training, seed: 0 });
    assertEquals(json(whole.records), json(plain.records));
    assertEquals(json(whole.result.summary), json(plain.result.summary));
    // Between two batches each, and a batch may be two steps.
    assert(within.length > whole.result.summary.steps / 2, `${within.length} checkpoints`);
    const random = new Random(3).split(name);
    const chosen = [0, within.length - 1, ...Array.from({ length: 6 }, () => random.integer(within.length))];
    for (const index of chosen) {
      const resume = within[index];
      const { epochs: epoch } = resume.state;
      const rest = await keptRun({ model: model(), dataset: three, engine, training, seed: 0, resume });
      const where = `checkpoint ${index} of ${within.length}, in epoch ${epoch}`;
      assertEquals(json(rest.records), json(whole.records.slice(epoch)), where);
      assertEquals(json(rest.result.summary), json(whole.result.summary), where);
      for (const [full, { data }] of Object.entries({ ...whole.result.params, ...whole.result.buffers })) {
        assertEquals({ ...rest.result.params, ...rest.result.buffers }[full].data, data, `${where}: ${full}`);
      }
    }
  });
}

Deno.test("a signal stops at the next batch with a checkpoint there, also in nested training and in passes", async () => {
  const whole = await keptRun({
    model: toyModel(library, three, "concat", [busy()]),
    dataset: three,
    engine,
    training,
    seed: 0,
  });
  for (const after of [3, 11, 19]) {
    const stop = new AbortController();
    const kept: Checkpoint[] = [];
    let batches = 0;
    await assertRejects(
      () =>
        train({
          model: toyModel(library, three, "concat", [busy()]),
          dataset: three,
          engine,
          training,
          seed: 0,
          signal: stop.signal,
          onStep: () => {
            if (++batches === after) stop.abort();
          },
          onCheckpoint: async (checkpoint) => void kept.push(copied(await checkpoint())),
        }),
      InterruptedError,
    );
    assertEquals(batches, after);
    assertEquals(kept.length, 1);
    const [resume] = kept;
    const rest = await keptRun({
      model: toyModel(library, three, "concat", [busy()]),
      dataset: three,
      engine,
      training,
      seed: 0,
      resume,
    });
    assertEquals(json(rest.result.summary), json(whole.result.summary));
  }
});

Deno.test("a hook that decides by something of its own is told so when it is repeated", async () => {
  let turn = 0;
  const moody = (): Method => ({
    name: "moody",
    async beforeEpoch(host) {
      if (turn++ === 0) await host.evaluate("validation");
      else await host.logits("validation");
    },
  });
  const kept: Checkpoint[] = [];
  const options = { dataset: three, engine, training: { ...training, epochs: 1 }, seed: 0 };
  await train({
    ...options,
    model: toyModel(library, three, "concat", [moody()]),
    checkpointEvery: { steps: 1 },
    onCheckpoint: async (checkpoint) => void kept.push(copied(await checkpoint())),
  });
  await assertRejects(
    () => train({ ...options, model: toyModel(library, three, "concat", [moody()]), resume: kept[0] }),
    RangeError,
    'call 1 was "evaluate" and is "logits" now',
  );
});

Deno.test("a checkpoint of another model is refused by name", async () => {
  const kept: Checkpoint[] = [];
  const options = { dataset: three, engine, training: { ...training, epochs: 1 }, seed: 0 };
  await train({
    ...options,
    model: toyModel(library, three, "concat", []),
    onEpoch: async (_record, checkpoint) => void kept.push(copied(await checkpoint())),
  });
  const [resume] = kept;
  await assertRejects(
    () => train({ ...options, model: toyModel(library, three, "sum", []), resume }),
    Refusal,
    'Cannot resume as the checkpoint must hold "param:',
  );
  const { "param:head/bias": bias, ...lacking } = resume.tensors;
  assert(bias !== undefined);
  await assertRejects(
    () => train({ ...options, model: toyModel(library, three, "concat", []), resume: { ...resume, tensors: lacking } }),
    Refusal,
    '"param:head/bias" of shape [3]: it does not',
  );
  const turned = { ...resume.tensors, "param:head/bias": { ...bias, shape: [1, 3] } };
  await assertRejects(
    () => train({ ...options, model: toyModel(library, three, "concat", []), resume: { ...resume, tensors: turned } }),
    Refusal,
    '"param:head/bias" of shape [3]: found [1, 3]',
  );
});

Deno.test("Journal: a repeated call answers as before and puts back what a training left; then the epoch goes on", async () => {
  const surroundings = (name: string) => ({ name }) as unknown as Surroundings;
  const written: unknown[] = [];
  const notes = { read: () => surroundings("read"), write: (saved: Surroundings) => void written.push(saved) };
  const calls = [
    { name: "pass", answer: { value: 1 }, after: null },
    { name: "nested", answer: 2, after: surroundings("after") },
  ];
  const saved = { start: surroundings("start"), calls, done: null, now: surroundings("now") };
  const journal = new Journal(notes, () => {}, saved);
  const never = () => Promise.reject(new Error("is not asked again"));
  assertEquals(await journal.answer<unknown>("pass", never), { value: 1 });
  assertEquals(written, [{ name: "start" }]);
  assertEquals(await journal.train<unknown>("nested", never), 2);
  assertEquals(written, [{ name: "start" }, { name: "after" }]);
  assertEquals(await journal.answer("next", () => Promise.resolve(3)), 3);
  assertEquals(written, [{ name: "start" }, { name: "after" }, { name: "now" }]);
});

Deno.test("Journal: a pass that is stopped can be taken up before it, but not while another call waits", async () => {
  const notes = { read: () => ({}) as unknown as Surroundings, write: () => {} };
  const pauses: (number | null)[] = [];
  const journal = new Journal(notes, (saved) => void pauses.push(saved()?.calls.length ?? null));
  await journal.answer("first", () => Promise.resolve(1));
  assertEquals(pauses, [0]);
  await assertRejects(() => journal.answer("stopped", () => Promise.reject(new InterruptedError())), InterruptedError);
  assertEquals(pauses, [0, 1, 1]);
  const other = new Journal(notes, (saved) => void pauses.push(saved()?.calls.length ?? null));
  await assertRejects(() => other.answer("failed", () => Promise.reject(new Error("no"))), Error, "no");
  const { promise, resolve } = Promise.withResolvers<number>();
  const both = new Journal(notes, (saved) => void pauses.push(saved()?.calls.length ?? null));
  const waiting = both.answer("waits", () => promise);
  await both.answer("beside it", () => Promise.resolve(2));
  assertEquals(pauses, [0, 1, 1, 0, 0, null]);
  resolve(3);
  assertEquals(await waiting, 3);
});
