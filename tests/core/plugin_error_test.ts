/** Slips of parts are told with the part, its function and the line, whatever runs them. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { defineFusion, defineMethod, type Fusion, type Method } from "../../core/kinds/mod.ts";
import { guarded, inPlugin, PluginError } from "../../core/plugin_error.ts";
import { Refusal } from "../../core/refusal.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { InterruptedError, train } from "../../training/mod.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const dataset = await toyDataset(3);
const engines = { compiled: await onnxCpu.create(), eager: await cpu.create() };

/** The line of this file on which a text stands. */
const lines = (await Deno.readTextFile(new URL(import.meta.url))).split("\n");
const lineOf = (text: string) => lines.findIndex((line) => line.includes(text)) + 1;

async function failure(parts: { fusion?: Fusion; method?: Method }, engine = engines.compiled): Promise<PluginError> {
  const plain = toyModel(library, dataset, "concat", parts.method === undefined ? [] : [parts.method]);
  const model = parts.fusion === undefined ? plain : { ...plain, fusion: parts.fusion };
  const error = await assertRejects(() => train({ model, dataset, engine, training: toyTraining, seed: 0 }));
  assertInstanceOf(error, PluginError, String(error));
  return error;
}

const context = { modalities: ["audio", "image", "text"], classes: 3 };
const fusionOf = (forward: Fusion["forward"]) =>
  defineFusion({
    name: "slipping",
    about: "slips",
    options: {},
    create: (): Fusion => ({ needs: {}, soloMode: "ablate-mean", forward }),
  }).create({}, context);

for (const [name, engine] of Object.entries(engines)) {
  Deno.test(`a shape error in a forward pass names the fusion's own line (${name})`, async () => {
    const fusion = fusionOf(({ audio }) => {
      const wrong = tf.matMul(audio.pooled, tf.zeros([7, 3])); // the line that is told
      return { fused: wrong as tf.Tensor2D, logits: wrong as tf.Tensor2D };
    });
    const { plugin, hook, place, message } = await failure({ fusion }, engine);
    assertEquals([plugin, hook], ['fusion "slipping"', "forward"]);
    assertMatch(place!, new RegExp(`plugin_error_test\\.ts:${lineOf("// the line that is told")}:\\d+$`));
    assert(message.includes(place!), message);
  });
}

Deno.test("a slip names the part and keeps its stack: in forward, in a hook of a method, traced or on the host", async () => {
  const fusion = fusionOf(({ nobody }) => ({ fused: nobody.pooled, logits: nobody.pooled }));
  const { message, cause } = await failure({ fusion });
  assertMatch(
    message,
    /^fusion "slipping" failed in forward \(.*plugin_error_test\.ts:\d+:\d+\): TypeError: Cannot read/,
  );
  assert((cause as Error).stack!.includes("plugin_error_test.ts"));

  const method = (hooks: Partial<Method>) =>
    defineMethod({ name: "slipping", about: "slips", options: {}, create: () => hooks }).create({}, context);
  const hooks: [string, Partial<Method>][] = [
    ["loss", { loss: (step) => ({ x: step.features["nobody"].pooled }) }],
    ["beforeEpoch", { beforeEpoch: (host) => void host.table("nobody") }],
    ["plan", { plan: async (host) => [{ programs: ["main"], items: await host.labels("test" as "train") }] }],
    ["afterStep", { afterStep: (stats) => void (stats as unknown as Record<string, number[]>)["nobody"].length }],
    ["report", { report: (host) => ({ x: host.control("nobody")[0] }) }],
    // What armlab's own layers refuse is a slip of whoever called them.
    ["emit", { emit: (step) => ({ stats: { x: step.scope.control("nobody") as tf.Scalar } }) }],
    ["features", { features: (step) => ({ features: step.features, weights: step.rows("nobody") as never }) }],
  ];
  for (const [hook, own] of hooks) {
    const found = await failure({ method: method(own) });
    assertEquals([found.plugin, found.hook], ['method "slipping"', hook]);
    assertMatch(found.place ?? "", /plugin_error_test\.ts:\d+:\d+$/, hook);
  }
});

Deno.test("guarded() keeps values, getters, classes and lists of functions, and passes on refusals and stops", async () => {
  class Counting {
    #count = 1;
    readonly label = "c";
    get count(): number {
      return this.#count;
    }
    next(by: number): number {
      return this.#count += by;
    }
    refuse(): never {
      throw new Refusal({ what: "count on" });
    }
    stop(): Promise<never> {
      return Promise.reject(new InterruptedError("stop"));
    }
    slip(): Promise<never> {
      return Promise.reject(new TypeError("slip"));
    }
    readonly stages = [(x: number) => x + 1, () => {
      throw new Error("second");
    }];
  }
  const one = guarded('encoder "counting"', new Counting());
  assertEquals([one.label, one.count, one.next(2), one.count, one.stages[0](4)], ["c", 1, 3, 3, 5]);
  assertThrows(() => one.refuse(), Refusal, "Cannot count on");
  await assertRejects(() => one.stop(), InterruptedError);
  await assertRejects(() => one.slip(), PluginError, 'encoder "counting" failed in slip');
  assertThrows(() => one.stages[1](0), PluginError, 'encoder "counting" failed in stages[1]');
  // One name is enough: the innermost part's.
  assertThrows(
    () => inPlugin('method "outer"', "loss", () => one.stages[1](0)),
    PluginError,
    'encoder "counting" failed',
  );
});

Deno.test("a method's log and state are kept under the name of its plugin, whatever name it gives itself", async () => {
  const named = defineMethod({
    name: "outer",
    about: "has another name inside",
    options: {},
    create: () => ({
      name: "inner",
      emit: () => ({ stats: { one: tf.scalar(1) } }),
      report: () => ({ two: 2 }),
      save: () => 3,
    }),
  });
  const records: unknown[] = [];
  let saved = "";
  await train({
    model: toyModel(library, dataset, "concat", [named.create({}, context)]),
    dataset,
    engine: engines.compiled,
    training: { ...toyTraining, epochs: 1 },
    seed: 0,
    onEpoch: async (record, checkpoint) => {
      records.push(record.methods);
      saved = JSON.stringify((await checkpoint()).state.kept);
    },
  });
  assertEquals(records, [{ outer: { two: 2, one: 1 } }]);
  assert(saved.includes('"methods":{"outer":3}'), saved);
});
