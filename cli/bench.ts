/**
 * `armlab bench`: train and compare.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Library } from "../core/library.ts";
import { importPlugins } from "../core/plugins.ts";
import type { CellRequest } from "../core/kinds/mod.ts";
import { applySettings, part, trainingOptions } from "../experiments/config.ts";
import { checkReference, configurations, jsonLine } from "../experiments/results.ts";
import { type CellOutcome, runGrid } from "../experiments/run_grid.ts";
import { resultTable, tableNotes } from "../experiments/table.ts";
import { Refusal } from "../core/refusal.ts";
import type { RunConfig } from "../core/record.ts";
import { createLibrary } from "../library.ts";
import { CompositionError } from "../training/compose.ts";
import { readBytes, StoreError } from "../store/files.ts";
import { maxJsonBytes } from "../store/run_folder.ts";
import { parseStored } from "../store/schemas.ts";
import { type Command, type Flag, type Flags, helpOf, parseFlags, parseInteger } from "./command.ts";
import { dataParts } from "./data_source.ts";
import { described } from "./describe.ts";
import { experimentOf, word } from "./experiment.ts";
import { listing } from "./list.ts";
import { pluginSpecifier } from "./plugins.ts";
import { ProgressView } from "./progress.ts";
import { listenForStop, parseInterval } from "./stopping.ts";

const flags: Readonly<Record<string, Flag>> = {
  grid: { type: "text", value: "NAME", about: "a prepared grid, as NAME alone (default: quick, if no part is named)" },
  config: { type: "text", value: "FILE", about: "repeat a run exactly: the config.json of its folder" },
  dataset: { type: "text", value: "NAME", about: "dataset (default: av-digits)" },
  data: {
    type: "text",
    value: "PATH",
    about: "your own features: a folder, a .npz, .safetensors, .csv, .tsv or .parquet file, or a dataset.json",
  },
  impute: {
    type: "text",
    value: "zero|mean",
    about: "what a missing modality's feature becomes, as fusion.keepFill (default: zero)",
  },
  encoder: {
    type: "text",
    value: "NAME",
    about: "encoder of every modality (default: cnn; with --data what fits each modality)",
  },
  fusion: { type: "list", value: "NAME,...", about: "fusions to compare (default: concat)" },
  method: {
    type: "each",
    value: "NAME",
    about: "method; a,b or a+b puts both on one model; repeat it for another row",
  },
  compare: { type: "list", value: "NAME,...", about: "methods to compare, a row each: none,arm,arm+ogm-ge" },
  modality: { type: "list", value: "NAME,...", about: "modalities to use (default: all)" },
  seeds: { type: "text", value: "N", about: "number of seeds 0..N-1 (default: 3)" },
  epochs: { type: "text", value: "N", about: "epochs, or the budget in multiples of the training set" },
  budget: { type: "text", value: "samples|epochs", about: "compare at equal samples drawn or equal epochs" },
  set: {
    type: "each",
    value: "KEY=VALUE",
    about: "set an option: training.x, dataset.x, encoder.x, fusion.x, <name>.x",
  },
  reference: { type: "text", value: "LABEL", about: "the row that others are compared with (default: the first)" },
  name: { type: "text", value: "NAME", about: "name of the experiment, kept in experiments/NAME.json beside the runs" },
  engine: { type: "text", value: "NAME", about: "engine (default: the best that works)" },
  "checkpoint-every": {
    type: "text",
    value: "30s|STEPS",
    about: "keep checkpoints within epochs too, so often (default: at each epoch's end and when stopped)",
  },
  workers: { type: "text", value: "N", about: "cells at once, one thread each (default: number of cores)" },
  runs: { type: "text", value: "DIR", about: "folder of runs (default: runs)" },
  plugin: { type: "list", value: "FILE", about: "register plugins of a file, URL, jsr: or npm: module" },
  "on-error": {
    type: "text",
    value: "continue|stop",
    about: "what a failing cell does to the others (default: continue)",
  },
  list: { type: "boolean", about: "list what can be chosen, and stop" },
  describe: { type: "text", value: "NAME", about: "describe a part or grid, and stop" },
  json: { type: "boolean", about: "print one JSON object per configuration instead of the table" },
  help: { type: "boolean", about: "show this help" },
};

/**
 * Methods of each row: a row per name of `--compare`, and one per `--method`, whose names are put on one model.
 *
 * @throws {RangeError} If a name is missing, or "none" stands beside others.
 */
export function methodRows(compare: readonly string[], methods: readonly string[]): string[][] {
  const rows = [...compare, ...methods].map((text) => {
    const names = text.split(/[,+]/).map((name) => name.trim());
    if (names.includes("")) {
      throw new RangeError(`Cannot read methods "${text}" as names must stand between commas or plus signs`);
    }
    if (names.length > 1 && names.includes("none")) {
      throw new RangeError(
        `Cannot put "none" on one model with other methods as it is the fusion without any; ${toCompare(names)}`,
      );
    }
    return names.filter((name) => name !== "none");
  });
  if (rows.length === 0) return [[]];
  return [...new Map(rows.map((names) => [names.join("+"), names])).values()];
}

/** The command for rows instead of one model. */
const toCompare = (names: readonly string[]) => `to compare them write --compare ${names.join(",")}`;

/** Configurations named on the command line: every fusion with every method. */
async function requestsOf(parsed: Flags): Promise<CellRequest[]> {
  const fusions = parsed.list.fusion.length === 0 ? ["concat"] : parsed.list.fusion;
  const modalities = parsed.list.modality.length === 0 ? undefined : parsed.list.modality;
  const rows = methodRows(parsed.list.compare, parsed.list.method);
  const { dataset, encoder } = parsed.text.data === undefined
    ? { dataset: part(parsed.text.dataset ?? "av-digits"), encoder: part(parsed.text.encoder ?? "cnn") }
    // The one line of each result is all that --json puts out.
    : await dataParts(parsed.text.data, parsed.text.encoder, parsed.boolean.json ? console.error : console.log);
  return fusions.flatMap((fusion) =>
    rows.map((names): CellRequest => ({
      label: [fusion, ...names.length === 0 ? [] : [names.join("+")]].join(" "),
      dataset,
      modalities,
      encoder,
      fusion: part(fusion),
      methods: names.map((name) => part(name)),
      training: {},
    }))
  );
}

/** Reads the configuration that a run keeps. @throws {StoreError} If there is none, or it is none. */
async function readRunConfig(file: string): Promise<RunConfig> {
  const path = resolve(file);
  const bytes = await readBytes(path, maxJsonBytes);
  if (bytes === null) {
    throw new StoreError("missing", path, {
      what: `read "${path}"`,
      must: "it must exist",
      found: "nothing is there",
      hint: "name the config.json of a run's folder",
    });
  }
  return parseStored("config", new TextDecoder().decode(bytes), path);
}

/** What a kept configuration asked for, every option of it. */
function requestFor(config: RunConfig): CellRequest {
  const method = config.methods.map(({ name }) => name).join("+");
  return {
    label: method === "" ? config.fusion.name : `${config.fusion.name} ${method}`,
    dataset: part(config.dataset.name, config.dataset.options),
    modalities: config.modalities,
    encoder: config.encoders,
    fusion: config.fusion,
    methods: config.methods,
    training: { ...config.training },
  };
}

/** The command that runs one cell of this call alone. */
function cellCommand(args: readonly string[], request: CellRequest, seed: number): string {
  const kept = args.filter((arg) => arg !== "--json").map(word);
  return `deno task bench ${[...kept, "--only", JSON.stringify(`${request.label}#${seed}`)].join(" ")}`;
}

/** `armlab bench`. */
export const benchCommand: Command = {
  name: "bench",
  about: "train configurations with several seeds and compare them",
  async run(args: string[]): Promise<number> {
    const specs = { ...flags, only: { type: "text", value: "LABEL#SEED", about: "run one cell of the grid" } as Flag };
    const parsed = parseFlags("bench", specs, args);
    if (parsed.boolean.help) {
      console.log(
        helpOf("deno task bench [GRID] [options]", "Train configurations with several seeds and compare them.", specs, [
          "deno task bench                                  the quick grid on av-digits",
          "deno task bench arm-modules                      another prepared grid",
          "deno task bench --fusion concat,sum --compare none,arm --seeds 5",
          "deno task bench --method arm --set arm.lambda1=0.2 --set training.epochs=6",
          "deno task bench --method arm,ogm-ge              one row: both methods on one model",
          "deno task bench --method arm --method ogm-ge     two rows, as --compare arm,ogm-ge",
          "deno task bench --fusion my-fusion --plugin ./my_fusion.ts",
          "deno task bench --data features.npz --compare none,uni-ce,arm",
          "deno task bench --describe arm",
        ]),
      );
      return 0;
    }
    const [grid, more] = [parsed.text.grid ?? parsed.positional[0], parsed.positional[parsed.text.grid ? 0 : 1]];
    if (more !== undefined) {
      throw new RangeError(`Cannot use argument "${more}" of "bench" as it takes the name of one grid (see --help)`);
    }
    const library: Library = createLibrary();
    const repeated = parsed.text.config === undefined ? null : await readRunConfig(parsed.text.config);
    const plugins = [...new Set([...parsed.list.plugin.map(pluginSpecifier), ...(repeated?.plugins ?? [])])];
    for (const specifier of plugins) await importPlugins(library, specifier);
    if (parsed.boolean.list) {
      console.log(listing(library));
      return 0;
    }
    if (parsed.text.describe !== undefined) {
      console.log(await described(library, [parsed.text.describe]));
      return 0;
    }
    return await bench(args, parsed, grid, library, plugins, repeated);
  },
};

/** Flags that name parts. */
const PARTS = "--dataset, --data, --encoder, --fusion, --method, --compare or --modality";

async function bench(
  args: readonly string[],
  parsed: Flags,
  prepared: string | undefined,
  library: Library,
  plugins: readonly string[],
  repeated: RunConfig | null,
): Promise<number> {
  const named = [parsed.text.dataset, parsed.text.data, parsed.text.encoder].some((text) => text !== undefined) ||
    [parsed.list.fusion, parsed.list.method, parsed.list.compare, parsed.list.modality].some((list) => list.length > 0);
  if (named && prepared !== undefined) {
    throw new RangeError(`Cannot use --grid together with ${PARTS}`);
  }
  if (repeated !== null && (named || prepared !== undefined)) {
    throw new RangeError(`Cannot use --config together with --grid, ${PARTS}`);
  }
  if (parsed.text.data !== undefined && parsed.text.dataset !== undefined) {
    throw new Refusal({
      what: "use --data",
      must: "there must be one dataset",
      found: `--dataset ${parsed.text.dataset} is given too`,
      hint: "leave one out",
    });
  }
  const grid = named || repeated !== null ? null : library.of("grid").get(prepared ?? "quick");
  let requests: CellRequest[] = repeated !== null
    ? [requestFor(repeated)]
    : grid === null
    ? await requestsOf(parsed)
    : [...grid.cells];
  const settings = [...parsed.list.set];
  if (parsed.text.impute !== undefined) settings.push(`fusion.keepFill=${parsed.text.impute}`);
  if (parsed.text.epochs !== undefined) settings.push(`training.epochs=${parsed.text.epochs}`);
  if (parsed.text.budget !== undefined) settings.push(`training.budget=${parsed.text.budget}`);
  requests = applySettings(requests, settings, library);
  let seeds: readonly number[] = repeated !== null ? [repeated.seed] : grid?.seeds ?? [0, 1, 2];
  if (parsed.text.seeds !== undefined) {
    seeds = Array.from({ length: parseInteger("--seeds", parsed.text.seeds, 1) }, (_, seed) => seed);
  }
  const composed = parsed.list.method.filter((text) => text.includes(",")).flatMap((text) => methodRows([], [text]));
  if (!parsed.boolean.json) {
    // The same comma means rows elsewhere.
    for (const names of composed) console.error(`One model with ${names.join(" and ")}; ${toCompare(names)}.`);
  }
  const onError = parsed.text["on-error"] ?? "continue";
  if (onError !== "continue" && onError !== "stop") {
    throw new RangeError(`Cannot use --on-error as it must be continue or stop: found "${onError}"`);
  }
  if (parsed.text.only !== undefined) {
    const only = parsed.text.only;
    const label = only.slice(0, only.lastIndexOf("#"));
    const seed = parseInteger("the seed of --only", only.slice(only.lastIndexOf("#") + 1), 0);
    requests = requests.filter((request) => request.label === label);
    if (requests.length === 0) throw new RangeError(`Cannot find configuration "${label}" of --only in this grid`);
    seeds = [seed];
  }
  const labels = requests.map(({ label }) => label);
  // A single cell is compared with nothing: its grid's reference may be left out.
  const alone = parsed.text.only !== undefined || repeated !== null;
  const reference = alone ? labels[0] : checkReference(parsed.text.reference ?? labels[0], labels);
  const budget = budgetsOf(requests);
  const runs = resolve(parsed.text.runs ?? "runs");
  const every = parsed.text["checkpoint-every"];
  const checkpointEvery = every === undefined ? undefined : parseInterval("--checkpoint-every", every);
  const view = new ProgressView({ quiet: parsed.boolean.json });
  const stopping = listenForStop((text) => view.say(text));
  try {
    const { outcomes, engine } = await runGrid({
      cells: requests,
      seeds,
      runs,
      library,
      plugins,
      engine: parsed.text.engine ?? repeated?.engine.name,
      workers: parsed.text.workers === undefined ? undefined : parseInteger("--workers", parsed.text.workers, 1),
      continueOnError: onError === "continue",
      signal: stopping.signal,
      checkpointEvery,
      command: (request, seed) => cellCommand(args, request, seed),
      onEvent: (event) => view.show(event),
      experiment: alone ? undefined : experimentOf({ args, parsed, grid, requests, reference, budget }),
    });
    view.end();
    report(outcomes, reference, parsed.boolean.json, budget, engine, runs);
    const failed = outcomes.some(({ status }) => status === "failed");
    // Whoever stopped it may have come too late: then nothing is left to be started again.
    if (stopping.exit() !== 0 && outcomes.some(({ status }) => status === "stopped")) {
      console.error(`Stopped. Run the same command again to continue from the last checkpoints in ${runs}.`);
      return stopping.exit();
    }
    return failed ? 1 : 0;
  } catch (error) {
    if (error instanceof CompositionError && composed.length > 0) {
      throw new RangeError(`${error.message}; ${toCompare(composed[0])}`, { cause: error });
    }
    throw error;
  } finally {
    view.end();
    stopping.dispose();
  }
}

/** The budgets of configurations in words, each once. */
function budgetsOf(requests: readonly CellRequest[]): string {
  const budgets = requests.map(({ training }) => {
    const { budget, epochs } = {
      budget: trainingOptions.budget.default,
      epochs: trainingOptions.epochs.default,
      ...training,
    };
    return budget === "samples"
      ? `equal samples drawn, ${epochs} x the training set`
      : `${epochs} epochs, whatever is drawn`;
  });
  return [...new Set(budgets)].join("; ");
}

function report(
  outcomes: readonly CellOutcome[],
  reference: string,
  json: boolean,
  budget: string,
  engine: string,
  runs: string,
): void {
  const results = configurations(outcomes, { reference });
  if (json) {
    for (const result of results) console.log(jsonLine(result));
  } else if (results.length > 0) {
    // A file takes lines of any width.
    const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
    const table = resultTable(results, { width });
    console.log(`\n${table}\n\n${tableNotes(results, budget, { width })}\nEngine: ${engine}. Runs: ${runs}`);
  }
  const failures = outcomes.filter((outcome) => outcome.status === "failed");
  for (const { cell, message, command } of failures) {
    console.error(`\nFailed: ${cell.request.label}, seed ${cell.seed}: ${message}\n  run it again: ${command}`);
  }
}
