/** What programs, learning rates, buffers and blank inputs do for methods. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { at, byModality } from "../../core/modality.ts";
import type { Method, TrainStep } from "../../core/kinds/mod.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { incompatibility } from "../../training/mod.ts";
import { trained } from "../helpers/train.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyDataset, toyModel } from "../helpers/toy.ts";
import { withSteps } from "../../contracts/steps.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const eager = await cpu.create();
const dataset = await toyDataset(2);
const groupsMoved = (before: Record<string, Float32Array>, after: Record<string, Float32Array>) =>
  [
    ...new Set(
      Object.keys(before).filter((full) => before[full].some((value, i) => value !== after[full][i]))
        .map((full) => full.split("/")[0]),
    ),
  ].sort();

Deno.test("a program of one modality moves its encoder alone, and logs only its own loss terms", async () => {
  let moved: string[] = [];
  let losses: Record<string, number> = {};
  const one: Method = {
    name: "one",
    declares: {
      programs: [{ name: "audio-only", train: ["encoder:*"], lossKeys: ["joint"], modalities: ["audio"] }],
    },
    loss: (step) => ({ other: tf.mul(at(step.features, "image").pooled, 0).sum() }),
    async beforeEpoch(host) {
      if (host.epoch > 0) return;
      const before = await host.params(["*"]);
      losses = await host.train([{ programs: ["audio-only"], items: Int32Array.from({ length: 16 }, (_, i) => i) }]);
      moved = groupsMoved(before, await host.params(["*"]));
    },
  };
  for (const fusion of ["concat", "decision"]) {
    await trained(engine, toyModel(library, dataset, fusion, [one]), dataset, { training: { epochs: 1 } });
    assertEquals(moved, ["encoder:audio"], fusion);
    assertEquals(Object.keys(losses).sort(), ["joint", "total"], fusion);
  }
});

Deno.test("accuracy and loss of an epoch count every program's rows once", async () => {
  const twice: Method = {
    name: "twice",
    declares: { programs: [{ name: "again", lossKeys: ["joint"] }] },
    plan: (_host, base) => base.map((segment) => ({ ...segment, programs: ["again", "again"] })),
  };
  const { records } = await trained(engine, toyModel(library, dataset, "concat", [twice]), dataset, {
    training: { epochs: 3 },
  });
  for (const { trainAccuracy, loss } of records) {
    assert(trainAccuracy <= 1);
    assertAlmostEquals(loss.joint, loss.total, 1e-12);
  }
});

Deno.test("rates: a factor on the update of a group, whatever the optimiser makes of gradients", async () => {
  const run = async (optimizer: "sgd" | "adamw", factor: number | null) => {
    const start: Record<string, Float32Array> = {};
    const scaled: Method = {
      name: "scaled",
      ...(factor === null ? {} : { rates: () => ({ "encoder:image": tf.scalar(factor) }) }),
      beforeEpoch: async (host) => void Object.assign(start, await host.params(["*"])),
    };
    // One batch, so that what moves is one update.
    const { result } = await trained(engine, toyModel(library, dataset, "concat", [scaled]), dataset, {
      training: { epochs: 1, batchSize: 75, optimizer, weightDecay: 0, schedule: "constant", select: "last" },
    });
    return Object.fromEntries(
      Object.entries(result.params).map(([full, { data }]) => [full, data.map((value, i) => value - start[full][i])]),
    );
  };
  for (const optimizer of ["sgd", "adamw"] as const) {
    const [plain, one, half, none] = [
      await run(optimizer, null),
      await run(optimizer, 1),
      await run(optimizer, 0.5),
      await run(optimizer, 0),
    ];
    for (const [full, change] of Object.entries(plain)) {
      assertEquals(one[full], change, full);
      const scaled = full.startsWith("encoder:image/");
      assertClose(half[full], change.map((value) => scaled ? value / 2 : value), 1e-6);
      if (scaled) assert(none[full].every((value) => value === 0));
    }
    assert(
      Object.keys(plain).some((full) => full.startsWith("encoder:image/") && plain[full].some((value) => value !== 0)),
    );
  }
});

Deno.test("buffers of a method can be read and set by the host, and are used from the next step on", async () => {
  const seen: number[] = [];
  const remembering: Method = {
    name: "remembering",
    emit: (step) => ({
      stats: { own: step.scope.group("aux:own").buffer("x", [], () => Float32Array.of(3)) as tf.Scalar },
    }),
    async beforeEpoch(host) {
      const own = await host.buffers(["aux:own"]);
      seen.push(own["aux:own/x"][0]);
      await host.setBuffers({ "aux:own/x": Float32Array.of(host.epoch + 5) });
    },
  };
  const { records } = await trained(engine, toyModel(library, dataset, "concat", [remembering]), dataset, {
    training: { epochs: 2 },
  });
  assertEquals(seen, [3, 5]);
  assertEquals(records.map(({ methods }) => methods["remembering"]["own"]), [5, 6]);
});

Deno.test("zeroed(): the output where other inputs are zero, on fusions of features and of stages", async () => {
  for (const fusion of ["concat", "mmtm"]) {
    const found: Record<string, number> = {};
    const blank: Method = {
      name: "blank",
      emit(step) {
        const gap = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))) as tf.Scalar;
        return {
          stats: {
            all: gap(step.zeroed(["audio", "image"]).logits, step.output.logits),
            none: gap(step.zeroed([]).logits, step.output.logits),
            rows: gap(tf.slice(step.zeroed([]).logits, [0, 0], [1, 3]), step.zeroed([]).logits),
            audio: gap(step.zeroed(["audio"]).logits, step.output.logits),
          },
        };
      },
    };
    const rig = { model: toyModel(library, dataset, fusion, [blank]), dataset };
    await withSteps(rig, eager, async (steps) => {
      const feeds = steps.feeds();
      // With the image's input at zero nothing changes by blanking it.
      const image = { ...feeds["input:image"], data: new Float32Array(feeds["input:image"].data.length) };
      Object.assign(found, (await steps.train({ ...feeds, "input:image": image })).stats);
    });
    assertAlmostEquals(found["blank/all"], 0, 1e-6, fusion);
    assertAlmostEquals(found["blank/audio"], 0, 1e-6, fusion);
    assertAlmostEquals(found["blank/rows"], 0, 1e-6, fusion);
    assert(found["blank/none"] > 1e-3, fusion);
  }
});

Deno.test("kernels() of linear fusions: l = sum_u f_u K_u + c", async () => {
  for (
    const [fusion, options] of [
      ["concat", {}],
      ["concat", { width: 0 }],
      ["sum", {}],
      ["sum", { level: "feature" }],
      ["decision", {}],
      ["decision", { average: "weighted", weights: [1, 3] }],
    ] as [string, Record<string, unknown>][]
  ) {
    const linear: Method = {
      name: "linear",
      emit(step: TrainStep) {
        const kernels = toyFusion.kernels!(step.features, step.scope);
        const sum = tf.addN(
          step.modalities.map((modality) => tf.matMul(step.features[modality].pooled, kernels[modality])),
        );
        // What is left is the bias: the same in every row.
        const rest = tf.sub(step.output.logits, sum);
        return { stats: { spread: tf.max(tf.sub(tf.max(rest, 0), tf.min(rest, 0))) as tf.Scalar } };
      },
    };
    const model = toyModel(library, dataset, fusion, [linear], options);
    const toyFusion = model.fusion;
    await withSteps({ model, dataset }, eager, async (steps) => {
      assertAlmostEquals((await steps.train()).stats["linear/spread"], 0, 1e-5, `${fusion} ${JSON.stringify(options)}`);
    });
  }
});

Deno.test("readout: a method's own logits stand for the fusion's, for other methods and in results", async () => {
  const own: Method = {
    name: "own",
    readout: (step) =>
      byModality(
        step.modalities,
        (modality) => tf.mul(tf.zerosLike(step.output.logits), at(step.features, modality).pooled.sum()) as tf.Tensor2D,
      ),
  };
  const asked: Method = {
    name: "asked",
    emit: (step) => ({ stats: { largest: tf.max(tf.abs(step.solo().logits["audio"])) as tf.Scalar } }),
  };
  const { result, records } = await trained(engine, toyModel(library, dataset, "concat", [own, asked]), dataset, {
    training: { epochs: 1 },
  });
  assertEquals(records[0].methods["asked"]["largest"], 0);
  assertEquals(result.summary.test.perModality["audio"].readout, "own");
});

Deno.test("a method that makes gradients anew must stand before those that change them", () => {
  const anew: Method = {
    name: "anew",
    declares: { claims: ["make the encoders' gradients anew"] },
    gradients: (given) => given,
  };
  const scales: Method = { name: "scales", gradients: (given) => given };
  assertEquals(
    incompatibility([scales, anew])?.message,
    'Cannot compose "scales" and "anew" in this order as the second would discard what the first one makes of ' +
      "gradients; write anew+scales",
  );
  assertEquals(incompatibility([anew, scales]), null);
});

Deno.test("logits with all other modalities at their means go through the output hooks, too", async () => {
  const turned: Method = {
    name: "turned",
    output: (step) => ({ ...step.output, logits: tf.neg(step.output.logits) as tf.Tensor2D }),
  };
  for (const fusion of ["concat", "film", "mmtm"]) {
    const outputs = async (methods: Method[]) =>
      await withSteps(
        { model: toyModel(library, dataset, fusion, methods), dataset },
        eager,
        (steps) => steps.predict(),
      );
    const [plain, other] = [await outputs([]), await outputs([turned])];
    for (const name of ["logits", "ablateMean:audio", "ablateMean:image"]) {
      assertClose(other[name].data, Array.from(plain[name].data, (value) => -value), 1e-6);
    }
    assertEquals(other["solo:audio"].data, plain["solo:audio"].data);
  }
});

Deno.test("passes at the same time give what they give one after the other", async () => {
  const different: string[] = [];
  const asks: Method = {
    name: "asks",
    async beforeEpoch(host) {
      if (host.epoch > 0) return;
      const ask = [
        () => host.logits("train"),
        () => host.logits("validation", ["audio"]),
        () => host.logits("train", ["image"], Int32Array.of(3, 1, 4)),
      ];
      const alone: Float32Array[] = [];
      for (const one of ask) alone.push(await one());
      for (let turn = 0; turn < 20; turn++) {
        const together = await Promise.all(ask.map((one) => one()));
        together.forEach((found, k) => {
          if (found.some((value, i) => value !== alone[k][i])) different.push(`turn ${turn}, pass ${k}`);
        });
      }
    },
  };
  await trained(engine, toyModel(library, dataset, "concat", [asks]), dataset, { training: { epochs: 1 } });
  assertEquals(different, []);
});
