/** Statistics over several data sets, against NumPy and SciPy: tests/golden/across.py. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import golden from "../golden/across.json" with { type: "json" };
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  improvement,
  interquartileMean,
  type Scores,
  shareAbove,
  stratifiedBootstrap,
} from "../../experiments/across/aggregates.ts";
import { acrossOf } from "../../experiments/across/across.ts";
import { part } from "../../experiments/config.ts";
import { collapseSeeds, type FinishedRun } from "../../experiments/results.ts";
import { applySettings } from "../../experiments/settings.ts";
import { createLibrary } from "../../library.ts";
import { answerOf, resultTable } from "../../experiments/table.ts";
import { acrossTable, profileChart, rankDiagram } from "../../viewer/across_tables.ts";
import { configOf, type RunSpec, summaryOf } from "../helpers/runs.ts";
import { chiSquareTail, criticalDifference, ranking, studentizedRange } from "../../experiments/across/ranks.ts";

const [a, b]: Scores[] = [golden.a, golden.b];

Deno.test("interquartileMean() leaves out a quarter at each end, rounded down", () => {
  assertAlmostEquals(interquartileMean(golden.a.flat()), golden.iqm, 1e-14);
  golden.odd.forEach((value, i) => {
    assertAlmostEquals(interquartileMean(Array.from({ length: i + 1 }, (_, j) => (j + 1) ** 2)), value, 1e-12);
  });
  assertEquals(interquartileMean([100, 1, 2, 3, -100]), 2);
  assertThrows(() => interquartileMean([]), Refusal, "there must be a run");
});

Deno.test("improvement() is Mann and Whitney's share of won pairs, equal ones half, mean over data sets", () => {
  assertAlmostEquals(improvement(a, b), golden.improvement, 1e-14);
  assertAlmostEquals(improvement(a, b) + improvement(b, a), 1, 1e-14);
  assertEquals(improvement(a, a), 0.5);
  assertEquals(improvement([[1, 2], [5]], [[0, 1.5], [5]]), (0.75 + 0.5) / 2);
  assertThrows(() => improvement(a, b.slice(1)), Refusal, "found 4 and 3");
});

Deno.test("shareAbove() is the performance profile", () => {
  for (const [threshold, share] of golden.profile) assertAlmostEquals(shareAbove(a, threshold), share, 1e-14);
  assertEquals(shareAbove([[1, 2], [2, 3]], 2), (0 + 1 / 2) / 2); // a score at the threshold is not above it
});

Deno.test("stratifiedBootstrap() draws runs within each data set: intervals of 200,000 resamples in NumPy", () => {
  const many = { resamples: 4000, random: new Random(7) };
  const [iqm] = stratifiedBootstrap([a], ([own]) => [interquartileMean(own.flat())], many);
  const [chance] = stratifiedBootstrap([a, b], ([x, y]) => [improvement(x, y)], many);
  assertAlmostEquals(iqm.value, golden.iqm, 1e-14);
  assertAlmostEquals(iqm.low, golden.iqmInterval[0], 1e-3);
  assertAlmostEquals(iqm.high, golden.iqmInterval[1], 1e-3);
  assertAlmostEquals(chance.low, golden.improvementInterval[0], 0.02);
  assertAlmostEquals(chance.high, golden.improvementInterval[1], 0.02);
  // Data sets are not drawn: with one run on each there is no spread.
  assertEquals(stratifiedBootstrap([[[0.5], [0.9]]], ([own]) => [interquartileMean(own.flat())])[0], {
    value: 0.7,
    low: 0.7,
    high: 0.7,
  });
  assertEquals(stratifiedBootstrap([a], ([own]) => [own[0][0]]), stratifiedBootstrap([a], ([own]) => [own[0][0]]));
});

Deno.test("ranking() is Friedman's test with ties and Nemenyi's critical difference", () => {
  for (const { scores, ranks, chiSquare, p, criticalDifference } of golden.ranked) {
    const found = ranking(scores);
    found.ranks.forEach((rank, i) => assertAlmostEquals(rank, ranks[i], 1e-12));
    assertAlmostEquals(found.chiSquare!, chiSquare, 1e-10);
    assertAlmostEquals(found.p!, p, 1e-12);
    assertAlmostEquals(found.criticalDifference, criticalDifference, 1e-6);
  }
  const tied = ranking([[1, 1], [1, 1], [1, 1]]);
  assertEquals([tied.ranks, tied.chiSquare, tied.p], [[2, 2, 2], null, null]);
  assertThrows(() => ranking([[1, 2]]), Refusal, "found 1 and 2");
  assertThrows(() => ranking([[1], [2]]), Refusal, "found 2 and 1");
});

Deno.test("studentizedRange() and chiSquareTail() are SciPy's, and the paper's example is met", () => {
  for (const [alpha, k, q] of golden.studentizedRange) assertAlmostEquals(studentizedRange(alpha, k), q, 1e-6);
  for (const [x, k, p] of golden.chiSquareTails) {
    assert(Math.abs(chiSquareTail(x, k) - p) < 1e-13 + 1e-9 * p, `${x} ${k}`);
  }
  // Demšar's example: four classifiers on fourteen data sets.
  assertEquals(criticalDifference(4, 14).toFixed(2), "1.25");
});

Deno.test("cliques are the largest sets whose ranks differ by less than the critical difference", () => {
  // Ten sets on which all agree: ranks 1 to 6, of which neighbours within 2.38 are not told apart.
  const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4].map((level) => new Array<number>(10).fill(level));
  const { criticalDifference, cliques } = ranking(scores);
  assertEquals(criticalDifference.toFixed(2), "2.38");
  assertEquals(cliques, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]);
  assertEquals(ranking(scores.slice(0, 2).map((own) => own.slice(0, 8))).cliques, []);
});

/** Runs of subjects on data sets: accuracies by subject, data set and seed. */
function runsOf(scores: Readonly<Record<string, Scores>>): FinishedRun[] {
  return Object.entries(scores).flatMap(([subject, sets]) =>
    sets.flatMap((runs, set) =>
      runs.map((accuracy, seed): FinishedRun => {
        const spec: RunSpec = { seed, dataset: `set-${set}`, accuracy };
        const summary = summaryOf(configOf(spec), spec);
        return {
          label: `${subject}, set-${set}`,
          id: `${subject}-${set}-${seed}`,
          seed,
          config: configOf(spec),
          summary: { ...summary, test: { ...summary.test, accuracy } },
          timing: { seconds: 1, stepMs: 1 },
          across: { subject, data: `set-${set}` },
        };
      })
    )
  );
}

const toy = {
  concat: [[0.5, 0.51, 0.52], [0.7, 0.71, 0.72]],
  arm: [[0.6, 0.612, 0.62], [0.69, 0.71, 0.73]],
  half: [[0.9, 0.9, 0.9]],
};

Deno.test("acrossOf() takes subjects with runs on every data set, and says which lack some", () => {
  const across = acrossOf(runsOf(toy), "concat")!;
  assertEquals(across.dataSets, ["set-0", "set-1"]);
  assertEquals([across.results.map(({ subject }) => subject), across.incomplete], [["concat", "arm"], ["half"]]);
  assertEquals(across.results.map(({ rank }) => rank), [1.75, 1.25]); // second on one, tied on the other
  assertEquals(across.results[0].improvement, null);
  assertAlmostEquals(across.results[1].improvement!.value, (1 + 0.5) / 2, 1e-12);
  assertEquals(acrossOf(runsOf({ concat: [[0.5]] }), "concat"), null);
  // A reference that is no subject gives its place to the first.
  assertEquals(acrossOf(runsOf(toy), "nobody")!.reference, "concat");
});

Deno.test("collapseSeeds(): over several data sets every row is compared with the reference's on its own data", () => {
  const results = collapseSeeds(runsOf(toy), { reference: "concat, set-0" });
  const of = (label: string) => results.find((own) => own.label === label)!.versus;
  assertEquals([of("concat, set-0"), of("concat, set-1")], [null, null]);
  assertEquals(of("arm, set-0")!.reference, "concat, set-0");
  assertEquals(of("arm, set-1")!.reference, "concat, set-1");
  assertAlmostEquals(of("arm, set-1")!.difference!, 0, 1e-12);
  assertEquals(of("arm, set-1")!.verdict, "not told apart");
});

Deno.test("several values of an option of the data are several data sets; of another part rows on each", () => {
  const base = { label: "concat", dataset: part("av-digits"), encoder: part("cnn"), fusion: part("concat") };
  const cells = applySettings(
    [{ ...base, methods: [], training: {} }, { ...base, label: "arm", methods: [part("arm")], training: {} }],
    ["dataset.snr=-10,0", "arm.lambda1=0,1"],
    createLibrary(),
  );
  assertEquals(cells.map(({ label, across }) => [label, across?.subject, across?.data]), [
    ["concat dataset.snr=-10", "concat", "av-digits snr=-10"],
    ["concat dataset.snr=0", "concat", "av-digits snr=0"],
    ["arm dataset.snr=-10 arm.lambda1=0", "arm arm.lambda1=0", "av-digits snr=-10"],
    ["arm dataset.snr=-10 arm.lambda1=1", "arm arm.lambda1=1", "av-digits snr=-10"],
    ["arm dataset.snr=0 arm.lambda1=0", "arm arm.lambda1=0", "av-digits snr=0"],
    ["arm dataset.snr=0 arm.lambda1=1", "arm arm.lambda1=1", "av-digits snr=0"],
  ]);
});

Deno.test("acrossTable(), profileChart() and rankDiagram() show the numbers, and escape names", () => {
  const across = acrossOf(runsOf({ ...toy, "<b>": toy.arm }), "concat")!;
  const table = acrossTable(across);
  assertEquals(table.rows.map((row) => row[0].text), ["concat", "arm", "<b>"]);
  assertEquals(table.rows[1][2].text.startsWith("75.0 ["), true);
  assert(table.notes.some((note) => note.includes("Nemenyi's critical difference at 5 % is 2.34")), table.notes.join());
  const { series } = profileChart(across);
  assertEquals([series[0].y[0]! > 0.5, series[0].y.at(-1)], [true, 0]);
  series.forEach(({ y, low, high }) => y.forEach((value, i) => assert(low![i]! <= value! && value! <= high![i]!)));
  const svg = rankDiagram(across)!;
  assert(svg.includes("&lt;b&gt; 1.75") && !svg.includes("<b>") && svg.includes("critical difference 2.34"));
});

Deno.test("over several data sets the bench's table speaks of the reference, and answers for each", () => {
  const results = collapseSeeds(runsOf({ concat: toy.concat, arm: toy.arm }), { reference: "concat, set-0" });
  assert(resultTable(results).includes("points over the reference"));
  const answer = answerOf(results)!;
  assert(answer.includes("arm, set-0: ") && answer.includes("; arm, set-1: "), answer);
});
