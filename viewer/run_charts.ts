/**
 * The charts of a run and of a configuration over its seeds.
 *
 * @module
 */
import type { EpochRecord } from "../core/record.ts";
import { type Chart, type HistogramChart, type LineChart, type Series, slug } from "./charts.ts";
import { bandOf, curveOf, type EpochMeasure, epochMeasures } from "./curves.ts";

/** Epochs of the seeds that a chart is of; one seed has no bands. */
type Runs = readonly (readonly EpochRecord[])[];

/** What the bands of a chart over seeds are. */
const overSeeds = "; lines are means over seeds, bands their 95 % confidence intervals, as far as every seed has come";

/** The line of a measure, with a band over seeds where there are several. */
function seriesOf(runs: Runs, name: string, measure: EpochMeasure): Series {
  if (runs.length === 1) return { name, x: runs[0].map(({ epoch }) => epoch + 1), y: curveOf(runs[0], measure) };
  const { x, mean, low, high } = bandOf(runs, measure, 0, "epoch");
  return { name, x, y: mean, low, high };
}

function lines(
  runs: Runs,
  id: string,
  title: string,
  about: string,
  measures: readonly (readonly [string, EpochMeasure])[],
): LineChart[] {
  const series = measures.map(([name, measure]) => seriesOf(runs, name, measure))
    .filter(({ y }) => y.some((value) => value !== null));
  if (series.length === 0) return [];
  const { percent, least } = measures[0][1];
  const said = `${about}${runs.length > 1 ? overSeeds : ""}`;
  return [{ kind: "lines", id, title, about: said, xTitle: "Epoch", percent, least, series }];
}

/**
 * Every chart of one run. Ids are unique; what has no values has no chart.
 *
 * @param tested The epoch of which the parameters were tested, from 0; marked if it is given.
 */
export function runCharts(records: readonly EpochRecord[], tested: number | null = null): Chart[] {
  const marked = tested === null ? undefined : { x: tested + 1, name: "tested" };
  return [...chartsOf([records]), ...histograms(records), ...reports(records)].map(withUniqueId())
    .map((chart) => chart.kind === "lines" ? { ...chart, marked } : chart);
}

/**
 * The charts of a configuration: each line the mean over its seeds.
 *
 * @param runs Epochs of each seed; at least one.
 */
export function configurationCharts(runs: Runs): Chart[] {
  return [...chartsOf(runs), ...reportedMeans(runs)].map(withUniqueId());
}

function chartsOf(runs: Runs): LineChart[] {
  const measures = epochMeasures(runs.flat());
  const pick = (test: (key: string) => boolean, name: (measure: EpochMeasure) => string) =>
    measures.filter(({ key }) => test(key)).map((measure) => [name(measure), measure] as const);
  const after = (mark: string) => ({ key }: EpochMeasure) => key.slice(key.indexOf(mark) + mark.length);
  const is = (key: string) => (candidate: string) => candidate === key;
  return [
    ...lines(
      runs,
      "accuracy",
      "Accuracy",
      "Validation accuracy of the fused readout and of each modality's own; training accuracy as drawn",
      [
        ...pick(is("validation.accuracy"), () => "validation"),
        ...pick((key) => key.startsWith("validation.accuracy:"), (measure) => `${after(":")(measure)} readout`),
        ...pick(is("train.accuracy"), () => "training"),
      ],
    ),
    ...lines(runs, "loss", "Loss terms", "Mean of each loss term over the epoch; total is what was minimised", [
      ...pick((key) => key.startsWith("loss."), after("loss.")),
      ...pick(is("validation.loss"), () => "validation cross-entropy"),
    ]),
    ...lines(
      runs,
      "phi",
      "Contributions φ",
      "Mean raw contribution φ^CMI of each modality on validation, and of all together",
      [
        ...pick((key) => key.startsWith("phi:"), after(":")),
        ...pick(is("joint"), () => "joint"),
      ],
    ),
    ...lines(
      runs,
      "gap",
      "Contribution gap",
      "Mean over samples and pairs of |φᵢ − φⱼ| on validation; 0 is balanced",
      [
        ...pick(is("gap"), () => "gap"),
      ],
    ),
    ...lines(
      runs,
      "information",
      "Mutual information",
      "Normalised mutual information of each modality with the fused feature, on validation",
      [
        ...pick((key) => key.startsWith("nmi:"), after(":")),
      ],
    ),
    ...lines(
      runs,
      "rate",
      "Learning rate",
      "At the end of the epoch",
      pick(is("learningRate"), () => "learning rate"),
    ),
    ...lines(
      runs,
      "clipped",
      "Clipped steps",
      "Share of steps whose gradient was clipped",
      pick(is("clipped"), () => "clipped"),
    ),
  ];
}

function withUniqueId(): <T extends Chart>(chart: T) => T {
  const used = new Map<string, number>();
  return (chart) => {
    const times = (used.get(chart.id) ?? 0) + 1;
    used.set(chart.id, times);
    return times === 1 ? chart : { ...chart, id: `${chart.id}-${times}` };
  };
}

/** Scalars that methods report, those of one prefix together, by the title of their chart. */
function reportGroups(measures: readonly EpochMeasure[]): Map<string, (readonly [string, EpochMeasure])[]> {
  const groups = new Map<string, (readonly [string, EpochMeasure])[]>();
  for (const measure of measures) {
    if (!measure.key.startsWith("method.")) continue;
    const [method, name] = measure.title.split(": ", 2);
    const key = `${method}: ${name.split(":")[0]}`;
    groups.set(key, [...groups.get(key) ?? [], [name, measure]]);
  }
  return groups;
}

const asReported = "As the method reports it after each epoch";

/** What methods report over the epochs of one run, percentiles of one name as a line with a band. */
function reports(records: readonly EpochRecord[]): LineChart[] {
  return [...reportGroups(epochMeasures(records))].flatMap(([key, own]) => {
    const { bands, others } = percentilesIn(records, own);
    const id = `report-${slug(key)}`;
    const plain = lines([records], id, key, asReported, others);
    if (bands.length === 0) return plain;
    const [low, high] = bands[0].ends!;
    const about = `${asReported}: medians over samples, bands from ${low} to ${high}`;
    const { percent, least } = own[0][1];
    const banded: LineChart = { kind: "lines", id, title: key, about, xTitle: "Epoch", percent, least, series: bands };
    return [banded, ...plain.map((chart) => ({ ...chart, title: `${key}, further` }))];
  });
}

/** Measures named `name:p5`, `name:p50` and `name:p95` become the line of the median with a band. */
function percentilesIn(
  records: readonly EpochRecord[],
  measures: readonly (readonly [string, EpochMeasure])[],
): { bands: Series[]; others: (readonly [string, EpochMeasure])[] } {
  const found = new Map<string, Map<number, EpochMeasure>>();
  for (const [name, measure] of measures) {
    const [, base, rank] = /^(.+):p(\d+)$/.exec(name) ?? [];
    if (base !== undefined) found.set(base, (found.get(base) ?? new Map()).set(Number(rank), measure));
  }
  const whole = [...found].filter(([_, ranks]) => ranks.size === 3 && ranks.has(50));
  const taken = new Set(whole.flatMap(([_, ranks]) => [...ranks.values()]));
  const x = records.map(({ epoch }) => epoch + 1);
  return {
    bands: whole.map(([base, ranks]): Series => {
      const [low, , high] = [...ranks.keys()].sort((a, b) => a - b);
      const curve = (rank: number) => curveOf(records, ranks.get(rank)!);
      const name = base.split(":").slice(1).join(":") || base;
      return { name, x, y: curve(50), low: curve(low), high: curve(high), ends: [`${low} %`, `${high} %`] };
    }),
    others: measures.filter(([_, measure]) => !taken.has(measure)),
  };
}

/** What methods report, over seeds; of percentiles the median alone, as bands are those of seeds. */
function reportedMeans(runs: Runs): LineChart[] {
  return [...reportGroups(epochMeasures(runs.flat()))].flatMap(([key, own]) => {
    const shown = own.filter(([name]) => !/:p(?!50$)\d+$/.test(name));
    return lines(runs, `report-${slug(key)}`, key, asReported, shown);
  });
}

const knownHistograms: Readonly<Record<string, readonly [string, string]>> = {
  fw: ["fusion weights", "Weight"],
  copies: ["extra copies per sample", "Copies"],
};

function histograms(records: readonly EpochRecord[]): HistogramChart[] {
  const found = new Map<string, { method: string; name: string }>();
  for (const { methods } of records) {
    for (const [method, report] of Object.entries(methods)) {
      for (const [name, value] of Object.entries(report)) {
        if (typeof value === "object") found.set(JSON.stringify([method, name]), { method, name });
      }
    }
  }
  return [...found.values()].flatMap(({ method, name }): HistogramChart[] => {
    const own = records.flatMap(({ epoch, methods }) => {
      const report = Object.hasOwn(methods, method) ? methods[method] : {};
      const value = Object.hasOwn(report, name) ? report[name] : undefined;
      return typeof value === "object" ? [{ epoch: epoch + 1, counts: value }] : [];
    });
    const bins = binsOf(own.flatMap(({ counts }) => Object.keys(counts)));
    if (bins.length === 0 || bins.length > maxBins) return [];
    const [prefix, ...rest] = name.split(":");
    const [what, binTitle] = knownHistograms[prefix] ?? [prefix, "Value"];
    return [{
      kind: "histogram",
      id: `histogram-${slug(`${method}-${name}`)}`,
      title: `${method}: ${what}${rest.length === 0 ? "" : `, ${rest.join(":")}`}`,
      about: "Share of training samples in each bin, by epoch",
      epochs: own.map(({ epoch }) => epoch),
      bins,
      binTitle,
      counts: own.map(({ counts }) => bins.map((bin) => Object.hasOwn(counts, bin) ? counts[bin] : 0)),
    }];
  });
}

/** Bins drawn at most. */
const maxBins = 400;

/** Labels in numeric order, with the empty bins between where they are evenly spaced numbers. */
export function binsOf(labels: readonly string[]): string[] {
  const unique = [...new Set(labels)];
  if (unique.length === 0) return [];
  const values = unique.map(Number);
  if (values.some((value) => !Number.isFinite(value))) return unique.sort();
  const order = unique.map((label, i) => ({ label, value: values[i] })).sort((a, b) => a.value - b.value);
  const decimals = Math.max(...unique.map((label) => label.split(".")[1]?.length ?? 0));
  const step = 10 ** -decimals;
  const span = Math.round((order.at(-1)!.value - order[0].value) / step);
  const even = unique.every((label) => label === Number(label).toFixed(decimals));
  if (!even || span >= maxBins) return order.map(({ label }) => label);
  return Array.from({ length: span + 1 }, (_, i) => (order[0].value + i * step).toFixed(decimals));
}
