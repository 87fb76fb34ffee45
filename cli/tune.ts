/**
 * `armlab tune`: every configuration with as many trials, chosen on validation, beside what was given.
 *
 * @module
 */
import { resolve } from "node:path";
import type { CellRequest } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import { Refusal } from "../core/refusal.ts";
import { acrossOf } from "../experiments/across/across.ts";
import { checkReference, type FinishedRun, finishedRuns } from "../experiments/results.ts";
import { type GridOptions, runPlan } from "../experiments/run_grid.ts";
import { applySettings } from "../experiments/settings.ts";
import { textTable } from "../experiments/text_table.ts";
import {
  givenAndTuned,
  planStudies,
  type Tuning,
  type TuningOptions,
  type TuningPlan,
  type TuningResult,
  tuningResults,
} from "../experiments/tuning/tune.ts";
import { versusSentence } from "../experiments/versus.ts";
import { createLibrary } from "../library.ts";
import { acrossTable } from "../viewer/across_tables.ts";
import type { Table } from "../viewer/table.ts";
import { chosenTable, tuningTable } from "../viewer/tuning_table.ts";
import { askedOf, checkPrepared } from "./asked.ts";
import { benchFlags } from "./bench.ts";
import { type Command, type Flag, type Flags, helpOf, parseChoice, parseFlags, parseInteger } from "./command.ts";
import { experimentOf, word } from "./experiment.ts";
import { loadPlugins, pluginSpecifiers } from "./plugins.ts";
import { ProgressView } from "./progress.ts";
import { listenForStop, parseInterval, parseTime } from "./stopping.ts";
import { budgetsOf, planned, showPlan } from "./planning.ts";
import { outputWidth, toWidth } from "./terminal.ts";

/** Flags of `bench` that mean the same here; several processes share a tuning by running the same command. */
const {
  config: _config,
  list: _list,
  describe: _describe,
  keep: _keep,
  shard: _shard,
  launch: _launch,
  sbatch: _sbatch,
  "array-width": _width,
  "array-tasks": _tasks,
  plan: _plan,
  requeue: _requeue,
  devices: _devices,
  ...shared
} = benchFlags;

const flags: Readonly<Record<string, Flag>> = {
  trials: { type: "text", value: "N", about: "settings tried in each study, beside what is given (default: 8)" },
  try: {
    type: "each",
    value: "KEY=VALUE,...",
    about: "try these values in every study instead; of several options every combination",
  },
  ...shared,
  seeds: { type: "text", value: "N", about: "number of studies, one for each seed 0..N-1 (default: 3)" },
  json: { type: "boolean", about: "print one JSON object per configuration instead of the tables" },
};

/** More than anybody trains. */
const MOST_TRIALS = 10_000;

/** `armlab tune`. */
export const tuneCommand: Command = {
  name: "tune",
  about: "give every configuration as many trials, choose on validation, and compare again",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("tune", flags, args, { most: 1, about: "the name of one grid" });
    if (parsed.boolean.help) {
      console.log(helpOf(
        "armlab tune [GRID] [options]",
        "Try the same number of settings for every configuration, from a fixed quasi-random list over the learning rate\n" +
          "and its methods' own ranges; choose on validation in each of several studies; compare on test with what was\n" +
          "given. What --set sets is not tuned, nor the methods' options that a grid sets.",
        flags,
        [
          "armlab tune --compare none,uni-ce,arm",
          "armlab tune --compare none,uni-ce,arm --trials 16 --seeds 5",
          "armlab tune --compare none,uni-ce,arm --try training.learningRate=0.005,0.02,0.05,0.1",
          "armlab tune imbalance-embedded --trials 4 --dry-run",
        ],
      ));
      return 0;
    }
    return await tune(args, parsed);
  },
};

async function tune(args: readonly string[], parsed: Flags): Promise<number> {
  const library = createLibrary();
  const plugins = pluginSpecifiers(parsed.list.plugin);
  if (plugins.length > 0) await loadPlugins(library, plugins);
  const { requests, seeds, composed, grid, sets } = await askedOf(
    parsed,
    parsed.text.grid ?? parsed.positional[0],
    library,
    null,
  );
  await checkPrepared(sets, requests);
  const studies = studiesOf(parsed, requests, seeds, library);
  const reference = checkReference(parsed.text.reference ?? requests[0].label, requests.map(({ label }) => label));
  const budget = budgetsOf(requests);
  const view = new ProgressView({ quiet: parsed.boolean.json });
  const onError = parseChoice("--on-error", parsed.text["on-error"] ?? "continue", ["continue", "stop"]);
  const every = parsed.text["checkpoint-every"];
  const maxTime = parsed.text["max-time"] === undefined ? null : parseTime("--max-time", parsed.text["max-time"]);
  const runs = resolve(parsed.text.runs ?? "runs");
  const experiment = experimentOf({ args, parsed, grid, requests, reference, budget });
  const command = `deno task armlab tune ${args.filter((arg) => arg !== "--json").map(word).join(" ")}`.trim();
  const shown = (own: TuningPlan): GridOptions => ({
    cells: own.cells,
    seeds,
    seedsOf: own.seedsOf,
    trialOf: own.trialOf,
    runs,
    library,
    plugins,
    engine: parsed.text.engine,
    workers: parsed.text.workers === undefined ? undefined : parseInteger("--workers", parsed.text.workers, 1, 1024),
    skipUnfit: parsed.boolean["skip-unfit"],
    continueOnError: onError === "continue",
    checkpointEvery: every === undefined ? undefined : parseInterval("--checkpoint-every", every),
    command: () => command,
    onEvent: (event) => view.show(event),
    experiment: {
      ...experiment,
      name: parsed.text.name ?? `tune-${experiment.name}`.slice(0, 100),
      command,
      tuning: own.tuning,
    },
  });
  const known = await planStudies(requests, studies, (own) => planned(shown(own), composed, view));
  const { plan, tuning } = known;
  const options = shown(known);
  if (parsed.boolean["dry-run"]) return await showPlan(plan, options, parsed.boolean.json, view);
  const stopping = listenForStop((text) => view.say(text));
  if (maxTime !== null) stopping.after(maxTime);
  try {
    const { outcomes, engine } = await runPlan(plan, { ...options, signal: stopping.signal });
    view.end();
    // Half a study has chosen among fewer trials than others: nothing is said of it.
    if (outcomes.some(({ status }) => status === "stopped")) {
      console.error(`Stopped. Run the same command again to continue from the last checkpoints in ${runs}.`);
      return stopping.exit() || 1;
    }
    const finished = finishedRuns(outcomes);
    const results = tuningResults(tuning, finished, { reference });
    if (parsed.boolean.json) { for (const result of results) console.log(JSON.stringify(result)); }
    else {
      for (const table of tablesOf(tuning, finished, results, reference)) {
        const { title, notes, ...rest } = table;
        console.log(`\n${title}\n\n${textTable(rest, outputWidth())}\n\n${toWidth(notes)}`);
      }
      // Over several data sets the tables say it.
      const answers = results.some(({ across }) => across !== undefined) ? [] : results.flatMap(
        ({ label, tuned: { versus } }) => versus === null ? [] : [`${versusSentence(`${label}, tuned`, versus)}.`],
      );
      console.log(`\n${toWidth([...answers, `Budget of a run: ${budget}.`, `Engine: ${engine}. Runs: ${runs}`])}`);
    }
    // A trial that diverged is a result of tuning: only a configuration without any is a failure.
    return results.length === tuning.rows.length ? 0 : 1;
  } finally {
    view.end();
    stopping.dispose();
  }
}

/** What `--trials`, `--try` and `--set` say of studies. */
function studiesOf(
  { text, list }: Flags,
  requests: readonly CellRequest[],
  seeds: readonly number[],
  library: Library,
): TuningOptions {
  const fixed = list.set.map((own) => own.slice(0, own.indexOf("=")));
  if (list.try.length === 0) {
    const trials = parseInteger("--trials", text.trials ?? "8", 1, MOST_TRIALS);
    return { seeds, trials, library, fixed };
  }
  if (text.trials !== undefined) {
    throw new Refusal({ what: "use --trials together with --try", hint: "leave one of them out" });
  }
  const values = valuesOf(list.try);
  // Tells of what nobody has before anything is planned.
  for (const own of values) applySettings(requests, own, library);
  return { seeds, trials: values.length, library, values, fixed };
}

/** Every combination of the values that settings list. */
function valuesOf(settings: readonly string[]): string[][] {
  return settings.reduce<string[][]>((lists, setting) => {
    const equals = setting.indexOf("=");
    const values = setting.slice(equals + 1).split(",").map((own) => `${setting.slice(0, equals)}=${own.trim()}`);
    return lists.flatMap((own) => [...new Set(values)].map((value) => [...own, value]));
  }, [[]]);
}

/** What tuning gave, by configuration and over data sets. */
function tablesOf(
  tuning: Tuning,
  finished: readonly FinishedRun[],
  results: readonly TuningResult[],
  reference: string,
): Table[] {
  const tables = [tuningTable(results, reference), chosenTable(results)];
  const subject = results.find(({ label }) => label === reference)?.across?.subject ?? reference;
  const { given, tuned } = givenAndTuned(tuning, finished);
  for (const [how, runs] of [["as given", given], ["tuned", tuned]] as const) {
    const across = acrossOf(runs, subject);
    if (across !== null) tables.push(acrossTable(across, how));
  }
  return tables;
}
