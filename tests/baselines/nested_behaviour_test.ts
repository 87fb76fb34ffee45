/** What methods with teachers, stages and nested training do to a run, and that they neither forget nor reach too far. */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Host, Method, Segment } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { groupOf } from "../../core/scope.ts";
import { standInTeachers } from "../../contracts/toy.ts";
import { selectModalities } from "../../datasets/select.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { crossEntropy } from "../../losses/mod.ts";
import { createLibrary } from "../../library.ts";
import { keptRun } from "../../contracts/kept.ts";
import { type Checkpoint, type Model, train } from "../../training/mod.ts";
import { incompatibility } from "../../training/compose.ts";
import { trained } from "../helpers/train.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const two = await toyDataset(2);
const three = await toyDataset(3);
type Methods = Parameters<typeof toyModel>[3];

const run = (fusion: string, methods: Methods, dataset = two, training = {}, widthOf?: (u: number) => number) => {
  const model = toyModel(library, dataset, fusion, methods, {}, widthOf);
  const options = { ...toyTraining, select: "last" as const, epochs: 3, ...training };
  return train({
    model,
    dataset,
    engine,
    training: options,
    seed: 0,
    teachers: standInTeachers(model, dataset, engine),
  });
};
const params = ({ params }: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(Object.entries(params).map(([full, { data }]) => [full, [...data]]));

// ------------------------------------------------------------------------------------------------------ neutral values

const neutral: [string, string, Record<string, unknown>, Record<string, unknown>, Record<string, unknown>][] = [
  ["concat", "umt", { weight: 0 }, { weight: 10 }, {}],
  ["concat", "re-learning", { lambda: 0, every: 1 }, { every: 1 }, {}],
  ["sum", "re-learning", { times: 0, every: 1 }, { every: 1, times: 2 }, {}],
  ["concat", "g2d", { logitWeight: 0, featureWeight: 0, start: 9, end: 9 }, { featureWeight: 0, logitWeight: 0 }, {}],
];
for (const [fusion, name, idle, active] of neutral) {
  Deno.test(`${name} with ${JSON.stringify(idle)} equals plain ${fusion} bit for bit, and active does not`, async () => {
    const plain = params(await run(fusion, []));
    assertEquals(params(await run(fusion, [[name, idle]])), plain);
    assertNotEquals(params(await run(fusion, [[name, active]])), plain);
  });
}

Deno.test("lfm with a_1 = 0 is twice the cross-entropy; info-reg without strength is uni-ce", async () => {
  const halved = { learningRate: toyTraining.learningRate / 2, weightDecay: 2 * toyTraining.weightDecay, clipNorm: 0 };
  const lfm = params(await run("concat", [["lfm", { schedule: "constant", share: 0 }]], two, halved));
  const plain = params(await run("concat", [], two, { clipNorm: 0 }));
  // A loss twice as large at half the rate is the same step; decay is halved with the rate.
  for (const [full, values] of Object.entries(plain)) {
    values.forEach((value, i) => assertAlmostEquals(lfm[full][i], value, 1e-4, full));
  }
  assertEquals(
    params(await run("concat", [["info-reg", { strength: [0] }]])),
    params(await run("concat", ["uni-ce"])),
  );
});

Deno.test("data-remixing in its warm-up draws every sample with all modalities, afterwards each once with one", async () => {
  const plans: Segment[][] = [];
  const watch: Method = {
    name: "watch",
    declares: { passesKeep: true },
    plan: (_host, base) => {
      plans.push([...base]);
      return base;
    },
  };
  const methods: Methods = [["data-remixing", { warmup: 1 }], watch];
  const { records } = await trained(engine, toyModel(library, three, "concat", methods), three);
  assertEquals(plans[0].length, 1);
  assertEquals(plans[0][0].programs, ["main"]);
  const order = ["data-remixing/text", "data-remixing/image", "data-remixing/audio"];
  for (const plan of plans.slice(1)) {
    const programs = plan.map((segment) => segment.programs[0]);
    assertEquals(programs, order.filter((name) => programs.includes(name)));
    assertEquals(
      plan.flatMap(({ items }) => [...items]).sort((a, b) => a - b),
      Array.from({ length: 75 }, (_, n) => n),
    );
  }
  for (const { methods } of records.slice(1)) {
    const assigned = methods["data-remixing"].assigned as Record<string, number>;
    assertEquals(Object.values(assigned).reduce((sum, count) => sum + count, 0), 75);
  }
});

Deno.test("data-remixing: an idle encoder rests, or as released is moved by momentum and decay", async () => {
  for (const idle of ["rests", "moves"]) {
    const onlyAudio: Method = {
      name: "only-audio",
      declares: { passesKeep: true },
      plan: (host, base) =>
        host.epoch === 0
          ? base
          : base.filter(({ programs, keep }) => keep === undefined ? programs[0].endsWith("/audio") : keep[0] === 1),
    };
    const methods: Methods = [["data-remixing", { warmup: 1, idle }], onlyAudio];
    const { checkpoints } = await trained(engine, toyModel(library, two, "concat", methods), two, {
      training: { epochs: 2, budget: "epochs" },
    });
    const [first, second] = checkpoints.map(({ tensors }) => tensors);
    const moved = (group: string) =>
      Object.keys(first).some((name) =>
        name.startsWith(`param:${group}/`) && first[name].data.some((value, i) => value !== second[name].data[i])
      );
    assertEquals([moved("encoder:audio"), moved("encoder:image")], [true, idle === "moves"]);
  }
});

Deno.test("info-reg beyond its window is uni-ce, and its pull keeps encoders nearer to where an epoch began", async () => {
  assertEquals(
    params(await run("concat", [["info-reg", { threshold: 2 }]])), // no growth exceeds 1
    params(await run("concat", ["uni-ce"])),
  );
  // Constant rate and no decay: what an epoch moves is what its gradients do.
  const travelled = async (strength: number) => {
    const training = { schedule: "constant" as const, weightDecay: 0, epochs: 3 };
    const methods: Methods = [["info-reg", { strength: [strength] }]];
    const { checkpoints } = await trained(engine, toyModel(library, two, "concat", methods), two, { training });
    const [, before, after] = checkpoints.map(({ tensors }) => tensors);
    return Object.keys(after).filter((name) => name.startsWith("param:encoder:"))
      .reduce(
        (sum, name) => sum + Array.from(after[name].data).reduce((s, x, i) => s + (x - before[name].data[i]) ** 2, 0),
        0,
      );
  };
  assert(await travelled(3) < await travelled(0));
});

Deno.test("info-reg stopped within an epoch forgets none of its steps", async () => {
  const plugin = library.of("method").get("info-reg");
  const method = () => plugin.create({}, { modalities: ["audio", "image"], classes: 3 });
  const [one, two_] = [method(), method()];
  const model = (own: Method) => toyModel(library, two, "concat", [own]);
  const training = { ...toyTraining, epochs: 3 };
  const run = (own: Method, resume?: Checkpoint) =>
    keptRun({ model: model(own), dataset: two, engine, training, seed: 0, resume, checkpointEvery: { steps: 3 } });
  const { within } = await run(one);
  const middle = within.filter(({ state }) => state.epochs === 1);
  assert(middle.length > 0);
  await run(two_, middle[0]);
  assertEquals(two_.save!(), one.save!());
});

Deno.test("umt brings features nearer to the teachers', the more the heavier it is", async () => {
  const distance = async (weight: number) => {
    const model = toyModel(library, two, "concat", [["umt", { weight }]]);
    const losses: number[] = [];
    await train({
      model,
      dataset: two,
      engine,
      training: { ...toyTraining, epochs: 6 },
      seed: 0,
      teachers: standInTeachers(model, two, engine),
      onEpoch: ({ loss }) => void losses.push((loss["teacher:audio"] + loss["teacher:image"]) / weight),
    });
    return losses[losses.length - 1];
  };
  const [light, middle, heavy] = [await distance(1e-6), await distance(0.5), await distance(5)];
  assert(heavy < middle && middle < light, [light, middle, heavy].join());
});

// ------------------------------------------------------------------------------------------------------------- ensembles

Deno.test("unimodal-ensemble trains the models that runs of one modality train, and predicts their average", async () => {
  const training = { clipNorm: 0 };
  const both = await run("decision", ["unimodal-ensemble"], two, training);
  for (const modality of ["audio", "image"]) {
    const alone = selectModalities(two, [modality]);
    const full = toyModel(library, two, "decision", []);
    const single: Model = {
      context: { ...full.context, modalities: [modality] },
      encoders: { [modality]: full.encoders[modality] },
      fusion: library.of("fusion").get("decision").create({}, { ...full.context, modalities: [modality] }),
      methods: [],
    };
    const own = params(
      await train({
        model: single,
        dataset: alone,
        engine,
        training: { ...toyTraining, ...training, select: "last", epochs: 3 },
        seed: 0,
      }),
    );
    const joint = params(both);
    for (const [name, values] of Object.entries(own)) {
      values.forEach((value, i) => assertAlmostEquals(joint[name][i], value, 1e-6, name));
    }
  }
});

Deno.test("unimodal-ensemble refuses fusions that share anything between modalities", () => {
  const plugin = library.of("method").get("unimodal-ensemble");
  const context = { modalities: ["audio", "image"], classes: 3 };
  const refusal = (fusion: string) =>
    plugin.refuses!(library.of("fusion").get(fusion).create({}, context), context, {});
  assertEquals([refusal("decision"), refusal("sum")], [null, null]);
  assert(refusal("concat")!.includes("head of its own") && refusal("mmtm")!.includes("see each other"));
});

// ---------------------------------------------------------------------------------------------------------- re-learning

Deno.test("re-learning at a huge lambda puts encoders back to their start, and nothing else", async () => {
  let [before, after]: Record<string, Float32Array>[] = [{}, {}];
  const plugin = library.of("method").get("re-learning");
  const own = plugin.create({ lambda: 1e12, every: 2, times: 1 }, { modalities: ["audio", "image"], classes: 3 });
  const watched: Method = {
    ...own,
    async beforeEpoch(host) {
      if (host.epoch === 2) before = await host.params(["*"]);
      await own.beforeEpoch!(host);
      if (host.epoch !== 2) return;
      after = await host.params(["*"]);
      const start = host.startParams(["*"]);
      for (const full of Object.keys(after)) {
        const encoder = groupOf(full).startsWith("encoder:");
        assertEquals(after[full], encoder ? start[full] : before[full], full);
      }
    },
  };
  const { records } = await trained(engine, toyModel(library, two, "concat", [watched]), two);
  assert(Object.keys(after).length > 0);
  assertEquals(records.map(({ methods }) => Object.keys(methods["re-learning"]).length), [0, 0, 2, 0]);
});

Deno.test("re-learning clears the encoders' momentum only if asked, in the epochs in which it acts", () => {
  const host = (epoch: number) => ({ epoch }) as Host;
  const base: Segment[] = [{ programs: ["main"], items: new Int32Array(1) }, {
    programs: ["main"],
    items: new Int32Array(1),
  }];
  const context = { modalities: ["audio", "image"], classes: 3 };
  const reset = (momentum: string, epoch: number) => {
    const method = library.of("method").get("re-learning").create({ every: 3, momentum }, context);
    return (method.plan!(host(epoch), base) as Segment[]).map(({ resetOptimizer }) => resetOptimizer);
  };
  assertEquals(reset("reset", 3), [["encoder:*"], undefined]);
  assertEquals(reset("kept", 3), [undefined, undefined]);
  assertEquals(reset("reset", 4), [undefined, undefined]);
  assertEquals(reset("reset", 12), [undefined, undefined]); // three times are over
});

// ---------------------------------------------------------------------------------------------------------- g-blending

Deno.test("g-blending measures every branch from the same model, alone, and goes back", async () => {
  const log: string[] = [];
  const context = { modalities: ["audio", "image"], classes: 2 };
  const method = library.of("method").get("g-blending").create({ estimate: 2 }, context);
  let weights: readonly number[] = [];
  let branch = 0;
  // Scripted losses: cross-entropy of one sample of class 0 whose logits differ by d is log(1 + exp(-d)).
  const state = { trained: false };
  const margin = (loss: number) => -Math.log(Math.exp(loss) - 1);
  const script = {
    train: { before: [1.5, 1.6, 1.4], after: [0.8, 1.2, 0.4] },
    validation: { before: [1.6, 1.7, 1.5], after: [1.2, 1.5, 1] },
  };
  const lossOf = (split: "train" | "validation") => script[split][state.trained ? "after" : "before"][branch];
  const host = {
    epoch: 0,
    samplesLeft: 1000,
    modalities: context.modalities,
    classes: 2,
    random: new Random(0),
    labels: () => new Int32Array(1),
    has: () => true,
    evaluate: (split: "train" | "validation") => Promise.resolve({ loss: lossOf(split), accuracy: 0 }),
    pass(split: "train" | "validation", kept: readonly string[]) {
      assertEquals(kept, [context.modalities[branch]]);
      return Promise.resolve({ solo: { [kept[0]]: Float32Array.of(margin(lossOf(split)), 0) } });
    },
    snapshot: () => Promise.resolve(log.push("snapshot")),
    restore: () => {
      log.push("restore");
      state.trained = false;
      branch++;
      return Promise.resolve();
    },
    train: ([segment]: Segment[]) => {
      assertEquals([...weights], [1, 1, 1]); // a branch is trained by its own loss, unweighted
      log.push(segment.programs.join());
      state.trained = true;
      return Promise.resolve({});
    },
    setControl: (_name: string, value: readonly number[]) => void (weights = value),
    control: () => weights,
  } as unknown as Host;
  await method.beforeEpoch!(host);
  assertEquals(
    log,
    ["audio", "image", "joint"].flatMap((name) => [
      "snapshot",
      `g-blending/${name}`,
      `g-blending/${name}`,
      "restore",
    ]),
  );
  weights.forEach((weight, k) => assertAlmostEquals(weight, [0.38835, 0.436893, 0.174757][k], 1e-5));
  assertEquals(Object.keys(method.report!(host)), ["weight:audio", "weight:image", "weight:joint"]);
});

Deno.test("g-blending's measurement is drawn from the budget, moves no parameter, and refuses to use it all up", async () => {
  const { result, records } = await trained(engine, toyModel(library, two, "concat", [["g-blending", {}]]), two, {
    training: { epochs: 5 },
  });
  assertEquals(result.summary.samplesDrawn, 5 * 75);
  assertEquals(records.map(({ samplesDrawn }) => samplesDrawn), [4 * 75, 5 * 75]); // three of the five go into it
  await assertRejects(
    () => trained(engine, toyModel(library, two, "concat", [["g-blending", {}]]), two, { training: { epochs: 3 } }),
    Error,
    "its measurement must leave samples for the model: 225 of 225 samples would go into it",
  );
});

// ----------------------------------------------------------------------------------------------------------------- lfm

Deno.test("lfm's learned weight follows the held-out loss through one step, and leaves the model where it was", async () => {
  const methods: Methods = [["lfm", { schedule: "learned", share: 0.9, rate: 5 }]];
  const { records, result } = await trained(engine, toyModel(library, two, "concat", methods), two, {
    training: { epochs: 6 },
  });
  const weights = records.map(({ methods }) => methods.lfm.gapWeight as number);
  assertEquals(weights[0], 0.9);
  // Early in training a step on cross-entropy lowers the held-out loss more than one on the gap does.
  assert(weights[1] < weights[0], weights.join());
  assert(weights.every((weight) => weight >= 0.05 && weight <= 0.95));
  assertEquals(result.summary.samplesDrawn, 6 * 75); // its two probing steps an epoch are in the budget
});

// --------------------------------------------------------------------------------------------------------- recon-boost

Deno.test("recon-boost: a stage moves one encoder and the shared head, then everything, with the optimiser cleared", async () => {
  const moved: string[][] = [];
  let last: Record<string, Float32Array> = {};
  const watch: Method = {
    name: "watch",
    async beforeEpoch(host) {
      if (host.epoch === 0) last = await host.params(["*"]);
    },
    async afterEpoch(host) {
      const now = await host.params(["*"]);
      const groups = Object.keys(now).filter((full) => now[full].some((value, i) => value !== last[full][i])).map(
        groupOf,
      );
      moved.push([...new Set(groups)].sort());
      last = now;
    },
  };
  const methods: Methods = [["recon-boost", { boost: 1, rectify: 1 }], watch];
  const model = toyModel(library, two, "concat", methods, {}, () => 8);
  await trained(engine, model, two, { training: { epochs: 4 } });
  const all = ["aux:recon-boost", "aux:recon-boost-scale", "encoder:audio", "encoder:image"];
  assertEquals(moved, [["aux:recon-boost", "encoder:audio"], all, ["aux:recon-boost", "encoder:image"], all]);
});

Deno.test("recon-boost of one modality is cross-entropy times (w_1 - w_2 / C) / C", async () => {
  const alone = selectModalities(two, ["audio"]);
  const seen: Record<string, number>[] = [];
  const labelled: Method = {
    name: "labelled",
    loss: (step) => ({ plain: crossEntropy(step.output.logits, step.labels) }),
  };
  const model = toyModel(library, alone, "concat", [["recon-boost", { own: 5, others: 1 }]]);
  await train({
    // All terms of one program: its own and the plain one beside it.
    model: { ...model, methods: [{ ...model.methods[0], plan: undefined }, labelled] },
    dataset: alone,
    engine,
    training: { ...toyTraining, epochs: 1, learningRate: 0 },
    seed: 0,
    onEpoch: ({ loss }) => void seen.push({ ...loss }),
  });
  assertAlmostEquals(seen[0]["boost:audio"], seen[0].plain * (5 - 1 / 3) / 3, 1e-5);
});

Deno.test("recon-boost maps narrower features to the widest, and refuses stages that see each other", async () => {
  const groups = Object.keys(params(await run("concat", ["recon-boost"]))).map(groupOf);
  assert(groups.includes("aux:recon-boost:audio") && !groups.includes("aux:recon-boost:image"));
  const plugin = library.of("method").get("recon-boost");
  const context = { modalities: ["audio", "image"], classes: 3 };
  assert(
    plugin.refuses!(library.of("fusion").get("mmtm").create({}, context), context, {})!.includes(
      "one encoder at a time",
    ),
  );
});

// ----------------------------------------------------------------------------------------------------------------- g2d

Deno.test("g2d: a held-back encoder is still moved by decay, or stays if its update is held back", async () => {
  // Stand-in teachers are equally sure of nothing; the order over the run decides, so one encoder is held back throughout.
  for (const [freeze, momentum] of [["gradient", 0], ["update", 0], ["update", 0.9]] as const) {
    const options = { featureWeight: 0, logitWeight: 0, order: "run", freeze };
    const result = await run("concat", [["g2d", options]], two, { momentum });
    const start = await run("concat", [["g2d", options]], two, { momentum, learningRate: 0 });
    const still = (modality: string) =>
      Object.entries(params(result)).filter(([full]) => groupOf(full) === `encoder:${modality}`)
        .every(([full, values]) => values.every((value, i) => value === params(start)[full][i]));
    assertEquals([still("audio"), still("image")].filter((own) => own).length, freeze === "update" ? 1 : 0);
  }
});

// --------------------------------------------------------------------------------------------------- missing modalities

Deno.test("samples that lack a modality in the dataset are never shown with it alone, and count in no measurement of it", async () => {
  const present = Uint8Array.from({ length: 2 * 75 }, (_, k) => k % 2 === 1 && Math.floor(k / 2) % 3 === 0 ? 0 : 1);
  const { train: split } = two.splits;
  const image = split.inputs.image.map((value, i) => Math.floor(i / 7) % 3 === 0 ? 0 : value) as Float32Array;
  const lacking = {
    ...two,
    splits: { ...two.splits, train: { ...split, present, inputs: { ...split.inputs, image } } },
  };
  const shown: number[] = [];
  const watch: Method = {
    name: "watch",
    declares: { passesKeep: true },
    plan: (_host, base) => {
      for (const { programs, items } of base) if (programs[0].endsWith("/image")) shown.push(...items);
      return base;
    },
  };
  const ran = (methods: Methods) => {
    const model = toyModel(library, lacking, "concat", methods);
    const teachers = standInTeachers(model, lacking, engine);
    return train({ model, dataset: lacking, engine, training: { ...toyTraining, epochs: 4 }, seed: 0, teachers });
  };
  await ran([["data-remixing", { warmup: 0 }], watch]);
  assert(shown.length > 0 && shown.every((item) => item % 3 !== 0));
  for (
    const [name, options] of [
      ["re-learning", { every: 1 }],
      ["g-blending", {}],
      ["g2d", { order: "run" }],
      ["umt", {}],
      ["recon-boost", { boost: 1, rectify: 1 }],
      ["info-reg", {}],
      ["lfm", {}],
    ] as [string, Record<string, unknown>][]
  ) assert(Number.isFinite((await ran([[name, options]])).summary.test.loss), name);
});

// --------------------------------------------------------------------------------------------------------- composition

Deno.test("what cannot act on one model together is refused", () => {
  const context = { modalities: ["audio", "image"], classes: 3 };
  const problem = (...names: string[]) =>
    incompatibility(names.map((name) => library.of("method").get(name).create({}, context)))?.message ?? null;
  for (
    const [one, two] of [
      ["uni-ce", "g-blending"],
      ["uni-ce", "info-reg"],
      ["recon-boost", "data-remixing"],
      ["unimodal-ensemble", "recon-boost"],
      ["lfm", "unimodal-ensemble"],
      ["sample-valuation", "data-remixing"],
    ]
  ) assertNotEquals(problem(one, two), null, `${one} and ${two}`);
  for (const [one, two] of [["umt", "uni-ce"], ["lfm", "uni-ce"], ["re-learning", "arm"], ["umt", "ogm"]]) {
    assertEquals(problem(one, two), null, `${one} and ${two}`);
  }
  assertThrows(() => library.of("method").get("info-reg").create({ strength: "much" }, context));
});
