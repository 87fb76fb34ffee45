/** Exports the run of `tests/helpers/export_run.ts` into a folder, for `export.py`: deno run -A export_files.ts FOLDER */
import { main } from "../../cli/main.ts";
import { writeExportRun } from "../helpers/export_run.ts";

const [folder] = Deno.args;
const run = await writeExportRun(`${folder}/runs`);
Deno.exit(await main(["export", run, "--to", `${folder}/model.onnx,${folder}/weights.safetensors`]));
