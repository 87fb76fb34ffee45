/**
 * Measured beside printed, as a table.
 *
 * @module
 */
import type { ReproducedColumn } from "../experiments/reproduce.ts";
import { differenceText, pointsText, pText } from "../experiments/versus.ts";
import { cell, type Table } from "./table.ts";

/** A column of a paper's table with what was measured in its stead. */
export function reproducedTable(column: ReproducedColumn, source: string): Table {
  const { data, modality, measuredOn, reference, rows } = column;
  return {
    title: `${source}: ${data}${modality === null ? "" : `, ${modality}`}, measured on ${measuredOn}`,
    columns: [
      { title: "row", align: "left" },
      { title: "printed %", align: "right", raw: ["printed"] },
      { title: `printed over ${reference}`, align: "right", raw: ["printed difference"] },
      { title: "measured %", align: "right", raw: ["measured", "measured ci95"] },
      { title: `measured over ${reference}`, align: "right", raw: ["difference", "difference ci95"] },
      { title: "p", align: "right", raw: ["p", "p Holm"] },
      { title: "verdict", align: "left" },
      { title: "printed sign", align: "left" },
    ],
    rows: rows.map(({ subject, printed, printedDifference, measured, versus, sign }) => [
      cell(subject),
      cell(printed, printed === null ? "–" : printed.toFixed(2)),
      cell(
        printedDifference,
        subject === reference ? "reference" : printedDifference === null ? "–" : pointsText(printedDifference / 100, 2),
      ),
      measured === null ? { text: "–", raw: [null, null] } : {
        text: `${(100 * measured.mean).toFixed(1)}${
          measured.ci95 === null ? "" : ` ± ${(100 * measured.ci95).toFixed(1)}`
        }`,
        raw: [measured.mean, measured.ci95],
      },
      versus === null
        ? { text: subject === reference ? "reference" : "–", raw: [null, null] }
        : { text: differenceText(versus), raw: [versus.difference, versus.ci95] },
      versus === null
        ? { text: "–", raw: [null, null] }
        : { text: versus.pHolm === null ? "–" : pText(versus.pHolm), raw: [versus.p, versus.pHolm] },
      cell(versus?.verdict ?? null),
      cell(sign),
    ]),
    notes: [
      "Other data: levels cannot be compared, signs and order can. Measured: test, mean ± 95 % CI over seeds, paired " +
      "t-tests, Holm-corrected. Printed sign: agrees or disagrees where the test tells the difference, else open. The " +
      "paper gives no spread.",
    ],
  };
}
