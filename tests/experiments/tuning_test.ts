/** Tuning at equal cost. Points of SciPy: tests/golden/sobol.py. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import golden from "../golden/sobol.json" with { type: "json" };
import type { CellRequest } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { part } from "../../experiments/config.ts";
import type { FinishedRun } from "../../experiments/results.ts";
import { mostDimensions, sobol } from "../../experiments/tuning/sobol.ts";
import { searchSpace, settingsAt, valueAt } from "../../experiments/tuning/space.ts";
import { chosen, planTuning, tuningResults } from "../../experiments/tuning/tune.ts";
import { createLibrary } from "../../library.ts";
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
  const left = searchSpace(set, library).map(({ key }) => key);
  assert(!left.some((key) => /learningRate|sampler|lambda1/.test(key)) && left.includes("arm.lambda2"), left.join());
  assertThrows(
    () => searchSpace(request("fixed", [], { training: { learningRate: 0.1 } }), library),
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
