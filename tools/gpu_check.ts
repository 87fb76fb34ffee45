/**
 * What a machine with an NVIDIA card shows of the engines: `deno task gpu:check`. Sets each up, runs the contract suite, a grid
 * and training steps beside PyTorch's on the card, and writes one JSON, within a number of minutes.
 *
 * @module
 */
import { checkPlain } from "../store/files.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../cli/command.ts";
import { Refusal } from "../core/refusal.ts";
import { createLibrary } from "../library.ts";
import { processorName } from "../experiments/machine.ts";
import { VERSION } from "../version.ts";

const parts = ["setup", "contract", "grid", "steps"] as const;
type Part = typeof parts[number];

const flags: Readonly<Record<string, Flag>> = {
  engines: {
    type: "list",
    value: "NAME,...",
    about: "engines to check (default: onnx:cuda, onnx:webgpu, tfjs-node-gpu)",
  },
  only: { type: "list", value: "PART,...", about: `parts to run (default: all): ${parts.join(", ")}` },
  python: { type: "text", value: "PATH", about: 'Python with torch for CUDA, or "none" (default: python3)' },
  minutes: { type: "text", value: "N", about: "minutes at most; what does not fit is said (default: 10)" },
  small: { type: "boolean", about: "a grid and a step of seconds, on machines without a card" },
  out: { type: "text", value: "FILE", about: "where the JSON goes (default: gpu-check.json)" },
  help: { type: "boolean", about: "show this help" },
};

/** One command of the check. */
export interface Step {
  readonly engine: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a step ended. */
export interface Ended extends Step {
  /** `null` if there was no time left for it. */
  readonly code: number | null;
  readonly seconds: number;
  /** Lines of JSON that it printed. */
  readonly figures: readonly unknown[];
  /** The end of what it said, if it failed. */
  readonly said: string | null;
}

/** What is asked. */
export interface Asked {
  readonly only: readonly Part[];
  /** `null` times our side alone. */
  readonly python: string | null;
  readonly small: boolean;
  /** Where runs go. */
  readonly runs: string;
}

/** How engines are set up. */
const setups: Readonly<Record<string, readonly string[]>> = {
  "onnx:cuda": ["task", "setup:onnx-cuda"],
  "tfjs-node-gpu": ["task", "setup:tfjs-node", "--gpu"],
};

const path = (name: string) => new URL(`../${name}`, import.meta.url).pathname;

/** The commands that check an engine, in order. */
export function stepsOf(engine: string, { only, python, small, runs }: Asked): Step[] {
  const deno = Deno.execPath();
  const bench = [deno, "run", "-A", path("cli/main.ts"), "bench"];
  const grid = small
    ? ["--dataset", "synthetic", "--set", "dataset.samples=120", "--encoder", "mlp", "--seeds", "1", "--epochs", "1"]
    : ["quick", "--seeds", "1"];
  const timed = ["run", "-A", "--v8-flags=--expose-gc", path("tools/benchmarks/engine_bench.ts"), "--json"];
  const how = ["--threads", "1", "--engine", engine, ...small ? ["--only", "mlp", "--turns", "1"] : ["--turns", "3"]];
  const steps: (Step & { readonly part: Part })[] = [];
  if (setups[engine] !== undefined) {
    steps.push({ part: "setup", engine, name: "set up", command: [deno, ...setups[engine]] });
  }
  steps.push({
    part: "contract",
    engine,
    name: "contract suite",
    command: [deno, "test", "-A", "--no-check", path("tests/engines/contract_test.ts")],
    env: { ARMLAB_TEST_ENGINES: engine },
  });
  steps.push({
    part: "grid",
    engine,
    name: small ? "a small grid" : "quick grid",
    command: [...bench, ...grid, "--engine", engine, "--runs", `${runs}/${engine.replaceAll(/\W/g, "-")}`, "--json"],
  });
  // The benchmark's steps are compiled programs; tfjs runs operations one by one.
  if (engine.startsWith("onnx:")) {
    const kinds = python === null ? ["none"] : ["eager", "compiled"];
    const device = engine === "onnx:cpu" ? "cpu" : "cuda";
    for (const torch of kinds) {
      const side = python === null ? ["--python", "none"] : ["--python", python, "--device", device, "--torch", torch];
      const beside = python === null ? "" : ` beside PyTorch, ${torch}`;
      steps.push({
        part: "steps",
        engine,
        name: `training steps${beside}`,
        command: [deno, ...timed, ...how, ...side],
      });
    }
  }
  return steps.filter(({ part }) => only.includes(part)).map(({ part: _, ...step }) => step);
}

/** Runs a step for so many milliseconds at most. */
export async function runStep(step: Step, leftMs: number): Promise<Ended> {
  if (leftMs <= 0) return { ...step, code: null, seconds: 0, figures: [], said: "no time was left" };
  const started = performance.now();
  const [program, ...args] = step.command;
  const stop = AbortSignal.timeout(Math.round(leftMs));
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", ...step.env },
    stdin: "null",
    signal: stop,
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const lines = out.split("\n").filter((line) => line.startsWith("{"));
  const said = code === 0 ? null : `${stop.aborted ? "its time was up; " : ""}${(out + err).trim().slice(-2000)}`;
  const seconds = (performance.now() - started) / 1000;
  const tests = /(\d+) passed(?: \(\d+ steps\))? \| (\d+) failed/.exec(out);
  const figures = [
    ...lines.map((line) => JSON.parse(line)),
    ...tests === null ? [] : [{ passed: Number(tests[1]), failed: Number(tests[2]) }],
  ];
  return { ...step, code, seconds, figures, said };
}

/** Name, driver and memory of the cards; `null` where NVIDIA's tool is not there. */
async function cards(): Promise<string[] | null> {
  try {
    const args = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    const { code, stdout } = await new Deno.Command("nvidia-smi", { args }).output();
    return code === 0 ? new TextDecoder().decode(stdout).trim().split("\n") : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

export const command: Command = {
  name: "gpu:check",
  about: "Sets up the engines of NVIDIA cards, checks and times them, and writes one JSON.",
  async run(args) {
    const { text, list, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task gpu:check [options]", this.about, flags, [
        "deno task gpu:check --python ~/torch/bin/python",
        "deno task gpu:check --engines onnx:cpu --only grid,steps --small --python none",
      ]));
      return 0;
    }
    const engines = list.engines.length === 0 ? ["onnx:cuda", "onnx:webgpu", "tfjs-node-gpu"] : list.engines;
    for (const engine of engines) createLibrary().of("engine").get(engine);
    const only = (list.only.length === 0 ? parts : list.only) as readonly Part[];
    const strange = only.find((part) => !parts.includes(part));
    if (strange !== undefined) {
      throw new Refusal({ what: `run part "${strange}"`, found: `parts are ${parts.join(", ")}` });
    }
    const minutes = parseInteger("--minutes", text.minutes ?? "10", 1, 600);
    const python = text.python === "none" ? null : text.python ?? "python3";
    const out = text.out ?? "gpu-check.json";
    // Not after minutes on a card.
    await checkPlain(out, "write");
    const end = performance.now() + 60_000 * minutes;
    const runs = await Deno.makeTempDir({ prefix: "armlab-gpu-" });
    const done: Ended[] = [];
    try {
      for (const engine of engines) {
        for (const step of stepsOf(engine, { only, python, small: boolean.small, runs })) {
          const ended = await runStep(step, end - performance.now());
          done.push(ended);
          const how = ended.code === 0 ? "ok" : ended.code === null ? "NOT RUN" : `FAILED (${ended.code})`;
          console.log(`${how.padEnd(12)} ${engine}: ${step.name}, ${ended.seconds.toFixed(1)} s`);
        }
      }
    } finally {
      await Deno.remove(runs, { recursive: true });
    }
    const report = {
      format: 1,
      at: new Date().toISOString(),
      armlab: VERSION,
      deno: Deno.version.deno,
      processor: processorName(),
      cards: await cards(),
      steps: done,
    };
    await Deno.writeTextFile(out, `${JSON.stringify(report, null, 2)}\n`);
    const failed = done.filter(({ code }) => code !== 0).length;
    console.log(`${done.length - failed} of ${done.length} steps ended well; all of it stands in ${out}.`);
    return failed === 0 ? 0 : 1;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
