/**
 * Whether memory grows over many steps.
 *
 * @module
 */
import { onnxEngine } from "../../engines/onnx/engine.ts";
import { benchSteps } from "./steps.ts";

const STEPS = 10_000;

/** Memory in MiB after everything that nobody reaches was collected: what still grows is kept. */
function memory(): { resident: number; heap: number } {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) {
    throw new Error(
      "Cannot watch memory as the garbage collector must be at hand: run deno with --v8-flags=--expose-gc",
    );
  }
  gc();
  const { rss, heapUsed } = Deno.memoryUsage();
  return { resident: rss / 2 ** 20, heap: heapUsed / 2 ** 20 };
}

/** Runs a step many times; prints memory along the way and its growth after the first tenth. */
export async function soak(name: string): Promise<void> {
  if (!Object.hasOwn(benchSteps, name)) {
    throw new RangeError(`Cannot run step "${name}": steps are ${Object.keys(benchSteps).join(", ")}`);
  }
  const engine = onnxEngine({ threads: 1 });
  const step = await benchSteps[name](engine);
  const compiled = await engine.compile(step.program);
  console.log(
    `# ${name}: trace + compile ${compiled.stats().compileMs.toFixed(0)} ms, ${compiled.stats().nodes} nodes`,
  );
  const state = engine.createState(step.state);
  let settled = memory();
  let last = settled;
  for (let i = 1; i <= STEPS; i++) {
    await compiled.run(state, step.feeds);
    if (i % (STEPS / 10) === 0) {
      last = memory();
      if (i === STEPS / 10) settled = last;
      const { resident, heap } = last;
      console.log(
        `${String(i).padStart(6)} steps ${resident.toFixed(1).padStart(8)} MiB resident, ${
          heap.toFixed(2)
        } MiB of JavaScript`,
      );
    }
  }
  const growth = (kind: "resident" | "heap") => (last[kind] - settled[kind]).toFixed(2);
  console.log(
    `# growth from step ${STEPS / 10} to ${STEPS}: ${growth("resident")} MiB resident, ${
      growth("heap")
    } MiB of JavaScript`,
  );
  compiled.dispose();
  state.dispose();
  await engine.dispose();
}
