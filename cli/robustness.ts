/**
 * `armlab robustness`: finished runs on corrupted and missing modalities.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { stringify } from "@std/csv/stringify";
import { Refusal } from "../core/refusal.ts";
import { selectEngine } from "../engines/mod.ts";
import { robustnessOfRun, type RunRobustness } from "../experiments/robustness.ts";
import { interval } from "../experiments/statistics.ts";
import { createLibrary } from "../library.ts";
import { makeFolder, writeAtomic } from "../store/files.ts";
import { openRun } from "../store/run_folder.ts";
import type { LineChart } from "../viewer/charts.ts";
import { robustnessPicture } from "../viewer/robustness.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger } from "./command.ts";
import { loadKept, loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  corrupt: {
    type: "each",
    value: "M.KIND",
    about: "draw this curve: image.blur; may be repeated (default: the usual ones of each modality)",
  },
  seed: { type: "text", value: "N", about: "seed of corruptions and of what is missing (default: 0)" },
  out: { type: "text", value: "DIR", about: "write robustness.csv, .json, .svg and .png there" },
  engine: { type: "text", value: "NAME", about: "engine (default: the best that works)" },
  plugin: { ...pluginFlag, about: "register further plugins; those that the runs used are found" },
  json: { type: "boolean", about: "print one JSON object per run instead of tables" },
  help: { type: "boolean", about: "show this help" },
};

const percent = (values: readonly number[]): string => {
  const { mean, ci95 } = interval(values);
  return (100 * mean).toFixed(1) + (ci95 === null ? "" : ` ± ${(100 * ci95).toFixed(1)}`);
};

/** Runs of one configuration, by its label and data. */
function grouped(runs: readonly RunRobustness[]): [string, RunRobustness[]][] {
  const labels = new Set(runs.map(({ dataset }) => dataset)).size > 1;
  const groups = new Map<string, RunRobustness[]>();
  for (const run of runs) {
    const key = labels ? `${run.label} (${run.dataset})` : run.label;
    groups.set(key, [...groups.get(key) ?? [], run]);
  }
  return [...groups];
}

/** Rows of the tables: a title and the values of one run. */
interface Line {
  readonly title: string;
  readonly value: (run: RunRobustness) => number | undefined;
}

function aligned(head: string, lines: readonly Line[], groups: readonly [string, RunRobustness[]][]): string {
  const rows = [
    [head, ...groups.map(([label]) => label)],
    ...lines.map(({ title, value }) => [
      title,
      ...groups.map(([, runs]) => {
        const values = runs.map(value).filter((one) => one !== undefined);
        return values.length === 0 ? "-" : percent(values);
      }),
    ]),
  ];
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)));
  return rows.map((row) => row.map((text, k) => k === 0 ? text.padEnd(widths[k]) : text.padStart(widths[k])).join("  "))
    .join("\n");
}

const key = (curve: { readonly modality: string; readonly name: string }) => `${curve.modality}.${curve.name}`;
const once = (names: readonly string[]) => [...new Set(names)];

function linesOf(runs: readonly RunRobustness[]): { subsets: Line[]; areas: Line[]; points: Line[] } {
  const curveOf = (run: RunRobustness, name: string) => run.curves.find((curve) => key(curve) === name);
  const curves = once(runs.flatMap((run) => run.curves.map(key)));
  return {
    subsets: once(runs.flatMap((run) => run.subsets.map(({ kept }) => kept.join(" + ")))).map((title) => ({
      title,
      value: (run) => run.subsets.find(({ kept }) => kept.join(" + ") === title)?.accuracy,
    })),
    areas: curves.map((title) => ({ title, value: (run) => curveOf(run, title)?.area })),
    points: curves.flatMap((name) => {
      const { severities } = runs.map((run) => curveOf(run, name)).find((curve) => curve !== undefined)!;
      return severities.map((severity, k): Line => ({
        title: `${name}=${severity}`,
        value: (run) => curveOf(run, name)?.accuracy[k],
      }));
    }),
  };
}

/** What was measured as text. */
export function robustnessTables(runs: readonly RunRobustness[]): string {
  const groups = grouped(runs);
  const { subsets, areas, points } = linesOf(runs);
  const seeds = groups.map(([label, own]) => `${label} ${own.length}`).join(", ");
  return [
    aligned("modalities, test acc. %", subsets, groups),
    aligned("area under the curve, %", areas, groups),
    aligned("corruption, test acc. %", points, groups),
    `Mean ± 95 % CI over seeds (Student's t): ${seeds}. Nothing is trained anew.\n` +
    "missing=0.7: 70 % of the test samples are expected to lack that modality, each by its own chance, the same ones in\n" +
    "every run; the others are kept. Area: trapezoids over the severities as if equally far apart, 100 % is never wrong.",
  ].join("\n\n");
}

/** Charts of all curves: a line for each configuration. */
export function robustnessCharts(runs: readonly RunRobustness[]): LineChart[] {
  const groups = grouped(runs);
  const names = once(runs.flatMap((run) => run.curves.map(key)));
  return names.map((name): LineChart => {
    const curvesOf = (own: readonly RunRobustness[]) =>
      own.flatMap((run) => run.curves.filter((curve) => key(curve) === name));
    return {
      kind: "lines",
      id: name,
      title: name,
      about: `test accuracy over severities of ${name}`,
      xTitle: name.endsWith(".missing") ? "share of samples that lack it" : "severity",
      percent: true,
      least: 0,
      series: groups.flatMap(([label, own]) => {
        const curves = curvesOf(own);
        if (curves.length === 0) return [];
        // Lines go from left to right: severities that fall are turned round.
        const order = [...curves[0].severities.keys()].sort((a, b) =>
          curves[0].severities[a] - curves[0].severities[b]
        );
        const spread = order.map((k) => interval(curves.map((curve) => curve.accuracy[k])));
        return [{
          name: label,
          x: order.map((k) => curves[0].severities[k]),
          y: spread.map(({ mean }) => mean),
          ...own.length < 2 ? {} : {
            low: spread.map(({ mean, ci95 }) => Math.max(0, mean - (ci95 ?? 0))),
            high: spread.map(({ mean, ci95 }) => Math.min(1, mean + (ci95 ?? 0))),
          },
        }];
      }),
    };
  });
}

function csv(runs: readonly RunRobustness[]): string {
  const columns = [
    "run",
    "dataset",
    "configuration",
    "seed",
    "modality",
    "kind",
    "severity",
    "kept",
    "accuracy",
    "area",
  ];
  const rows = runs.flatMap(({ id, dataset, label, seed, curves, subsets }) => [
    ...curves.flatMap(({ modality, name, severities, accuracy, area }) =>
      severities.map((severity, k) => [id, dataset, label, seed, modality, name, severity, "", accuracy[k], area])
    ),
    ...subsets.map(({ kept, accuracy }) => [id, dataset, label, seed, "", "subset", "", kept.join("+"), accuracy, ""]),
  ]);
  return stringify([columns, ...rows]);
}

function askedCurves(texts: readonly string[]): { modality: string; name: string }[] | undefined {
  if (texts.length === 0) return undefined;
  return texts.map((text) => {
    const dot = text.lastIndexOf(".");
    if (dot < 1 || dot === text.length - 1 || text.includes("=")) {
      throw new Refusal({
        what: `draw the curve of --corrupt ${JSON.stringify(text.slice(0, 80))}`,
        must: "it must be a modality and a corruption, without a severity",
        hint: "write it as image.blur",
      });
    }
    return { modality: text.slice(0, dot), name: text.slice(dot + 1) };
  });
}

async function written(folder: string, runs: readonly RunRobustness[]): Promise<void> {
  await writeAtomic(join(folder, "robustness.csv"), csv(runs));
  await writeAtomic(join(folder, "robustness.json"), JSON.stringify(runs, null, 1) + "\n");
  const { svg, png } = await robustnessPicture(robustnessCharts(runs));
  await writeAtomic(join(folder, "robustness.svg"), svg);
  await Deno.writeFile(join(folder, "robustness.png"), png);
}

/** `armlab robustness`. */
export const robustnessCommand: Command = {
  name: "robustness",
  about: "test finished runs on corrupted and missing modalities, without training",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags(this.name, flags, args, { most: Infinity });
    if (parsed.boolean.help || parsed.positional.length === 0) {
      console.log(helpOf("armlab robustness RUN... [options]", this.about, flags, [
        "armlab robustness runs/* --out robustness",
        "armlab robustness runs/0123456789abcdef --corrupt image.blur --corrupt audio.snr",
      ]));
      return parsed.boolean.help ? 0 : 2;
    }
    const seed = parsed.text.seed === undefined ? 0 : parseInteger("--seed", parsed.text.seed, 0);
    const curves = askedCurves(parsed.list.corrupt);
    // A pattern of a shell names the folder of experiments too, which is no run.
    const paths = parsed.positional.filter((path) => basename(resolve(path)) !== "experiments");
    const library = createLibrary();
    const loaded = pluginSpecifiers(parsed.list.plugin);
    await loadPlugins(library, loaded);
    for (const path of paths) {
      const full = resolve(path);
      loaded.push(...await loadKept(library, await openRun(dirname(full), basename(full)).config(), loaded));
    }
    // What cannot be written is said before it is measured.
    if (parsed.text.out !== undefined) await makeFolder(resolve(parsed.text.out));
    const { engine } = await selectEngine(parsed.text.engine, {}, library.of("engine").list());
    try {
      const runs: RunRobustness[] = [];
      for (const path of paths) {
        const own = await robustnessOfRun(path, library, engine, { curves, seed });
        if (parsed.boolean.json) console.log(JSON.stringify(own));
        else console.error(`${own.label}, seed ${own.seed}: tested`);
        runs.push(own);
      }
      if (!parsed.boolean.json) console.log(robustnessTables(runs));
      if (parsed.text.out !== undefined) await written(resolve(parsed.text.out), runs);
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};
