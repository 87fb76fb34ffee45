import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { GridProfile, Printed } from "../../core/kinds/mod.ts";
import { part } from "../../experiments/config.ts";
import { paperGrids } from "../../experiments/grids/mod.ts";
import { reproduced, reproducedSentence, uncovered } from "../../experiments/reproduce.ts";
import type { FinishedRun } from "../../experiments/results.ts";
import { configOf, summaryOf } from "../helpers/runs.ts";

const rows = ["Concat", "A", "B", "C", "not printed"];
const profile: GridProfile = {
  about: "toy",
  seeds: [0, 1, 2],
  standsFor: { "av-digits": "KS" },
  cells: rows.map((label) => ({
    label,
    dataset: part("av-digits"),
    encoder: part("cnn"),
    fusion: part("concat"),
    methods: [],
    training: {},
  })),
};
const printed: Printed = {
  source: "Table 0",
  reference: "Concat",
  notes: [],
  columns: [
    { data: "KS", values: { Concat: 60, A: 62, B: 58.5, C: 61, "not measured": 65 } },
    { data: "KS", modality: "video", standsFor: { "av-digits": "image" }, values: { Concat: 20, A: 30 } },
    { data: "UCF-51", values: { Concat: 1, A: 2 } },
  ],
};

function run(label: string, seed: number, test: number, image: number): FinishedRun {
  const config = configOf({ seed });
  const summary = summaryOf(config, { seed });
  const { perModality } = summary.test;
  return {
    label,
    id: `${label}#${seed}`,
    seed,
    config,
    summary: {
      ...summary,
      test: {
        ...summary.test,
        accuracy: test,
        perModality: { ...perModality, image: { ...perModality.image, accuracy: image } },
      },
    },
    timing: { seconds: 1, stepMs: 1 },
  };
}

/** Concat .5; A above it for certain, B above it for certain, though printed below, C above it by chance. */
const finished = [0, 1, 2].flatMap((seed) => [
  run("Concat", seed, 0.5, 0.4),
  run("A", seed, 0.6 + 0.001 * seed, 0.3 + 0.001 * seed),
  run("B", seed, 0.55 + 0.001 * seed, 0),
  run("C", seed, 0.52 + 0.1 * (seed - 1), 0),
]);

Deno.test("reproduced(): the printed sign agrees or disagrees where the test tells the difference, else it is open", () => {
  const [all, video, ...rest] = reproduced(printed, profile, finished);
  assertEquals(rest, []); // nothing stands for UCF-51
  assertEquals(all.rows.map(({ subject, sign }) => [subject, sign]), [
    ["Concat", null],
    ["A", "agrees"],
    ["B", "disagrees"],
    ["C", "open"],
    ["not printed", null],
    ["not measured", null],
  ]);
  assertEquals(all.rows.map(({ printedDifference }) => printedDifference), [null, 2, -1.5, 1, null, 5]);
  assertAlmostEquals(all.rows[1].measured!.mean, 0.601, 1e-12);
  assertAlmostEquals(all.rows[1].versus!.difference!, 0.101, 1e-12);
  assertEquals(all.rows[4].measured, null);
  assertEquals([video.modality, video.measuredOn], ["video", "av-digits, image"]);
  assertEquals(video.rows[1].sign, "disagrees");
});

Deno.test("reproduced() counts pairs in the printed order", () => {
  // Printed B < Concat < C < A, measured Concat < C < B < A: B stands wrong to two of the six pairs.
  const [all] = reproduced(printed, profile, finished);
  assertEquals(all.order, { agree: 4, pairs: 6 });
  assertEquals(
    reproducedSentence(all),
    "KS (av-digits): of 3 printed differences to Concat, 1 shown with the printed sign, 1 with the other, 1 not shown; " +
      "4 of 6 pairs in the printed order (67 %; by chance 50 %)",
  );
});

Deno.test("reproduced() counts no pair that is printed equal", () => {
  const columns = [{ data: "KS", values: { Concat: 60, A: 60, C: 61 } }];
  assertEquals(reproduced({ ...printed, columns }, profile, finished)[0].order, { agree: 1, pairs: 2 });
});

Deno.test("reproduced() has a column for each data set where nothing is printed", () => {
  const [all] = reproduced({ ...printed, columns: [] }, profile, finished);
  assertEquals(all.rows.map(({ printed }) => printed), [null, null, null, null, null]);
  assertEquals(reproducedSentence(all), "KS (av-digits): nothing printed to compare with");
});

Deno.test("tables of the paper: what is printed has a row, ARM's values are the same in all of them, and k = -2 is ARM", () => {
  for (const { name, printed, profiles } of paperGrids) {
    assertEquals(Object.keys(profiles!), ["embedded", "paper"], name);
    const named = (cells: GridProfile["cells"]) => new Set(cells.map(({ label, across }) => across?.subject ?? label));
    const subjects = [...named(profiles!.embedded.cells)];
    assert(subjects.includes(printed!.reference), name);
    for (const { values } of printed!.columns) {
      for (const subject of Object.keys(values)) assert(subjects.includes(subject), `${name}: ${subject}`);
    }
    assertEquals([...named(profiles!.paper.cells)], subjects, name);
  }
  const value = (table: string, data: string, subject: string) =>
    paperGrids.find(({ name }) => name === table)!.printed!.columns
      .find((own) => own.data === data && own.modality === undefined)!.values[subject];
  const arm = { KS: 66.52, "UCF-51": 75.60, "Food-101": 93.36 };
  const places: [string, string, string[]][] = [
    ["table1", "ARM", ["KS", "UCF-51"]],
    ["table2", "ARM", ["KS", "Food-101"]],
    ["table3", "ARM", ["KS", "UCF-51", "Food-101"]],
    ["table4", "CE + both", ["KS", "UCF-51", "Food-101"]],
    ["table5", "DSR k=-2", ["KS", "UCF-51", "Food-101"]],
    ["table6", "all", ["KS", "UCF-51", "Food-101"]],
  ];
  for (const [table, subject, data] of places) {
    for (const own of data) assertEquals(value(table, own, subject), arm[own as keyof typeof arm], `${table} ${own}`);
  }
  for (const [table, subject] of [["table2", "Concat"], ["table3", "Concat"], ["table6", "none"]]) {
    assertEquals(value(table, "KS", subject), value("table1", "KS", "Concat"), table);
  }
});

Deno.test("reproduced() counts no pair that is measured equal: a tie is in no order", () => {
  const level = ["Concat", "A", "B"].flatMap((label) => [0, 1, 2].map((seed) => run(label, seed, 0.5, 0.4)));
  const [all] = reproduced(printed, profile, level);
  assertEquals(all.order, { agree: 0, pairs: 0 });
  assertEquals(reproducedSentence(all).split("; ").at(-1), "no pair to order");
});

Deno.test("uncovered(): columns that nothing stands for, and printed rows without a configuration on what does", () => {
  assertEquals(uncovered(printed, profile), {
    columns: ["UCF-51"],
    rows: [{ measuredOn: "av-digits", subjects: ["not measured"] }],
  });
  // Of the paper's Table 1 all but Greedy on icon-tri, whose encoders give no feature maps.
  const table1 = paperGrids.find(({ name }) => name === "table1")!;
  assertEquals(uncovered(table1.printed!, table1.profiles!.embedded), {
    columns: [],
    rows: [{ measuredOn: "icon-tri", subjects: ["Greedy"] }],
  });
  assertEquals(uncovered(table1.printed!, table1.profiles!.paper), { columns: [], rows: [] });
});
