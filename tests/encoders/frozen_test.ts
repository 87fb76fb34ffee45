/** Frozen encoders stay as they are, statistics and all; groups have learning rates of their own. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { byModality } from "../../core/modality.ts";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { withSteps } from "../../contracts/steps.ts";
import { contextOf, type Rig, toyDataset } from "../../contracts/toy.ts";
import { bert, cnn } from "../../encoders/mod.ts";
import { cpu } from "../../engines/mod.ts";
import { part, resolveConfig } from "../../experiments/config.ts";
import { concat, pmf } from "../../fusion/mod.ts";
import { createLibrary } from "../../library.ts";
import type { Model } from "../../training/model.ts";
import { assertClose } from "../helpers/tensors.ts";

const engine = await cpu.create();
const names = ["audio", "image"];
const info: ModalityInfo = { shape: [8, 8, 1], dtype: "float32", about: "an image" };
const ids: ModalityInfo = { shape: [6], dtype: "int32", vocabulary: 10, about: "ids" };

/** Two small CNNs with batch normalisation, concatenated. */
function rig(changes: Partial<Model> = {}): Rig {
  const encoder = cnn.create({ channels: [3, 4], width: 5, norm: "batch" }, info);
  const context = contextOf(names);
  return {
    model: {
      context,
      encoders: byModality(names, () => encoder),
      fusion: concat.create({ width: 6 }, context),
      methods: [],
      ...changes,
    },
    dataset: toyDataset(byModality(names, () => info)),
  };
}

const step = (own: Rig) => withSteps(own, engine, (steps) => steps.train());
const start = (own: Rig) => withSteps(own, engine, (steps) => Promise.resolve(steps.values));

Deno.test("a frozen encoder moves neither parameters nor running statistics, and normalises by these", async () => {
  const [plain, frozen] = [await step(rig()), await step(rig({ frozen: ["encoder:audio"] }))];
  const values = await start(rig());
  const moved = (found: typeof plain, name: string) =>
    (found.gradients[name] ?? new Float32Array()).some((value) => value !== 0);
  for (const name of Object.keys(plain.gradients)) {
    assertEquals(moved(plain, name), true, name);
    assertEquals(moved(frozen, name), !name.startsWith("encoder:audio/"), name);
  }
  for (const [name, value] of Object.entries(frozen.buffers)) {
    if (!/^encoder:/.test(name)) continue;
    const same = value.every((own, i) => own === values[`buffer:${name}`].data[i]);
    assertEquals(same, name.startsWith("encoder:audio/"), name);
  }
  // Normalised by the running statistics, the same start has another loss than normalised by the batch's.
  assert(Math.abs(plain.stats["loss/joint"] - frozen.stats["loss/joint"]) > 1e-4);
});

Deno.test("a frozen encoder draws no dropout, also in the layers that a fusion runs", async () => {
  const context = contextOf(names);
  const encoder = bert.create({ width: 8, depth: 2, heads: 2, hidden: 12, dropout: 0.5 }, ids);
  const made = (frozen: readonly string[], fusion: Model["fusion"]): Rig => ({
    model: { context, encoders: byModality(names, () => encoder), fusion, methods: [], frozen },
    dataset: toyDataset(byModality(names, () => ids)),
  });
  const prompts = pmf.create({ layers: "encoder", fused: 1, queries: 2, contexts: 1, fusionContexts: 1 }, context);
  for (const fusion of [concat.create({ width: 6 }, context), prompts]) {
    const losses = async (frozen: readonly string[]) =>
      await withSteps(made(frozen, fusion), engine, async (steps) => {
        const feeds = steps.feeds();
        const other = { ...feeds, key: { ...feeds["key"], data: Int32Array.of(5, 6) } };
        return [await steps.train(feeds), await steps.train(other)].map(({ stats }) => stats["loss/joint"]);
      });
    const [a, b] = await losses(["encoder:*"]);
    assertEquals(a, b);
    const [c, d] = await losses([]);
    assert(c !== d);
  }
});

Deno.test("prompts are trained through frozen layers", async () => {
  const context = contextOf(names);
  const encoder = bert.create({ width: 8, depth: 2, heads: 2, hidden: 12 }, ids);
  const { gradients } = await step({
    model: {
      context,
      encoders: byModality(names, () => encoder),
      fusion: pmf.create({ layers: "encoder", fused: 2, queries: 2, contexts: 1, fusionContexts: 1 }, context),
      methods: [],
      frozen: ["encoder:*"],
    },
    dataset: toyDataset(byModality(names, () => ids)),
  });
  for (
    const name of ["fusion/prompts1/audio/image/query", "fusion/prompts2/image/fusion-context", "head:audio/kernel"]
  ) {
    assert(gradients[name].some((value) => value !== 0), name);
  }
  for (const [name, values] of Object.entries(gradients)) {
    if (name.startsWith("encoder:")) assert(values.every((value) => value === 0), name);
  }
});

Deno.test("a group moves by its factor on the learning rate, factors that fit it multiplied", async () => {
  const [plain, slow] = [await step(rig()), await step(rig({ rates: { "encoder:*": 0.5, "encoder:image": 0.5 } }))];
  for (const [name, moved] of Object.entries(plain.gradients)) {
    const factor = name.startsWith("encoder:audio/") ? 0.5 : name.startsWith("encoder:image/") ? 0.25 : 1;
    assertClose(slow.gradients[name], moved.map((value) => factor * value), 2e-5);
  }
});

Deno.test("layers of an encoder move by the decay to the power of how far they are from its end", async () => {
  const context = contextOf(names);
  const encoders = {
    audio: bert.create({ width: 8, depth: 2, heads: 2, hidden: 12, dropout: 0 }, ids),
    image: cnn.create({ channels: [3, 4], width: 5, norm: "batch" }, info),
  };
  const made = (changes: Partial<Model>): Rig => ({
    model: { context, encoders, fusion: concat.create({ width: 6 }, context), methods: [], ...changes },
    dataset: toyDataset({ audio: ids, image: info }),
  });
  const [plain, slow] = [await step(made({})), await step(made({ layerDecay: 0.5, rates: { "encoder:audio": 0.5 } }))];
  // By hand: an embedding, two layers and a pooler; two stages and what is behind them.
  const factors: [RegExp, number][] = [
    [/^encoder:audio\/embeddings/, 0.5 ** 3],
    [/^encoder:audio\/encoder\/layer\/0/, 0.5 ** 2],
    [/^encoder:audio\/encoder\/layer\/1/, 0.5],
    [/^encoder:image\/block1/, 0.5 ** 2],
    [/^encoder:image\/block2/, 0.5],
  ];
  const seen = new Set<number>();
  for (const [name, moved] of Object.entries(plain.gradients)) {
    const byLayer = factors.find(([pattern]) => pattern.test(name))?.[1] ?? 1;
    const factor = byLayer * (name.startsWith("encoder:audio/") ? 0.5 : 1);
    seen.add(factor);
    assertClose(slow.gradients[name], moved.map((value) => factor * value), 2e-5);
  }
  assertEquals([...seen].sort(), [0.0625, 0.125, 0.25, 0.5, 1]);
});

Deno.test("groups that no model has, and models of which nothing is trained, are refused", async () => {
  await assertRejects(() => step(rig({ frozen: ["aux:nothing"] })), Refusal, 'Cannot freeze "aux:nothing"');
  await assertRejects(() => step(rig({ frozen: ["*"] })), Refusal, "all are frozen");
  const library = createLibrary();
  const data = { fingerprint: "0", modalities: byModality(names, () => info), classes: ["a", "b"] };
  const context = { seed: 0, engine: { name: "cpu", version: "0", threads: 1 }, version: "0", plugins: [] };
  const resolved = (changes: Record<string, unknown>) =>
    resolveConfig(
      {
        label: "x",
        dataset: part("av-digits"),
        encoder: part("cnn"),
        fusion: part("concat"),
        methods: [],
        training: {},
        ...changes,
      },
      library,
      data,
      context,
    );
  assertEquals(resolved({ freeze: ["head", "encoder:*", "head"] }).freeze, ["encoder:*", "head"]);
  assertEquals(resolved({ rates: { "encoder:image": 0.1 } }).rates, { "encoder:image": 0.1 });
  // What is off leaves no trace: runs keep the names that they had before there was such an option.
  const off = resolved({ training: { warmup: 0, layerDecay: 1 } });
  assertEquals(Object.keys(off.training).filter((key) => ["warmup", "layerDecay"].includes(key)), []);
  const { warmup, layerDecay } = resolved({ training: { warmup: 0.1, layerDecay: 0.75, schedule: "linear" } }).training;
  assertEquals([warmup, layerDecay], [0.1, 0.75]);
  assertEquals(Object.keys(resolved({})).filter((key) => ["freeze", "rates", "weights"].includes(key)), []);
  assertThrows(
    () => resolved({ freeze: ["encoder:video"] }),
    Refusal,
    'Cannot freeze "encoder:video" as there must be a group of parameters of that name: groups are encoder:audio, ' +
      "encoder:image, fusion, head, head:audio, head:image",
  );
  assertThrows(() => resolved({ rates: { "encoder:video": 0.1 } }), Refusal, 'learning rate of "encoder:video"');
  assertThrows(
    () => resolved({ rates: { head: 0 } }),
    Refusal,
    "a number above 0: found 0; to leave a group untrained",
  );
});
