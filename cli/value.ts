/**
 * `armlab value`: what each modality contributes, from saved arrays or a finished run.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { stringify } from "@std/csv/stringify";
import type { EstimatorPlugin } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import type { BoundPart, RawOptions } from "../core/options.ts";
import { Refusal } from "../core/refusal.ts";
import type { CompiledProgram, Engine } from "../core/program.ts";
import { quiet, selectEngine } from "../engines/mod.ts";
import { withAssignment } from "../experiments/settings.ts";
import { type RunValuation, valuationOfRun } from "../experiments/value_run.ts";
import { openArrays } from "../formats/mod.ts";
import { createLibrary } from "../library.ts";
import { measuringEstimator, type ProgramRunner } from "../miv/measure.ts";
import { type Table, valuationTables } from "../miv/summaries.ts";
import type { ValuationInputs } from "../miv/saved.ts";
import { valuate, type ValuateOptions, type Valuation } from "../miv/valuate.ts";
import { makeFolder, writeAtomic } from "../store/files.ts";
import { openRun } from "../store/run_folder.ts";
import { fixed } from "../viewer/numbers.ts";
import { type Command, type Flag, type Flags, helpOf, parseFlags } from "./command.ts";
import { loadKept, loadPlugins, pluginFlag, pluginSpecifiers, sayChanged } from "./plugins.ts";
import { inputsOf, type SavedInputs } from "./value_files.ts";

/** Words that a flag takes; the first is the default. */
const choices = {
  split: ["test", "validation", "train"],
  centring: ["batch", "none"],
  view: ["aligned", "raw"],
  range: ["shift", "clamp", "raw"],
  index: ["other", "own"],
  minimum: ["softmin", "min", "paper-literal"],
} as const;
type Choices = typeof choices;

const oneOf = (flag: keyof Choices, about: string): Flag => ({
  type: "text",
  value: "NAME",
  about: `${about}: ${choices[flag].join(", ")} (default: ${choices[flag][0]})`,
});

const flags: Readonly<Record<string, Flag>> = {
  split: oneOf("split", "split of a run"),
  out: { type: "text", value: "DIR", about: "folder for the tables (default: valuation)" },
  estimator: { type: "text", value: "NAME", about: "estimator of information (default: histogram with hard bins)" },
  set: {
    type: "each",
    value: "KEY=VALUE",
    about: "set an option of the estimator: bins=8, norm=mean (see describe NAME)",
  },
  centring: oneOf("centring", "subtract the mean per coordinate"),
  view: oneOf("view", "compare part.<modality> or feature.<modality>, widths equal"),
  range: oneOf("range", "range of contributions, for fusion weights"),
  index: oneOf("index", "whose interaction counts, the other's (Eq. 11) or the own"),
  minimum: oneOf("minimum", "smallest information"),
  classes: { type: "list", value: "NAME,...", about: "names of the classes of saved arrays" },
  engine: { type: "text", value: "NAME", about: "engine (default: the best that works)" },
  plugin: {
    ...pluginFlag,
    about: "register plugins: an estimator of your own, or what the run used, where it was moved",
  },
  json: { type: "boolean", about: "print one JSON object instead of tables" },
  help: { type: "boolean", about: "show this help" },
};

/** The word of a flag, if it was given. */
function choice<N extends keyof Choices>(parsed: Flags, flag: N): Choices[N][number] | undefined {
  const text = parsed.text[flag];
  if (text === undefined) return undefined;
  const known: readonly string[] = choices[flag];
  if (!known.includes(text)) {
    throw new Refusal({
      what: `use --${flag}`,
      must: `it must be one of ${known.join(", ")}`,
      found: `found ${JSON.stringify(text)}`,
    });
  }
  return text as Choices[N][number];
}

/** The estimator that was asked for, with its options. */
function estimatorOf(parsed: Flags, library: Library): BoundPart<EstimatorPlugin> {
  const { name, plugin } = library.bind("estimator", {
    name: parsed.text.estimator ?? measuringEstimator.name,
    options: {},
  });
  const given = parsed.list.set.reduce<RawOptions>(
    (options, text) => withAssignment(`estimator "${name}"`, plugin.options, options, text, library),
    name === measuringEstimator.name ? measuringEstimator.options : {},
  );
  return library.bind("estimator", { name, options: given });
}

function optionsOf(parsed: Flags, library: Library): ValuateOptions {
  return {
    estimator: estimatorOf(parsed, library),
    centring: choice(parsed, "centring"),
    range: choice(parsed, "range"),
    index: choice(parsed, "index"),
    minimum: choice(parsed, "minimum"),
  };
}

/** Runs the measurement on an engine, compiled once per shape. */
function runnerOn(engine: Engine): ProgramRunner {
  const none = engine.createState({});
  const compiled = new Map<string, CompiledProgram>();
  return async (program, inputs) => {
    const key = `${program.name}/${JSON.stringify(program.inputs)}`;
    let entry = compiled.get(key);
    if (entry === undefined) compiled.set(key, entry = await engine.compile(program));
    return await entry.run(none, inputs);
  };
}

/** Whether a path is the folder of a run. @throws {Refusal} If nothing is there. */
async function isRun(path: string): Promise<boolean> {
  const kind = async (path: string) => {
    try {
      return await Deno.stat(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
      throw error;
    }
  };
  if (await kind(path) === null) {
    throw new Refusal({
      what: `valuate ${JSON.stringify(path)}`,
      must: "it must be a finished run, a folder of .npy files, or a .npz or .safetensors file",
      found: "nothing is there",
    });
  }
  return (await kind(join(path, "config.json")))?.isFile ?? false;
}

/** Arrays of a file or folder. */
async function savedInputs(path: string, parsed: Flags): Promise<SavedInputs> {
  const names = parsed.list.classes.length === 0 ? undefined : parsed.list.classes;
  const file = await openArrays(path);
  try {
    const saved = await inputsOf(file, choice(parsed, "view") ?? "aligned", names);
    return { ...saved, classes: names ?? saved.classes };
  } finally {
    file.close();
  }
}

/** Arrays of a run's tested model. */
async function runInputs(path: string, parsed: Flags, library: Library, engine: Engine): Promise<RunValuation> {
  if (choice(parsed, "view") === "raw") {
    throw new Refusal({ what: "take --view raw of a run", must: "it keeps each modality's part alone" });
  }
  const full = resolve(path);
  const config = await openRun(dirname(full), basename(full)).config();
  const named = pluginSpecifiers(parsed.list.plugin);
  await sayChanged(library, config, [...named, ...await loadKept(library, config, named)]);
  const run = await valuationOfRun(path, choice(parsed, "split") ?? "test", library, engine);
  return { ...run, classes: parsed.list.classes.length === 0 ? run.classes : parsed.list.classes };
}

const cell = (value: string | number | null): string =>
  typeof value !== "number" ? value ?? "-" : fixed(value, Number.isInteger(value) ? 0 : 3);

/** A table as aligned text. */
function aligned({ columns, rows }: Table): string {
  const lines = [columns, ...rows.map((row) => row.map(cell))];
  const widths = columns.map((_, k) => Math.max(...lines.map((line) => line[k].length)));
  return lines.map((line) =>
    line.map((text, k) => k === 0 ? text.padEnd(widths[k]) : text.padStart(widths[k])).join("  ")
  )
    .join("\n");
}

/** Everything but the samples, as JSON. */
function summaryOf(valuation: Valuation): Record<string, unknown> {
  const { perSample: _samples, shapleyAccuracy, shapleyProbability, ...rest } = valuation;
  const without = (result: typeof shapleyAccuracy) =>
    result === null ? null : { mean: result.mean, interaction: result.interaction, subsets: result.subsets };
  return { ...rest, shapleyAccuracy: without(shapleyAccuracy), shapleyProbability: without(shapleyProbability) };
}

async function store(folder: string, valuation: Valuation, inputs: ValuationInputs): Promise<void> {
  await makeFolder(folder);
  const tables = valuationTables(valuation, inputs.labels);
  for (const [name, { columns, rows }] of Object.entries(tables)) {
    await writeAtomic(join(folder, `${name}.csv`), stringify([columns, ...rows], { headers: false }));
  }
  const samples = tables.samples.rows.map((row) =>
    Object.fromEntries(tables.samples.columns.map((column, k) => [column, row[k]]))
  );
  await writeAtomic(
    join(folder, "valuation.json"),
    JSON.stringify({ ...summaryOf(valuation), samples }, null, 1) + "\n",
  );
}

/** `armlab value`. */
export const valueCommand: Command = {
  name: "value",
  about: "say what each modality contributes, from saved features and logits or a finished run",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("value", flags, args, { most: 1, about: "one run or file of arrays" });
    if (parsed.boolean.help || parsed.positional.length !== 1) {
      console.log(helpOf("armlab value PATH [options]", this.about, flags, [
        "armlab value features.npz --classes cat,dog",
        "armlab value runs/0123456789abcdef --split validation",
      ]));
      return parsed.boolean.help ? 0 : 2;
    }
    const [path] = parsed.positional;
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    const options = optionsOf(parsed, library);
    for (const flag of Object.keys(choices)) choice(parsed, flag as keyof Choices);
    const ofRun = await isRun(path);
    if (!ofRun && parsed.text.split !== undefined) {
      throw new Refusal({
        what: `take --split for ${JSON.stringify(path)}`,
        must: "it is for finished runs",
        found: "these are saved arrays",
        hint: "leave it out",
      });
    }
    const { engine } = await selectEngine(parsed.text.engine, {}, library.of("engine").list());
    quiet("cpu"); // sums over subsets run there
    try {
      let given: SavedInputs;
      let source = path;
      if (ofRun) {
        const run = await runInputs(path, parsed, library, engine);
        given = { ...run, notes: [] };
        source = `${choice(parsed, "split") ?? "test"} split of ${path}; own readout: ${run.readout}`;
      } else given = await savedInputs(path, parsed);
      const { inputs, classes, notes } = given;
      if (classes !== undefined && classes.length !== inputs.classes) {
        throw new Refusal({
          what: "use --classes",
          must: `there must be ${inputs.classes} names`,
          found: `found ${classes.length}`,
        });
      }
      const valuation = await valuate(inputs, { ...options, classes, run: runnerOn(engine) });
      const folder = parsed.text.out ?? "valuation";
      await store(folder, valuation, inputs);
      if (parsed.boolean.json) console.log(JSON.stringify(summaryOf(valuation)));
      else print(valuation, inputs, source, folder);
      for (const warning of [...notes, ...valuation.warnings]) console.error(`Note: ${warning}`);
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};

function print(valuation: Valuation, inputs: ValuationInputs, source: string, folder: string): void {
  const { modalities, classes } = valuationTables(valuation, inputs.labels);
  const { estimator, size, accuracy, joint, bound, gap, shapleyAccuracy } = valuation;
  const lines = [
    `${size} sample${size === 1 ? "" : "s"}: ${source}`,
    `Estimator: ${
      Object.entries(estimator).map(([key, value]) => `${key} ${value}`).join(", ")
    }; information in [0, 1]`,
    `Accuracy ${fixed(accuracy, 3)}, joint contribution ${fixed(joint, 3)}, lower bound ${fixed(bound, 3)}, ` +
    `gap between modalities ${fixed(gap, 3)}`,
    "",
    aligned(modalities),
    "",
    aligned(classes),
  ];
  if (shapleyAccuracy !== null) {
    const values = Object.entries(shapleyAccuracy.subsets).map(([name, v]) => `${name || "none"} ${fixed(v, 3)}`);
    lines.push("", `Accuracy by kept modalities: ${values.join(", ")}`);
  }
  console.log([...lines, "", `Tables: ${folder}`].join("\n"));
}
