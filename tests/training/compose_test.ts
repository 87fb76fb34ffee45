import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { Method } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { part, resolveConfig } from "../../experiments/mod.ts";
import { createLibrary } from "../../library.ts";
import { incompatibility, train } from "../../training/mod.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const dataset = await toyDataset(2);
const context = { modalities: ["audio", "image"], classes: 3 };
const methodsOf = (names: readonly string[]) => names.map((name) => library.of("method").get(name).create({}, context));
const why = (...names: string[]) => incompatibility(methodsOf(names))?.message ?? null;

Deno.test("what cannot be composed is refused with the reason, and with the order that works", () => {
  const refused: [string[], string][] = [
    [["ogm", "ogm-ge"], 'Cannot compose "ogm" and "ogm-ge" as both damp the encoders\' gradients by OGM\'s ratio'],
    [["arm", "arm-dfe"], 'Cannot compose "arm" and "arm-dfe" as both scale features by ARM\'s fusion weights'],
    [["arm-bmml", "arm"], "as both add ARM's loss L_phi"],
    [["sample-valuation", "modality-valuation"], "as both add copies with modalities dropped"],
    [["uni-ce", "ogm", "uni-ce"], 'Cannot compose "uni-ce" with itself: each method acts once'],
    [["sample-valuation", "arm"], "the second re-samples without passing that on; write arm+sample-valuation"],
  ];
  for (const [names, message] of refused) {
    const found = why(...names);
    assert(found?.includes(message), `${names.join("+")}: ${found}`);
  }
  const scales: Method = { name: "scales", taskLoss: (terms) => terms };
  const [greedy] = methodsOf(["greedy"]);
  assertEquals(
    incompatibility([scales, greedy])?.message,
    'Cannot compose "scales" and "greedy" in this order as the second would discard the first one\'s task loss; ' +
      "write greedy+scales",
  );
  assertEquals(incompatibility([greedy, scales]), null);
  const claims: Method = { name: "other", declares: { claims: ["replace the channel gates"] } };
  assertEquals(
    incompatibility([claims, greedy])?.message,
    'Cannot compose "other" and "greedy" as both replace the channel gates',
  );
  for (const names of [["arm", "ogm-ge"], ["arm-dfe", "arm-bmml", "arm-dsr"], ["arm", "sample-valuation"], []]) {
    assertEquals(why(...names), null);
  }
});

Deno.test("a refused composition is told before anything runs", () => {
  const request = {
    label: "x",
    dataset: part("av-digits"),
    encoder: part("mlp"),
    fusion: part("concat"),
    methods: [part("sample-valuation"), part("arm")],
    training: {},
  };
  const about = { seed: 0, engine: { name: "cpu", version: "x", threads: 1 }, version: "0", plugins: [] };
  assertThrows(() => resolveConfig(request, library, dataset, about), Refusal, "write arm+sample-valuation");
  const turned = { ...request, methods: [...request.methods].reverse() };
  assertEquals(resolveConfig(turned, library, dataset, about).methods.map(({ name }) => name), [
    "arm",
    "sample-valuation",
  ]);
});

const engine = await onnxCpu.create();
for (
  const [fusion, names] of [
    ["concat", ["arm", "ogm-ge"]],
    ["sum", ["arm", "sample-valuation"]],
    ["film", ["uni-ce", "modality-valuation"]],
    ["mmtm", ["greedy", "arm"]],
    ["mmtm", ["greedy", "uni-ce", "sample-valuation"]],
  ] as const
) {
  Deno.test(`${names.join("+")} on ${fusion} trains, and differs from each of its parts alone`, async () => {
    const early = (name: string): [string, Record<string, unknown>] => [
      name,
      "warmup" in library.of("method").get(name).options ? { warmup: 1 } : {},
    ];
    const run = async (methods: readonly string[]) => {
      const model = toyModel(library, dataset, fusion, methods.map(early));
      assertEquals(incompatibility(model.methods), null);
      const training = { ...toyTraining, epochs: 3, select: "last" } as const;
      return (await train({ model, dataset, engine, training, seed: 0 })).summary.test.loss;
    };
    const whole = await run(names);
    assert(Number.isFinite(whole));
    for (const name of names) assertNotEquals(whole, await run([name]));
  });
}
