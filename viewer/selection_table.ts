/**
 * Rules of selection as a table.
 *
 * @module
 */
import type { SelectionResult } from "../experiments/selection_rules.ts";
import type { Interval } from "../experiments/statistics.ts";
import { differenceText } from "../experiments/versus.ts";
import { cell, type Table, type TableCell } from "./table.ts";

function accuracyCell({ mean, ci95 }: Interval): TableCell {
  const text = `${(100 * mean).toFixed(1)}${ci95 === null ? "" : ` ± ${(100 * ci95).toFixed(1)}`}`;
  return { text, raw: [mean, ci95] };
}

function pointsCell({ mean, ci95 }: Interval): TableCell {
  return { text: differenceText({ difference: mean, ci95 }), raw: [mean, ci95] };
}

/** Test accuracy of each row by the rule that chose its epoch. */
export function selectionTable(results: readonly SelectionResult[]): Table {
  return {
    title: "By the rule that chooses the epoch",
    columns: [
      { title: "row", align: "left" },
      { title: "best on validation %", align: "right", raw: ["validation", "validation ci95"] },
      { title: "last epoch %", align: "right", raw: ["last", "last ci95"] },
      { title: "last adds", align: "right", raw: ["last minus validation", "last minus validation ci95"] },
      { title: "best on test (oracle) %", align: "right", raw: ["oracle", "oracle ci95"] },
      { title: "oracle adds", align: "right", raw: ["oracle minus validation", "oracle minus validation ci95"] },
    ],
    rows: results.map(({ label, validation, last, oracle, lastMinusValidation, oracleMinusValidation }) => [
      cell(label),
      accuracyCell(validation),
      accuracyCell(last),
      pointsCell(lastMinusValidation),
      accuracyCell(oracle),
      pointsCell(oracleMinusValidation),
    ]),
    notes: [
      "Test accuracy of the same runs, mean ± 95 % CI over seeds. The oracle takes the epoch that is best on test, as much " +
      "of the literature does; nobody has it on new data, so it is never ranked, and it cannot be below the others: what " +
      "it adds is luck.",
    ],
  };
}
