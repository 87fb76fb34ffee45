/** Graphs of models with published sizes: weights are state that is fed, never constants, so that no graph grows with them. */
import { assert, assertEquals } from "@std/assert";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { type NamedSpecs, sizeOf } from "../../core/program.ts";
import { bert, resnet18, vitTiny } from "../../encoders/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { compileGraph } from "../../engines/onnx/engine.ts";
import type { Graph } from "../../engines/onnx/graph/ir.ts";
import { concat } from "../../fusion/mod.ts";
import { sgd } from "../../nn/mod.ts";
import { layoutOf, mergedOf, type Model, predictProgram, trainProgram } from "../../training/mod.ts";

const engine = await onnxCpu.create();
const photo: ModalityInfo = { shape: [32, 32, 3], dtype: "float32", about: "a photograph" };
const words: ModalityInfo = { shape: [16], dtype: "int32", vocabulary: 30522, about: "ids" };

/** Bytes of all constants of a graph, each counted once. */
function constantBytes({ nodes }: Graph): number {
  const data = new Set(nodes.flatMap(({ inputs }) => inputs.flatMap((value) => value?.data ?? [])));
  return [...data].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

for (const [plugin, info] of [[resnet18, photo], [vitTiny, photo], [bert, words]] as const) {
  Deno.test(`no graph of ${plugin.name} holds weights, trained or frozen`, () => {
    const context = { modalities: ["x"], classes: 3 };
    const dataset = { modalities: { x: info } };
    const model: Model = {
      context,
      encoders: { x: plugin.create({}, info) },
      fusion: concat.create({ width: 8 }, context),
      methods: [],
    };
    for (const frozen of [[], ["encoder:x"]]) {
      const own = { ...model, frozen };
      const merged = mergedOf(own, dataset, engine);
      const layout = layoutOf(own, dataset, merged, engine, 2);
      const parts = { model: own, modalities: dataset.modalities, merged, layout, batchSize: 2 };
      const trained = trainProgram(parts, sgd({ momentum: 0.9 }), 10, { name: "main" });
      for (const program of [predictProgram(parts, null, false), trained]) {
        const graph = compileGraph(program, "cpu");
        const bytes = constantBytes(graph);
        assert(bytes < 64 * 1024, `${program.name} holds ${bytes} bytes of constants`);
        // What a step reads of parameters it is fed.
        const fed = new Set(graph.inputs.map(({ name }) => name));
        const params = Object.entries(program.state as NamedSpecs).filter(([name]) => name.startsWith("param:"));
        const size = params.reduce((sum, [_, { shape }]) => sum + sizeOf(shape), 0);
        assert(size > 4_000_000);
        assertEquals(params.filter(([name]) => !fed.has(`state:${name}`)).map(([name]) => name), []);
      }
    }
  });
}
