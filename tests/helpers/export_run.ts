/** A finished run whose weights follow from a seed: what `armlab export` is tested on, here and in Python. */
import { join } from "node:path";
import * as names from "../../core/names.ts";
import type { NamedHostTensors } from "../../core/program.ts";
import { float32 } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { selectModalities } from "../../datasets/select.ts";
import { onnxCpu } from "../../engines/mod.ts";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { buildModel, resolveConfig } from "../../experiments/config.ts";
import { createLibrary } from "../../library.ts";
import { openRun } from "../../store/run_folder.ts";
import { runId } from "../../store/run_id.ts";
import { layoutOf, mergedOf, startValues } from "../../training/state.ts";
import { writeRun } from "./runs.ts";

/** The run: convolutions with batch normalisation and a bottleneck. */
export const exportRequest: CellRequest = {
  label: "export",
  dataset: { name: "av-digits", options: { size: "mini" } },
  encoder: { name: "cnn", options: { channels: [4, 6], width: 16, norm: "batch" } },
  fusion: { name: "concat", options: { width: 12 } },
  methods: [{ name: "arm", options: {} }],
  training: {},
};

/** Writes the run folder; returns its path. */
export async function writeExportRun(runs: string, request: CellRequest = exportRequest): Promise<string> {
  const library = createLibrary();
  const plugin = library.of("dataset").get(request.dataset.name);
  const loaded = await plugin.load({ ...request.dataset.options });
  const config = resolveConfig(request, library, loaded, {
    seed: 7,
    engine: { name: "onnx:cpu", version: "test", threads: 1 },
    version: "0.1.0",
    plugins: [],
  });
  const dataset = selectModalities(loaded, config.modalities);
  const model = buildModel(config, library, dataset);
  const engine = await onnxCpu.create();
  const merged = mergedOf(model, dataset, engine);
  const layout = layoutOf(model, dataset, merged, engine, 2);
  const values = startValues(layout, new Random(7));
  await engine.dispose();
  const random = new Random(7).split("trained");
  const params: NamedHostTensors = {};
  for (const full of Object.keys(layout.params)) {
    const { shape, data } = values[names.param.of(full)];
    // As if trained: no bias is zero and no scale one.
    params[full] = float32(Float32Array.from(data, (value) => value + 0.1 * random.normal()), shape);
  }
  const buffers: NamedHostTensors = {};
  for (const full of Object.keys(layout.buffers)) {
    const { shape, data } = values[names.buffer.of(full)];
    buffers[full] = float32(
      Float32Array.from(data, (value) => full.endsWith("variance") ? 0.5 + random.uniform() : value + random.normal()),
      shape,
    );
  }
  const id = runId(config);
  const folder = openRun(runs, id);
  await Deno.mkdir(runs, { recursive: true });
  await folder.create(config);
  const other = writeRun(join(runs, "figures"), {});
  const figures = openRun(join(runs, "figures"), other);
  const summary = (await figures.summary())!;
  await folder.finish({ ...summary, id, seed: 7 }, await figures.timing(), { params, buffers });
  return folder.path;
}

/** Inputs that a script in another language can compute too: sin(0.7 i) per modality. */
export function exportInputs(batch: number, shapes: Readonly<Record<string, readonly number[]>>): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, batch);
      return [name, float32(Float32Array.from({ length: size }, (_, i) => Math.sin(0.7 * i)), [batch, ...shape])];
    }),
  );
}
