/**
 * `deno task bench:engine`: our compiled training steps against PyTorch's, in one run.
 *
 * Both sides run in processes of their own and take turns; a row's ratio is the median over turns of the ratio of the two
 * sides' median step times, so that a busy machine disturbs both alike.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { printProfile } from "./profile.ts";
import { gridNotes, timeGrid } from "./quick_grid.ts";
import { HEADER, lineOf, type Row } from "./rows.ts";
import { median, Side } from "./side.ts";
import { soak } from "./soak.ts";
import { benchSteps } from "./steps.ts";

const HELP = `deno task bench:engine [options]

Times our training steps and PyTorch's, interleaved, and prints the ratios ours/PyTorch.

  --only STEP,...   steps to run (default: all): STEPS
  --threads N,...   thread counts (default: 1,2)
  --turns N         turns of each side per row (default: 9)
  --grid-turns N    turns of the row quick-grid, minutes each (default: 1)
  --python PATH     Python with torch and numpy (default: python3); "none" times our side alone
  --clock CLOCK     wall, or cpu: processor time of each side, for a machine that is busy with other work (default: wall)
  --json            one JSON line per row
  --profile         also print which operators our step spends its time in
  --soak [STEPS]    instead: run a step 10000 times and print how memory grows
  --help            this help`;

const GRID = "quick-grid";
const steps = [...Object.keys(benchSteps).filter((name) => name !== "peak"), GRID];
const args = parseArgs(Deno.args, {
  string: ["only", "threads", "turns", "python", "soak", "clock", "grid-turns"],
  boolean: ["json", "profile", "help"],
});
if (args.help) {
  console.log(HELP.replace("STEPS", steps.join(", ")));
  Deno.exit(0);
}
const only = args.only === undefined ? steps : args.only.split(",");
for (const name of only) {
  if (!steps.includes(name)) throw new RangeError(`Cannot time step "${name}": steps are ${steps.join(", ")}`);
}
const threadCounts = (args.threads ?? "1,2").split(",").map(Number);
const turns = Number(args.turns ?? 9);
const gridTurns = Number(args["grid-turns"] ?? 1);
if (!Number.isInteger(gridTurns) || gridTurns < 1) {
  throw new RangeError(`Cannot take --grid-turns as it must be an integer from 1 on: found "${args["grid-turns"]}"`);
}
const clock = args.clock ?? "wall";
if (clock !== "wall" && clock !== "cpu") throw new RangeError(`Cannot use clock "${clock}": clocks are wall, cpu`);
const python = args.python === "none" ? null : args.python ?? "python3";

const here = (name: string) => new URL(name, import.meta.url).pathname;
const ours = (step: string, threads: number, ...rest: string[]) =>
  Side.start(Deno.execPath(), ["run", "-A", "--no-check", here("our_side.ts"), step, String(threads), clock, ...rest]);
const torch = (step: string, threads: number) =>
  Side.start(python!, [here("torch_steps.py"), step, String(threads), clock]);

/** Warms up; how many steps take about half a second. */
async function settle(side: Side): Promise<number> {
  const [first] = await side.run(1);
  if (first > 500) return 1;
  await side.run(3);
  const ms = median(await side.run(5));
  return Math.max(1, Math.min(200, Math.round(500 / ms)));
}

/** Floating-point operations per second of a matrix product, the better side's. */
async function matrixPeak(threads: number): Promise<number> {
  let best = 0;
  for (const start of python === null ? [ours] : [ours, torch]) {
    const side = await start("peak", threads);
    const count = await settle(side);
    const ms: number[] = [];
    for (let turn = 0; turn < 3; turn++) ms.push(...await side.run(count));
    best = Math.max(best, 2 * 1024 ** 3 / (median(ms) / 1000));
    await side.end();
  }
  return best;
}

/** Times one step on both sides. */
async function timeStep(step: string, threads: number, peak: number): Promise<Row> {
  const our = await ours(step, threads);
  const their = python === null ? null : await torch(step, threads);
  if (their !== null && our.ready.parameters !== their.ready.parameters) {
    throw new Error(
      `Cannot compare step "${step}" as both sides must train as many numbers: ours ${our.ready.parameters}, ` +
        `PyTorch's ${their.ready.parameters}`,
    );
  }
  const counts = [await settle(our), their === null ? 0 : await settle(their)];
  const times: number[] = [];
  const theirTimes: number[] = [];
  const ratios: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const mine = median(await our.run(counts[0]));
    times.push(mine);
    if (their === null) continue;
    const other = median(await their.run(counts[1]));
    theirTimes.push(other);
    ratios.push(mine / other);
  }
  const memory = await our.end();
  const theirMemory = their === null ? null : await their.end();
  return {
    step,
    threads,
    oursMs: median(times),
    torchMs: their === null ? null : median(theirTimes),
    timeRatio: their === null ? null : median(ratios),
    memoryRatio: theirMemory === null ? null : memory / theirMemory,
    compileMs: our.ready.compileMs!,
    nodes: our.ready.nodes!,
    peakShare: our.ready.flops! / (median(times) / 1000) / peak,
  };
}

const print = (row: Row): void => console.log(args.json ? JSON.stringify(row) : lineOf(row));

if (args.soak !== undefined) {
  await soak(args.soak === "" ? "digits-concat" : args.soak);
  Deno.exit(0);
}
if (!args.json) {
  console.log(HEADER);
}
const timed = only.filter((step) => step !== GRID);
for (const threads of timed.length === 0 ? [] : threadCounts) {
  const peak = await matrixPeak(threads);
  if (!args.json) console.log(`# matrix peak, ${threads} threads: ${(peak / 1e9).toFixed(0)} GFLOP/s`);
  let concat: number | null = null;
  for (const step of timed) {
    let row = await timeStep(step, threads, peak);
    if (step === "digits-concat") concat = row.oursMs;
    if (step === "digits-arm" && concat !== null) row = { ...row, overConcat: row.oursMs / concat };
    print(row);
    if (args.profile) await printProfile(step, threads);
  }
}
if (only.includes(GRID)) {
  const row = await timeGrid({ python, clock, turns: gridTurns, say: (line) => console.error(line) });
  print(row);
  if (!args.json) { for (const line of gridNotes(row, clock)) console.log(`# ${line}`); }
}
