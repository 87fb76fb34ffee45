/**
 * Every column of every table of results, by value and with three modalities: each number of what is shown is another one,
 * so that a column with the number of another cannot go unnoticed.
 */
import { assertEquals } from "@std/assert";
import type { EpochRecord, RunSummary, SplitMetrics } from "../../core/record.ts";
import { acrossTable } from "../../viewer/across_tables.ts";
import { chartTable } from "../../viewer/chart_table.ts";
import { differenceTable, settingTable } from "../../viewer/compare.ts";
import { seedsTable, settingsTable } from "../../viewer/configuration.ts";
import { calibrationTable, confusionTable } from "../../viewer/evidence.ts";
import { gridTable } from "../../viewer/grid_table.ts";
import { measured, measuresFor } from "../../viewer/measures.ts";
import { reproducedTable } from "../../viewer/reproduced_table.ts";
import { configurationTable, epochTable, recallTable, resultTable } from "../../viewer/run.ts";
import { readoutTable } from "../../viewer/sample.ts";
import { sampleTable } from "../../viewer/sample_tests.ts";
import { samplesTable } from "../../viewer/samples.ts";
import { selectionTable } from "../../viewer/selection_table.ts";
import { configOf } from "../helpers/runs.ts";
import type { Table } from "../../viewer/table.ts";
import { chosenTable, tuningTable } from "../../viewer/tuning_table.ts";

/** What a table shows, by column: the texts of its rows, and the numbers under the names that exports give them. */
function shown({ columns, rows }: Table): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  columns.forEach(({ title, raw }, c) => {
    found[title] = rows.map((row) => row[c].text);
    for (const [i, name] of (raw ?? []).entries()) found[`raw ${name}`] = rows.map((row) => row[c].raw?.[i] ?? null);
  });
  return found;
}

/** What only this table needs of a view. */
const view = <T>(given: object): T => given as unknown as T;

const modalities = ["audio", "image", "text"];

/** Metrics of a split in which no number stands twice. */
function metrics(shift: number): SplitMetrics {
  const value = (base: number) => Number((base + shift).toFixed(6));
  return {
    size: 111,
    loss: value(0.73),
    accuracy: value(0.91),
    macroF1: value(0.8),
    perModality: Object.fromEntries(modalities.map((name, u) => [name, {
      accuracy: value(0.61 + 0.01 * u),
      readout: "mean",
      ablateMean: value(0.51 + 0.01 * u),
      nmi: value(0.41 + 0.01 * u),
      probability: value(0.31 + 0.01 * u),
      phi: value(0.21 + 0.01 * u),
    }])),
    contributionGap: value(0.15),
    jointContribution: value(0.12),
    recall: [value(0.7), value(0.71), value(0.72)],
  };
}

const summary = view<RunSummary>({
  seed: 5,
  selectedOn: "validation",
  selectedEpoch: 2,
  epochs: 6,
  samplesDrawn: 7000,
  parameters: 8000,
  test: metrics(0),
  validation: metrics(0.0025),
  classes: ["cat", "dog", "owl"],
});

const config = { seed: 5, modalities, fusion: { name: "sum", options: { width: 9 } } };
const run = { id: "0123456789abcdef", seed: 5, summary, config: null, timing: { seconds: 41, stepMs: 4.5 } };
const runView = { run, configuration: { label: "row" }, epochs: { records: [], reason: null } };

Deno.test("the page of a run: results, recall and epochs say each number in its own column", () => {
  const plain = (values: readonly (string | null)[]) => values.map((value) => value ?? "–");
  const found = shown(resultTable(view(runView)));
  assertEquals(found, {
    "Readout": [
      "test, fused",
      ...modalities.map((name) => `test, ${name} readout (mean)`),
      "validation, fused",
      ...modalities.map((name) => `validation, ${name} readout (mean)`),
    ],
    "Accuracy %": ["91.00", "61.00", "62.00", "63.00", "91.25", "61.25", "62.25", "63.25"],
    "Macro F1 %": plain(["80.00", null, null, null, "80.25", null, null, null]),
    "Loss": plain(["0.7300", null, null, null, "0.7325", null, null, null]),
    "φ": ["0.1200", "0.2100", "0.2200", "0.2300", "0.1225", "0.2125", "0.2225", "0.2325"],
    "NMI": plain([null, "0.4100", "0.4200", "0.4300", null, "0.4125", "0.4225", "0.4325"]),
    "Others at means %": plain([null, "51.00", "52.00", "53.00", null, "51.25", "52.25", "53.25"]),
  });
  assertEquals(resultTable(view(runView)).notes, [
    "Tested epoch 3 of 6, selected on validation; 111 test samples. φ of the fused row is the joint contribution. " +
    "Contribution gap on test: 0.1500.",
  ]);
  assertEquals(shown(recallTable(view(runView))), {
    "Class": ["cat", "dog", "owl"],
    "raw index": [0, 1, 2],
    "raw class": ["cat", "dog", "owl"],
    "Test %": ["70.0", "71.0", "72.0"],
    "raw test": [0.7, 0.71, 0.72],
    "Validation %": ["70.3", "71.3", "72.3"],
    "raw validation": [0.7025, 0.7125, 0.7225],
  });
  const record = view<EpochRecord>({
    epoch: 4,
    samplesDrawn: 900,
    learningRate: 0.034,
    loss: { total: 1.5, joint: 1.4, phiCMI: 0.1 },
    clipped: 0.56,
    trainAccuracy: 0.78,
    validation: metrics(0),
    methods: { arm: { "fw:text:p50": 1.25, copies: { "0": 3 } } },
  });
  const epochs = shown(epochTable(view({ ...runView, epochs: { records: [record], reason: null } })));
  const raw = Object.fromEntries(
    Object.entries(epochs).filter(([name]) => name.startsWith("raw ")).map((
      [name, values],
    ) => [name.slice(4), (values as unknown[])[0]]),
  );
  assertEquals(raw, {
    "validation.accuracy": 0.91,
    "validation.accuracy:audio": 0.61,
    "validation.accuracy:image": 0.62,
    "validation.accuracy:text": 0.63,
    "train.accuracy": 0.78,
    "validation.loss": 0.73,
    "validation.macroF1": 0.8,
    "loss.total": 1.5,
    "loss.joint": 1.4,
    "loss.phiCMI": 0.1,
    "phi:audio": 0.21,
    "phi:image": 0.22,
    "phi:text": 0.23,
    "nmi:audio": 0.41,
    "nmi:image": 0.42,
    "nmi:text": 0.43,
    "gap": 0.15,
    "joint": 0.12,
    "recall:0": 0.7,
    "recall:1": 0.71,
    "recall:2": 0.72,
    "learningRate": 0.034,
    "clipped": 0.56,
    "samplesDrawn": 900,
    "method.arm.fw:text:p50": 1.25,
  });
  assertEquals([epochs["Epoch"], epochs["clipped %"], epochs["learningRate"]], [["5"], ["56.00"], ["0.034"]]);
  assertEquals(shown(configurationTable(view(runView))), { "Setting": [], "Value": [] });
});

/** A run of a configuration as the grid has it: its numbers move with the seed. */
const known = (seed: number) => ({
  state: "finished",
  config: { ...config, seed },
  summary: { ...summary, test: metrics(0.01 * seed), samplesDrawn: 7000 + seed, epochs: 6 + seed },
  validationAccuracy: 0.33 + 0.01 * seed,
  timing: { seconds: 40 + seed, stepMs: 4 + seed },
});

Deno.test("measures of the grid and of a configuration's seeds, each under its own title", () => {
  const measures = measuresFor(modalities);
  const titles = Object.fromEntries(measures.map(({ title, of }) => [title, of(view(known(0)))]));
  assertEquals(titles, {
    "Test accuracy": 0.91,
    "audio readout": 0.61,
    "image readout": 0.62,
    "text readout": 0.63,
    "Contribution gap": 0.15,
    "Joint contribution": 0.12,
    "Macro F1": 0.8,
    "Validation accuracy": 0.33,
    "Test loss": 0.73,
    "audio, others at means": 0.51,
    "φ audio": 0.21,
    "image, others at means": 0.52,
    "φ image": 0.22,
    "text, others at means": 0.53,
    "φ text": 0.23,
    "Samples drawn": 7000,
    "Epochs": 6,
    "Time per run": 40,
    "Step": 4,
    "Parameters": 8000,
  });
  const configuration = { label: "row", runs: [known(0), known(2)], settings: { fusion: "sum", width: 9 } };
  const seeds = seedsTable(view({ configuration, measures }));
  assertEquals(seeds.columns.map(({ title }) => title), ["Measure", "Seed 0", "Seed 2", "Mean ± 95 % CI"]);
  const rows = Object.fromEntries(seeds.rows.map(([name, ...cells]) => [name.text, cells.map(({ raw }) => raw?.[0])]));
  assertEquals(rows["Test accuracy %"], [0.91, 0.93, 0.92]);
  assertEquals(rows["Samples drawn"], [7000, 7002, 7001]);
  assertEquals(rows["φ text"], [0.23, 0.25, 0.24]);
  // Two values, .02 apart: deviation .02 / sqrt 2, interval t(1 degree, 97.5 %) .02 / sqrt 2 / sqrt 2 = .127062.
  const [, std, ci95] = seeds.rows[0].at(-1)!.raw as number[];
  assertEquals([std.toFixed(6), ci95.toFixed(6)], ["0.014142", "0.127062"]);
  const settings = settingsTable(view({
    configuration,
    reference: { label: "other", settings: { fusion: "concat", width: 9 } },
  }));
  assertEquals(shown(settings), {
    "Setting": ["fusion", "width"],
    "Value": ["sum", "9"],
    "other": ["concat", "9"],
  });
});

const versus = {
  reference: "base",
  n: 4,
  difference: 0.051,
  ci95: 0.012,
  p: 0.034,
  pHolm: 0.045,
  verdict: "better",
  reason: null,
  seedsNeeded: 7,
};

Deno.test("the grid's export: counts of runs, the difference with its tests, ties and measures", () => {
  const measures = measuresFor(modalities).filter(({ key }) => ["accuracy", "gap"].includes(key));
  const runs = [known(0), known(2)];
  const row = (label: string, own: typeof versus | null) => ({
    configuration: {
      label,
      settings: { width: 9 },
      runs: [1, 2, 3, 4, 5, 6],
      planned: 4,
      counts: { finished: 2, running: 1, failed: 3, interrupted: 5 },
    },
    result: { best: own !== null, tied: own === null ? "no" : "yes", versus: own },
    values: Object.fromEntries(measures.map((measure) => [measure.key, measured(view(runs), measure)])),
  });
  const [other, reference] = [row("row", versus), row("base", null)];
  const found = shown(gridTable(view({
    groups: [{ title: null, rows: [other, reference] }],
    reference: reference.configuration,
    shown: measures,
    settings: ["width"],
    experiment: null,
    answer: null,
    notes: [],
  })));
  assertEquals(found["Configuration"], ["row", "base"]);
  assertEquals(found["width"], ["9", "9"]);
  const counts = ["seeds finished", "seeds", "running", "failed", "interrupted", "planned"];
  assertEquals(counts.map((name) => (found[`raw ${name}`] as unknown[])[0]), [2, 10, 1, 3, 5, 4]);
  assertEquals(found["Points over base"], ["+5.1 ± 1.2", "reference"]);
  assertEquals([found["raw difference"], found["raw difference ci95"]], [[0.051, null], [0.012, null]]);
  assertEquals([found["p"], found["raw p"], found["raw p Holm"]], [[".04", "–"], [0.034, null], [0.045, null]]);
  assertEquals(found["Verdict"], ["better", "–"]);
  assertEquals(found["raw seeds needed"], [7, null]);
  assertEquals(found["Tied with best"], ["yes", "no"]);
  assertEquals((found["Contribution gap"] as string[])[0].slice(0, 5), "0.160");
  assertEquals((found["Test accuracy %"] as string[])[0].slice(0, 4), "92.0");
});

Deno.test("the page of a comparison: differences over seeds and over samples, and settings that differ", () => {
  const reference = { label: "base", runs: [known(0)] };
  const item = { label: "row", runs: [known(2)] };
  assertEquals(shown(differenceTable(view({ reference, differences: [{ item, versus }] }))), {
    "Configuration": ["row"],
    "Common seeds": ["4"],
    "Difference in points": ["+5.10"],
    "raw difference": [0.051],
    "± 95 % CI": ["1.20"],
    "raw ci95": [0.012],
    "p": [".03"],
    "p, Holm": [".04"],
    "At 5 %": ["better"],
    "Seeds that would show it": ["7"],
  });
  const [cells] = differenceTable(view({ reference, differences: [{ item, versus }] })).rows;
  assertEquals(cells.map(({ raw }) => raw?.[0]), ["row", 4, 0.051, 0.012, 0.034, 0.045, "better", 7]);
  const bootstrap = { difference: 0.021, low: -0.013, high: 0.042, draws: 500 };
  const mcNemar = [{ seed: 0, p: 0.25, onlyFirst: 6, onlySecond: 2 }, {
    seed: 1,
    p: 0.5,
    onlyFirst: 3,
    onlySecond: 1,
  }];
  assertEquals(shown(sampleTable(view({ reference }), view([{ item, bootstrap, mcNemar }]))), {
    "Configuration": ["row"],
    "Seeds": ["2"],
    "Difference in points": ["+2.10"],
    "raw difference": [0.021],
    "95 % over seeds and samples": ["−1.3 to +4.2"],
    "raw low": [-0.013],
    "raw high": [0.042],
    "McNemar's p by seed": [".25, .50"],
    "Right alone : wrong alone": ["6:2, 3:1"],
  });
  const of = (label: string) => ({ label, runs: [{ config: configOf({ fusion: "sum", modalities }) }] });
  const same = shown(settingTable(view({ items: [of("a"), of("b")], settings: ["fusion"] })));
  assertEquals(same, { "Setting": ["fusion"], "a": ["sum"], "b": ["sum"] });
});

Deno.test("tuning: as given, tuned, what it adds and costs; what each study chose", () => {
  const accuracy = (mean: number, ci95: number) => ({ mean, ci95 });
  const given = { testAccuracy: accuracy(0.71, 0.011), versus: { ...versus, difference: 0.021, ci95: 0.004 } };
  const result = {
    label: "row",
    across: null,
    trials: 8,
    given,
    tuned: { testAccuracy: accuracy(0.82, 0.022), versus, best: true, tied: "yes" },
    gain: { difference: 0.11, ci95: 0.033 },
    cost: { runs: 24, teachers: 0, samplesDrawn: 56_000, seconds: 789.4 },
    studies: [{ seed: 3, validation: 0.84, givenValidation: 0.74, failed: 2, settings: ["training.learningRate=0.1"] }],
  };
  assertEquals(shown(tuningTable(view([result]), "base")), {
    "configuration": ["row"],
    "as given %": ["71.0 ± 1.1"],
    "raw given": [0.71],
    "raw given ci95": [0.011],
    "tuned %": ["82.0 ± 2.2"],
    "raw tuned": [0.82],
    "raw tuned ci95": [0.022],
    "tuning adds": ["+11.0 ± 3.3"],
    "raw gain": [0.11],
    "raw gain ci95": [0.033],
    "as given over base": ["+2.1 ± 0.4"],
    "raw given difference": [0.021],
    "raw given difference ci95": [0.004],
    "tuned over base": ["+5.1 ± 1.2"],
    "raw tuned difference": [0.051],
    "raw tuned difference ci95": [0.012],
    "p": [".04"],
    "raw p": [0.034],
    "raw p Holm": [0.045],
    "verdict": ["better"],
    "tied with best": ["yes"],
    "runs": ["24"],
    "samples": ["56.0 k"],
    "seconds": ["789"],
  });
  assertEquals(shown(chosenTable(view([result]))), {
    "configuration": ["row"],
    "study": ["3"],
    "validation %": ["84.0"],
    "raw validation": [0.84],
    "as given %": ["74.0"],
    "raw given validation": [0.74],
    "failed": ["2"],
    "settings": ["training.learningRate=0.1"],
  });
});

Deno.test("rules of selection, a paper's table beside ours, and several data sets, column by column", () => {
  const interval = (mean: number, ci95: number) => ({ mean, ci95 });
  assertEquals(
    shown(selectionTable(view([{
      label: "row",
      validation: interval(0.71, 0.01),
      last: interval(0.72, 0.02),
      oracle: interval(0.74, 0.03),
      lastMinusValidation: interval(0.013, 0.004),
      oracleMinusValidation: interval(0.035, 0.006),
    }]))),
    {
      "row": ["row"],
      "best on validation %": ["71.0 ± 1.0"],
      "raw validation": [0.71],
      "raw validation ci95": [0.01],
      "last epoch %": ["72.0 ± 2.0"],
      "raw last": [0.72],
      "raw last ci95": [0.02],
      "last adds": ["+1.3 ± 0.4"],
      "raw last minus validation": [0.013],
      "raw last minus validation ci95": [0.004],
      "best on test (oracle) %": ["74.0 ± 3.0"],
      "raw oracle": [0.74],
      "raw oracle ci95": [0.03],
      "oracle adds": ["+3.5 ± 0.6"],
      "raw oracle minus validation": [0.035],
      "raw oracle minus validation ci95": [0.006],
    },
  );
  const column = {
    data: "CREMA-D",
    modality: null,
    measuredOn: "av-digits",
    reference: "base",
    rows: [{
      subject: "arm",
      printed: 66.52,
      printedDifference: 4.25,
      measured: interval(0.93, 0.014),
      versus,
      sign: "agrees",
    }],
  };
  assertEquals(shown(reproducedTable(view(column), "Table 1")), {
    "row": ["arm"],
    "printed %": ["66.52"],
    "raw printed": [66.52],
    "printed over base": ["+4.25"],
    "raw printed difference": [4.25],
    "measured %": ["93.0 ± 1.4"],
    "raw measured": [0.93],
    "raw measured ci95": [0.014],
    "measured over base": ["+5.1 ± 1.2"],
    "raw difference": [0.051],
    "raw difference ci95": [0.012],
    "p": [".04"],
    "raw p": [0.034],
    "raw p Holm": [0.045],
    "verdict": ["better"],
    "printed sign": ["agrees"],
  });
  const estimate = (value: number) => ({ value, low: value - 0.01, high: value + 0.02 });
  const found = shown(acrossTable(view({
    dataSets: ["one", "two", "three"],
    reference: "base",
    results: [{
      subject: "arm",
      iqm: estimate(0.81),
      improvement: estimate(0.62),
      rank: 1.33,
      means: [0.71, 0.72, 0.73],
    }],
    ranking: null,
    incomplete: [],
  })));
  assertEquals(found["row"], ["arm"]);
  assertEquals(found["IQM %"], ["81.0 [80.0, 83.0]"]);
  assertEquals(found["chance of improvement over base %"], ["62.0 [61.0, 64.0]"]);
  assertEquals(found["mean rank"], ["1.33"]);
  assertEquals([found["one %"], found["two %"], found["three %"]], [["71.0"], ["72.0"], ["73.0"]]);
  const ends = ["iqm low", "iqm high", "improvement low", "improvement high"].map((name) => found[`raw ${name}`]);
  assertEquals(ends.map((values) => (values as number[])[0].toFixed(2)), ["0.80", "0.83", "0.61", "0.64"]);
});

Deno.test("samples, one sample, confusion, calibration and the numbers of charts, column by column", () => {
  const classes = ["cat", "dog", "owl"];
  const readouts = [["fused", 1, 0.61], ["audio", 2, 0.52], ["image", 0, 0.43], ["text", 1, 0.34]] as const;
  const row = {
    id: 17,
    label: 2,
    loss: 0.4943,
    readouts: readouts.map(([name, predicted, probability]) => ({
      name,
      predicted,
      probability,
      right: predicted === 2,
    })),
    phi: [["audio", 0.25], ["image", -0.125], ["text", 0.5]],
  };
  const about = {
    classes,
    configuration: { label: "row" },
    run: { config: { seed: 4 } },
    query: { split: "validation" },
  };
  assertEquals(shown(samplesTable(view({ ...about, rows: [row] }))), {
    "Sample": ["17"],
    "True class": ["owl"],
    "Loss": ["0.4943"],
    "By fused": ["dog"],
    "p true by fused": ["0.6100"],
    "By audio": ["owl"],
    "p true by audio": ["0.5200"],
    "By image": ["cat"],
    "p true by image": ["0.4300"],
    "By text": ["dog"],
    "p true by text": ["0.3400"],
    "φ audio": ["0.2500"],
    "φ image": ["−0.1250"],
    "φ text": ["0.5000"],
  });
  assertEquals(shown(readoutTable(view({ ...about, split: "test", row }))), {
    "Readout": ["fused", "audio readout", "image readout", "text readout"],
    "Predicted": ["dog, wrong", "owl", "cat, wrong", "dog, wrong"],
    "p of the true class": ["0.6100", "0.5200", "0.4300", "0.3400"],
    "φ": ["–", "0.2500", "−0.1250", "0.5000"],
  });
  const evidence = {
    classes,
    confusion: [[5, 1, 2], [3, 6, 0], [4, 7, 8]],
    calibrations: [
      ["fused", { ece: 0.021, bins: [{ count: 9, confidence: 0.55, accuracy: 0.44 }] }],
      ["text", { ece: 0.032, bins: [{ count: 8, confidence: 0.66, accuracy: 0.77 }] }],
    ],
  };
  // Rows are true, columns predicted classes.
  assertEquals(shown(confusionTable(view(evidence), "row")), {
    "True class": classes,
    "cat": ["5", "3", "4"],
    "dog": ["1", "6", "7"],
    "owl": ["2", "", "8"],
  });
  assertEquals(shown(calibrationTable(view(evidence), "row")), {
    "Readout": ["fused", "text"],
    "ECE %": ["2.10", "3.20"],
    "raw ece": [0.021, 0.032],
    "Samples": ["9", "8"],
    "Confidence %": ["55.0", "66.0"],
    "raw confidence": [0.55, 0.66],
    "Accuracy %": ["44.0", "77.0"],
    "raw accuracy": [0.44, 0.77],
  });
  const chart = { title: "t", about: "a" };
  const intervals = { ...chart, kind: "intervals", percent: true, rows: [{ name: "row", mean: 0.5, ci95: 0.02 }] };
  assertEquals(shown(chartTable(view(intervals))), {
    "Configuration": ["row"],
    "Mean %": ["50.00"],
    "raw mean": [0.5],
    "± 95 % CI": ["2.00"],
    "raw ci95": [0.02],
  });
  const lines = {
    ...chart,
    kind: "lines",
    percent: false,
    xTitle: "Epoch",
    series: modalities.map((name, u) => ({ name, x: [1, 2], y: [10 + u, 20 + u], low: [9, 18], high: [13, 26] })),
  };
  const drawn = shown(chartTable(view(lines)));
  assertEquals([drawn["Epoch"], drawn["text"]], [["1", "2"], ["12 ± 1", "22 ± 4"]]);
  assertEquals([drawn["raw image"], drawn["raw image: ci95 low"], drawn["raw image: ci95 high"]], [
    [11, 21],
    [9, 18],
    [13, 26],
  ]);
  const histogram = { ...chart, kind: "histogram", bins: ["0.9", "1.0"], binTitle: "W", epochs: [1, 2] };
  assertEquals(shown(chartTable(view({ ...histogram, counts: [[3, 4], [5, 6]] }))), {
    "Epoch": ["1", "2"],
    "0.9": ["3", "5"],
    "1.0": ["4", "6"],
  });
  const field = { ...chart, kind: "field", xTitle: "epoch", yTitle: "sample", x: [1, 2], y: [7, 8] };
  assertEquals(shown(chartTable(view({ ...field, values: [[0.1, 0.2], [0.3, 0.4]] }))), {
    "sample": ["7", "8"],
    "epoch 1": ["0.1", "0.3"],
    "epoch 2": ["0.2", "0.4"],
  });
  const points = { ...chart, kind: "points", groups: [{ name: "cat", points: [[0.5, 0.25, 3]] }] };
  assertEquals(shown(chartTable(view(points))), { "Group": ["cat"], "Sample": ["3"], "x": ["0.5"], "y": ["0.25"] });
});
