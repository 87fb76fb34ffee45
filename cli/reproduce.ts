/**
 * `armlab reproduce`: a table of the paper, measured beside printed.
 *
 * @module
 */
import { resolve } from "node:path";
import type { GridPlugin, GridProfile } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { applySettings } from "../experiments/settings.ts";
import { reproduced, reproducedSentence, uncovered } from "../experiments/reproduce.ts";
import { finishedRuns } from "../experiments/results.ts";
import { type CellOutcome, type GridOptions, runPlan } from "../experiments/run_grid.ts";
import { textTable } from "../experiments/text_table.ts";
import { createLibrary } from "../library.ts";
import { reproducedTable } from "../viewer/reproduced_table.ts";
import { checkPrepared, profileOf } from "./asked.ts";
import { benchFlags } from "./bench.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger } from "./command.ts";
import { word } from "./experiment.ts";
import { estimateText, ProgressView } from "./progress.ts";
import { listenForStop } from "./stopping.ts";
import { budgetsOf, planned, showPlan, timed } from "./planning.ts";
import { outputWidth, toWidth } from "./terminal.ts";

const { seeds, epochs, set, engine, workers, runs, json } = benchFlags;

const flags: Readonly<Record<string, Flag>> = {
  profile: benchFlags.profile,
  seeds,
  epochs,
  set,
  engine,
  workers,
  runs,
  "dry-run": { type: "boolean", about: "show what would run and how long it would take, and stop" },
  json: { ...json, about: "print one JSON object per column instead of tables" },
  help: { type: "boolean", about: "show this help" },
};

/** `armlab reproduce`. */
export const reproduceCommand: Command = {
  name: "reproduce",
  about: "a table of the paper: measured beside printed",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("reproduce", flags, args, { most: 1, about: "the name of one table" });
    const library = createLibrary();
    const papers = library.of("grid").list().filter(({ printed }) => printed !== undefined);
    const [name] = parsed.positional;
    if (parsed.boolean.help || name === undefined) {
      console.log(helpOf(
        "armlab reproduce TABLE [options]",
        "Run the configurations of a table of the paper and put what was measured beside what is printed.\n" +
          `Tables and figures: ${papers.map((own) => own.name).join(", ")}.`,
        flags,
        ["armlab reproduce table1", "armlab reproduce table6 --dry-run", "armlab reproduce table1 --profile paper"],
      ));
      return parsed.boolean.help ? 0 : 2;
    }
    const grid = library.of("grid").get(name);
    if (grid.printed === undefined) {
      throw new Refusal({
        what: `reproduce "${name}"`,
        must: "it must be a table of the paper",
        found: `those are ${papers.map((own) => own.name).join(", ")}`,
        hint: `deno task bench ${name} runs it`,
      });
    }
    const profile = profileOf(grid, parsed.text.profile ?? "embedded");
    const settings = [...parsed.list.set];
    if (parsed.text.epochs !== undefined) settings.push(`training.epochs=${parsed.text.epochs}`);
    const cells = applySettings(profile.cells, settings, library);
    if (cells.length !== profile.cells.length) {
      throw new Refusal({
        what: "use --set with several values",
        must: "a table has the rows that it has",
        hint: `deno task bench ${name} --set … makes rows`,
      });
    }
    await checkPrepared(profile.sets ?? {}, cells);
    const options: GridOptions = {
      cells,
      seeds: parsed.text.seeds === undefined
        ? profile.seeds
        : Array.from({ length: parseInteger("--seeds", parsed.text.seeds, 1, 10_000) }, (_, seed) => seed),
      runs: resolve(parsed.text.runs ?? "runs"),
      library,
      engine: parsed.text.engine,
      workers: parsed.text.workers === undefined ? undefined : parseInteger("--workers", parsed.text.workers, 1, 1024),
    };
    const command = `deno task armlab reproduce ${args.filter((arg) => arg !== "--json").map(word).join(" ")}`;
    return await reproduce(grid, { ...profile, cells }, options, {
      command,
      json: parsed.boolean.json,
      dry: parsed.boolean["dry-run"],
      changed: settings.length > 0,
    });
  },
};

/** What was not measured of a table, and the commands that do. */
function notMeasured(
  grid: GridPlugin,
  profile: GridProfile,
  outcomes: readonly CellOutcome[],
  command: string,
): string[] {
  const { columns, rows } = uncovered(grid.printed!, profile);
  const open = Map.groupBy(outcomes.filter(({ status }) => status !== "finished"), ({ cell }) => cell.request.label);
  const runs = [...open].map(([label, own]) =>
    `${label} (${own.map(({ cell, status }) => `seed ${cell.seed} ${status}`).join(", ")})`
  );
  const paper = grid.profiles?.paper;
  const covered = paper === undefined ? null : uncovered(grid.printed!, paper);
  const more = covered !== null &&
    (covered.columns.length < columns.length || covered.rows.length < rows.length);
  return [
    ...(columns.length === 0 ? [] : [`Nothing here stands for ${columns.join(", ")}.`]),
    ...rows.map(({ measuredOn, subjects }) =>
      `Not run on ${measuredOn}, whose encoders or modalities do not fit: ${subjects.join(", ")}.`
    ),
    ...(more ? [`On the paper's own data: deno task armlab reproduce ${grid.name} --profile paper`] : []),
    ...(runs.length === 0 ? [] : [`Not finished: ${runs.join("; ")}. This goes on with them: ${command}`]),
  ];
}

interface Asked {
  readonly command: string;
  readonly json: boolean;
  readonly dry: boolean;
  /** Whether settings are others than the profile's. */
  readonly changed: boolean;
}

async function reproduce(
  grid: GridPlugin,
  profile: GridProfile,
  asked: GridOptions,
  { command, json, dry, changed }: Asked,
): Promise<number> {
  const { runs } = asked;
  const printed = grid.printed!;
  const view = new ProgressView({ quiet: json });
  const options: GridOptions = {
    ...asked,
    command: () => command,
    onEvent: (event) => view.show(event),
    experiment: {
      name: `reproduce-${grid.name}${changed ? "-changed" : ""}`,
      question: grid.about,
      command,
      reference: profile.cells[0].label,
      budget: budgetsOf(profile.cells),
    },
  };
  const plan = await planned(options, [], view);
  const cost = await timed(plan, options, view);
  view.tell(estimateText(cost));
  if (dry) return await showPlan(plan, options, json, view, cost);
  const stopping = listenForStop((text) => view.say(text));
  try {
    const { outcomes, engine } = await runPlan(plan, { ...options, signal: stopping.signal });
    view.end();
    const columns = reproduced(printed, profile, finishedRuns(outcomes));
    if (json) { for (const column of columns) console.log(JSON.stringify(column)); }
    else {
      for (const column of columns) {
        const table = reproducedTable(column, printed.source);
        console.log(`\n${table.title}\n\n${textTable(table, outputWidth())}`);
      }
      console.log(`\n${
        toWidth([
          ...columns.map((column) => `${reproducedSentence(column)}.`),
          ...(columns.length === 0 ? [] : reproducedTable(columns[0], "").notes),
          ...notMeasured(grid, profile, outcomes, command),
          ...(printed.columns.length === 0 ? ["No printed value is known."] : []),
          ...printed.notes,
          `Budget: ${budgetsOf(profile.cells)}. Engine: ${engine}. Runs: ${runs}`,
        ])
      }`);
    }
    if (outcomes.some(({ status }) => status === "stopped")) {
      console.error(`Stopped. Run the same command again to continue from the last checkpoints in ${runs}.`);
      return stopping.exit() || 1;
    }
    return outcomes.some(({ status }) => status === "failed") ? 1 : 0;
  } finally {
    view.end();
    stopping.dispose();
  }
}
