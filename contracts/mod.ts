/**
 * Contracts: what every fusion, method, encoder and dataset promises, as checks that run on any plugin.
 *
 * @example Check a fusion of one's own in a test
 * ```ts no-eval
 * import { checkPlugin } from "@armlab/armlab/contracts";
 * import { createLibrary, register } from "@armlab/armlab";
 * import { cpu, onnxCpu } from "@armlab/armlab/engines";
 * import { myFusion } from "../contracts/my_fusion.ts";
 *
 * const library = createLibrary();
 * register(library, myFusion);
 * const tools = { library, eager: await cpu.create(), compiled: await onnxCpu.create() };
 * for await (const verdict of checkPlugin(myFusion, tools)) console.log(verdict);
 * ```
 *
 * @module
 */
import type { AnyPlugin } from "../core/library.ts";
import { type Contract, type ContractTools, judge, type Verdict } from "./contract.ts";
import { datasetContracts } from "./datasets.ts";
import { encoderContracts } from "./encoders.ts";
import { fusionContracts } from "./fusions.ts";
import { methodContracts } from "./methods.ts";

export { BrokenContract, type Contract, type ContractTools, type Found, judge, type Verdict } from "./contract.ts";
export { datasetContracts } from "./datasets.ts";
export { encoderContracts } from "./encoders.ts";
export { fusionContracts } from "./fusions.ts";
export { methodContracts } from "./methods.ts";
export { fusionsFor, INPUTS } from "./toy.ts";

/** The contracts of a plugin's kind. */
export function contractsOf(kind: AnyPlugin["kind"]): readonly Contract<never>[] {
  return { dataset: datasetContracts, encoder: encoderContracts, fusion: fusionContracts, method: methodContracts }[
    kind
  ];
}

/**
 * Runs all contracts of a plugin's kind, one after another.
 *
 * @param tools The plugin must be registered in their library.
 */
export async function* checkPlugin(plugin: AnyPlugin, tools: ContractTools): AsyncGenerator<Verdict> {
  for (const contract of contractsOf(plugin.kind)) yield await judge(contract, plugin as never, tools);
}
