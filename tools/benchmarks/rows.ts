/**
 * Rows of `bench:engine`.
 *
 * @module
 */

/** One line of the result. */
export interface Row {
  readonly step: string;
  readonly threads: number;
  readonly oursMs: number;
  readonly torchMs: number | null;
  readonly timeRatio: number | null;
  readonly memoryRatio: number | null;
  /** Trace and compilation with no kept graph. */
  readonly compileMs: number;
  /** The same from a kept graph; `null` where there are many graphs. */
  readonly keptMs: number | null;
  /** Nodes of the compiled graph; `null` where there are many graphs. */
  readonly nodes: number | null;
  /** Share of the machine's measured matrix peak. */
  readonly peakShare: number | null;
  /** Only `digits-arm`: time over that of our own `digits-concat`. */
  readonly overConcat?: number;
  /** Other libraries that were asked for and have the step: their time, and ours over it. */
  readonly peers?: readonly { readonly name: string; readonly ms: number; readonly ratio: number }[];
}

/** The line above the rows. */
export const HEADER =
  "step               threads   ours ms   torch ms   time  memory  compile ms  kept ms  nodes  of peak";

const digits = (value: number | null, places: number) => value === null ? "-" : value.toFixed(places);

/** A row under `HEADER`. */
export function lineOf(row: Row): string {
  const cells = [
    row.step.padEnd(18),
    String(row.threads).padStart(7),
    digits(row.oursMs, 2).padStart(9),
    digits(row.torchMs, 2).padStart(10),
    digits(row.timeRatio, 2).padStart(6),
    digits(row.memoryRatio, 2).padStart(7),
    digits(row.compileMs, 0).padStart(11),
    digits(row.keptMs, 0).padStart(8),
    digits(row.nodes, 0).padStart(6),
    (row.peakShare === null ? "-" : `${(100 * row.peakShare).toFixed(0)} %`).padStart(8),
  ];
  return cells.join(" ") +
    (row.peers ?? []).map(({ name, ms, ratio }) => `  ${ratio.toFixed(2)} x ${name}'s ${ms.toFixed(2)} ms`).join("") +
    (row.overConcat === undefined ? "" : `  ${row.overConcat.toFixed(2)} x own concat`);
}
