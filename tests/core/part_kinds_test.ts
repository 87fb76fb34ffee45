/** What each kind of part says and answers where a part is silent. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  augmentationKind,
  defineAugmentation,
  defineEngine,
  defineMethod,
  defineSampler,
  engineKind,
  type Fusion,
  methodKind,
  type ModelContext,
  samplerKind,
} from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { Registry } from "../../core/registry.ts";

const context: ModelContext = { modalities: ["a", "b", "c"], classes: 2 };
const about = "for a test";

Deno.test("a method is called by its part's name, is given its options third, and says its costs and teachers", () => {
  const made = defineMethod<{ k: number }>({
    name: "own",
    about,
    options: { k: { type: "number", default: 3, about } },
    cost: { forwards: 2, backwards: 1 },
    passes: ({ k }, { modalities }) => k / modalities.length,
    refuses: (_fusion, _context, { k }) => k > 5 ? `k is ${k}` : null,
    create: () => ({ name: "other", declares: { teachers: { t: { modalities: ["a"], fusion: { name: "concat" } } } } }),
  });
  const method = made.create({}, context);
  assertEquals([method.name, Object.keys(method).includes("name")], ["own", true]);
  const fusion = { needs: {}, soloMode: "own" } as unknown as Fusion;
  assertEquals([made.refuses!(fusion, context, {}), made.refuses!(fusion, context, { k: 6 })], [null, "k is 6"]);
  assertThrows(() => made.refuses!(fusion, context, { k: "x" }), Refusal, "must be a number");
  assertEquals(methodKind.describe!(made), [
    "Cost per step: 2 forward, 1 backward (plain training is 1 and 1)",
    "Cost per epoch past its warm-up: 1.5 forward passes over the training set besides its steps (2 modalities)",
    "Teachers: 1 runs of their own, which a grid runs first and shares (2 modalities)",
  ]);
});

Deno.test("a method that says nothing costs what plain training does, and one that cannot be made for two has no teachers", () => {
  const plain = defineMethod<Record<never, never>>({
    name: "plain",
    about,
    options: {},
    create: (_, { modalities }) => {
      if (modalities.length === 2) throw new Refusal({ what: "make it", must: "there must be three" });
      return {};
    },
  });
  assertEquals(plain.refuses!({} as Fusion, context, {}), null);
  assertEquals(plain.passes!({}, context), 0);
  assertEquals(methodKind.describe!(plain), ["Cost per step: 1 forward, 1 backward (plain training is 1 and 1)"]);
});

Deno.test("a sampler says what it needs and whether it drops modalities; an augmentation how it is asked for", () => {
  const sampler = (more: Partial<Parameters<typeof defineSampler>[0]>) =>
    samplerKind.describe!(defineSampler<Record<never, never>>({
      ...{ name: "own", about, options: {}, create: () => ({ plan: (base) => base }) },
      ...more as object,
    }));
  assertEquals(sampler({}), ["Needs: nothing measured"]);
  assertEquals(sampler({ needs: "joint" }), ["Needs: the joint contribution of every sample"]);
  assertEquals(sampler({ needs: "contributions", keep: true }), [
    "Needs: contributions of every modality",
    "Drops modalities from samples",
  ]);
  const augmentation = (everywhere?: boolean) =>
    augmentationKind.describe!(defineAugmentation<{ modality: string }>({
      ...{ name: "own", about, everywhere, refuses: () => null, create: () => ({}) },
      options: { modality: { type: "text", default: "", about } },
    }));
  assertEquals([augmentation(true), augmentation()], [["Used by --augment own"], ["Used by --augment MODALITY=own"]]);
});

Deno.test("engines are listed as they were registered, by names with colons", () => {
  const engine = (name: string) =>
    defineEngine({
      name,
      about,
      unavailable: () => Promise.resolve(null),
      create: () => Promise.reject(new Error("no")),
    });
  const engines = new Registry(engineKind, ["onnx:webgpu", "cpu", "b-c"].map(engine));
  assertEquals(engines.names(), ["onnx:webgpu", "cpu", "b-c"]);
  assertThrows(() => engines.add(engine("cpu:")), Refusal, "lower case, its words joined by - or :");
});
