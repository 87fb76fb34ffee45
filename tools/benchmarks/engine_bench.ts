/**
 * `deno task bench:engine`: our compiled training steps against PyTorch's, in one run.
 *
 * Both sides run in processes of their own and take turns; a row's ratio is the median over turns of the ratio of the two
 * sides' median step times, so that a busy machine disturbs both alike.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import { createLibrary } from "../../library.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  type Command,
  type Flag,
  helpOf,
  parseChoice,
  parseFlags,
  parseInteger,
  runCommand,
} from "../../cli/command.ts";
import { printProfile } from "./profile.ts";
import { type Clock, gridNotes, timeGrid } from "./quick_grid.ts";
import { HEADER, lineOf, type Row } from "./rows.ts";
import { modulesMissing, Side } from "./side.ts";
import { soak } from "./soak.ts";
import { benchSteps, largeSteps } from "./steps.ts";

const GRID = "quick-grid";
/** The steps of `jax_steps.py`. */
const JAX_STEPS = ["mlp", "digits-concat", "digits-arm"];
/** The steps of `jax_js_steps.ts`. */
const JAX_JS_STEPS = ["mlp", "digits-concat"];
const steps = [...Object.keys(benchSteps).filter((name) => name !== "peak"), GRID];

const flags: Readonly<Record<string, Flag>> = {
  only: {
    type: "list",
    value: "STEP,...",
    about: `steps to time (default: all that take less than seconds): ${steps.join(", ")}`,
  },
  threads: { type: "list", value: "N,...", about: "thread counts (default: 1,2)" },
  turns: { type: "text", value: "N", about: "turns of each side per row (default: 9)" },
  "grid-turns": { type: "text", value: "N", about: "turns of the row quick-grid, minutes each (default: 1)" },
  "grid-seeds": { type: "text", value: "N", about: "seeds of the row quick-grid (default: all, 3)" },
  python: {
    type: "text",
    value: "PATH",
    about: 'Python with torch and numpy (default: python3); "none" times our side alone',
  },
  clock: {
    type: "text",
    value: "CLOCK",
    about: "wall, or cpu: processor time of each side, for a machine that is busy with other work (default: wall)",
  },
  engine: { type: "text", value: "NAME", about: "our engine (default: onnx:cpu)" },
  device: { type: "text", value: "cpu|cuda", about: "where PyTorch computes (default: cpu)" },
  torch: { type: "text", value: "eager|compiled", about: "PyTorch as it is, or by torch.compile (default: eager)" },
  jax: {
    type: "boolean",
    about: `also time ${JAX_STEPS.join(" and ")} in jax, jitted on the CPU; --python must have it`,
  },
  "jax-js": {
    type: "boolean",
    about: `also time ${JAX_JS_STEPS.join(" and ")} in jax-js, jitted to WebAssembly; downloaded when asked for`,
  },
  json: { type: "boolean", about: "print one JSON line per row" },
  profile: { type: "boolean", about: "also print which operators our step spends its time in" },
  soak: { type: "text", value: "STEP", about: "instead: run a step 10000 times and print how memory grows" },
  help: { type: "boolean", about: "show this help" },
};

/** What is timed, and how. */
interface Plan {
  readonly clock: Clock;
  readonly turns: number;
  /** `null` times our side alone. */
  readonly python: string | null;
  /** Our engine. */
  readonly engine: string;
  /** Where PyTorch computes. */
  readonly device: "cpu" | "cuda";
  readonly torch: "eager" | "compiled";
  /** Whether jax is timed too. */
  readonly jax: boolean;
  /** Whether jax-js is timed too. */
  readonly jaxJs: boolean;
}

const here = (name: string) => new URL(name, import.meta.url).pathname;
const ours = ({ clock, engine }: Plan, step: string, threads: number) =>
  Side.start(Deno.execPath(), [
    ...["run", "-A", "--no-check", here("our_side.ts"), step, String(threads), clock],
    ...(engine === "onnx:cpu" ? [] : ["", engine]),
  ]);
const torch = ({ clock, python, device, torch: how }: Plan, step: string, threads: number) =>
  Side.start(python!, [here("torch_steps.py"), step, String(threads), clock, device, how]);

const jax = ({ clock, python }: Plan, step: string, threads: number) =>
  Side.start(python!, [here("jax_steps.py"), step, String(threads), clock]);
const jaxJs = ({ clock }: Plan, step: string, threads: number) =>
  Side.start(Deno.execPath(), [
    ...["run", "-A", "--no-check", "--no-lock", here("jax_js_steps.ts"), step, String(threads), clock],
  ]);

/** Warms up; how many steps take about half a second. */
async function settle(side: Side): Promise<number> {
  const [first] = await side.run(1);
  if (first > 500) return 1;
  await side.run(3);
  const ms = median(await side.run(5));
  return Math.max(1, Math.min(200, Math.round(500 / ms)));
}

/** Floating-point operations per second of a matrix product, the better side's. */
async function matrixPeak(plan: Plan, threads: number): Promise<number> {
  let best = 0;
  for (const start of plan.python === null ? [ours] : [ours, torch]) {
    const side = await start(plan, "peak", threads);
    const count = await settle(side);
    const ms: number[] = [];
    for (let turn = 0; turn < 3; turn++) ms.push(...await side.run(count));
    best = Math.max(best, 2 * 1024 ** 3 / (median(ms) / 1000));
    await side.end();
  }
  return best;
}

/** Another library beside PyTorch, with the medians of its turns. */
interface Peer {
  readonly name: string;
  readonly side: Side;
  readonly ms: number[];
}

/** Those that are asked for and have the step. */
async function startPeers(plan: Plan, step: string, threads: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  if (plan.jax && JAX_STEPS.includes(step)) {
    peers.push({ name: "jax", side: await jax(plan, step, threads), ms: [] });
  }
  if (plan.jaxJs && JAX_JS_STEPS.includes(step)) {
    peers.push({ name: "jax-js", side: await jaxJs(plan, step, threads), ms: [] });
  }
  return peers;
}

/** Times one step on all sides. */
async function timeStep(plan: Plan, step: string, threads: number, peak: number): Promise<Row> {
  const our = await ours(plan, step, threads);
  const their = plan.python === null ? null : await torch(plan, step, threads);
  const peers = await startPeers(plan, step, threads);
  for (const [whose, side] of [["PyTorch", their], ...peers.map(({ name, side }) => [name, side] as const)] as const) {
    if (side === null || our.ready.parameters === side.ready.parameters) continue;
    throw new Error(
      `Cannot compare step "${step}" as all sides must train as many numbers: ours ${our.ready.parameters}, ` +
        `${whose} ${side.ready.parameters}`,
    );
  }
  const count = await settle(our);
  const theirCount = their === null ? 0 : await settle(their);
  const peerCounts: number[] = [];
  for (const { side } of peers) peerCounts.push(await settle(side));
  const times: number[] = [];
  const theirTimes: number[] = [];
  const ratios: number[] = [];
  for (let turn = 0; turn < plan.turns; turn++) {
    const mine = median(await our.run(count));
    times.push(mine);
    for (const [at, { side, ms }] of peers.entries()) ms.push(median(await side.run(peerCounts[at])));
    if (their === null) continue;
    const other = median(await their.run(theirCount));
    theirTimes.push(other);
    ratios.push(mine / other);
  }
  const { peakMiB, keptMs = null } = await our.end();
  const theirPeak = their === null ? null : (await their.end()).peakMiB;
  for (const { side } of peers) await side.end();
  return {
    step,
    threads,
    oursMs: median(times),
    torchMs: their === null ? null : median(theirTimes),
    timeRatio: their === null ? null : median(ratios),
    memoryRatio: theirPeak === null ? null : peakMiB / theirPeak,
    compileMs: our.ready.compileMs!,
    keptMs,
    nodes: our.ready.nodes!,
    peakShare: our.ready.flops! / (median(times) / 1000) / peak,
    peers: peers.map(({ name, ms }) => ({
      name,
      ms: median(ms),
      ratio: median(times.map((mine, turn) => mine / ms[turn])),
    })),
  };
}

export const command: Command = {
  name: "bench:engine",
  about: "Times our training steps and PyTorch's, interleaved, and prints the ratios ours/PyTorch.",
  async run(args) {
    const { text, list, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task bench:engine [options]", this.about, flags, [
        "deno task bench:engine --only mlp,digits-arm --threads 1 --python none",
        "deno task bench:engine --soak digits-concat",
      ]));
      return 0;
    }
    if (text.soak !== undefined) {
      await soak(parseChoice("--soak", text.soak, steps));
      return 0;
    }
    const only = list.only.length === 0 ? steps.filter((name) => !largeSteps.has(name)) : list.only;
    for (const name of only) parseChoice("--only", name, steps);
    const count = (flag: string, otherwise: number) =>
      text[flag] === undefined ? otherwise : parseInteger(`--${flag}`, text[flag], 1);
    const [turns, gridTurns] = [count("turns", 9), count("grid-turns", 1)];
    const threadCounts = list.threads.length === 0
      ? [1, 2]
      : list.threads.map((number) => parseInteger("--threads", number, 1));
    const python = text.python === "none" ? null : text.python ?? "python3";
    const plan: Plan = {
      clock: parseChoice("--clock", text.clock ?? "wall", ["wall", "cpu"]),
      python,
      turns,
      engine: createLibrary().of("engine").get(text.engine ?? "onnx:cpu").name,
      device: parseChoice("--device", text.device ?? "cpu", ["cpu", "cuda"]),
      torch: parseChoice("--torch", text.torch ?? "eager", ["eager", "compiled"]),
      jax: boolean.jax ?? false,
      jaxJs: boolean["jax-js"] ?? false,
    };
    if (boolean.jax && python === null) {
      throw new Refusal({
        what: "time jax",
        must: "--python must name one that has it",
        found: "--python none",
        hint: "leave --jax out, or give another",
      });
    }
    const modules = ["torch", "numpy", ...boolean.jax ? ["jax"] : []];
    const missing = python === null ? null : await modulesMissing(python, modules);
    if (missing !== null) {
      throw new Refusal({
        what: `time PyTorch${boolean.jax ? " and jax" : ""}`,
        must: `"${python}" must have ${modules.join(", ")}`,
        found: missing,
        hint: "give another by --python, or none",
      });
    }
    const print = (row: Row): void => console.log(boolean.json ? JSON.stringify(row) : lineOf(row));
    if (!boolean.json) console.log(HEADER);
    const timed = only.filter((step) => step !== GRID);
    for (const threads of timed.length === 0 ? [] : threadCounts) {
      const peak = await matrixPeak(plan, threads);
      if (!boolean.json) console.log(`# matrix peak, ${threads} threads: ${(peak / 1e9).toFixed(0)} GFLOP/s`);
      let concat: number | null = null;
      for (const step of timed) {
        const row = await timeStep(plan, step, threads, peak);
        if (step === "digits-concat") concat = row.oursMs;
        print(step === "digits-arm" && concat !== null ? { ...row, overConcat: row.oursMs / concat } : row);
        if (boolean.profile) await printProfile(step, threads);
      }
    }
    if (only.includes(GRID)) {
      const seeds = text["grid-seeds"] === undefined ? undefined : count("grid-seeds", 1);
      const say = (line: string) => console.error(line);
      const row = await timeGrid({ python, clock: plan.clock, turns: gridTurns, part: { seeds }, say });
      print(row);
      if (!boolean.json) { for (const line of gridNotes(row, plan.clock)) console.log(`# ${line}`); }
    }
    return 0;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
