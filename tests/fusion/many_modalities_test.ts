/**
 * Fusions train and are valued at eight and twelve modalities, compiled; no internal limit reaches a user.
 *
 * The valuation is the same behind every fusion, so that those serve that compile in seconds; attention between all pairs
 * takes a minute at twelve.
 */
import { assert, assertEquals } from "@std/assert";
import { contextOf, fusionRig, toyTraining } from "../../contracts/toy.ts";
import { part } from "../../experiments/config.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";

const library = createLibrary();
const engine = await onnxCpu.create();

for (const [name, m] of [["concat", 8], ["concat", 12], ["lmf", 8], ["decision", 12], ["gated", 12]] as const) {
  Deno.test(`${name} trains with ARM and is valued at ${m} modalities`, async () => {
    const names = Array.from({ length: m }, (_, u) => `m${String(u).padStart(2, "0")}`);
    const { plugin, options } = library.bind("method", part("arm"));
    const methods = [plugin.create(options, contextOf(names))];
    const { model, dataset } = fusionRig(library.of("fusion").get(name), library, { names, methods })!;
    const { summary } = await train({ model, dataset, engine, training: { ...toyTraining, epochs: 1 }, seed: 0 });
    assertEquals(Object.keys(summary.test.perModality), names);
    assert(summary.test.accuracy > 0.2 && Number.isFinite(summary.test.loss));
  });
}
