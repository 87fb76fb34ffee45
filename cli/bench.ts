/**
 * `armlab bench`: train and compare.
 *
 * @module
 */
import { resolve } from "node:path";
import type { CellRequest } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { warmWorker } from "../experiments/crew.ts";
import { checkReference, finishedRuns } from "../experiments/results.ts";
import { type GridOptions, runPlan } from "../experiments/run_grid.ts";
import { selectionRules } from "../experiments/selection_rules.ts";
import { parseShard, shardOf } from "../experiments/shard.ts";
import { textTable } from "../experiments/text_table.ts";
import { createLibrary } from "../library.ts";
import { selectionTable } from "../viewer/selection_table.ts";
import { askedOf, checkPrepared } from "./asked.ts";
import { report, reportShard } from "./bench_report.ts";
import { checkWorkers, parseCards } from "./cards.ts";
import { type Command, type Flag, type Flags, helpOf, parseChoice, parseFlags, parseInteger } from "./command.ts";
import { described } from "./describe.ts";
import { experimentOf, word } from "./experiment.ts";
import { checkLaunch, launchGrid, trainPlan } from "./launch.ts";
import { listing } from "./list.ts";
import { budgetsOf, planned, showPlan } from "./planning.ts";
import { loadKept, loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";
import { ProgressView } from "./progress.ts";
import { readRunConfig, toCompare } from "./requests.ts";
import { listenForStop, parseInterval, parseTime } from "./stopping.ts";
import { outputWidth, toWidth } from "./terminal.ts";

/** Options of `armlab bench`. */
export const benchFlags: Readonly<Record<string, Flag>> = {
  grid: { type: "text", value: "NAME", about: "a prepared grid, as NAME alone (default: quick, if no part is named)" },
  profile: {
    type: "text",
    value: "NAME",
    about: "form of a grid of the paper: embedded data, or paper for the paper's own (default: embedded)",
  },
  config: { type: "text", value: "FILE", about: "repeat a run exactly: the config.json of its folder" },
  dataset: { type: "text", value: "NAME", about: "dataset (default: av-digits)" },
  data: {
    type: "text",
    value: "PATH",
    about:
      "your own features or media: a folder, a .npz, .safetensors, .csv, .tsv, .jsonl or .parquet file, or a dataset.json",
  },
  "skip-broken": {
    type: "boolean",
    about: "with --data: leave samples with broken files or values out, counted and listed",
  },
  impute: {
    type: "text",
    value: "zero|mean",
    about: "what a missing modality's feature becomes, as fusion.keepFill (default: zero)",
  },
  encoder: {
    type: "list",
    value: "NAME|M=NAME,...",
    about:
      "encoder of every modality, or by modality: image=resnet18,text=bert (default: the dataset's; with --data what fits)",
  },
  tokenizer: {
    type: "list",
    value: "M=FILE,...",
    about: "with --data: tokenizer.json of texts, by modality (default: their words are numbered)",
  },
  weights: {
    type: "list",
    value: "M=FILE,...",
    about: "start encoders from weights: .safetensors, .npz or .onnx under PyTorch's names",
  },
  freeze: { type: "list", value: "GROUP,...", about: "groups that are not trained: encoder:text, encoder:*" },
  rate: { type: "list", value: "GROUP=FACTOR,...", about: "factors on the learning rate of groups: encoder:*=0.1" },
  augment: {
    type: "each",
    value: "M=NAME,...",
    about: "what changes the samples that training draws: image=flip,random-crop; mixup (default: nothing)",
  },
  corrupt: {
    type: "each",
    value: "M.KIND=SEVERITY",
    about: "corrupt a modality of the data: audio.snr=-5, image.blur=3; may be repeated",
  },
  drop: { type: "list", value: "M=SHARE,...", about: "share of samples that lack a modality: audio=0.5" },
  "corrupt-at": {
    type: "text",
    value: "train|test|all",
    about: "what --corrupt and --drop change: training and validation, the test split, or all (default: all)",
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
    about:
      "set an option: training.x, dataset.x, encoder.x, encoder.<modality>.x, fusion.x, <name>.x; commas between " +
      "values make rows",
  },
  reference: { type: "text", value: "LABEL", about: "the row that others are compared with (default: the first)" },
  name: { type: "text", value: "NAME", about: "name of the experiment, kept in experiments/NAME.json beside the runs" },
  "skip-unfit": { type: "boolean", about: "leave out configurations whose parts do not fit, and say so" },
  "dry-run": { type: "boolean", about: "show what would run, what is kept and how long the rest would take, and stop" },
  engine: { type: "text", value: "NAME", about: "engine (default: the best that works)" },
  "checkpoint-every": {
    type: "text",
    value: "30s|STEPS",
    about: "keep checkpoints within epochs too, so often (default: at each epoch's end and when stopped)",
  },
  keep: {
    type: "list",
    value: "features|test-curve",
    about:
      "keep pooled features of the test split (the viewer draws them side by side), of finished runs too; or the " +
      "accuracy on test after each epoch, used by nothing: what choosing on test would have given",
  },
  shard: {
    type: "text",
    value: "I/N",
    about: "train the I-th of N parts of the grid, for a scheduler that starts many; cells of others are left to them",
  },
  launch: {
    type: "text",
    value: "local|slurm|plan",
    about: "train here (default), as a job array of Slurm, or only write the plan for --plan",
  },
  sbatch: { type: "each", value: "OPTION", about: "with --launch slurm: an option of sbatch: partition=gpu, gpus=1" },
  "array-width": {
    type: "text",
    value: "N",
    about: "with --launch slurm: tasks at once (default: as many as there is room)",
  },
  "array-tasks": {
    type: "text",
    value: "N",
    about: "with --launch slurm: tasks of the array (default: one for each cell, up to the cluster's limit)",
  },
  plan: { type: "text", value: "FILE", about: "train what --launch plan or slurm wrote, whole or with --shard" },
  requeue: {
    type: "boolean",
    about: "within a job of Slurm: have it queued again when SIGUSR2 stopped it, as before a time limit",
  },
  devices: {
    type: "list",
    value: "N,...",
    about: "with an engine on cards: their numbers, a process for each (default: one, on the card that it prefers)",
  },
  "max-time": {
    type: "text",
    value: "TIME",
    about: "stop after 90s, 30min or 2h with checkpoints and exit code 75, as at SIGUSR2",
  },
  workers: { type: "text", value: "N", about: "cells at once, one thread each (default: number of cores)" },
  runs: { type: "text", value: "DIR", about: "folder of runs (default: runs)" },
  plugin: pluginFlag,
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
    const specs = {
      ...benchFlags,
      only: { type: "text", value: "LABEL#SEED", about: "run one cell of the grid" } as Flag,
    };
    const parsed = parseFlags("bench", specs, args, { most: 1, about: "the name of one grid" });
    if (parsed.boolean.help) {
      console.log(
        helpOf("deno task bench [GRID] [options]", "Train configurations with several seeds and compare them.", specs, [
          "deno task bench                                  the quick grid on av-digits",
          "deno task bench arm-modules                      another prepared grid",
          "deno task bench --fusion concat,sum --compare none,arm --seeds 5",
          "deno task bench --method arm --set arm.lambda1=0.2 --set training.epochs=6",
          "deno task bench --method arm,ogm-ge              one row: both methods on one model",
          "deno task bench --method arm --method ogm-ge     two rows, as --compare arm,ogm-ge",
          "deno task bench --method arm --set arm.lambda1=0.1,0.3,1   a row for each value",
          "deno task bench --encoder image=resnet18,audio=cnn --set encoder.audio.width=64",
          "deno task bench --fusion my-fusion --plugin ./my_fusion.ts",
          "deno task bench --data features.npz --compare none,uni-ce,arm",
          "deno task bench --data reviews.csv --tokenizer text=tokenizer.json --weights text=model.safetensors",
          "deno task bench quick --launch slurm --sbatch partition=cpu --sbatch time=01:00:00",
          "deno task bench --describe arm",
        ]),
      );
      return 0;
    }
    if (parsed.text.grid !== undefined && parsed.positional.length > 0) {
      throw new Refusal({ what: `use argument "${parsed.positional[0]}" beside --grid`, must: "a bench has one grid" });
    }
    const grid = parsed.text.grid ?? parsed.positional[0];
    const library: Library = createLibrary();
    const repeated = parsed.text.config === undefined ? null : await readRunConfig(parsed.text.config);
    const named = pluginSpecifiers(parsed.list.plugin);
    if (named.length > 0) await loadPlugins(library, named);
    // Those of a repeated run may have been moved: what --plugin names comes first.
    const plugins = [...named, ...await loadKept(library, repeated, named)];
    if (parsed.boolean.list) {
      console.log(listing(library));
      return 0;
    }
    if (parsed.text.describe !== undefined) {
      console.log(await described(library, [parsed.text.describe]));
      return 0;
    }
    if (parsed.text.plan !== undefined) return await trainPlan(parsed, grid, library);
    return await bench(args, parsed, grid, library, plugins, repeated);
  },
};

async function bench(
  args: readonly string[],
  parsed: Flags,
  prepared: string | undefined,
  library: Library,
  plugins: readonly string[],
  repeated: RunConfig | null,
): Promise<number> {
  const { requests, seeds, composed, grid, sets, alone } = await askedOf(parsed, prepared, library, repeated);
  await checkPrepared(sets, requests);
  const view = new ProgressView({ quiet: parsed.boolean.json });
  // The same comma means rows elsewhere.
  for (const names of composed) view.tell(`One model with ${names.join(" and ")}; ${toCompare(names)}.`);
  const { how } = checkLaunch(parsed);
  const maxTime = parsed.text["max-time"] === undefined ? null : parseTime("--max-time", parsed.text["max-time"]);
  const shard = parsed.text.shard === undefined ? null : parseShard(parsed.text.shard);
  const onError = parseChoice("--on-error", parsed.text["on-error"] ?? "continue", ["continue", "stop"]);
  const workers = parsed.text.workers === undefined
    ? undefined
    : parseInteger("--workers", parsed.text.workers, 1, 1024);
  const labels = requests.map(({ label }) => label);
  // A single cell is compared with nothing: its grid's reference may be left out.
  const reference = alone ? labels[0] : checkReference(parsed.text.reference ?? labels[0], labels);
  const budget = budgetsOf(requests);
  const runs = resolve(parsed.text.runs ?? "runs");
  const every = parsed.text["checkpoint-every"];
  const keeps = parsed.list.keep.map((kept) => parseChoice("--keep", kept, ["features", "test-curve"]));
  const options: GridOptions = {
    cells: requests,
    seeds,
    runs,
    library,
    plugins,
    engine: parsed.text.engine ?? repeated?.engine.name,
    workers,
    skipUnfit: parsed.boolean["skip-unfit"],
    continueOnError: onError === "continue",
    wait: shard === null,
    checkpointEvery: every === undefined ? undefined : parseInterval("--checkpoint-every", every),
    keepFeatures: keeps.includes("features"),
    keepTestCurve: keeps.includes("test-curve"),
    command: (request, seed) => cellCommand(args, request, seed),
    onEvent: (event) => view.show(event),
    experiment: alone ? undefined : experimentOf({ args, parsed, grid, requests, reference, budget }),
  };
  using _ahead = how === "local" && !parsed.boolean["dry-run"] ? warmWorker() : null;
  const whole = await planned(options, composed, view);
  const plan = shard === null ? whole : shardOf(whole, seeds, shard);
  const engine = library.of("engine").get(whole.cells[0]?.config.engine.name ?? "onnx:cpu");
  const cards = how === "slurm" ? null : parseCards(parsed.list.devices, engine);
  if (parsed.boolean["dry-run"]) return await showPlan(plan, options, parsed.boolean.json, view);
  // Drivers take one thread of a process.
  const atOnce = cards === null ? workers : checkWorkers(workers, engine);
  if (cards !== null && how === "local" && shard === null && !alone) {
    return await launchGrid(parsed, plan, view, { options, reference, budget, runs, plugins }, { engine, cards });
  }
  if (how !== "local") {
    return await launchGrid(parsed, plan, view, { options, reference, budget, runs, plugins });
  }
  const stopping = listenForStop((text) => view.say(text));
  if (maxTime !== null) stopping.after(maxTime);
  try {
    const { outcomes, engine } = await runPlan(plan, { ...options, workers: atOnce, whole, signal: stopping.signal });
    view.end();
    if (shard === null) report(outcomes, reference, parsed.boolean.json, budget, engine, runs);
    else reportShard(outcomes, shard, whole.cells.length, parsed.boolean.json);
    if (shard === null && options.keepTestCurve && !parsed.boolean.json) {
      const { title, notes, ...rest } = selectionTable(await selectionRules(runs, finishedRuns(outcomes)));
      console.log(`\n${title}\n\n${textTable(rest, outputWidth())}\n\n${toWidth(notes)}`);
    }
    // Whoever stopped it may have come too late: then nothing is left to be started again.
    if (stopping.exit() !== 0 && outcomes.some(({ status }) => status === "stopped")) {
      console.error(`Stopped. Run the same command again to continue from the last checkpoints in ${runs}.`);
      return stopping.exit();
    }
    return outcomes.some(({ status }) => status === "failed") ? 1 : 0;
  } finally {
    view.end();
    stopping.dispose();
  }
}
