/**
 * `bench` beyond this process: plans that are written, tasks that train parts of them, and Slurm.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { basename, dirname, resolve } from "node:path";
import type { EnginePlugin } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import { Refusal } from "../core/refusal.ts";
import { launch, type LaunchNews } from "../experiments/launch.ts";
import type { GridPlan } from "../experiments/plan.ts";
import { plansFolder, readPlan, writePlan } from "../experiments/plan_file.ts";
import { type GridOptions, keepExperiment, runPlan } from "../experiments/run_grid.ts";
import { parseShard, shardOf } from "../experiments/shard.ts";
import { checkOption, requeueThis, slurm } from "../experiments/slurm.ts";
import { prepareRuns } from "../store/run_folder.ts";
import { report, reportShard } from "./bench_report.ts";
import { type Cards, checkWorkers, runOnCards } from "./cards.ts";
import { type Flags, parseChoice, parseInteger } from "./command.ts";
import { loadPlugins } from "./plugins.ts";
import { ProgressView } from "./progress.ts";
import { listenForStop, parseInterval, parseTime } from "./stopping.ts";

/** How a grid is launched, checked. @throws {Refusal} If options of Slurm stand without it. */
export function checkLaunch(parsed: Flags): { readonly how: "local" | "slurm" | "plan" } {
  const how = parseChoice("--launch", parsed.text.launch ?? "local", ["local", "slurm", "plan"]);
  const stray = how === "slurm"
    ? undefined
    : parsed.list.sbatch.length > 0
    ? "sbatch"
    : ["array-width", "array-tasks"].find((name) => parsed.text[name] !== undefined);
  if (stray !== undefined) {
    throw new Refusal({ what: `use --${stray}`, must: "--launch slurm must stand beside it", found: `found ${how}` });
  }
  for (const option of parsed.list.sbatch) checkOption(option);
  if (how !== "local" && parsed.text.shard !== undefined) {
    throw new Refusal({ what: `use --shard with --launch ${how}`, must: "a launch is of the whole grid" });
  }
  return { how };
}

/** What a bench is about to do. */
export interface AboutToRun {
  readonly options: GridOptions;
  readonly reference: string;
  readonly budget: string;
  readonly runs: string;
  readonly plugins: readonly string[];
}

/** Writes a plan, and has Slurm train it where that is asked. */
export async function launchGrid(
  parsed: Flags,
  plan: GridPlan,
  view: ProgressView,
  { options, reference, budget, runs, plugins }: AboutToRun,
  cards: { readonly engine: EnginePlugin; readonly cards: Cards } | null = null,
): Promise<number> {
  const { experiment, seeds } = options;
  if (experiment === undefined) {
    throw new Refusal({ what: "launch a single cell", must: "a launch is of a grid", hint: "leave --launch out" });
  }
  await prepareRuns(runs);
  await keepExperiment(plan, options, experiment);
  const path = await writePlan(runs, plan, { ...experiment, seeds, plugins });
  if (parsed.text.launch === "plan") {
    console.log(path);
    return 0;
  }
  if (cards !== null) {
    return await onCards(parsed, plan, view, path, { options, reference, budget, runs, plugins }, cards);
  }
  view.tell(`${plan.cells.length} runs planned in ${path}`);
  const number = (name: string) =>
    parsed.text[name] === undefined ? undefined : parseInteger(`--${name}`, parsed.text[name], 1, 1_000_000);
  const workers = number("workers") ?? 1;
  const stopping = listenForStop((text) => view.say(text), "Follows no more; the tasks go on.");
  try {
    const outcomes = await launch(plan, slurm, {
      runs,
      seeds,
      planFile: path,
      command: [
        ...ownCommand(),
        "bench",
        "--workers",
        String(workers),
        ...passedOn(parsed),
      ],
      tasks: number("array-tasks"),
      width: number("array-width"),
      cpus: workers,
      options: parsed.list.sbatch.map(checkOption),
      signal: stopping.signal,
      onNews: (news) => view.tell(newsText(news)),
    });
    report(outcomes, reference, parsed.boolean.json, budget, plan.engine, runs);
    if (stopping.exit() !== 0) {
      console.error("The tasks go on. Run the same command again to follow them; scancel ends them.");
      return stopping.exit();
    }
    return outcomes.some(({ status }) => status === "failed") ? 1 : 0;
  } finally {
    stopping.dispose();
  }
}

/** Has a process for each card train a plan. */
async function onCards(
  parsed: Flags,
  plan: GridPlan,
  view: ProgressView,
  path: string,
  { reference, budget, runs }: AboutToRun,
  { engine, cards }: { readonly engine: EnginePlugin; readonly cards: Cards },
): Promise<number> {
  const stopping = listenForStop((text) => view.say(text));
  try {
    const outcomes = await runOnCards(plan, {
      runs,
      cards,
      engine,
      signal: stopping.signal,
      command: [
        ...ownCommand(),
        "bench",
        ...["--plan", path, "--runs", runs, "--workers", "1"],
        ...passedOn(parsed),
      ],
      onLine: (card, line) => view.tell(cards.length === 1 ? line : `card ${card}: ${line}`),
    });
    report(outcomes, reference, parsed.boolean.json, budget, plan.engine, runs);
    if (stopping.exit() !== 0 && outcomes.some(({ status }) => status === "stopped")) return stopping.exit();
    return outcomes.some(({ status }) => status === "failed") ? 1 : 0;
  } finally {
    stopping.dispose();
  }
}

function newsText(news: LaunchNews): string {
  if (news.type === "submitted") {
    return `  submitted ${news.tasks} task${news.tasks === 1 ? "" : "s"} as array ${news.job}${
      news.again ? ", again" : ""
    }`;
  }
  if (news.type === "refused") return `  ${news.message}; it is asked again`;
  const { finished, running, failed, total, waiting, reason } = news;
  const queue = waiting === 0 ? "" : `, ${waiting} tasks wait (${reason})`;
  return `  ${finished} of ${total} finished, ${running} running, ${failed} failed${queue}`;
}

/** Flags that every task takes over. */
function passedOn(parsed: Flags): string[] {
  return ["checkpoint-every", "max-time"].flatMap((name) => {
    const value = parsed.text[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
}

/** The words that start this program. */
function ownCommand(): string[] {
  return [Deno.execPath(), "run", "-A", fileURLToPath(new URL("./main.ts", import.meta.url))];
}

/** Flags that may stand beside `--plan`: the others are decided by it. */
const besidePlan = ["plan", "shard", "runs", "workers", "devices", "checkpoint-every", "on-error", "max-time"];

/** Trains a plan that was written, or a shard of it. */
export async function trainPlan(
  parsed: Flags,
  grid: string | undefined,
  library: Library,
): Promise<number> {
  const stray = [
    ...Object.entries(parsed.text).filter(([, value]) => value !== undefined).map(([name]) => name),
    ...Object.entries(parsed.list).filter(([, values]) => values.length > 0).map(([name]) => name),
  ].find((name) => !besidePlan.includes(name));
  if (stray !== undefined || grid !== undefined) {
    throw new Refusal({
      what: `use ${stray === undefined ? `grid "${grid}"` : `--${stray}`} with --plan`,
      must: "the plan says what is trained",
      hint: `beside it stand ${besidePlan.map((name) => `--${name}`).join(", ")}`,
    });
  }
  const path = resolve(parsed.text.plan!);
  const { head, plan: whole } = await readPlan(path);
  await loadPlugins(library, head.plugins);
  // A plan lies in the folder of its runs.
  const own = basename(dirname(path)) === plansFolder ? dirname(dirname(path)) : "runs";
  const runs = resolve(parsed.text.runs ?? own);
  const shard = parsed.text.shard === undefined ? null : parseShard(parsed.text.shard);
  const plan = shard === null ? whole : shardOf(whole, head.seeds, shard);
  const every = parsed.text["checkpoint-every"];
  const engine = library.of("engine").get(whole.cells[0]?.config.engine.name ?? "onnx:cpu");
  const asked = parsed.text.workers === undefined ? undefined : parseInteger("--workers", parsed.text.workers, 1, 1024);
  const workers = engine.cards === undefined ? asked : checkWorkers(asked, engine);
  const view = new ProgressView({ quiet: parsed.boolean.json });
  const onError = parseChoice("--on-error", parsed.text["on-error"] ?? "continue", ["continue", "stop"]);
  const stopping = listenForStop((text) => view.say(text));
  if (parsed.text["max-time"] !== undefined) stopping.after(parseTime("--max-time", parsed.text["max-time"]));
  try {
    const { outcomes, engine } = await runPlan(plan, {
      cells: [],
      seeds: head.seeds,
      runs,
      library,
      plugins: head.plugins,
      workers,
      wait: shard === null,
      continueOnError: onError === "continue",
      checkpointEvery: every === undefined ? undefined : parseInterval("--checkpoint-every", every),
      command: (request, seed) => `${head.command} --only ${JSON.stringify(`${request.label}#${seed}`)}`,
      onEvent: (event) => view.show(event),
      signal: stopping.signal,
    });
    view.end();
    if (shard === null) report(outcomes, head.reference, parsed.boolean.json, head.budget, engine, runs);
    else reportShard(outcomes, shard, whole.cells.length, parsed.boolean.json);
    if (stopping.exit() !== 0 && outcomes.some(({ status }) => status === "stopped")) {
      if (parsed.boolean.requeue && ["SIGUSR1", "SIGUSR2", "time"].includes(stopping.by() ?? "")) {
        const job = await requeueThis();
        if (job !== null) view.say(`Slurm has queued job ${job} again.`);
      }
      return stopping.exit();
    }
    return outcomes.some(({ status }) => status === "failed") ? 1 : 0;
  } finally {
    view.end();
    stopping.dispose();
  }
}
