/**
 * Engines on tfjs's own backends: operation by operation.
 *
 * @module
 */
import { defineEngine, type EnginePlugin } from "../core/kinds/mod.ts";
import type { Missing } from "../core/program.ts";
import { registerComposed } from "./composed_kernels.ts";
import { eagerEngine } from "./eager.ts";
import { indexChecks } from "./index_checks.ts";
import { logSumExpKernels } from "./log_sum_exp_kernel.ts";
import { calmGraphics, graphicsDriver, messageOf } from "./missing.ts";
import { nanKernels } from "./nan_kernels.ts";
import { registerWasmKernels } from "./wasm_kernels.ts";
import { mendWebgpu } from "./webgpu_kernels.ts";

/** tfjs on the CPU, operation by operation. */
export const cpu: EnginePlugin = defineEngine({
  name: "cpu",
  about: "tfjs in plain JavaScript, operation by operation; slow, for checking other engines",
  unavailable: () => Promise.resolve(null),
  create() {
    registerComposed("cpu", { ...indexChecks, ...nanKernels, ...logSumExpKernels });
    return eagerEngine({ name: "cpu", backend: "cpu", device: "CPU, 1 thread" });
  },
});

/** tfjs's WebAssembly backend, with the kernels that training needs and it lacks. */
export const wasm: EnginePlugin = defineEngine({
  name: "wasm",
  about: "tfjs in WebAssembly, operation by operation; runs wherever Deno and browsers do",
  async unavailable() {
    try {
      await import("@tensorflow/tfjs-backend-wasm");
      return null;
    } catch (error) {
      return {
        what: `the package @tensorflow/tfjs-backend-wasm could not be loaded (${messageOf(error)})`,
        get: "deno cache npm:@tensorflow/tfjs-backend-wasm@4.22.0",
      };
    }
  },
  async create() {
    const { version_wasm: version } = await import("@tensorflow/tfjs-backend-wasm");
    registerWasmKernels();
    return await eagerEngine({
      name: "wasm",
      backend: "wasm",
      version: `tfjs-backend-wasm ${version}`,
      device: "CPU, WebAssembly, 1 thread",
    });
  },
});

/** tfjs's WebGPU backend on Deno's WebGPU. */
export const webgpu: EnginePlugin = defineEngine({
  name: "webgpu",
  about: "tfjs on the graphics card by Deno's WebGPU, operation by operation",
  async unavailable(): Promise<Missing | null> {
    if (navigator.gpu === undefined) {
      return { what: "this Deno has no WebGPU", get: "deno upgrade" };
    }
    calmGraphics();
    try {
      const adapter = await navigator.gpu.requestAdapter();
      if (adapter === null) return { what: "Deno's WebGPU finds no graphics device", get: graphicsDriver() };
      await import("@tensorflow/tfjs-backend-webgpu");
      return null;
    } catch (error) {
      return {
        what: `the package @tensorflow/tfjs-backend-webgpu could not be loaded (${messageOf(error)})`,
        get: "deno cache npm:@tensorflow/tfjs-backend-webgpu@4.22.0",
      };
    }
  },
  async create() {
    const adapter = await navigator.gpu.requestAdapter();
    await import("@tensorflow/tfjs-backend-webgpu");
    mendWebgpu();
    const device = adapter?.info.description || adapter?.info.vendor || "a graphics device";
    const software = /llvmpipe|SwiftShader/.test(device);
    return await eagerEngine({
      name: "webgpu",
      backend: "webgpu",
      device: software ? `${device}, a driver in software: slow` : device,
    });
  },
});
