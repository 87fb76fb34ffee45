/**
 * Contracts: what every fusion, method, encoder and dataset promises, as checks that run on any plugin.
 *
 * @example Check a fusion of one's own in a test
 * ```ts no-eval
 * import { checkPlugin } from "@armlab/armlab/contracts";
 * import { createLibrary } from "@armlab/armlab";
 * import { cpu, onnxCpu } from "@armlab/armlab/engines";
 * import { myFusion } from "../contracts/my_fusion.ts";
 *
 * const library = createLibrary();
 * library.add(myFusion);
 * const tools = { library, eager: await cpu.create(), compiled: await onnxCpu.create() };
 * for await (const verdict of checkPlugin(myFusion, tools)) console.log(verdict);
 * ```
 *
 * @module
 */
import type { AnyPart } from "../core/library.ts";
import { type Contract, type ContractTools, judge, type Verdict } from "./contract.ts";
import { datasetContracts } from "./datasets.ts";
import { encoderContracts } from "./encoders.ts";
import { estimatorContracts } from "./estimators.ts";
import { fusionContracts } from "./fusions.ts";
import { lossContracts } from "./losses.ts";
import { methodContracts } from "./methods.ts";
import { commonContracts } from "./options.ts";
import { samplerContracts } from "./samplers.ts";

export { BrokenContract, type Contract, type ContractTools, type Found, judge, type Verdict } from "./contract.ts";
export { datasetContracts } from "./datasets.ts";
export { encoderContracts } from "./encoders.ts";
export { estimatorContracts } from "./estimators.ts";
export { fusionContracts } from "./fusions.ts";
export { lossContracts } from "./losses.ts";
export { methodContracts } from "./methods.ts";
export { samplerContracts } from "./samplers.ts";
export { fusionsFor, INPUTS } from "./toy.ts";

/** Contracts by kind. */
const byKind: Readonly<Record<string, readonly Contract<never>[] | undefined>> = {
  dataset: datasetContracts,
  encoder: encoderContracts,
  fusion: fusionContracts,
  method: methodContracts,
  estimator: estimatorContracts,
  loss: lossContracts,
  sampler: samplerContracts,
};

/** The contracts of a part's kind; of a kind that has none of its own, those of every part. */
export function contractsOf(kind: string): readonly Contract<never>[] {
  return byKind[kind] ?? commonContracts;
}

/**
 * Runs all contracts of a part's kind, one after another.
 *
 * @param tools The part must be registered in their library.
 */
export async function* checkPlugin(part: AnyPart, tools: ContractTools): AsyncGenerator<Verdict> {
  for (const contract of contractsOf(part.kind)) yield await judge(contract, part as never, tools);
}
