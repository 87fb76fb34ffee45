/**
 * Fetches ONNX Runtime's CUDA provider for the engine onnx:cuda: `deno task setup:onnx-cuda` (Linux on x64).
 *
 * The npm package leaves the provider out for its size and fetches it by an install script, which Deno does not run by
 * itself. This runs that script, for CUDA 12, and checks that the files are there.
 *
 * @module
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { missingCudaFiles } from "../engines/onnx/plugins.ts";

if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
  console.error(
    `Cannot set onnx:cuda up on ${Deno.build.os} ${Deno.build.arch} as the provider is for Linux on x64 only`,
  );
  Deno.exit(1);
}
if (missingCudaFiles().length === 0) {
  console.log("The CUDA provider is there already; `deno task doctor` says what else it needs.");
  Deno.exit(0);
}
Deno.env.set("ONNXRUNTIME_NODE_INSTALL", "cuda12");
let failed = false;
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  failed = true;
  const { reason } = event;
  console.error(`Cannot fetch ONNX Runtime's CUDA provider: ${reason instanceof Error ? reason.message : reason}`);
  Deno.exit(1);
});
console.log("Fetching ONNX Runtime's CUDA provider for CUDA 12 (about 0.3 GB) ...");
const script = fileURLToPath(new URL("../script/install.js", import.meta.resolve("onnxruntime-node")));
createRequire(script)(script);
globalThis.addEventListener("unload", () => {
  if (failed) return;
  const missing = missingCudaFiles();
  if (missing.length === 0) console.log("Done; `deno task doctor` says what else it needs.");
  else {
    console.error(`Cannot use what was fetched as it must hold ${missing.join(", ")}: it does not`);
    Deno.exit(1);
  }
});
