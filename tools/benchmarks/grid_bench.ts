/**
 * How long a large grid takes before and after its training: planned, counted by `status`, and resumed when all of it is
 * finished. `deno task bench:grid`; nothing is trained.
 *
 * @module
 */
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import { part } from "../../experiments/config.ts";
import { type GridPlan, planGrid } from "../../experiments/plan.ts";
import { type GridOptions, runPlan } from "../../experiments/run_grid.ts";
import { configurations } from "../../experiments/results.ts";
import { gridStatus } from "../../experiments/status.ts";
import { createLibrary } from "../../library.ts";
import { liveContext } from "../../store/inspect.ts";
import { openRun } from "../../store/run_folder.ts";
import type { RunConfig, RunSummary, RunTiming, SplitMetrics } from "../../core/record.ts";
import { spentBy } from "./spent.ts";

const flags: Readonly<Record<string, Flag>> = {
  configurations: { type: "text", value: "N", about: "configurations (default: 40)" },
  seeds: { type: "text", value: "N", about: "seeds of each (default: 50)" },
  json: { type: "boolean", about: "print one JSON object" },
  help: { type: "boolean", about: "show this help" },
};

const metrics: SplitMetrics = {
  size: 100,
  loss: 1,
  accuracy: 0.5,
  macroF1: 0.5,
  perModality: Object.fromEntries(
    ["first", "second"].map((
      name,
    ) => [name, { accuracy: 0.4, readout: "split", ablateMean: 0.4, nmi: 0.1, probability: 0.4, phi: 0.2 }]),
  ),
  contributionGap: 0.1,
  jointContribution: 0.2,
  recall: [0.5, 0.5],
};

const timing: RunTiming = {
  seconds: 10,
  trainSeconds: 8,
  evaluationSeconds: 1,
  compileSeconds: 1,
  stepMs: 1,
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:00:10.000Z",
  device: "CPU, 1 thread",
  processor: "none",
  deno: Deno.version.deno,
};

/** Leaves what a finished run leaves. */
async function finish(runs: string, id: string, config: RunConfig): Promise<void> {
  const folder = openRun(runs, id);
  const summary: RunSummary = {
    format: 1,
    id,
    seed: config.seed,
    selectedOn: "validation",
    selectedEpoch: 0,
    epochs: 1,
    steps: 10,
    samplesDrawn: 100,
    validation: metrics,
    test: metrics,
    parameters: 4,
    parametersByGroup: { head: 4 },
  };
  await folder.create(config);
  const weight = { data: new Float32Array(4), shape: [4], dtype: "float32" as const };
  await folder.finish(summary, timing, { params: { "head/weight": weight }, buffers: {} });
}

/** Seconds of something, with the processor time of this process in it; `null` where the system does not tell. */
interface Taken {
  readonly wall: number;
  readonly processor: number | null;
}

async function timed<T>(run: () => Promise<T>): Promise<[T, Taken]> {
  const [started, before] = [performance.now(), spentBy("self")];
  const result = await run();
  const [wall, after] = [(performance.now() - started) / 1000, spentBy("self")];
  return [result, { wall, processor: before === null || after === null ? null : after - before }];
}

export const command: Command = {
  name: "bench:grid",
  about: "Times a large grid without training it.",
  async run(args) {
    const { text, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task bench:grid [options]", this.about, flags, ["deno task bench:grid --seeds 50"]));
      return 0;
    }
    const count = parseInteger("--configurations", text.configurations ?? "40", 1, 10_000);
    const seeds = Array.from({ length: parseInteger("--seeds", text.seeds ?? "50", 1, 10_000) }, (_, seed) => seed);
    const runs = await Deno.makeTempDir({ prefix: "armlab-grid-" });
    try {
      const options: GridOptions = {
        library: createLibrary(),
        runs,
        seeds,
        workers: 1,
        cells: Array.from({ length: count }, (_, row) => ({
          label: `row ${row}`,
          dataset: part("synthetic", { samples: 500 }),
          encoder: part("mlp"),
          fusion: part("concat"),
          methods: [part("ogm-ge", { alpha: (row + 1) / count })],
          training: { epochs: 1 },
        })),
        experiment: { name: "large", question: null, command: "bench", reference: "row 0", budget: "equal" },
      };
      const [plan, planned] = await timed<GridPlan>(() => planGrid(options));
      for (const { id, config } of plan.cells) await finish(runs, id, config);
      // As the same command does that is given again.
      const [anew, plannedAgain] = await timed(() => planGrid(options));
      const [{ outcomes }, resumed] = await timed(() => runPlan(anew, options));
      const unfinished = outcomes.filter(({ status }) => status !== "finished").length;
      if (unfinished > 0) throw new Error(`${unfinished} of ${outcomes.length} cells were not taken for finished`);
      const [, table] = await timed(() => Promise.resolve(configurations(outcomes)));
      const [, status] = await timed(async () => await gridStatus(runs, await liveContext(runs)));
      const figures = { cells: plan.cells.length, planned, plannedAgain, resumed, table, status };
      if (boolean.json) console.log(JSON.stringify(figures));
      else {
        const line = (name: string, { wall, processor }: Taken) =>
          console.log(
            `${name.padEnd(34)} ${wall.toFixed(2)} s` +
              (processor === null ? "" : `, ${processor.toFixed(2)} s processor`),
          );
        console.log(`${plan.cells.length} cells, ${count} configurations x ${seeds.length} seeds`);
        line("planned", planned);
        line("planned again, all finished", plannedAgain);
        line("resumed, all finished", resumed);
        line("table and tests", table);
        line("status", status);
        console.log(`${navigator.hardwareConcurrency} cores, load ${Deno.loadavg()[0].toFixed(1)}`);
      }
      return 0;
    } finally {
      await Deno.remove(runs, { recursive: true });
    }
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
