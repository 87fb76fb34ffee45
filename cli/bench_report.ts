/**
 * What `bench` prints at its end.
 *
 * @module
 */
import { acrossOf } from "../experiments/across/across.ts";
import { configurations, finishedRuns, jsonLine } from "../experiments/results.ts";
import type { CellOutcome } from "../experiments/run_grid.ts";
import type { Shard } from "../experiments/shard.ts";
import { resultTable, tableNotes } from "../experiments/table.ts";
import { textTable } from "../experiments/text_table.ts";
import { acrossTable } from "../viewer/across_tables.ts";
import { printable } from "./printable.ts";
import { outputWidth, toWidth } from "./terminal.ts";

/** Prints the table of a grid, or its lines of JSON, and what failed. */
export function report(
  outcomes: readonly CellOutcome[],
  reference: string,
  json: boolean,
  budget: string,
  engine: string,
  runs: string,
): void {
  const results = configurations(outcomes, { reference });
  if (json) {
    for (const result of results) console.log(jsonLine(result));
  } else if (results.length > 0) {
    const width = outputWidth();
    const table = resultTable(results, { width });
    console.log(`\n${table}\n\n${tableNotes(results, budget, { width })}`);
    console.log(toWidth([`Engine: ${engine}. Runs: ${runs}`]));
    const asked = outcomes.find(({ cell }) => cell.request.label === reference)?.cell.request;
    const across = acrossOf(finishedRuns(outcomes), asked?.across?.subject ?? reference);
    if (across !== null) {
      const { title, notes, ...rest } = acrossTable(across);
      console.log(`\n${title}\n\n${textTable(rest, width)}\n\n${toWidth(notes)}`);
    }
  }
  reportFailures(outcomes);
}

/** What a shard did: its cells are compared with none, as the others may not be finished. */
export function reportShard(
  outcomes: readonly CellOutcome[],
  { index, of }: Shard,
  total: number,
  json: boolean,
): void {
  const count = (status: CellOutcome["status"]) => outcomes.filter((outcome) => outcome.status === status).length;
  const counts = {
    finished: count("finished"),
    failed: count("failed"),
    elsewhere: count("elsewhere"),
    stopped: count("stopped"),
  };
  if (json) console.log(JSON.stringify({ shard: index, of, cells: outcomes.length, ...counts }));
  else {
    const words = Object.entries(counts).filter(([, number]) => number > 0).map(([name, number]) =>
      `${number} ${name}`
    );
    console.log(
      `Shard ${index} of ${of}, ${outcomes.length} of ${total} cells: ${words.join(", ") || "nothing to do"}. ` +
        "`armlab status` says how all stand; the same command without --shard prints the table.",
    );
  }
  reportFailures(outcomes);
}

function reportFailures(outcomes: readonly CellOutcome[]): void {
  const failures = outcomes.filter((outcome) => outcome.status === "failed");
  for (const { cell, message, command } of failures) {
    console.error(
      printable(`\nFailed: ${cell.request.label}, seed ${cell.seed}: ${message}\n  run it again: ${command}`),
    );
  }
}
