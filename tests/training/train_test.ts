import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertInstanceOf, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Dataset, Method } from "../../core/kinds/mod.ts";
import { mapByModality } from "../../core/modality.ts";
import type { TrainingConfig } from "../../core/record.ts";
import { Refusal } from "../../core/refusal.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { type Checkpoint, DivergenceError, InterruptedError, type Model, train } from "../../training/mod.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";
import { type Kept, trained } from "../helpers/train.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const two = await toyDataset(2);

function run(
  model: Model,
  dataset: Dataset = two,
  options: { training?: Partial<TrainingConfig>; seed?: number; resume?: Checkpoint; on?: typeof engine } = {},
): Promise<Kept> {
  return trained(options.on ?? engine, model, dataset, options);
}

const json = (value: unknown) => JSON.stringify(value);

Deno.test("the summary says what one forward pass costs, by part, and the names of the classes", async () => {
  const { result } = await run(toyModel(library, two, "concat", ["arm"], { width: 4 }), two, {
    training: { epochs: 1 },
  });
  // Inputs of 5 and 7, one hidden layer of 9, features of 8 and 9; methods are left out.
  const parts = { "encoder:audio": 5 * 9 + 9 * 8, "encoder:image": 7 * 9 + 9 * 9, fusion: 17 * 4 + 4 * 3 };
  assertEquals(result.summary.multiplyAddsByPart, parts);
  // And what the classes are called, in the order of recall.
  assertEquals(result.summary.classes, two.classes);
  assertEquals(result.summary.test.recall.length, two.classes.length);
  assertEquals(result.summary.multiplyAdds, Object.values(parts).reduce((sum, count) => sum + count));
});

Deno.test("training learns, and equal seeds give equal bytes while others do not", async () => {
  const model = () => toyModel(library, two, "concat", []);
  const first = await run(model());
  const again = await run(model());
  assertEquals(json(again.records), json(first.records));
  assertEquals(json(again.result.summary), json(first.result.summary));
  assert(first.result.summary.test.accuracy > 0.75, `${first.result.summary.test.accuracy}`);
  assertEquals(first.result.summary.samplesDrawn, 4 * 75);
  assertEquals(first.result.summary.steps, 4 * Math.ceil(75 / 16));
  assertNotEquals(json((await run(model(), two, { seed: 1 })).records), json(first.records));
});

Deno.test("ARM with every part off, and each part at its neutral value, equals plain concatenation bit for bit", async () => {
  const plain = await run(toyModel(library, two, "concat", []));
  const off = { dfe: "off", lambda1: 0, lambda2: 0, readoutWeight: 0, sampler: { name: "uniform", options: {} } };
  const same = (other: Kept) => {
    for (const [full, { data }] of Object.entries(plain.result.params)) {
      assertEquals(other.result.params[full].data, data, full);
    }
    assertEquals(other.result.summary.test.accuracy, plain.result.summary.test.accuracy);
  };
  same(await run(toyModel(library, two, "concat", ["none"])));
  same(await run(toyModel(library, two, "concat", [["arm", off]])));
  // Fusion weights stay 1 before the warm-up ends.
  same(await run(toyModel(library, two, "concat", [["arm", { ...off, dfe: "ratio", warmup: 99 }]])));
  // No copies before the warm-up ends.
  const sampler = { name: "dsr", options: {} };
  same(await run(toyModel(library, two, "concat", [["arm", { ...off, sampler, warmup: 99 }]])));
  // Loss terms that are not yet on have weight 0.
  same(await run(toyModel(library, two, "concat", [["arm", { ...off, lambda1: 0.1, lambda2: 1, lossFrom: 99 }]])));
});

Deno.test("OGM outside its window equals plain training bit for bit", async () => {
  const plain = await run(toyModel(library, two, "concat", []));
  for (const method of ["ogm", "ogm-ge"]) {
    const closed = await run(toyModel(library, two, "concat", [[method, { start: 99, end: 99 }]]));
    for (const [full, { data }] of Object.entries(plain.result.params)) {
      assertEquals(closed.result.params[full].data, data);
    }
    const open = await run(toyModel(library, two, "concat", [[method, { alpha: 2 }]]));
    assertNotEquals(json(open.records), json(plain.records));
  }
});

Deno.test("the readouts' loss and the parts of ARM compose to ARM, sharing one valuation", async () => {
  const whole = await run(toyModel(library, two, "concat", ["arm"]));
  const parts = await run(toyModel(library, two, "concat", ["uni-ce", "arm-dfe", "arm-bmml", "arm-dsr"]));
  assertEquals(
    json(parts.records.map(({ validation }) => validation)),
    json(whole.records.map(({ validation }) => validation)),
  );
  assertEquals(json(parts.result.summary.test), json(whole.result.summary.test));
});

Deno.test("ARM's copies count as drawn samples: an equal budget gives fewer epochs, equal epochs more samples", async () => {
  const samples = await run(toyModel(library, two, "concat", ["arm"]), two, { training: { epochs: 8 } });
  assertEquals(samples.result.summary.samplesDrawn, 8 * 75);
  assert(samples.result.summary.epochs < 8);
  const epochs = await run(toyModel(library, two, "concat", ["arm"]), two, {
    training: { epochs: 8, budget: "epochs" },
  });
  assertEquals(epochs.result.summary.epochs, 8);
  assert(epochs.result.summary.samplesDrawn > 8 * 75);
});

Deno.test("a NaN in the loss stops the run and says epoch, step and term", async () => {
  const poison: Method = {
    name: "poison",
    loss: (step) => ({ bad: tf.mul(tf.log(tf.sub(1, step.scope.control("epoch"))), tf.ones([16])) }),
  };
  const error = await assertRejects(
    () => run(toyModel(library, two, "concat", [poison])),
    DivergenceError,
    'every loss term must be finite: "loss/bad" is -Infinity in epoch 2, step 5',
  );
  assertInstanceOf(error, DivergenceError);
  assertEquals([error.epoch, error.step, error.term], [1, 5, "loss/bad"]);
});

Deno.test("what is not finite is called what it is: a statistic is no loss, and neither is a norm", async () => {
  const counting: Method = { name: "counting", emit: () => ({ stats: { share: tf.scalar(NaN) } }) };
  await assertRejects(
    async () => await run(toyModel(library, two, "concat", [counting])),
    DivergenceError,
    'every statistic of a method must be finite: "counting/share" is NaN in epoch 1, step 0',
  );
  // Squared gradients of such inputs are beyond single precision, though all losses are numbers.
  const { train } = two.splits;
  const inputs = mapByModality(train.inputs, (values) => (values as Float32Array).map((value) => 1e30 * value));
  await assertRejects(
    async () =>
      await run(toyModel(library, two, "concat", []), {
        ...two,
        splits: { ...two.splits, train: { ...train, inputs } },
      }),
    DivergenceError,
    'every gradient norm must be finite: "gradientNorm" is Infinity in epoch 1, step 0',
  );
});

Deno.test("predictions that are no numbers stop the run: no table shows an accuracy of none", async () => {
  const training = { clipNorm: 0 };
  const poison: Method = {
    name: "poison",
    // All losses are finite; the last step of the second epoch leaves parameters that are not.
    gradients: (gradients, _book, step) => {
      const late = tf.greater(step.scope.control("epoch"), 0);
      return mapByModality(gradients, (own) => tf.where(late, tf.fill(own.shape, NaN), own));
    },
    plan: (host, base) => host.epoch === 0 ? base : [{ ...base[0], items: base[0].items.slice(0, 16) }],
  };
  const error = await assertRejects(
    () => run(toyModel(library, two, "concat", [poison]), two, { training }),
    DivergenceError,
    'every prediction must be finite: "validation/logits" is NaN in epoch 2, step 6',
  );
  assertInstanceOf(error, DivergenceError);
  assertEquals(error.term, "validation/logits");
  assertEquals(error.curve.map(({ step, loss }) => [step, Number.isFinite(loss)]), [[5, true]]);
});

Deno.test("a signal stops training between two steps", async () => {
  const stop = new AbortController();
  let steps = 0;
  await assertRejects(
    () =>
      train({
        model: toyModel(library, two, "concat", []),
        dataset: two,
        engine,
        training: toyTraining,
        seed: 0,
        signal: stop.signal,
        onStep: () => {
          if (++steps === 3) stop.abort();
        },
      }),
    InterruptedError,
  );
  assertEquals(steps, 3);
});

Deno.test("methods cannot reach the test split, unknown tables, controls or programs", async () => {
  const seen: string[] = [];
  const curious: Method = {
    name: "curious",
    declares: { columns: { own: { width: 2, init: 3 } }, controls: { "curious/x": 1 } },
    async beforeEpoch(host) {
      if (host.epoch > 0) return;
      assertThrows(() => host.labels("test" as "train"), RangeError, 'Cannot use split "test" in a method');
      await assertRejects(() => host.evaluate("test" as "train"), RangeError, "read once, at the end");
      assertThrows(() => host.table("other"), RangeError, 'Cannot find column "other": declared columns are own');
      assertThrows(() => host.setControl("curious/y", 1), RangeError, 'Cannot find control "curious/y"');
      assertThrows(() => host.setControl("curious/x", [1, 2]), TypeError, "must have 1 values: found 2");
      await assertRejects(
        () => host.train([{ programs: ["other"], items: Int32Array.from([0]) }]),
        RangeError,
        'Cannot run program "other": declared programs are main',
      );
      await assertRejects(
        () => host.train([{ programs: ["main"], items: Int32Array.from([75]) }]),
        RangeError,
        "its items must be training samples 0..74: found 75",
      );
      assertEquals([...host.table("own").slice(0, 3)], [3, 3, 3]);
      seen.push("ran");
    },
  };
  await run(toyModel(library, two, "concat", [curious]), two, { training: { epochs: 1 } });
  assertEquals(seen, ["ran"]);
});

Deno.test("the host gives passes, evaluation of subsets, nested training, parameters and snapshots", async () => {
  const facts: Record<string, unknown> = {};
  const nested: Method = {
    name: "nested",
    declares: { programs: [{ name: "audio-only", train: ["encoder:audio"], lossKeys: ["joint"] }] },
    async beforeEpoch(host) {
      if (host.epoch !== 1) return;
      const before = await host.params(["*"]);
      const id = await host.snapshot();
      const losses = await host.train([{ programs: ["audio-only"], items: Int32Array.from([0, 1, 2, 3]), epochs: 2 }]);
      const after = await host.params(["*"]);
      facts["moved"] = [
        ...new Set(
          Object.keys(before).filter((full) => before[full].some((value, i) => value !== after[full][i]))
            .map((full) => full.split("/")[0]),
        ),
      ];
      facts["losses"] = Object.keys(losses);
      await host.restore(id);
      const back = await host.params(["*"]);
      facts["restored"] = Object.keys(before).every((full) =>
        before[full].every((value, i) => value === back[full][i])
      );
      await assertRejects(() => host.restore(id), RangeError, "never taken or is used up");
      const pass = await host.pass("validation", ["audio"], Int32Array.from([4, 2]));
      facts["shapes"] = [pass.logits.length, pass.solo.image.length, pass.pooled.audio.length];
      const all = await host.evaluate("validation");
      const none = await host.evaluate("validation", []);
      facts["subset"] = all.accuracy > none.accuracy;
    },
  };
  const { result } = await run(toyModel(library, two, "concat", [nested]));
  assertEquals(facts, {
    moved: ["encoder:audio"],
    losses: ["joint", "total"],
    restored: true,
    shapes: [6, 6, 16],
    subset: true,
  });
  // Nested samples count: 4 items, twice.
  assertEquals(result.summary.samplesDrawn, 4 * 75);
});

Deno.test("plans with keep masks drop modalities from samples, and an undeclared one is refused", async () => {
  const dropAudio = (declared: boolean): Method => ({
    name: "drop",
    declares: { keep: declared },
    plan: (_host, base) =>
      base.map((segment) => ({
        ...segment,
        keep: Uint8Array.from({ length: segment.items.length * 2 }, (_, i) => i % 2),
      })),
  });
  const start = await run(toyModel(library, two, "concat", []), two, { training: { learningRate: 0, weightDecay: 0 } });
  const dropped = await run(toyModel(library, two, "concat", [dropAudio(true)]), two, { training: { weightDecay: 0 } });
  const name = (modality: string) => `encoder:${modality}/hidden1/kernel`;
  assertEquals(dropped.result.params[name("audio")].data, start.result.params[name("audio")].data);
  assertNotEquals([...dropped.result.params[name("image")].data], [...start.result.params[name("image")].data]);
  await assertRejects(
    () => run(toyModel(library, two, "concat", [dropAudio(false)])),
    TypeError,
    "its method must declare keep",
  );
});

Deno.test("two methods may not use one loss key or disagree about a column", async () => {
  const term = (name: string, width: number): Method => ({
    name,
    declares: { columns: { shared: { width, init: 0 } } },
    loss: (step) => ({ extra: step.mean(tf.ones([16])) }),
  });
  await assertRejects(
    () => run(toyModel(library, two, "concat", [term("a", 1), term("b", 1)])),
    Refusal,
    'Cannot add loss term "extra" of method "b" as every key must be unique',
  );
  await assertRejects(
    () => run(toyModel(library, two, "concat", [term("a", 1), term("b", 2)])),
    Refusal,
    'Cannot declare column "shared"',
  );
});
