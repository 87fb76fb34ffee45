/** Tuning at equal cost. Points of SciPy: tests/golden/sobol.py. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import golden from "../golden/sobol.json" with { type: "json" };
import type { CellRequest } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { part } from "../../experiments/config.ts";
import { planGrid } from "../../experiments/plan.ts";
import type { FinishedRun } from "../../experiments/results.ts";
import { mostDimensions, sobol } from "../../experiments/tuning/sobol.ts";
import { searchSpace, settingsAt, valueAt } from "../../experiments/tuning/space.ts";
import {
  chosen,
  givenAndTuned,
  planStudies,
  planTuning,
  runKey,
  tuningResults,
} from "../../experiments/tuning/tune.ts";
import { createLibrary } from "../../library.ts";
import { tuningTable } from "../../viewer/tuning_table.ts";
import { configOf, type RunSpec, summaryOf } from "../helpers/runs.ts";

const library = createLibrary();
const request = (label: string, methods: readonly string[], over: Partial<CellRequest> = {}): CellRequest => ({
  label,
  dataset: part("av-digits"),
  encoder: part("cnn"),
  fusion: part("concat"),
  methods: methods.map((name) => part(name)),
  training: {},
  ...over,
});

Deno.test("sobol() gives SciPy's points, which it lists in Gray-code order, in all dimensions", () => {
  assertEquals(golden.points[0].length, mostDimensions);
  golden.points.forEach((point, i) => assertEquals(point.map((_, d) => sobol(i ^ (i >> 1), d)), point, `point ${i}`));
  assertThrows(() => sobol(0, mostDimensions), Refusal, "its dimension below 40");
});

Deno.test("searchSpace() is the learning rate and the methods' own ranges, default parts included; what was set is left out", () => {
  assertEquals(searchSpace(request("concat", []), library).map(({ key }) => key), ["training.learningRate"]);
  assertEquals(
    searchSpace(request("both", ["uni-ce", "arm-dsr"]), library).map(({ key, within }) => [key, within]).slice(0, 2),
    [["training.learningRate", undefined], ["uni-ce.weight", undefined]],
  );
  const arm = searchSpace(request("arm", ["arm"]), library);
  assertEquals(arm.find(({ key }) => key === "arm.sampler.k")!.within, ["arm.sampler", "dsr"]);
  const set = request("set", [], {
    methods: [part("arm", { sampler: part("dsr"), lambda1: 0 })],
    training: { learningRate: 0.1 },
  });
  const left = searchSpace(set, library, ["training.learningRate"]).map(({ key }) => key);
  assert(!left.some((key) => /learningRate|sampler|lambda1/.test(key)) && left.includes("arm.lambda2"), left.join());
  assertThrows(
    () => searchSpace(request("fixed", []), library, ["training.learningRate"]),
    Refusal,
    'Cannot tune "fixed" as 1 to 40 of its options must be tuned: found 0; leave --set out',
  );
});

Deno.test("valueAt() goes through the list at equal ratios, and takes integers and parts from the list itself", () => {
  const rates = { values: [0.01, 0.04, 0.1], between: true };
  assertEquals([0, 0.25, 0.5, 0.9999999].map((place) => valueAt(rates, place)), [0.01, 0.02, 0.04, 0.1]);
  assertEquals([0, 0.25, 0.75].map((place) => valueAt({ values: [0, 0.1, 1], between: true }, place)), [
    0,
    0.05,
    0.316,
  ]);
  assertEquals([0, 0.34, 0.99].map((place) => valueAt({ values: [0, 7, 10], between: false }, place)), [0, 7, 10]);
  assertEquals(valueAt({ values: ["a", "b"], between: false }, 0.5), "b");
  assertEquals(valueAt({ values: [3], between: true }, 0.7), 3);
});

Deno.test("every method tries the same learning rates; each eight of them lie in eight different eighths of the range", () => {
  const rates = (methods: string[], from: number) => {
    const space = searchSpace(request("x", methods), library);
    return Array.from({ length: 8 }, (_, i) => settingsAt(space, from + i)[0]);
  };
  assertEquals(rates([], 8), rates(["arm"], 8));
  assertEquals(rates(["uni-ce"], 0), rates(["arm"], 0));
  for (const from of [0, 8, 16]) {
    const places = rates([], from).map((text) => {
      const value = Number(text.split("=")[1]);
      const list = [0.005, 0.01, 0.02, 0.05, 0.1];
      const low = Math.min(3, list.filter((known) => known <= value).length - 1);
      return (low + Math.log(value / list[low]) / Math.log(list[low + 1] / list[low])) / 4;
    });
    // Three digits move a place by less than a hundredth of an eighth.
    assertEquals(new Set(places.map((place) => Math.floor(8 * place))).size, 8, `${places}`);
  }
});

Deno.test("every method with ranges can be tuned: all that its points set is allowed, and options of parts follow the part", () => {
  for (const { name } of library.of("method").list()) {
    const own = request(name, [name]);
    const { cells } = planTuning([own], { seeds: [0], trials: 16, library });
    for (const cell of cells) {
      for (const { name, options } of cell.methods) library.bind("method", { name, options });
    }
  }
  const space = searchSpace(request("arm", ["arm"]), library);
  for (let i = 0; i < 32; i++) {
    const settings = settingsAt(space, i);
    const uses = settings.includes("arm.sampler=dsr");
    assertEquals(settings.some((text) => text.startsWith("arm.sampler.k=")), uses, settings.join(" "));
  }
});

Deno.test("planTuning() gives every configuration as many trials in each study, of other points, with the study's seed", () => {
  const { cells, seedsOf, tuning } = planTuning([request("concat", []), request("arm", ["arm"])], {
    seeds: [0, 1],
    trials: 3,
    library,
  });
  assertEquals(cells.length, 2 + 2 * 2 * 3);
  assertEquals(tuning.rows.map(({ trials }) => trials.length), [6, 6]);
  assertEquals(seedsOf(cells[0]), [0, 1]);
  const [first] = tuning.rows;
  assertEquals(first.trials.map(({ study }) => study), [0, 0, 0, 1, 1, 1]);
  assertEquals(new Set(first.trials.flatMap(({ settings }) => settings)).size, 6);
  for (const { label, study } of first.trials) {
    assertEquals(seedsOf(cells.find((cell) => cell.label === label)!), [study]);
  }
});

Deno.test("planTuning(): a grid's own learning rate is tuned by the default's factors, one that --set sets is not", () => {
  const given = request("icon", ["uni-ce"], { training: { learningRate: 0.001 } });
  const [rate] = searchSpace(given, library);
  assertEquals([rate.key, rate.values], ["training.learningRate", [0.00025, 0.0005, 0.001, 0.0025, 0.005]]);
  const keys = searchSpace(given, library, ["training.learningRate"]).map(({ key }) => key);
  assert(keys.length > 0 && !keys.includes("training.learningRate"), keys.join());
  assertEquals(searchSpace(given, library, ["training.epochs"])[0].key, "training.learningRate");
});

Deno.test("planTuning(): more trials have those of fewer among them, so that what was trained serves again", () => {
  const settings = (trials: number) =>
    planTuning([request("arm", ["arm"])], { seeds: [0, 1, 2], trials, library }).tuning.rows[0].trials
      .map((trial) => [trial.label, trial.settings.join(" ")].join(": "));
  const many = settings(8);
  assertEquals(settings(3).filter((own) => !many.includes(own)), []);
  assertEquals(new Set(many.map((own) => own.split(": ")[1])).size, 24);
});

Deno.test("planStudies() replaces trials that do not fit by the next points, and leaves out what does not fit itself", async () => {
  const asked = [request("concat", []), request("arm", ["arm"]), request("odd", ["uni-ce"])];
  const bad = new Set(["arm, study 0, trial 2", "arm, study 1, trial 4"]);
  let plans = 0;
  const { tuning, trialOf, cells } = await planStudies(asked, { seeds: [0, 1], trials: 3, library }, ({ cells }) => {
    plans++;
    const unfit = cells.filter(({ label }) => bad.has(label) || label.startsWith("odd"));
    return Promise.resolve({ unfit });
  });
  assertEquals(tuning.rows.map(({ label, trials }) => [label, trials.length]), [["concat", 6], ["arm", 6]]);
  assertEquals(tuning.rows[1].trials.map(({ label }) => label.slice("arm, study ".length)), [
    "0, trial 1",
    "0, trial 3",
    "0, trial 4",
    "1, trial 1",
    "1, trial 2",
    "1, trial 3",
  ]);
  assertEquals([plans, trialOf(cells[0]), trialOf(cells.at(-1)!)], [2, null, "odd"]);
});

Deno.test("planStudies() tries listed values in every study, and of them those that differ from what is given", async () => {
  const values = [["training.learningRate=0.02"], ["training.learningRate=0.1"]];
  const { tuning } = await planStudies(
    [request("concat", [])],
    { seeds: [0, 1], trials: 2, library, values },
    (own) => Promise.resolve({ unfit: own.cells.filter(({ label }) => label.endsWith("trial 1")) }),
  );
  assertEquals(tuning.rows, [{
    label: "concat",
    tuned: ["training.learningRate"],
    trials: [0, 1].map((study) => ({ label: `concat, study ${study}, trial 2`, study, settings: values[1] })),
  }]);
});

Deno.test("planGrid() leaves out trials of what their configuration tries already, and refuses what equals another's", async () => {
  const runs = await Deno.makeTempDir();
  const data = { dataset: part("synthetic", { samples: 60 }), encoder: part("mlp") };
  const values = ["0.02", "0.1", "0.10"].map((rate) => [`training.learningRate=${rate}`]);
  const asked = (methods: readonly string[], over: Partial<CellRequest> = {}) =>
    request(methods.join() || "concat", methods, { ...data, ...over });
  const planned = (requests: readonly CellRequest[]) =>
    planStudies(
      requests,
      { seeds: [0, 1], trials: 3, library, values },
      (own) => planGrid({ ...own, seeds: [0, 1], runs, library, engine: "cpu" }),
    );
  const { plan, tuning } = await planned([asked([]), asked(["uni-ce"])]);
  assertEquals(plan.cells.length, 2 * (2 + 2));
  assertEquals(plan.unfit.slice(0, 2), [
    { label: "concat, study 0, trial 1", reason: 'it is "concat"' },
    { label: "concat, study 0, trial 3", reason: 'it is "concat, study 0, trial 2"' },
  ]);
  assertEquals(tuning.rows.map(({ trials }) => trials.length), [2, 2]);
  const error = await assertRejects(
    () => planned([asked([]), asked([], { label: "fast", training: { learningRate: 0.1 } })]),
    Refusal,
  );
  assert(error.message.includes("configurations must differ"), error.message);
  await Deno.remove(runs, { recursive: true });
});

/** A finished run whose test split cannot be looked at before `open` is called. */
function sealed(label: string, seed: number, validation: number, test: number): FinishedRun & { open: () => void } {
  const spec: RunSpec = { seed, accuracy: test };
  const summary = summaryOf(configOf(spec), spec);
  let opened = false;
  const locked = { ...summary, validation: { ...summary.validation, accuracy: validation } };
  Object.defineProperty(locked, "test", {
    enumerable: true,
    get() {
      if (!opened) throw new Error("the test split was read while trials were chosen");
      return { ...summary.test, accuracy: test };
    },
  });
  return {
    label,
    id: `${label}#${seed}`,
    seed,
    config: configOf(spec),
    summary: locked,
    timing: { seconds: 2, stepMs: 1 },
    open: () => opened = true,
  };
}

Deno.test("chosen() reads validation alone, and takes the first of equal ones", () => {
  const runs = [sealed("a", 0, 0.8, 0.1), sealed("b", 0, 0.9, 0.2), sealed("c", 0, 0.9, 0.99)];
  const best = chosen(runs.map((run) => ({ label: run.label, validation: run.summary.validation, run })))!;
  assertEquals(best.label, "b");
  assertThrows(() => best.run.summary.test, Error, "the test split was read");
});

Deno.test("tuningResults(): what is best on validation is compared on test, however the test accuracies lie", () => {
  const { tuning } = planTuning([request("concat", []), request("uni-ce", ["uni-ce"])], {
    seeds: [0, 1, 2],
    trials: 2,
    library,
  });
  const validation = [0.7, 0.6, 0.8]; // as given, trial 1, trial 2
  const runs = (test: (label: string, trial: number, seed: number) => number) =>
    tuning.rows.flatMap(({ label, trials }) => [
      ...[0, 1, 2].map((seed) => sealed(label, seed, validation[0], test(label, 0, seed))),
      ...trials.map((trial, i) =>
        sealed(trial.label, trial.study, validation[1 + i % 2], test(label, 1 + i % 2, trial.study))
      ),
    ]);
  const judged = (test: Parameters<typeof runs>[0]) => {
    const all = runs(test);
    for (const run of all) run.open();
    return tuningResults(tuning, all, { reference: "concat" });
  };
  const results = judged((label, trial, seed) => 0.5 + 0.01 * trial + (label === "uni-ce" ? 0.1 + 0.01 * seed : 0));
  const worst = judged((label, trial, seed) => 0.9 - 0.1 * trial + (label === "uni-ce" ? 0.01 * seed : 0));
  // The same trials, though test would have it the other way round.
  const picks = (all: typeof results) => all.map(({ studies }) => studies.map(({ label, id }) => [label, id]));
  assertEquals(picks(results), picks(worst));
  assertEquals(results[0].studies.map(({ label }) => label), [0, 1, 2].map((seed) => `concat, study ${seed}, trial 2`));
  const [concat, uniCe] = results;
  assertEquals(concat.given.testAccuracy.mean, 0.5);
  assertEquals(concat.tuned.testAccuracy.mean, 0.52);
  assertEquals(uniCe.tuned.versus!.reference, "concat");
  assertEquals([uniCe.tuned.versus!.verdict, uniCe.tuned.seeds], ["better", [0, 1, 2]]);
  assertEquals(Math.round(1000 * uniCe.gain.difference!), 20);
  assertEquals(worst[0].gain.difference! < 0, true);
  assertEquals([concat.cost.runs, concat.cost.seconds], [9, 18]);
  assertEquals(concat.studies[0].settings.length, 1);
});

Deno.test("givenAndTuned() gives chosen runs the names and places of their rows, and leaves out studies that are not complete", () => {
  const { tuning } = planTuning([request("concat", [])], { seeds: [0, 1], trials: 1, library });
  const across = { subject: "concat", data: "digits" };
  const runs = [0, 1].flatMap((seed) => [
    { ...sealed("concat", seed, 0.7, 0.5), across },
    sealed(`concat, study ${seed}, trial 1`, seed, 0.8, 0.6),
  ]);
  const { given, tuned } = givenAndTuned(tuning, runs);
  // What is given is a trial too.
  const best = [{ ...sealed("concat", 0, 0.9, 0.5), across }, runs[1]];
  assertEquals(givenAndTuned(tuning, best).tuned.map(({ id }) => id), ["concat#0"]);
  assertEquals(given.map(({ seed }) => seed), [0, 1]);
  assertEquals(tuned.map((run) => [run.label, run.across, run.id]), [
    ["concat", across, "concat, study 0, trial 1#0"],
    ["concat", across, "concat, study 1, trial 1#1"],
  ]);
  const waiting = new Set([runKey("concat, study 1, trial 1", 1)]);
  assertEquals(givenAndTuned(tuning, runs, waiting).tuned.map(({ seed }) => seed), [0]);
  for (const run of runs) run.open();
  const [result] = tuningResults(tuning, runs, { reference: "concat", pending: waiting });
  assertEquals([result.across, result.given.seeds, result.tuned.seeds, result.trials], [across, [0], [0], 2]);
});

Deno.test("tuningTable() says who had fewer trials, and what is compared on each data set", () => {
  const { tuning } = planTuning([request("concat", []), request("uni-ce", ["uni-ce"])], {
    seeds: [0, 1],
    trials: 2,
    library,
  });
  const runs = tuning.rows.flatMap(({ label, trials }) => [
    ...[0, 1].map((seed) => ({ ...sealed(label, seed, 0.7, 0.5), across: { subject: label, data: "digits" } })),
    ...trials.map((trial) => sealed(trial.label, trial.study, 0.8, 0.6)),
  ]);
  for (const run of runs) run.open();
  const equal = tuningTable(tuningResults(tuning, runs, { reference: "concat" }), "concat");
  assert(equal.notes[0].includes("every configuration had 3 trials"), equal.notes[0]);
  assert(equal.notes[1].startsWith("Over concat on the same data"), equal.notes[1]);
  const [concat, uniCe] = tuning.rows;
  const fewer = { ...tuning, rows: [concat, { ...uniCe, trials: uniCe.trials.filter((_, i) => i % 2 === 0) }] };
  const table = tuningTable(tuningResults(fewer, runs, { reference: "concat" }), "concat");
  assertEquals(table.notes.length, 2);
  assert(table.notes[0].includes("NOT all had as many trials") && table.notes[0].includes("3 (concat); 2 (uni-ce)"));
});

Deno.test("tuningResults(): samples of teachers count, each teacher's once, and the table says so", () => {
  const { tuning } = planTuning([request("concat", [])], { seeds: [0, 1], trials: 1, library });
  const drawn = (id: string, samplesDrawn: number) => ({ id, samplesDrawn });
  const taught = (run: ReturnType<typeof sealed>, teachers: Record<string, ReturnType<typeof drawn>>) => {
    run.open();
    return { ...run, summary: { ...run.summary, samplesDrawn: 1000, teachers } };
  };
  const [first, second] = tuning.rows[0].trials;
  // The trial of study 0 has another rate and so another teacher; that of study 1 has what is given's.
  const runs = [
    taught(sealed("concat", 0, 0.7, 0.5), { audio: drawn("a", 10), image: drawn("b", 20) }),
    taught(sealed("concat", 1, 0.7, 0.5), { audio: drawn("c", 40) }),
    taught(sealed(first.label, 0, 0.8, 0.6), { audio: drawn("d", 80) }),
    taught(sealed(second.label, 1, 0.8, 0.6), { audio: drawn("c", 40) }),
  ];
  const results = tuningResults(tuning, runs, { reference: "concat" });
  assertEquals(results[0].cost, { runs: 4, teachers: 4, samplesDrawn: 4150, seconds: 8 });
  assert(tuningTable(results, "concat").notes[2].startsWith("Samples are with those of teachers"));
});

Deno.test("tuningResults(): a trial without a result is spent and never chosen; a study needs one", () => {
  const { tuning } = planTuning([request("concat", [])], { seeds: [0, 1], trials: 2, library });
  const [first] = tuning.rows[0].trials;
  const run = sealed(first.label, 0, 0.9, 0.9);
  const given = sealed("concat", 0, 0.8, 0.8);
  run.open();
  given.open();
  const [result] = tuningResults(tuning, [given, run], { reference: "concat" });
  assertEquals(result.studies.map(({ seed, failed }) => [seed, failed]), [[0, 1]]);
  assertEquals(tuningResults(tuning, [], { reference: "concat" }), []);
});
