/**
 * Engines: what programs run on.
 *
 * @module
 */
import type { Engine, EngineOptions, EnginePlugin } from "../core/program.ts";
import { eagerEngine } from "./eager.ts";

export { eagerEngine } from "./eager.ts";

/** tfjs on the CPU, operation by operation. */
export const cpu: EnginePlugin = {
  name: "cpu",
  about: "tfjs in plain JavaScript, operation by operation; slow, for checking other engines",
  unavailable: () => Promise.resolve(null),
  create: () => eagerEngine("cpu", "cpu", "CPU, 1 thread"),
};

/** Traced once, compiled to ONNX and run by ONNX Runtime on the CPU. */
export const onnxCpu: EnginePlugin = {
  name: "onnx:cpu",
  about: "programs traced once, compiled to ONNX and run by ONNX Runtime on the CPU",
  async unavailable() {
    try {
      await import("./onnx/engine.ts");
      return null;
    } catch (error) {
      return `the package onnxruntime-node could not be loaded (${
        error instanceof Error ? error.message : String(error)
      }); it brings binaries for Linux, macOS and Windows on x64 and arm64`;
    }
  },
  async create(options?: EngineOptions) {
    const { onnxEngine } = await import("./onnx/engine.ts");
    return onnxEngine(options);
  },
};

/** Engines, best first. */
export const engines: readonly EnginePlugin[] = [onnxCpu, cpu];

/** Names that stand for others. */
const aliases: Readonly<Record<string, string>> = { onnx: "onnx:cpu" };

/** An engine and why it was taken. */
export interface Selection {
  readonly engine: Engine;
  /** One line. */
  readonly reason: string;
}

/**
 * The engine that was asked for, or the best that works.
 *
 * @param name Engine name or alias; the best that works if absent.
 * @throws {RangeError} If the name is unknown, or the engine cannot run here.
 */
export async function selectEngine(name: string | undefined, options: EngineOptions = {}): Promise<Selection> {
  if (name !== undefined) {
    const wanted = aliases[name] ?? name;
    const plugin = engines.find((candidate) => candidate.name === wanted);
    if (plugin === undefined) {
      throw new RangeError(
        `Cannot find engine "${name}": engines are ${engines.map((other) => other.name).join(", ")}`,
      );
    }
    const missing = await plugin.unavailable();
    if (missing !== null) throw new RangeError(`Cannot use engine "${name}": ${missing}`);
    return { engine: await plugin.create(options), reason: "asked for" };
  }
  const passed: string[] = [];
  for (const plugin of engines) {
    const missing = await plugin.unavailable();
    if (missing === null) {
      const before = passed.length === 0 ? "" : ` (${passed.join("; ")})`;
      return { engine: await plugin.create(options), reason: `the best that works here${before}` };
    }
    passed.push(`${plugin.name}: ${missing}`);
  }
  throw new RangeError(`Cannot find an engine that works: ${passed.join("; ")}`);
}
