/**
 * The engines on ONNX Runtime, one per execution provider. The runtime itself is imported when one is asked for.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { defineEngine, type EnginePlugin } from "../../core/kinds/mod.ts";
import type { Engine, EngineOptions, Missing } from "../../core/program.ts";
import { calmGraphics, graphicsDriver, messageOf, missingNvidiaDriver, unloadable } from "../missing.ts";

async function missingRuntime(): Promise<Missing | null> {
  try {
    await import("./engine.ts");
    return null;
  } catch (error) {
    return {
      what: `the package onnxruntime-node could not be loaded (${messageOf(error)}); it brings binaries for Linux, ` +
        "macOS and Windows on x64 and arm64",
      get: null,
    };
  }
}

async function createDevice(provider: "webgpu" | "cuda", options?: EngineOptions): Promise<Engine> {
  const { deviceEngine } = await import("./device_engine.ts");
  return deviceEngine(provider, options);
}

/** Traced once, compiled to ONNX and run by ONNX Runtime on the CPU. */
export const onnxCpu: EnginePlugin = defineEngine({
  name: "onnx:cpu",
  about: "programs traced once, compiled to ONNX and run by ONNX Runtime on the CPU",
  unavailable: missingRuntime,
  async create(options?: EngineOptions) {
    const { onnxEngine } = await import("./engine.ts");
    return onnxEngine(options);
  },
});

/** The same on a graphics card by WebGPU; the provider is in the npm package. */
export const onnxWebgpu: EnginePlugin = defineEngine({
  name: "onnx:webgpu",
  about: "compiled programs on the graphics card by ONNX Runtime's WebGPU (Vulkan, Metal or Direct3D 12)",
  // A second thread of a process that opens the provider ends the process (version 1.30.0, segmentation fault).
  cards: { variables: [] },
  async unavailable() {
    const runtime = await missingRuntime();
    if (runtime !== null) return runtime;
    const { tryProvider } = await import("./runtime/device_session.ts");
    calmGraphics();
    const problem = await tryProvider("webgpu");
    if (problem === null) return null;
    // The runtime says first where in its sources the check stands that failed.
    const why = problem.replace(/^.* was false\. /, "");
    return { what: `ONNX Runtime's WebGPU finds no usable graphics device (${why})`, get: graphicsDriver() };
  },
  create: (options) => createDevice("webgpu", options),
});

/** The provider's files, which the npm package leaves out for their size. */
const cudaFiles = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];

/** What the provider links: from the CUDA 12 toolkit and cuDNN 9. */
const cudaLibraries = [
  "libcudart.so.12",
  "libcublasLt.so.12",
  "libcublas.so.12",
  "libcurand.so.10",
  "libcufft.so.11",
  "libcudnn.so.9",
];

/** Those of the provider's files that are not beside the runtime's library. */
export function missingCudaFiles(): string[] {
  const folder = new URL("../bin/napi-v6/linux/x64/", import.meta.resolve("onnxruntime-node"));
  return cudaFiles.filter((name) => !isFile(fileURLToPath(new URL(name, folder))));
}

/** The same on an NVIDIA card by CUDA. */
export const onnxCuda: EnginePlugin = defineEngine({
  name: "onnx:cuda",
  about: "compiled programs on an NVIDIA card by ONNX Runtime's CUDA provider (Linux on x64)",
  cards: { variables: ["CUDA_VISIBLE_DEVICES"] },
  async unavailable() {
    const runtime = await missingRuntime();
    if (runtime !== null) return runtime;
    if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
      return { what: "ONNX Runtime's npm package has a CUDA provider for Linux on x64 only", get: null };
    }
    const driver = missingNvidiaDriver("deno task setup:onnx-cuda");
    if (driver !== null) return driver;
    const absent = missingCudaFiles();
    if (absent.length > 0) {
      return { what: `the CUDA provider's files are missing: ${absent.join(", ")}`, get: "deno task setup:onnx-cuda" };
    }
    const libraries = unloadable(cudaLibraries);
    if (libraries.length > 0) {
      return {
        what: `the CUDA provider needs libraries that cannot be loaded: ${libraries.join(", ")}`,
        get:
          "python3 -m pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 nvidia-curand-cu12 nvidia-cufft-cu12 " +
          "nvidia-cudnn-cu12 (or the CUDA 12 toolkit and cuDNN 9), with their lib folders in LD_LIBRARY_PATH",
      };
    }
    const { tryProvider } = await import("./runtime/device_session.ts");
    const problem = await tryProvider("cuda");
    return problem === null ? null : { what: `ONNX Runtime cannot start its CUDA provider (${problem})`, get: null };
  },
  create: (options) => createDevice("cuda", options),
});

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
