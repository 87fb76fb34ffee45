import { assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import {
  answerOf,
  type CellOutcome,
  checkReference,
  comparableGroups,
  configurations,
  jsonLine,
  resultTable,
  shortCount,
  tableNotes,
  whyApart,
} from "../../experiments/mod.ts";

/** What an outcome of a made-up run is like. */
interface Spec {
  readonly label?: string;
  readonly accuracy?: number;
  readonly modalities?: readonly string[];
  readonly encoder?: string;
  readonly epochs?: number;
  readonly budget?: string;
  readonly fingerprint?: string;
  readonly readsLabels?: boolean;
  readonly multiplyAdds?: number | null;
  readonly trainingMultiplyAdds?: number | null;
  readonly samplesDrawn?: number;
  readonly seconds?: number;
}

function outcome(seed: number, spec: Spec = {}): CellOutcome {
  const { label = "x", accuracy = 0.5, modalities = ["audio", "image", "text"], readsLabels, ...costs } = spec;
  const perModality = Object.fromEntries(modalities.map((name, u) => [name, {
    accuracy: 0.9 - 0.1 * u,
    readout: "mean",
    ablateMean: 0.85 - 0.1 * u,
    phi: 0.3 - 0.1 * u,
  }]));
  return {
    status: "finished",
    cell: {
      request: { label },
      seed,
      id: `${label}${seed}`,
      config: {
        dataset: { name: "d", options: {}, fingerprint: spec.fingerprint ?? "f" },
        modalities,
        encoders: Object.fromEntries(modalities.map((name) => [name, { name: spec.encoder ?? "mlp", options: {} }])),
        fusion: { name: "concat" },
        methods: [],
        training: { budget: spec.budget ?? "samples", epochs: spec.epochs ?? 4 },
        engine: { name: "e", version: "1", threads: 1 },
      },
    },
    summary: {
      test: { accuracy, macroF1: 0.5, perModality, contributionGap: 0.25, jointContribution: 0.125 },
      epochs: 4,
      parameters: 7,
      ...costs,
      samplesDrawn: spec.samplesDrawn ?? 4000,
      ...(readsLabels ? { readsLabels: true } : {}),
    },
    timing: { seconds: spec.seconds ?? 1, stepMs: 4 + seed },
  } as unknown as CellOutcome;
}

/** A row of seeds by their accuracies. */
const row = (label: string, accuracies: readonly number[], spec: Spec = {}) =>
  accuracies.map((accuracy, seed) => outcome(seed, { ...spec, label, accuracy }));

Deno.test("configurations() pass costs on, training's as the mean over seeds; older runs have none", () => {
  const [result] = configurations([
    outcome(0, { multiplyAdds: 2000, trainingMultiplyAdds: 100 }),
    outcome(1, { multiplyAdds: 2000, trainingMultiplyAdds: 300 }),
  ]);
  assertEquals([result.multiplyAdds, result.trainingMultiplyAdds], [2000, 200]);
  assertEquals(result.stepMs, 4.5);
  for (const old of [{}, { multiplyAdds: null, trainingMultiplyAdds: null }]) {
    const [unknown] = configurations([outcome(0, old)]);
    assertEquals([unknown.multiplyAdds, unknown.trainingMultiplyAdds], [null, null]);
  }
});

Deno.test("configurations() take means over seeds, and the readout and the ablation of each modality for what they are", () => {
  const [result] = configurations([
    outcome(0, { accuracy: 0.5, samplesDrawn: 10, seconds: 1 }),
    outcome(1, { accuracy: 0.7, samplesDrawn: 30, seconds: 4 }),
  ]);
  assertEquals(result.testAccuracy.mean, 0.6);
  assertEquals([result.samplesDrawn, result.seconds, result.epochs, result.parameters], [20, 2.5, 4, 7]);
  assertEquals(result.seeds, [0, 1]);
  assertEquals(result.runs, ["x0", "x1"]);
  assertAlmostEquals(result.perModality.text.accuracy, 0.7, 1e-12);
  assertAlmostEquals(result.perModality.text.ablateMean, 0.65, 1e-12);
  assertEquals([result.macroF1, result.contributionGap, result.jointContribution], [0.5, 0.25, 0.125]);
});

Deno.test("the table compares with the reference, says each column for what it is, and folds what is the same in all rows", () => {
  const results = configurations([
    ...row("concat", [0.90, 0.91, 0.93], { multiplyAdds: 2000, seconds: 1 }),
    ...row("arm", [0.95, 0.959, 0.981], { multiplyAdds: 2000, seconds: 3 }),
    ...row("audio only", [0.80, 0.812, 0.829], { modalities: ["audio"], multiplyAdds: 500 }),
  ]);
  const [head, , ...rows] = resultTable(results).split("\n").map((line) => line.trim().split(/ {2,}/));
  assertEquals(head, [
    "configuration",
    "test acc. %",
    "points over concat",
    "p",
    "verdict",
    "tied with best",
    "audio readout %",
    "image readout %",
    "text readout %",
    "gap",
    "s/run",
    "ms/step",
    "mult-adds",
  ]);
  assertEquals(rows[0], [
    ...["concat", "91.3 ± 3.8", "reference", "-", "-", "no", "90.0 (85.0)", "80.0 (75.0)", "70.0 (65.0)", "0.250"],
    ...["1.0", "5.0", "2.00 k"],
  ]);
  // By hand, with p = 1 - t / sqrt(2 + t^2): t = 86.6 gives .000133 and -113.1 .000078; Holm: twice the smaller for both.
  assertEquals(rows[1].slice(0, 6), ["arm *", "96.3 ± 4.0", "+5.0 ± 0.2", ".0002", "better", "yes"]);
  assertEquals(rows[1].slice(10, 11), ["3.0"]);
  assertEquals(rows[2].slice(4, 10), ["worse", "no", "90.0 (85.0)", "-", "-", "-"]);
  const notes = tableNotes(results, "4 epochs");
  assertStringIncludes(notes, "arm: +5.0 ± 0.2 points over concat, p .0002: better, shown with 3 seeds.\n");
  assertStringIncludes(notes, "All rows: samples drawn 4000, epochs 4, params 7.");
  assertStringIncludes(notes, "Mean ± 95 % CI over 3 seeds");
  assertStringIncludes(notes, "* told apart from every other.");
});

Deno.test("a narrow terminal gets the comparison whole, and is told what is left out", () => {
  const results = configurations([
    ...row("concat", [0.90, 0.91, 0.93], { multiplyAdds: 1 }),
    ...row("arm", [0.95, 0.959, 0.981], { multiplyAdds: 2, seconds: 2 }),
  ]);
  const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));
  const whole = resultTable(results);
  assertEquals(widest(resultTable(results, { width: widest(whole) })), widest(whole));
  const narrow = resultTable(results, { width: 80 });
  assertEquals(widest(narrow) <= 80, true);
  // Titles are broken between words before a column goes.
  const title = narrow.split("\n---")[0].split(/\s+/);
  for (const word of ["test", "acc.", "points", "over", "concat", "verdict", "tied", "with", "best"]) {
    assertEquals(title.includes(word), true, word);
  }
  assertEquals(resultTable(results, { width: widest(whole) - 1 }).includes("mult-adds"), true);
  // What matters least goes first.
  assertEquals(narrow.includes("mult-adds"), false);
  assertStringIncludes(
    tableNotes(results, "x", { width: 80 }).replaceAll("\n", " "),
    "Left out for the width of this terminal: ",
  );
});

Deno.test("the reference is the first row unless another is named; a row that failed has nothing compared with it", () => {
  const cells = [...row("a", [0.5, 0.52, 0.51]), ...row("b", [0.9, 0.91, 0.93])];
  const versus = (reference?: string) => configurations(cells, { reference }).map((result) => result.versus);
  assertEquals(versus().map((own) => own?.reference ?? null), [null, "a"]);
  assertEquals(versus("b").map((own) => own?.reference ?? null), ["b", null]);
  assertEquals(versus()[1]!.difference! > 0 && versus("b")[0]!.difference! < 0, true);
  const failed = { status: "failed", cell: { request: { label: "a" } } } as unknown as CellOutcome;
  const [only] = configurations([failed, ...row("b", [0.9, 0.91, 0.93])]);
  assertEquals(only.versus, null);
  const rest = configurations([failed, ...row("b", [0.9, 0.91, 0.93]), ...row("c", [0.5, 0.52, 0.51])]);
  assertEquals(rest.map(({ versus }) => versus), [null, null]);
  // One that reads labels is compared with nothing, whichever of the two it is.
  const honest = configurations([...row("a", [0.5, 0.52, 0.51]), ...row("cheat", [1, 0.99, 1], { readsLabels: true })]);
  assertEquals(honest[1].versus!.reason, "one of them reads the labels of what it predicts");
  assertEquals(checkReference("b", ["a", "b"]), "b");
  assertThrows(() => checkReference("conct", ["concat", "arm"]), Refusal, 'did you mean "concat"?');
});

Deno.test("answerOf() is of the best row that has a test, and of none that reads labels", () => {
  const of = (...rows: CellOutcome[][]) => answerOf(configurations(rows.flat()));
  const reference = row("concat", [0.90, 0.91, 0.93]);
  assertEquals(of(reference), null);
  assertStringIncludes(
    of(reference, row("low", [0.8, 0.82, 0.81]), row("high", [0.94, 0.97, 0.98]), row("one", [0.99]))!,
    "high: +5.0 ± 2.5 points over concat",
  );
  assertStringIncludes(
    of(reference, row("low", [0.8, 0.82, 0.81]), row("cheat", [1, 1, 0.99], { readsLabels: true }))!,
    "low:",
  );
  assertStringIncludes(of(reference, row("one", [0.99]))!, "one: not tested against concat");
  assertEquals(of(reference, row("cheat", [1, 1, 0.99], { readsLabels: true })), null);
});

Deno.test("rows with other data, encoders or budgets are not ranked together, and it is said", () => {
  const base = row("concat", [0.5, 0.52, 0.51]);
  for (
    const [spec, why] of [
      [{ fingerprint: "g" }, "trained on other data"],
      [{ epochs: 8 }, "trained with another budget"],
      [{ budget: "epochs" }, "trained with another budget"],
      [{ encoder: "cnn" }, "trained with other encoders"],
    ] as const
  ) {
    const results = configurations([...base, ...row("other", [0.9, 0.91, 0.93], spec)]);
    assertEquals(results.map(({ group, tied, best }) => [group, tied, best]), [[0, "yes", false], [1, "yes", false]]);
    assertEquals([results[1].versus!.verdict, results[1].versus!.reason], ["untested", why]);
    assertStringIncludes(tableNotes(results, "x"), "are not ranked together: concat | other.");
  }
  // A model of one modality is a part of those of all.
  const parts = configurations([...base, ...row("audio only", [0.9, 0.91, 0.93], { modalities: ["audio"] })]);
  assertEquals(parts.map(({ group, best }) => [group, best]), [[0, false], [0, true]]);
});

Deno.test("comparableGroups() put each row into one group, in the order of the rows, models of one modality with the rest", () => {
  const setting = (modalities: string[], encoder: string) => ({
    dataset: { name: "d", options: {}, fingerprint: "f" },
    modalities,
    encoders: Object.fromEntries(modalities.map((name) => [name, { name: encoder, options: {} }])),
    training: { budget: "samples", epochs: 1 },
  });
  const rows = [
    setting(["a"], "cnn"),
    setting(["a", "b"], "mlp"),
    setting(["b"], "mlp"),
    setting(["a", "b"], "cnn"),
    setting(["a"], "mlp"),
    // deno-lint-ignore no-explicit-any
  ] as any[];
  const groups = comparableGroups(rows, (own) => own).map((group) => group.map((own) => rows.indexOf(own)));
  assertEquals(groups, [[0, 3], [1, 2, 4]]);
  assertEquals(whyApart(rows[0], rows[1]), "with other encoders");
  assertEquals(whyApart(rows[0], rows[2]), null);
});

Deno.test("shortCount() keeps three digits", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [999, "999"],
    [999.6, "1.00 k"],
    [1234, "1.23 k"],
    [99_960, "100 k"],
    [1_814_073_344, "1.81 G"],
    [11_176_512, "11.2 M"],
    [2e15, "2.00 P"],
  ];
  for (const [count, text] of cases) assertEquals(shortCount(count), text);
});

Deno.test("tableNotes() says what the tests say, and where there is nothing to test", () => {
  const notes = (a: number[], b: number[]) => tableNotes(configurations([...row("a", a), ...row("b", b)]), "4 epochs");
  assertStringIncludes(notes([0.9, 0.91, 0.92], [0.5, 0.52, 0.51]), "* told apart from every other");
  assertStringIncludes(notes([0.9, 0.5, 0.7], [0.6, 0.8, 0.65]), "Not told apart from the best: a, b.");
  assertStringIncludes(notes([0.9, 0.91], [0.5, 0.51]), "a test needs at least 3 common seeds");
  // Three equal differences look certain, and are not.
  const equal = notes([0.9, 0.91, 0.92], [0.5, 0.51, 0.52]);
  assertStringIncludes(equal, "b: −40.0 points over a: untested (all 3 differences are equal");
  assertEquals(equal.includes("told apart"), false);
  assertEquals(notes([0.9], []).includes("tested:"), false);
  assertStringIncludes(notes([0.9], []), "over 1 seed (");
});

Deno.test("a line of JSON holds the comparison", () => {
  const [a, b] = configurations([...row("a", [0.9, 0.91, 0.92]), ...row("b", [0.5, 0.52, 0.51])])
    .map((result) => JSON.parse(jsonLine(result)));
  assertEquals([a.versus, a.tied, a.best, b.tied, b.best], [null, "yes", true, "no", false]);
  assertEquals(Object.keys(b.versus).sort(), [
    ...["ci95", "difference", "n", "p", "pHolm", "reason", "reference", "seedsNeeded", "verdict"],
  ]);
  assertEquals([b.versus.reference, b.versus.verdict], ["a", "worse"]);
});
