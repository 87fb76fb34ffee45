/**
 * Engines: what programs run on.
 *
 * @module
 */
import type { EnginePlugin } from "../core/kinds/mod.ts";
import type { Engine, EngineOptions, Missing } from "../core/program.ts";
import { onnxCpu, onnxCuda, onnxWebgpu } from "./onnx/plugins.ts";
import { cpu, wasm, webgpu } from "./tfjs_engines.ts";
import { tfjsNode, tfjsNodeGpu } from "./tfjs_node.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";

export { eagerEngine, type EagerOptions, quiet } from "./eager.ts";
export { onnxCpu, onnxCuda, onnxWebgpu } from "./onnx/plugins.ts";
export { cpu, wasm, webgpu } from "./tfjs_engines.ts";
export { tfjsNode, tfjsNodeGpu } from "./tfjs_node.ts";

/** All engines. */
export const engines: readonly EnginePlugin[] = [
  onnxCpu,
  onnxWebgpu,
  onnxCuda,
  tfjsNode,
  tfjsNodeGpu,
  webgpu,
  wasm,
  cpu,
];

/**
 * Those that are taken without being asked for, best first. Graphics cards are not among them: whether one is faster
 * depends on the model's size, and a run's numbers should not depend on what card happens to be there.
 */
const automatic: readonly EnginePlugin[] = [onnxCpu, tfjsNode, wasm, cpu];

/** Names that stand for others. */
const aliases: Readonly<Record<string, string>> = { onnx: "onnx:cpu" };

/** An engine and why it was taken. */
export interface Selection {
  readonly engine: Engine;
  /** One line. */
  readonly reason: string;
}

function inWords({ what, get }: Missing): string {
  return get === null ? what : `${what}; to get it: ${get}`;
}

/**
 * The engine that was asked for, or the best that works.
 *
 * @param name Engine name or alias; the best that works if absent.
 * @param known Engines that may be asked for; a library's, where somebody brought one. @default those that armlab brings
 * @throws {Refusal} If the name is unknown, or the engine cannot run here.
 */
export async function selectEngine(
  name: string | undefined,
  options: EngineOptions = {},
  known: readonly EnginePlugin[] = engines,
): Promise<Selection> {
  if (name !== undefined) {
    const wanted = aliases[name] ?? name;
    const plugin = known.find((candidate) => candidate.name === wanted);
    if (plugin === undefined) {
      const names = known.map((other) => other.name);
      throw new Refusal({
        what: `find engine "${name}"`,
        found: `engines are ${names.join(", ")}`,
        hint: didYouMean(name, names),
      });
    }
    const missing = await plugin.unavailable();
    if (missing !== null) throw new Refusal({ what: `use engine "${name}"`, found: inWords(missing) });
    return { engine: await plugin.create(options), reason: "asked for" };
  }
  const passed: string[] = [];
  for (const plugin of automatic) {
    const missing = await plugin.unavailable();
    if (missing === null) {
      const before = passed.length === 0 ? "" : ` (${passed.join("; ")})`;
      return { engine: await plugin.create(options), reason: `the best that works here${before}` };
    }
    passed.push(`${plugin.name}: ${inWords(missing)}`);
  }
  throw new Refusal({ what: "find an engine that works", found: passed.join("; ") });
}
