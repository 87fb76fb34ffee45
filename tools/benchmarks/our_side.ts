/**
 * One step of ours in a process of its own, driven by lines on standard input; `engine_bench.ts` starts it.
 *
 * Arguments: step, threads, clock (`wall`, or `cpu` for the process's processor time), a file prefix if the runtime is to
 * write a profile (else nothing), and another engine than `onnx:cpu`. Lines: `run N`, `end`.
 *
 * @module
 */
import { selectEngine } from "../../engines/mod.ts";
import { onnxEngine } from "../../engines/onnx/engine.ts";
import { compileGraph } from "../../engines/onnx/engine.ts";
import { matrixFlops } from "./flops.ts";
import { type BenchStep, benchSteps } from "./steps.ts";
import { answerTurns, clockOf, say } from "./turns.ts";

const [name, threads, clock, profile, other] = Deno.args;
const now = clockOf(clock);

/** Largest resident memory so far in MiB, where the system tells. */
function peakMiB(): number {
  try {
    const line = Deno.readTextFileSync("/proc/self/status").split("\n").find((entry) => entry.startsWith("VmHWM:"))!;
    return Number(line.replace(/\D/g, "")) / 1024;
  } catch {
    return Deno.memoryUsage().rss / 2 ** 20;
  }
}

/** Milliseconds to compile a step twice with a folder of kept graphs: the second time it is there. */
async function keptMs(step: BenchStep): Promise<number> {
  const cache = await Deno.makeTempDir();
  const keeping = onnxEngine({ threads: Number(threads), cache });
  try {
    (await keeping.compile(step.program)).dispose();
    const started = now();
    const again = await keeping.compile(step.program);
    const ms = now() - started;
    again.dispose();
    return ms;
  } finally {
    await keeping.dispose();
    await Deno.remove(cache, { recursive: true });
  }
}

const engine = other === undefined
  ? onnxEngine({ threads: Number(threads), profile, cache: null })
  : (await selectEngine(other, { threads: Number(threads) })).engine;
const step = await benchSteps[name](engine);
const compiling = now();
const compiled = await engine.compile(step.program);
const compileMs = now() - compiling;
const { nodes } = compiled.stats();
// As in a run, where nothing else holds the start.
const state = engine.createState(step.state, { take: true });
const first = await compiled.run(state, step.feeds);
say({
  compileMs,
  nodes,
  parameters: step.parameters,
  // Counted after the compilation was timed, as it traces anew.
  flops: matrixFlops(compileGraph(step.program, "cpu")),
  loss: (first["loss"] ?? first["stats"])?.data[0] ?? null,
});
await answerTurns(async () => {
  await compiled.run(state, step.feeds);
}, now);
// The peak of the steps: what is compiled once more comes after it.
const peak = peakMiB();
compiled.dispose();
state.dispose();
say({ peakMiB: peak, keptMs: other === undefined ? await keptMs(step) : null });
await engine.dispose();
Deno.exit(0);
