/** Which engines a file of tests runs on: `ARMLAB_TEST_ENGINES` names others than those that work everywhere. */
import type { EnginePlugin } from "../../core/kinds/mod.ts";
import { engines } from "../../engines/mod.ts";

/** The engines that are asked for, else some. A named engine must work: its absence is a failure, not a skip. */
export function enginesUnderTest(else_: readonly EnginePlugin[]): readonly EnginePlugin[] {
  const asked = Deno.env.get("ARMLAB_TEST_ENGINES")?.split(",").map((name) => name.trim());
  return asked === undefined ? else_ : asked.map((name) => {
    const plugin = engines.find((candidate) => candidate.name === name);
    if (plugin === undefined) throw new RangeError(`ARMLAB_TEST_ENGINES names "${name}", which is no engine`);
    return plugin;
  });
}
