/**
 * Which operators a step spends its time in.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import { Side } from "./side.ts";

/** One entry of ONNX Runtime's profile. */
interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly output_type_shape?: readonly Record<string, number[]>[] };
}

/** Milliseconds that the profiled steps may take in all. */
const BUDGET = 4000;
/** Lines of each list. */
const SHOWN = 16;

/** Runs a step under the runtime's profiler and prints time by operator and the slowest nodes. */
export async function printProfile(step: string, threads: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  const script = new URL("our_side.ts", import.meta.url).pathname;
  const side = await Side.start(Deno.execPath(), [
    "run",
    "-A",
    "--no-check",
    script,
    step,
    String(threads),
    "wall",
    `${folder}/profile`,
  ]);
  const [first] = await side.run(1);
  await side.run(Math.max(3, Math.min(60, Math.round(BUDGET / first))));
  await side.end();
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const events = JSON.parse(await Deno.readTextFile(`${folder}/${files[0]}`)) as Event[];
  await Deno.remove(folder, { recursive: true });
  const byNode = new Map<string, { operator: string; shapes: string; us: number[] }>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
    const shapes = (args?.output_type_shape ?? []).map((shape) => JSON.stringify(Object.values(shape)[0])).join(" ");
    const node = byNode.get(name) ?? { operator: args?.op_name ?? "?", shapes, us: [] };
    node.us.push(dur);
    byNode.set(name, node);
  }
  // The median over runs: other work on the machine stretches some of them.
  const nodes = [...byNode].map(([name, { operator, shapes, us }]) => ({ name, operator, shapes, us: median(us) }));
  const byOperator = new Map<string, { us: number; count: number }>();
  for (const { operator, us } of nodes) {
    const entry = byOperator.get(operator) ?? { us: 0, count: 0 };
    byOperator.set(operator, { us: entry.us + us, count: entry.count + 1 });
  }
  const total = nodes.reduce((sum, { us }) => sum + us, 0);
  const ms = (us: number) => (us / 1000).toFixed(3).padStart(9);
  console.log(`  profile of ${step}, ${threads} threads, ms a step: ${ms(total).trim()} in operators`);
  for (const [operator, { us, count }] of [...byOperator].sort(([_a, a], [_b, b]) => b.us - a.us).slice(0, SHOWN)) {
    console.log(`  ${ms(us)} ${(100 * us / total).toFixed(0).padStart(3)} %  ${operator} x ${count}`);
  }
  console.log("  slowest nodes");
  for (const { name, operator, shapes, us } of nodes.sort((a, b) => b.us - a.us).slice(0, SHOWN)) {
    console.log(`  ${ms(us)}  ${operator} ${shapes}  ${name.replace("_kernel_time", "")}`);
  }
}
