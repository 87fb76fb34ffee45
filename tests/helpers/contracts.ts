/** Runs contracts as tests, one each. */
import { assertNotEquals } from "@std/assert";
import type { AnyPlugin } from "../../core/library.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { type Contract, contractsOf, type ContractTools, judge } from "../../contracts/mod.ts";

/** Everything built in, and both engines. */
export async function contractTools(): Promise<ContractTools> {
  return { library: createLibrary(), eager: await cpu.create(), compiled: await onnxCpu.create() };
}

/** Registers a test per plugin and contract that is not left out. */
export function testContracts(
  plugins: readonly AnyPlugin[],
  tools: ContractTools,
  leaveOut: (plugin: AnyPlugin, contract: Contract<never>) => boolean = () => false,
): void {
  for (const plugin of plugins) {
    for (const contract of contractsOf(plugin.kind)) {
      if (leaveOut(plugin, contract)) continue;
      Deno.test(`${plugin.kind} ${plugin.name} ${contract.claim}`, async () => {
        const { status, detail } = await judge(contract, plugin as never, tools);
        assertNotEquals(status, "broken", detail);
      });
    }
  }
}
