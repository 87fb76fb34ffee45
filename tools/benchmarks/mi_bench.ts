/**
 * How far every estimator is from the truth: `deno task bench:mi [--json] [--full]`.
 *
 * Rows: estimator, distribution, n, truth, mean, std, ms; information in nats, mean and standard deviation over seeds, ms
 * per estimate. Then three checks: whether NMI ranks distributions as the truth does; whether nearest neighbours give what
 * the public benchmark's own package gives, from samples that it drew of each of its tasks; and whether their error on
 * samples of our own is the one that the package has (tests/golden/mi_benchmark.py).
 *
 * @module
 */
import { type EstimatorName, estimators } from "./estimators.ts";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../core/random.ts";
import type { InformationSet } from "../../datasets/mod.ts";
import { gaussianCmi, gaussianMi, informationOf, knnCmi, ksgMi, type Points } from "../../miv/mod.ts";
import { tQuantile } from "../../experiments/statistics.ts";
import { benchmarkTasks, ladder, triples } from "./mi_tasks.ts";

/** One row. */
export interface MiRow {
  readonly estimator: string;
  readonly distribution: string;
  readonly n: number;
  readonly truth: number;
  readonly mean: number;
  readonly std: number;
  readonly ms: number;
}

/** What the public benchmark's package found of a task. */
export interface ReferenceTask {
  readonly name: string;
  /** Widths. */
  readonly x: number;
  readonly y: number;
  readonly truth: number;
  readonly ksg: Readonly<Record<string, { mean: number; std: number; seeds: number }>>;
  /** A few samples, row-major, and the package's estimate from them. */
  readonly sample: { x: number[]; y: number[]; ksg: number };
}

/** The package's values. */
export async function referenceTasks(): Promise<ReferenceTask[]> {
  const text = await Deno.readTextFile(new URL("../../tests/golden/mi_benchmark.json", import.meta.url));
  return (JSON.parse(text) as { tasks: ReferenceTask[] }).tasks;
}

/** Every column with mean 0 and variance 1, as the package does before it looks for neighbours. */
export function standardisedPoints({ values, width }: Points): Points {
  const count = values.length / width;
  const scaled = Float64Array.from(values);
  for (let k = 0; k < width; k++) {
    let [mean, square] = [0, 0];
    for (let n = 0; n < count; n++) mean += scaled[n * width + k] / count;
    for (let n = 0; n < count; n++) square += (scaled[n * width + k] - mean) ** 2 / count;
    const deviation = Math.sqrt(square) || 1;
    for (let n = 0; n < count; n++) scaled[n * width + k] = (scaled[n * width + k] - mean) / deviation;
  }
  return { values: scaled, width };
}

/** Neighbour of the benchmark. */
const NEIGHBOUR = 10;
const binned: readonly EstimatorName[] = ["hard", "soft", "official", "gaussian"];

/** Mean and standard deviation over seeds, and milliseconds per estimate. */
function repeated(seeds: number, estimate: (seed: number) => number): Pick<MiRow, "mean" | "std" | "ms"> {
  const started = performance.now();
  const values = Array.from({ length: seeds }, (_, seed) => estimate(seed));
  const ms = (performance.now() - started) / seeds;
  const mean = values.reduce((sum, value) => sum + value, 0) / seeds;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: seeds > 1 ? Math.sqrt(square / (seeds - 1)) : 0, ms };
}

const row = (points: Points) => tf.tensor2d(Array.from(points.values), [1, points.values.length]);

/** One estimate in a traced estimator, of scalars: MI of the only source, or CMI of the second given the first. */
export function tracedEstimate(
  estimator: EstimatorName,
  sources: Readonly<Record<string, Points>>,
  target: Points,
  what: "mi" | "nmi" | "cmi",
): number {
  return tf.tidy(() => {
    const parts = Object.fromEntries(Object.entries(sources).map(([name, points]) => [name, row(points)]));
    const found = informationOf(parts, row(target), { estimator: estimators[estimator] })[what].dataSync();
    return what === "cmi" ? found[1] : found[0];
  });
}

/** Samples of a set, the same for every estimator. */
const sampled = (set: InformationSet, n: number, seed: number) => set.sample(n, new Random(seed).split(set.name, n));

/** Rows of one distribution of x and y. */
export function miRows(set: InformationSet, n: number, seeds: number): MiRow[] {
  const samples = Array.from({ length: seeds }, (_, seed) => sampled(set, n, seed));
  const common = { distribution: set.name, n, truth: set.truth.mi[0] };
  const rows: MiRow[] = [];
  const scalar = samples[0].sources["x1"].width === 1 && samples[0].target.width === 1;
  for (const estimator of scalar ? binned : []) {
    rows.push({
      estimator,
      ...common,
      ...repeated(seeds, (seed) => tracedEstimate(estimator, samples[seed].sources, samples[seed].target, "mi")),
    });
  }
  if (!scalar) {
    const mi = (seed: number) => gaussianMi(samples[seed].sources["x1"], samples[seed].target);
    rows.push({ estimator: "gaussian", ...common, ...repeated(seeds, mi) });
  }
  const ksg = (seed: number) => neighbourEstimate(samples[seed].sources["x1"], samples[seed].target);
  rows.push({ estimator: "ksg", ...common, ...repeated(seeds, ksg) });
  return rows;
}

/** Rows of I(y; x2 | x1) of a triple. */
export function cmiRows(set: InformationSet, n: number, seeds: number): MiRow[] {
  const samples = Array.from({ length: seeds }, (_, seed) => sampled(set, n, seed));
  const common = { distribution: `${set.name} I(y;x2|x1)`, n, truth: set.truth.cmi[0][1] };
  const rows: MiRow[] = binned.map((estimator) => ({
    estimator,
    ...common,
    ...repeated(seeds, (seed) => tracedEstimate(estimator, samples[seed].sources, samples[seed].target, "cmi")),
  }));
  const points = (seed: number) =>
    [samples[seed].sources["x2"], samples[seed].target, samples[seed].sources["x1"]] as const;
  rows.push({
    estimator: "gaussian-determinants",
    ...common,
    ...repeated(seeds, (seed) => gaussianCmi(...points(seed))),
  });
  rows.push({
    estimator: "frenzel-pompe",
    ...common,
    ...repeated(seeds, (seed) => knnCmi(...points(seed), { k: NEIGHBOUR })),
  });
  return rows;
}

/** Ranks from 1, ties sharing their mean. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranked = new Array<number>(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && Math.abs(values[order[to]] - values[order[from]]) < 1e-12) to++;
    for (let k = from; k < to; k++) ranked[order[k]] = (from + to + 1) / 2;
    from = to;
  }
  return ranked;
}

/** Spearman's rank correlation. */
export function spearman(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [ranks(first), ranks(second)];
  const mean = (a.length + 1) / 2;
  const product = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + (value - mean) * (y[i] - mean), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

/** Agreement of NMI's ranking of the ladder with the truth's, NMI averaged over seeds. */
export function rankAgreement(n: number, seeds: number, estimator: EstimatorName = "hard"): number {
  const sets = ladder();
  const nmi = sets.map((set) =>
    repeated(seeds, (seed) => {
      const { sources, target } = sampled(set, n, seed);
      return tracedEstimate(estimator, sources, target, "nmi");
    }).mean
  );
  return spearman(nmi, sets.map((set) => set.truth.mi[0]));
}

/** Nearest neighbours as the package has them: of standardised columns, never negative. */
export function neighbourEstimate(x: Points, y: Points): number {
  return Math.max(0, ksgMi(standardisedPoints(x), standardisedPoints(y), { k: NEIGHBOUR }));
}

/** How far our estimate is from the package's on the package's own samples of a task. */
export function neighbourDifference({ x, y, sample }: ReferenceTask): number {
  return Math.abs(neighbourEstimate({ values: sample.x, width: x }, { values: sample.y, width: y }) - sample.ksg);
}

/** Chance that any of all tasks is called outside by accident. */
const FALSE_ALARM = 0.05;

/**
 * Whether the error of nearest neighbours on samples of our own is the package's, but for what two means over seeds
 * differ by: Welch's one-sided t-test, Bonferroni-corrected over the tasks.
 *
 * @param tasks How many are tested.
 */
export function neighbourCheck(
  own: MiRow,
  seeds: number,
  task: ReferenceTask,
  tasks: number,
): { allowed: number; error: number } | null {
  const theirs = task.ksg[String(own.n)];
  if (theirs === undefined) return null;
  const [a, b] = [own.std ** 2 / seeds, theirs.std ** 2 / theirs.seeds];
  const freedom = Math.floor((a + b) ** 2 / (a ** 2 / (seeds - 1) + b ** 2 / (theirs.seeds - 1)));
  const spread = tQuantile(1 - FALSE_ALARM / tasks, freedom) * Math.sqrt(a + b);
  return { error: Math.abs(own.mean - own.truth), allowed: Math.abs(theirs.mean - task.truth) + spread };
}

if (import.meta.main) {
  await tf.setBackend("cpu");
  const json = Deno.args.includes("--json");
  const full = Deno.args.includes("--full");
  const unknown = Deno.args.find((arg) => arg !== "--json" && arg !== "--full");
  if (unknown !== undefined) {
    console.error(`Cannot use option ${unknown} of bench:mi: its options are --json --full`);
    Deno.exit(2);
  }
  const say = json ? console.error : console.log;
  const seeds = 10;
  const print = (rows: MiRow[]) => {
    for (const entry of rows) {
      if (json) console.log(JSON.stringify(entry));
      else {
        const { estimator, distribution, n, truth, mean, std, ms } = entry;
        const numbers = [truth, mean, mean - truth, std].map((value) => value.toFixed(4).padStart(9)).join(" ");
        console.log(
          `${estimator.padEnd(22)} ${distribution.padEnd(46)} ${String(n).padStart(5)} ${numbers} ${
            ms.toFixed(2).padStart(8)
          }`,
        );
      }
    }
  };
  if (!json) {
    const head = ["truth", "mean", "error", "std"].map((name) => name.padStart(9)).join(" ");
    console.log(
      `${"estimator".padEnd(22)} ${"distribution".padEnd(46)} ${"n".padStart(5)} ${head} ${
        "ms".padStart(8)
      }   (nats, ${seeds} seeds)`,
    );
  }
  for (const set of ladder()) print(miRows(set, 512, seeds));
  for (const set of triples()) for (const n of [512, 2048]) print(cmiRows(set, n, seeds));
  const reference = new Map((await referenceTasks()).map((task) => [task.name, task]));
  const checks: string[] = [];
  let [within, compared] = [0, 0];
  for (const set of benchmarkTasks()) {
    for (const n of full ? [1000, 5000] : [1000]) {
      const repeats = n === 1000 ? seeds : 3;
      const rows = miRows(set, n, repeats);
      print(rows);
      const own = rows.find((entry) => entry.estimator === "ksg")!;
      const check = neighbourCheck(own, repeats, reference.get(set.name)!, reference.size);
      if (check === null) continue;
      compared++;
      if (check.error <= check.allowed) within++;
      else checks.push(`${set.name}, n = ${n}: error ${check.error.toFixed(4)}, allowed ${check.allowed.toFixed(4)}`);
    }
  }
  for (const n of [512, 1024, 2048]) {
    for (const estimator of ["hard", "soft", "gaussian"] as const) {
      say(
        `Spearman of NMI (${estimator}) with the truth over ${ladder().length} distributions, n = ${n}: ` +
          rankAgreement(n, seeds, estimator).toFixed(4),
      );
    }
  }
  const differences = [...reference.values()].map(neighbourDifference);
  say(
    `KSG on the benchmark package's own samples: equal to the package's estimate on ` +
      `${differences.filter((difference) => difference < 1e-9).length} of ${differences.length} tasks, ` +
      `largest difference ${Math.max(...differences).toExponential(1)}`,
  );
  say(
    `KSG on samples of our own: error within the package's (Welch's t-test, ${
      100 * FALSE_ALARM
    } % over all tasks) on ` +
      `${within} of ${compared}`,
  );
  for (const line of checks) say(`  outside: ${line}`);
}
