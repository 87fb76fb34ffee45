/**
 * Pooled features of two runs side by side, placed in a plane (ARM, AAAI 2025, Fig. 7).
 *
 * @module
 */
import { Random } from "../core/random.ts";
import type { PooledFeatures } from "../core/record.ts";
import type { PointChart } from "./charts.ts";
import type { KnownRun, Model } from "./configurations.ts";
import { embedded } from "./embed.ts";
import type { FeaturesQuery } from "./query.ts";
import { finishedRuns } from "./samples.ts";
import type { RunStore } from "./store.ts";

/** A run that kept features. */
export interface FeaturedRun {
  readonly run: KnownRun;
  /** Configuration and seed. */
  readonly label: string;
}

/** What the page of features shows. */
export interface FeaturesView {
  readonly query: FeaturesQuery;
  /** Runs that kept features. */
  readonly runs: readonly FeaturedRun[];
  /** The one or two that are drawn. */
  readonly chosen: readonly FeaturedRun[];
  /** What can be drawn of them: `fused` and modalities. */
  readonly kinds: readonly string[];
  /** What is drawn. */
  readonly of: string;
}

/** Samples that are placed: the time grows with the square. */
const maxPoints = 400;
/** Pictures kept in memory: what a finished run kept does not change. */
const maxKept = 60;
const known = new Map<string, Promise<PointChart>>();

/** Which runs can be drawn, and which are. */
export function featuresViewOf(store: RunStore, model: Model, query: FeaturesQuery): FeaturesView {
  const runs = finishedRuns(model).filter(({ id }) => store.stamp(id, "features-test") !== null);
  const named = (id: string | null) => runs.find(({ run }) => run.id === id);
  const first = named(query.a) ?? runs[0];
  const second = named(query.b) ??
    runs.find(({ run }) =>
      run.configuration !== first.run.configuration &&
      run.config.dataset.fingerprint === first.run.config.dataset.fingerprint
    );
  const chosen = [first, second].filter((own) => own !== undefined);
  const kinds = ["fused", ...new Set(chosen.flatMap(({ run }) => run.config.modalities))];
  return { query, runs, chosen, kinds, of: kinds.includes(query.of) ? query.of : "fused" };
}

/** Places of samples that are drawn, ascending: the same of every run on a split. */
function drawn(size: number): number[] {
  return [...new Random(0).split("features", size).permutation(size).slice(0, maxPoints).sort()];
}

/** The chart of a run's features; `null` where it kept none of that kind, with why. */
export async function featureChart(
  store: RunStore,
  { run, label }: FeaturedRun,
  of: string,
): Promise<{ readonly chart: PointChart | null; readonly reason: string | null }> {
  const { features, reason } = await store.features(run.id);
  if (features === null) return { chart: null, reason };
  const values = of === "fused" ? features.fused : Object.hasOwn(features.pooled, of) ? features.pooled[of] : null;
  if (values === null) return { chart: null, reason: `This run has no modality ${JSON.stringify(of)}.` };
  const key = JSON.stringify([store.folder, run.id, of, store.stamp(run.id, "features-test")]);
  let chart = known.get(key);
  if (chart === undefined) {
    chart = chartOf(features, values, label, of, run);
    known.set(key, chart);
    if (known.size > maxKept) known.delete(known.keys().next().value!);
    chart.catch(() => known.delete(key));
  }
  return { chart: await chart, reason: null };
}

async function chartOf(
  { labels }: PooledFeatures,
  values: Float32Array,
  label: string,
  of: string,
  { id, summary }: KnownRun,
): Promise<PointChart> {
  const ids = drawn(labels.length);
  const width = values.length / labels.length;
  const places = await embedded(ids.map((n) => [...values.subarray(n * width, (n + 1) * width)]));
  const classes = [...new Set(ids.map((n) => labels[n]))].sort((a, b) => a - b);
  return {
    kind: "points",
    id: featureChartId(id),
    title: label,
    about:
      `t-SNE of the ${of === "fused" ? "fused feature" : `pooled feature of ${of}`} of ${ids.length} test samples, ` +
      "by true class; distances between far groups mean nothing",
    groups: classes.map((c) => ({
      name: summary?.classes?.[c] || `class ${c}`,
      points: ids.flatMap((n, i) => labels[n] === c ? [[places[i][0], places[i][1], String(n)] as const] : []),
    })),
  };
}

/** Name of the chart of a run's features. */
export function featureChartId(run: string): string {
  return `features-${run}`;
}
