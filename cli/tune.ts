/**
 * `armlab tune`: every configuration with as many trials, chosen on validation, beside what was given.
 *
 * @module
 */
import { resolve } from "node:path";
import { checkReference, finishedRuns } from "../experiments/results.ts";
import { type GridOptions, runPlan } from "../experiments/run_grid.ts";
import { textTable } from "../experiments/text_table.ts";
import { planTuning, tuningResults } from "../experiments/tuning/tune.ts";
import { versusSentence } from "../experiments/versus.ts";
import { createLibrary } from "../library.ts";
import { chosenTable, tuningTable } from "../viewer/tuning_table.ts";
import { askedOf } from "./asked.ts";
import { benchFlags } from "./bench.ts";
import { type Command, type Flag, type Flags, helpOf, parseChoice, parseFlags, parseInteger } from "./command.ts";
import { experimentOf, word } from "./experiment.ts";
import { loadPlugins, pluginSpecifiers } from "./plugins.ts";
import { ProgressView } from "./progress.ts";
import { listenForStop, parseInterval } from "./stopping.ts";
import { budgetsOf, planned, showPlan } from "./planning.ts";

const { config: _, list: __, describe: ___, keep: ____, ...shared } = benchFlags;

const flags: Readonly<Record<string, Flag>> = {
  trials: { type: "text", value: "N", about: "settings tried in each study, beside what is given (default: 8)" },
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
          "given. What --set sets is not tuned.",
        flags,
        [
          "armlab tune --compare none,uni-ce,arm",
          "armlab tune --compare none,uni-ce,arm --trials 16 --seeds 5",
          "armlab tune --method arm --set arm.sampler=dsr --dry-run",
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
  const { requests, seeds, composed, grid } = await askedOf(
    parsed,
    parsed.text.grid ?? parsed.positional[0],
    library,
    null,
  );
  const trials = parseInteger("--trials", parsed.text.trials ?? "8", 1, MOST_TRIALS);
  const reference = checkReference(parsed.text.reference ?? requests[0].label, requests.map(({ label }) => label));
  const { cells, seedsOf, tuning } = planTuning(requests, { seeds, trials, library });
  const budget = budgetsOf(requests);
  const view = new ProgressView({ quiet: parsed.boolean.json });
  const onError = parseChoice("--on-error", parsed.text["on-error"] ?? "continue", ["continue", "stop"]);
  const every = parsed.text["checkpoint-every"];
  const runs = resolve(parsed.text.runs ?? "runs");
  const experiment = experimentOf({ args, parsed, grid, requests, reference, budget });
  const command = `deno task armlab tune ${args.filter((arg) => arg !== "--json").map(word).join(" ")}`.trim();
  const options: GridOptions = {
    cells,
    seeds,
    seedsOf,
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
    experiment: { ...experiment, name: parsed.text.name ?? `tune-${experiment.name}`.slice(0, 100), command, tuning },
  };
  const plan = await planned(options, composed, view);
  if (parsed.boolean["dry-run"]) return await showPlan(plan, options, parsed.boolean.json);
  const stopping = listenForStop((text) => view.say(text));
  try {
    const { outcomes, engine } = await runPlan(plan, { ...options, signal: stopping.signal });
    view.end();
    // Half a study has chosen among fewer trials than others: nothing is said of it.
    if (outcomes.some(({ status }) => status === "stopped")) {
      console.error(`Stopped. Run the same command again to continue from the last checkpoints in ${runs}.`);
      return stopping.exit() || 1;
    }
    const results = tuningResults(tuning, finishedRuns(outcomes), { reference });
    if (parsed.boolean.json) { for (const result of results) console.log(JSON.stringify(result)); }
    else {
      const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
      for (const table of [tuningTable(results, reference), chosenTable(results)]) {
        console.log(`\n${textTable(table, width)}\n\n${table.notes.join("\n")}`);
      }
      const answers = results.flatMap(({ label, tuned: { versus } }) =>
        versus === null ? [] : [`${versusSentence(`${label}, tuned`, versus)}.`]
      );
      console.log(`\n${[...answers, `Budget of a run: ${budget}.`].join("\n")}\nEngine: ${engine}. Runs: ${runs}`);
    }
    // A trial that diverged is a result of tuning: only a configuration without any is a failure.
    const leftOut = new Set(plan.unfit.map(({ label }) => label));
    return results.length === tuning.rows.filter(({ label }) => !leftOut.has(label)).length ? 0 : 1;
  } finally {
    view.end();
    stopping.dispose();
  }
}
