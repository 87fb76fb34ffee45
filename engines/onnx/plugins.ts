/**
 * The engines on ONNX Runtime, one per execution provider. The runtime itself is imported when one is asked for.
 *
 * @module
 */
import type { EngineOptions, EnginePlugin, Missing } from "../../core/program.ts";

async function unloadable(): Promise<Missing | null> {
  try {
    await import("./engine.ts");
    return null;
  } catch (error) {
    return {
      what: `the package onnxruntime-node could not be loaded (${
        error instanceof Error ? error.message : String(error)
      }); it brings binaries for Linux, macOS and Windows on x64 and arm64`,
      get: null,
    };
  }
}

/** Traced once, compiled to ONNX and run by ONNX Runtime on the CPU. */
export const onnxCpu: EnginePlugin = {
  name: "onnx:cpu",
  about: "programs traced once, compiled to ONNX and run by ONNX Runtime on the CPU",
  unavailable: unloadable,
  async create(options?: EngineOptions) {
    const { onnxEngine } = await import("./engine.ts");
    return onnxEngine(options);
  },
};
