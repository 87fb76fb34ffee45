import { assert, assertEquals } from "@std/assert";
import { textTable, wrapText } from "../../experiments/text_table.ts";
import { resultTable, tableNotes } from "../../experiments/table.ts";
import { collapseSeeds } from "../../experiments/results.ts";
import { configOf, type RunSpec, summaryOf } from "../helpers/runs.ts";

const table = {
  columns: [
    { title: "row", align: "left" as const },
    { title: "points over concat", align: "right" as const },
    { title: "settings", align: "left" as const },
  ],
  rows: [
    [{ text: "arm" }, { text: "+2.7 ± 3.2" }, { text: "arm.lambda1=0.3 arm.lambda2=1 training.learningRate=0.05" }],
    [{ text: "concat" }, { text: "reference" }, { text: "as given" }],
  ],
};

Deno.test("textTable() is aligned in one piece where there is room", () => {
  assertEquals(
    textTable({ ...table, columns: table.columns.slice(0, 2), rows: table.rows.map((row) => row.slice(0, 2)) }),
    [
      "row     points over concat",
      "------  ------------------",
      "arm             +2.7 ± 3.2",
      "concat           reference",
    ].join("\n"),
  );
});

Deno.test("textTable() breaks titles and sentences between words, and goes on below itself where that is not enough", () => {
  assertEquals(
    textTable(table, 52),
    [
      "            points",
      "              over",
      "row         concat  settings",
      "------  ----------  --------------------------------",
      "arm     +2.7 ± 3.2  arm.lambda1=0.3 arm.lambda2=1",
      "                    training.learningRate=0.05",
      "concat   reference  as given",
    ].join("\n"),
  );
  assertEquals(
    textTable({
      ...table,
      columns: [table.columns[0], table.columns[1], table.columns[1]],
      rows: table.rows.map(([a, b]) => [a, b, b]),
    }, 24),
    [
      "            points",
      "              over",
      "row         concat",
      "------  ----------",
      "arm     +2.7 ± 3.2",
      "concat   reference",
      "",
      "            points",
      "              over",
      "row         concat",
      "------  ----------",
      "arm     +2.7 ± 3.2",
      "concat   reference",
    ].join("\n"),
  );
});

Deno.test("wrapText() loses nothing and breaks no word", () => {
  const text = "a bb ccc dddd eeeee a-word-longer-than-the-line f";
  for (const width of [3, 7, 10, 80]) {
    const lines = wrapText(text, width);
    assertEquals(lines.join(" "), text);
    assert(lines.every((line) => line.length <= width || !line.includes(" ")), `${lines}`);
  }
});

Deno.test("at 80 columns no line of a grid's table and notes is longer, and the answer's columns stay", () => {
  const finished = ["concat", "modality-valuation (mmtm)", "arm"].flatMap((label, i) =>
    [0, 1, 2].map((seed) => {
      const spec: RunSpec = { seed, accuracy: 0.9 + 0.01 * i, fusionOptions: { width: i } };
      return {
        label,
        id: `${label}${seed}`,
        seed,
        config: configOf(spec),
        summary: summaryOf(configOf(spec), spec),
        timing: { seconds: 1, stepMs: 1 },
      };
    })
  );
  const results = collapseSeeds(finished);
  const shown = resultTable(results, { width: 80 });
  assert(shown.split("\n").every((line) => line.length <= 80), shown);
  for (const word of ["verdict", "points", "tied", "modality-valuation (mmtm)"]) assert(shown.includes(word), shown);
  const notes = tableNotes(results, "equal samples", { width: 80 });
  assert(notes.split("\n").every((line) => line.length <= 80), notes);
});
