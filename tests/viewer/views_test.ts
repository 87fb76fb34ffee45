import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "../helpers/properties.ts";
import type { EpochRecord } from "../../core/record.ts";
import { Refusal } from "../../core/refusal.ts";
import { tQuantile } from "../../experiments/statistics.ts";
import { chartTable } from "../../viewer/chart_table.ts";
import type { LineChart } from "../../viewer/charts.ts";
import { comparisonChart } from "../../viewer/compare_chart.ts";
import { chartSvg } from "../../viewer/render.ts";
import { binsOf, configurationCharts, runCharts } from "../../viewer/run_charts.ts";
import { widthOf } from "../../viewer/table.ts";
import { logarithmicTicks } from "../../viewer/chart_lines.ts";
import { chartHeight, chartOption } from "../../viewer/chart_option.ts";
import { bandOf, epochMeasures, smoothed } from "../../viewer/curves.ts";
import {
  compareUrl,
  featuresUrl,
  gridUrl,
  parseCompare,
  parseFeatures,
  parseGrid,
  parseSamples,
  plainCompare,
  plainFeatures,
  plainGrid,
  plainSamples,
  samplesUrl,
} from "../../viewer/query.ts";
import { labelsOf } from "../../viewer/names.ts";
import { differing, settingsOf } from "../../viewer/settings.ts";
import { configOf, epochOf, type RunSpec } from "../helpers/runs.ts";

Deno.test("smoothed() is the moving average without a pull to zero, and leaves gaps", () => {
  // By hand, w = 0.5: 2; (0.5 * 1 + 0.5 * 4) / 0.75 = 10/3; then (0.5 * 2.5 + 0.5 * 1) / 0.875 = 2.
  const curve = smoothed([2, 4, null, 1], 0.5);
  assertAlmostEquals(curve[0]!, 2);
  assertAlmostEquals(curve[1]!, 10 / 3);
  assertEquals(curve[2], null);
  assertAlmostEquals(curve[3]!, 2);
  assertEquals(smoothed([1, 2], 0), [1, 2]);
  for (const value of smoothed([3, 3, 3, 3], 0.9)) assertAlmostEquals(value!, 3);
});

Deno.test("bandOf() is mean ± t s / sqrt(n) at the epochs that every seed has reached", () => {
  const runs = [0, 1, 2].map((seed) =>
    [0, 1, 2].slice(0, seed === 2 ? 2 : 3).map((epoch): EpochRecord => epochOf({ seed }, epoch))
  );
  const measure = epochMeasures(runs[0]).find(({ key }) => key === "validation.accuracy")!;
  const band = bandOf(runs, measure, 0, "epoch");
  assertEquals(band.x, [1, 2]);
  const values = runs.map((records) => records[1].validation.accuracy);
  const mean = values.reduce((a, b) => a + b) / 3;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
  assertAlmostEquals(band.mean[1]!, mean);
  assertAlmostEquals(band.high[1]! - band.mean[1]!, tQuantile(0.975, 2) * std / Math.sqrt(3));
  assertEquals(bandOf([runs[0]], measure, 0, "samples"), {
    x: [2500, 5000, 7500],
    mean: runs[0].map((r) => r.validation.accuracy),
    low: [null, null, null],
    high: [null, null, null],
    seeds: 1,
  });
});

Deno.test("binsOf() orders bins as numbers and fills the gaps between", () => {
  assertEquals(binsOf(["1.2", "0.9", "1.0", "0.9"]), ["0.9", "1.0", "1.1", "1.2"]);
  assertEquals(binsOf(["10", "2", "0"]), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
  assertEquals(binsOf(["b", "a"]), ["a", "b"]);
  assertEquals(binsOf(["0", "1000000"]), ["0", "1000000"]);
  assertEquals(binsOf([]), []);
});

Deno.test("labelsOf() tells configurations apart by the fewest settings that do, never by a hash of theirs", () => {
  const settings = (spec: RunSpec) => settingsOf(configOf(spec));
  const arm = (options: Record<string, unknown>) => [{ name: "arm", options }];
  const labels = (
    specs: RunSpec[],
  ) => [...labelsOf(new Map(specs.map((spec, i) => [`${i}${i}${i}${i}`, settings(spec)]))).values()];
  assertEquals(
    labels([
      {},
      { methods: arm({ lambda1: 1 }) },
      { methods: arm({ lambda1: 2 }) },
      { fusion: "sum", modalities: ["audio"] },
      { fusion: "sum" },
    ]),
    ["concat", "concat arm · lambda1 1", "concat arm · lambda1 2", "audio only", "sum"],
  );
  assertEquals(labels([{}, { training: { learningRate: 0.6 } }, { training: { momentum: 0 } }]), [
    "concat",
    "concat · lr 0.6",
    "concat · momentum 0",
  ]);
  // What is usual is not said: each differs in one setting from the first, which has no setting of its own.
  assertEquals(
    labels([
      { methods: arm({ k: -2, lambda1: 0.1, dfe: true }) },
      { methods: arm({ k: -1, lambda1: 0.1, dfe: true }) },
      { methods: arm({ k: -2, lambda1: 1, dfe: true }) },
      { methods: arm({ k: -2, lambda1: 0.1, dfe: false }) },
    ]),
    ["concat arm", "concat arm · k -1", "concat arm · lambda1 1", "concat arm · dfe false"],
  );
  // Two that always go together: one says it.
  assertEquals(
    labels([
      { methods: arm({ k: 1, l: 1 }) },
      { methods: arm({ k: 1, l: 1 }), epochs: 9 },
      { methods: arm({ k: 2, l: 2 }) },
    ]),
    ["concat arm", "concat arm · epochs 9", "concat arm · k 2"],
  );
  assertEquals(labels([{ dataset: "a" }, { dataset: "b" }]), ["a: concat", "b: concat"]);
  // The same in all that a name says, other data.
  assertEquals(labels([{ fingerprint: "1111111" }, { fingerprint: "2222222" }]), [
    "concat · data 111111",
    "concat · data 222222",
  ]);
  assertEquals(differing([settings({}), settings({ methods: arm({ lambda1: 1 }) })]), ["method"]);
  assertEquals(
    differing([settings({ methods: arm({ lambda1: 1 }), epochs: 3 }), settings({ methods: arm({ lambda1: 2 }) })]),
    ["arm.lambda1", "training.epochs"],
  );
  // Parts within options are seen into.
  const part = (k: number) => arm({ sampler: { name: "dsr", options: { k } } });
  assertEquals(differing([settings({ methods: part(1) }), settings({ methods: part(2) })]), ["arm.sampler.k"]);
  assertEquals(labels([{ methods: part(1) }, { methods: part(2) }]), ["concat arm · k 1", "concat arm · k 2"]);
});

Deno.test("an address says the whole state of a view", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9:.-]{0,8}$/);
  const list = fc.uniqueArray(name, { maxLength: 4 });
  fc.assert(fc.property(
    fc.record({
      q: fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.trim()),
      dataset: list,
      fusion: list,
      method: list,
      state: list,
      experiment: fc.option(name),
      sort: fc.option(name),
      reference: fc.option(name),
      group: fc.constantFrom("none" as const, "dataset" as const, "fusion" as const, "method" as const),
      settings: fc.constantFrom("differing" as const, "all" as const, "none" as const),
      columns: fc.option(list),
      open: list,
      page: fc.integer({ min: 1, max: 99 }),
    }),
    (query) => assertEquals(parseGrid(new URL(gridUrl(query), "http://x").searchParams), query),
  ));
  fc.assert(fc.property(
    fc.record({
      c: list,
      r: list,
      metric: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
      smooth: fc.double({ min: 0, max: 0.99, noNaN: true }),
      x: fc.constantFrom("epoch" as const, "samples" as const),
      y: fc.constantFrom("linear" as const, "log" as const),
      from: fc.option(fc.nat()),
      to: fc.option(fc.nat()),
      experiment: fc.option(name),
      reference: fc.option(name),
    }),
    (query) =>
      assertEquals(parseCompare(new URL(compareUrl(query), "http://x").searchParams), {
        ...query,
        smooth: Math.abs(query.smooth),
      }),
  ));
  fc.assert(fc.property(
    fc.record({
      run: fc.option(name),
      split: fc.constantFrom("test" as const, "validation" as const),
      truth: fc.option(fc.nat({ max: 99 })),
      predicted: fc.option(fc.nat({ max: 99 })),
      right: list,
      wrong: list,
      other: fc.option(name),
      followed: fc.boolean(),
      sort: fc.constantFrom("loss" as const, "easy" as const, "gap" as const, "place" as const),
      page: fc.integer({ min: 1, max: 99 }),
    }),
    (query) => assertEquals(parseSamples(new URL(samplesUrl(query), "http://x").searchParams), query),
  ));
  const features = { a: "x", b: null, of: "audio" };
  assertEquals(parseFeatures(new URL(featuresUrl(features), "http://x").searchParams), features);
  assertEquals([samplesUrl(plainSamples), featuresUrl(plainFeatures)], ["/samples", "/features"]);
  assertEquals(gridUrl(plainGrid), "/");
  assertEquals(compareUrl(plainCompare), "/compare");
  assertThrows(
    () => parseGrid(new URLSearchParams("page=0")),
    Refusal,
    'Cannot use "page" as it must be within 1..1000000: found "0"',
  );
});

Deno.test("runCharts() draws every loss term, accuracy, contribution and histogram; options are plain JSON", () => {
  const spec = { methods: [{ name: "arm", options: {} }], epochs: 6 };
  const charts = runCharts(Array.from({ length: 6 }, (_, epoch) => epochOf(spec, epoch)));
  const by = Object.fromEntries(charts.map((chart) => [chart.id, chart]));
  const names = (id: string) => by[id].kind === "lines" ? by[id].series.map(({ name }) => name) : [];
  assertEquals(names("loss"), ["total", "joint", "phiCMI", "validation cross-entropy"]);
  assertEquals(names("accuracy"), ["validation", "audio readout", "image readout", "training"]);
  assertEquals(names("phi"), ["audio", "image", "joint"]);
  assertEquals(names("gap"), ["gap"]);
  assertEquals(names("rate"), ["learning rate"]);
  const copies = by["histogram-arm-copies"];
  assert(copies.kind === "histogram");
  assertEquals([copies.bins, copies.counts[5]], [["0", "1", "2", "3"], [850, 50, 0, 5]]);
  assertEquals(new Set(charts.map(({ id }) => id)).size, charts.length);
  for (const chart of charts) {
    for (const theme of ["light", "dark"] as const) {
      const option = chartOption(chart, { theme, width: 400 });
      assertEquals(JSON.parse(JSON.stringify(option)), option);
    }
    assert(chartHeight(chart, { theme: "light", width: 300 }) >= 250);
    const table = chartTable(chart);
    for (const row of table.rows) assertEquals(row.length, table.columns.length);
  }
  const table = chartTable(by.loss);
  assertEquals(table.rows[0][1].raw, [epochOf(spec, 0).loss.total]);
  assertEquals(runCharts([]), []);
});

Deno.test("an axis of one share reaches at least 5 points around it, and never beyond 0 and 100", () => {
  const ends = (mean: number) => {
    const option = chartOption({
      kind: "intervals",
      id: "x",
      title: "x",
      about: "x",
      percent: true,
      rows: [{ name: "one", mean, ci95: null, best: false }],
    }, { theme: "light", width: 600 }) as { xAxis: { min: number; max: number } };
    return [option.xAxis.min, option.xAxis.max];
  };
  assertEquals([0.898, 1, 0.001].map(ends), [[80, 95], [95, 100], [0, 10]]);
});

Deno.test("an axis of percent ends at 0 and 100, and is left alone in between", () => {
  const axisOf = (rows: [number, number | null][]) => {
    const option = chartOption({
      kind: "intervals",
      id: "accuracy",
      title: "Test accuracy",
      about: "",
      percent: true,
      rows: rows.map(([mean, ci95], i) => ({ name: `${i}`, mean, ci95, best: false })),
    }, { theme: "light", width: 600 });
    const { min, max } = option.xAxis as { min?: number; max?: number };
    return [min, max];
  };
  assertEquals(axisOf([[0.95, 0.2], [0.9, null]]), [undefined, 100]);
  assertEquals(axisOf([[0.1, 0.2], [0.95, 0.2]]), [0, 100]);
  assertEquals(axisOf([[0.5, 0.02], [0.6, 0.02]]), [undefined, undefined]);
  assertEquals(axisOf([]), [undefined, undefined]);
});

Deno.test("an axis ends at 0 for what cannot be less, where a band reaches below, and is left alone elsewhere", () => {
  const least = (low: number, bound?: number) => {
    const chart = {
      kind: "lines" as const,
      id: "x",
      title: "x",
      about: "",
      xTitle: "Epoch",
      percent: false,
      least: bound,
      series: [{ name: "a", x: [1, 2], y: [2, 3], low: [low, 2.9], high: [4, 3.1] }],
    };
    return (chartOption(chart, { theme: "light", width: 600 }).yAxis as { min?: number }).min;
  };
  assertEquals([least(-1, 0), least(0.1, 0), least(1.9, 0), least(-1)], [0, 0, undefined, undefined]);
  const measures = epochMeasures([epochOf({}, 0)]);
  const bounds = Object.fromEntries(measures.map(({ key, least }) => [key, least]));
  assertEquals([bounds["validation.loss"], bounds.gap, bounds.learningRate, bounds["nmi:audio"]], [0, 0, 0, 0]);
  // A sum of losses may be negative, and so may a contribution.
  assertEquals([bounds["loss.total"], bounds["phi:audio"]], [undefined, undefined]);
});

Deno.test("the tested epoch is marked on every curve of a run, and on none without a result", () => {
  const records = [0, 1, 2].map((epoch) => epochOf({}, epoch));
  const marks = (charts: ReturnType<typeof runCharts>) =>
    charts.flatMap((chart) => {
      if (chart.kind !== "lines") return [];
      const [first] = chartOption(chart, { theme: "dark", width: 400 }).series as { markLine?: { data: unknown[] } }[];
      return [first.markLine?.data ?? null];
    });
  assert(marks(runCharts(records, 1)).every((data) => JSON.stringify(data) === '[{"xAxis":2,"name":"tested"}]'));
  assert(marks(runCharts(records)).every((data) => data === null));
});

Deno.test("a model of one modality has no gap: no curve and no column draws one of 0", () => {
  const spec: RunSpec = { modalities: ["audio"], epochs: 3 };
  const records = [0, 1, 2].map((epoch) => epochOf(spec, epoch));
  assertEquals(runCharts(records).map(({ id }) => id).includes("gap"), false);
  assertEquals(runCharts([0, 1, 2].map((epoch) => epochOf({}, epoch))).map(({ id }) => id).includes("gap"), true);
  const gap = epochMeasures(records).find(({ key }) => key === "gap")!;
  assertEquals(records.map((record) => gap.of(record)), [null, null, null]);
});

const report = (epoch: number) => ({
  arm: { "fw:audio:p5": 0.5 + epoch, "fw:audio:p50": 1 + epoch, "fw:audio:p95": 3 + epoch, "fw:audio": 1.5, p: 0.25 },
});

Deno.test("runCharts() draws percentiles of one name as the line of the median with a band", () => {
  const records = [0, 1].map((epoch) => ({ ...epochOf({}, epoch), methods: report(epoch) }));
  const charts = runCharts(records);
  const [banded, plain] = charts.filter(({ id }) => id.startsWith("report-arm-fw"));
  if (banded.kind !== "lines" || plain.kind !== "lines") throw new Error("other kinds");
  assertEquals(banded.series, [
    { name: "audio", x: [1, 2], y: [1, 2], low: [0.5, 1.5], high: [3, 4], ends: ["5 %", "95 %"] },
  ]);
  assertEquals(plain.series.map(({ name, low }) => [name, low]), [["fw:audio", undefined]]);
  assertEquals(chartTable(banded).columns[1].raw, ["audio", "audio: 5 %", "audio: 95 %"]);
  assertEquals(chartTable(banded).rows[0][1].text, "1 (0.5 to 3)");
  // Over seeds bands are intervals: of percentiles the median alone is drawn.
  const over = configurationCharts([records, records]).find(({ id }) => id === "report-arm-fw");
  if (over?.kind !== "lines") throw new Error("other kind");
  assertEquals(over.series.map(({ name }) => name), ["fw:audio", "fw:audio:p50"]);
  assertEquals(over.series[1].low, [1, 2]);
});

Deno.test("comparisonChart() has a logarithmic axis only where every value and band is above 0, and keeps to its ends", () => {
  const compared = [{ label: "concat", runs: [[0, 1, 2].map((epoch) => epochOf({}, epoch))] }];
  const measures = epochMeasures(compared[0].runs[0]);
  const chart = (key: string, changes: Partial<typeof plainCompare>) =>
    comparisonChart(compared, measures.find((own) => own.key === key)!, { ...plainCompare, ...changes });
  assertEquals(chart("loss.total", { y: "log" }).logarithmic, true);
  assertEquals(chart("loss.total", {}).logarithmic, false);
  // An image's contribution in the tests' runs may be taken; the share of clipped steps ends at 0.
  const ended = [{ label: "a", runs: [[epochOf({ epochs: 1 }, 0)]] }];
  assertEquals(
    comparisonChart(ended, measures.find(({ key }) => key === "clipped")!, { ...plainCompare, y: "log" }).logarithmic,
    false,
  );
  assertEquals(chart("loss.total", { from: 2 }).series[0].x, [2, 3]);
  assertEquals(chart("loss.total", { from: 2, to: 2 }).series[0].y.length, 1);
  const option = chartOption(chart("loss.total", { y: "log" }), { theme: "light", width: 600 }) as {
    yAxis: { type: string; min: number; max: number };
  };
  assertEquals(option.yAxis.type, "log");
  // Values from 0.2 to 1: from the power of ten below to the one above.
  assertEquals([option.yAxis.min, option.yAxis.max], [0.1, 1]);
});

Deno.test("logarithmicTicks() are powers of ten with 2 and 5 between few of them, and round steps where values are near", () => {
  assertEquals(logarithmicTicks([12, 70], 100), [10, 20, 50, 100]);
  assertEquals(logarithmicTicks([0.03, 2]), [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]);
  assertEquals(logarithmicTicks([3e-9, 1]), [1e-9, 1e-7, 1e-5, 1e-3, 0.1, 1]);
  // Accuracies of 71 to 90 %: a step of 5, not the axis from 10 to 100.
  assertEquals(logarithmicTicks([71, 90], 100), [70, 75, 80, 85, 90]);
  assertEquals(logarithmicTicks([97.6, 99.8], 100), [97.5, 98, 98.5, 99, 99.5, 100]);
  assertEquals(logarithmicTicks([0.021, 0.055]), [0.02, 0.03, 0.04, 0.05, 0.06]);
  assertEquals(logarithmicTicks([100, 100], 100), [90, 100]);
  assertEquals(logarithmicTicks([]), []);
});

Deno.test("chartSvg() writes the ticks of a logarithmic axis of accuracies", () => {
  const series = [{ name: "a", x: [1, 2], y: [0.71, 0.9] }];
  const chart: LineChart = {
    kind: "lines",
    id: "x",
    title: "x",
    about: "x",
    xTitle: "Epoch",
    percent: true,
    logarithmic: true,
    series,
  };
  const svg = chartSvg(chart, { theme: "light", width: 600 });
  for (const tick of [70, 75, 80, 85, 90]) assertStringIncludes(svg, `>${tick}</text>`);
  assert(!svg.includes(">10</text>"));
});

Deno.test("chartSvg() leaves names of a legend the room that their letters take", () => {
  const name = "concat uni-ce (3 seeds)";
  const series = [0, 1, 2].map((i) => ({ name: `${name} ${"mw".repeat(i)}`, x: [1, 2], y: [i, i + 1] }));
  const chart: LineChart = { kind: "lines", id: "x", title: "x", about: "x", xTitle: "Epoch", percent: false, series };
  const svg = chartSvg(chart, { theme: "light", width: 900, titled: true });
  const starts = series.map(({ name: own }) => {
    const before = svg.slice(0, svg.indexOf(`>${own.trimEnd()}`));
    return Number(/translate\((-?[\d.]+)[^()]*\)[^<]*$/.exec(before)?.[1] ?? /x="([\d.]+)"[^<]*$/.exec(before)?.[1]);
  });
  for (const i of [1, 2]) {
    assert(starts[i] - starts[i - 1] > widthOf(series[i - 1].name) * 12 / 13, `${starts}`);
  }
});
