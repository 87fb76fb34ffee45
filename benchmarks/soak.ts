/**
 * Whether memory grows over many steps.
 *
 * @module
 */
import { onnxEngine } from "../engines/onnx/engine.ts";
import { benchSteps } from "./steps.ts";

const STEPS = 10_000;

/** Runs a step many times; prints resident memory along the way and its growth after the first tenth. */
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
  const rss = () => Deno.memoryUsage().rss / 2 ** 20;
  let settled = 0;
  for (let i = 1; i <= STEPS; i++) {
    await compiled.run(state, step.feeds);
    if (i % (STEPS / 10) === 0) {
      if (i === STEPS / 10) settled = rss();
      console.log(`${String(i).padStart(6)} steps ${rss().toFixed(1).padStart(8)} MiB`);
    }
  }
  console.log(`# growth from step ${STEPS / 10} to ${STEPS}: ${(rss() - settled).toFixed(1)} MiB`);
  compiled.dispose();
  state.dispose();
  await engine.dispose();
}
