/**
 * Writes a safetensors file of every encoder of `encoder_steps.py` as it starts, as `armlab export --encoder x` does, with
 * its features in evaluation: `deno run -A tests/golden/encoder_files.ts FOLDER`.
 */
import { join } from "node:path";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { type ExportableRun, exportWeights } from "../../experiments/export_run.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { run, startOf } from "../helpers/encoder.ts";
import { encoderCases } from "../helpers/encoder_cases.ts";

const [folder] = Deno.args;
const engine = await onnxCpu.create();
for (const [name, { plugin, options, info, input }] of Object.entries(encoderCases(createLibrary()))) {
  const encoder = plugin.create(options, info);
  const state = startOf(engine, encoder, input);
  const { pooled } = await run(engine, encoder, input, state, "eval");
  const trained = { id: name, config: { encoders: { x: { name: plugin.name, options } } }, model: state };
  const { tensors, metadata } = exportWeights(trained as unknown as ExportableRun, "x");
  await writeSafetensors(join(folder, `${name}.safetensors`), { ...tensors, features: pooled }, metadata);
}
