/**
 * Writes a safetensors file of every encoder of `encoder_steps.py` as it starts, under PyTorch's names, with its features in
 * evaluation: `deno run -A tests/golden/encoder_files.ts FOLDER`.
 */
import { join } from "node:path";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { toTorch } from "../../nn/mod.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { run, startOf } from "../helpers/encoder.ts";
import { encoderCases } from "../helpers/encoder_cases.ts";

const [folder] = Deno.args;
const engine = await onnxCpu.create();
for (const [name, { plugin, options, info, input }] of Object.entries(encoderCases(createLibrary()))) {
  const encoder = plugin.create(options, info);
  const state = startOf(engine, encoder, input);
  const { pooled } = await run(engine, encoder, input, state, "eval");
  const named = Object.entries(toTorch({ ...state.params, ...state.buffers }))
    .map(([full, value]) => [full.replace("encoder.x.", ""), value]);
  await writeSafetensors(join(folder, `${name}.safetensors`), { ...Object.fromEntries(named), features: pooled });
}
