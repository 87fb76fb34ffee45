/** What strangers get wrong in parts of their own: each mistake is one sentence that names the part, the hook and what is there. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { fusionHooks, methodHooks } from "../../contracts/hooks.ts";
import { fusionRig, NAMES } from "../../contracts/toy.ts";
import { withSteps } from "../../contracts/steps.ts";
import {
  type Dataset,
  defineEstimator,
  defineFusion,
  defineMethod,
  type Estimator,
  type Fusion,
  type FusionPlugin,
  type Method,
  type MethodPlugin,
} from "../../core/kinds/mod.ts";
import { PluginError } from "../../core/plugin_error.ts";
import { Refusal } from "../../core/refusal.ts";
import { checkDataset } from "../../datasets/check.ts";
import { selectEngine } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";

const library = createLibrary();
const { engine } = await selectEngine("cpu");
const context = { modalities: NAMES.slice(0, 2), classes: 3 };

/** A method with hooks of any shape: types are what strangers get around. */
const method = (hooks: object): MethodPlugin =>
  defineMethod({ name: "mine", about: "an example", options: {}, create: () => hooks as Method });

/** What a step with it says. */
async function told(hooks: object): Promise<string> {
  const rig = fusionRig(library.of("fusion").get("concat"), library, {
    m: 2,
    methods: [method(hooks).create({}, context)],
  })!;
  const error = await assertRejects(() => withSteps(rig, engine, (steps) => steps.train(steps.feeds())), PluginError);
  return error.message;
}

const fusion = (change: object, forward?: (output: { fused: tf.Tensor; logits: tf.Tensor }) => unknown): FusionPlugin =>
  defineFusion({
    name: "mine",
    about: "an example",
    options: {},
    create: () =>
      ({
        needs: {},
        soloMode: "ablate-zero",
        forward: () => {
          const output = { fused: tf.zeros([5, 4]), logits: tf.zeros([5, 3]) };
          return forward === undefined ? output : forward(output);
        },
        ...change,
      }) as unknown as Fusion,
  });

/** What its `forward` says. */
const forwarded = (forward: (output: { fused: tf.Tensor; logits: tf.Tensor }) => unknown): string =>
  assertThrows(() => {
    const { scope } = {} as { scope: Parameters<Fusion["forward"]>[2] };
    fusion({}, forward).create({}, context).forward({ audio: { pooled: tf.zeros([5, 4]) } }, null, scope, {});
  }, PluginError).message;

Deno.test("a hook that gives a promise is refused where nobody waits for it; those between epochs may", async () => {
  assertStringIncludes(
    await told({ loss: () => Promise.resolve({}) }),
    'method "mine" failed in loss: TypeError: it gave a promise, and nobody waits for it: leave async out',
  );
  assertStringIncludes(
    await told({ loss: () => Promise.reject(new Error("unheard")) }),
    "it gave a promise, and nobody waits for it",
  );
  const waited = method({ beforeEpoch: () => Promise.resolve() }).create({}, context);
  assertEquals(waited.beforeEpoch!({} as Parameters<NonNullable<Method["beforeEpoch"]>>[0]) instanceof Promise, true);
  assertStringIncludes(
    forwarded((output) => Promise.resolve(output)),
    'fusion "mine" failed in forward: TypeError: it gave',
  );
  for (const [given, found] of [[undefined, "undefined"], [Promise.resolve({}), "a promise"], [3, "number"]] as const) {
    assertThrows(
      () => method(given as unknown as object).create({}, context),
      PluginError,
      `method "mine" failed in create: TypeError: it must give an object with functions: found ${found}`,
    );
  }
});

Deno.test("features of another width, columns and groups that nobody knows name the method and what there is", async () => {
  assertStringIncludes(
    await told({
      features: ({ features }: { features: Record<string, { pooled: tf.Tensor2D }> }) => ({
        features: { ...features, audio: { pooled: tf.slice(features.audio.pooled, [0, 0], [-1, 2]) } },
      }),
    }),
    'failed in features: TypeError: pooled features of "audio" must stay [5, 8]: found [5, 2]',
  );
  assertStringIncludes(
    await told({
      features: ({ features: { image } }: { features: { image?: unknown } }) => ({ features: { image } }),
    }),
    'pooled features of "audio" must stay',
  );
  assertStringIncludes(
    await told({ emit: () => ({ rows: { seen: tf.ones([5, 1]) } }) }),
    'failed in emit: RangeError: there is no column "seen": declared are none (declares.columns)',
  );
  assertStringIncludes(
    await told({ rates: () => ({ "encoder:nobody": tf.scalar(1) }) }),
    'failed in rates: RangeError: there is no group "encoder:nobody": groups are encoder:audio, encoder:image, fusion, head',
  );
});

Deno.test("a fusion says what it must, and gives what it must", () => {
  for (
    const [change, found] of [
      [{ needs: undefined }, "it must give needs, an object ({} for pooled features alone): found undefined"],
      [{ forward: undefined }, "it must give a function forward: it has none"],
      [{ soloMode: "ablate" }, 'soloMode, one of split, own, ablate-zero, ablate-mean: found "ablate"'],
    ] as const
  ) assertThrows(() => fusion(change).create({}, context), PluginError, found);
  const shapes = "it must give { fused: [B, d], logits: [B, C] }";
  assertStringIncludes(forwarded(() => undefined), `${shapes}: found undefined`);
  assertStringIncludes(forwarded(({ fused }) => ({ fused })), `${shapes}: logits is undefined`);
  assertStringIncludes(
    forwarded(({ logits }) => ({ fused: tf.sum(logits, 1), logits })),
    "fused is [5] and must be [5, d]",
  );
  assertStringIncludes(
    forwarded(({ fused, logits }) => ({ fused, logits: tf.concat([logits, logits], 1) })),
    "logits is [5, 6] and must be [5, 3]",
  );
  assertStringIncludes(
    forwarded(({ fused, logits }) => ({ fused: tf.slice(fused, 0, 4), logits })),
    "fused is [4, 4] and must be [5, d]",
  );
});

Deno.test("information of another shape, or the half of it, names the estimator", () => {
  const told = (information: unknown): string =>
    assertThrows(() => {
      const made = { information } as Estimator;
      const plugin = defineEstimator({ name: "mine", about: "an example", options: {}, create: () => made });
      plugin.create({}, { coordinates: 8 }).information!(tf.zeros([5, 3, 8]), null);
    }, PluginError).message;
  const nmi = tf.zeros([5, 2]);
  assertStringIncludes(told(() => ({ nmi })), 'estimator "mine" failed in information: TypeError: ncmi is missing');
  assertStringIncludes(told(() => ({ nmi: tf.transpose(nmi) })), "nmi is [2, 5] and must be [5, 2]");
  assertStringIncludes(told(() => Promise.resolve({ nmi })), "it gave a promise, and nobody waits for it");
});

Deno.test("a hook that is misspelt is found; other functions of one's own are left alone", () => {
  const made = (hooks: object) => method(hooks).create({}, context);
  assertThrows(
    () => methodHooks(made({ beforeEpohc() {} })),
    Error,
    'it has a function "beforeEpohc", which nobody calls; is "beforeEpoch" meant?',
  );
  class Mine {
    tasklos() {}
  }
  assertThrows(() => methodHooks(made(new Mine())), Error, 'is "taskLoss" meant?');
  assertEquals(methodHooks(made({ loss: () => ({}), helper() {}, loadTable() {} })), {});
  assertEquals(methodHooks(made({})), { note: "it has no hook, and changes nothing" });
  assertThrows(() => fusionHooks(fusion({ kernel() {} }).create({}, context)), Error, 'is "kernels" meant?');
});

Deno.test("a dataset without a split, or a split without groups, is a sentence", () => {
  const split = (name: string) => ({
    size: 1,
    labels: Int32Array.of(0),
    groups: [name],
    inputs: { a: Float32Array.of(1) },
  });
  const whole = {
    name: "mine",
    modalities: { a: { shape: [1], dtype: "float32", about: "a" } },
    classes: ["x"],
    splits: { train: split("1"), validation: split("2"), test: split("3") },
  };
  checkDataset(whole as unknown as Dataset);
  const bad = (change: object | undefined, found: string) =>
    assertThrows(() => checkDataset(change as unknown as Dataset), Refusal, found);
  bad(
    undefined,
    "Cannot use dataset that was loaded as it must have modalities, classes and splits: modalities is undefined",
  );
  bad(
    { ...whole, classes: undefined },
    'Cannot use dataset "mine" as it must have modalities, classes and splits: classes is',
  );
  bad({ ...whole, splits: { ...whole.splits, validation: undefined } }, 'there is no "validation"');
  const { groups: _, ...lacking } = split("1");
  bad({ ...whole, splits: { ...whole.splits, train: lacking } }, '"train" has no groups');
});
