/**
 * How cells ended that other processes trained, by what they left.
 *
 * @module
 */
import { inspectRun, nobody } from "../store/inspect.ts";
import { openRun } from "../store/run_folder.ts";
import type { GridCell } from "./plan.ts";
import type { CellOutcome } from "./run_grid.ts";

/**
 * How cells ended.
 *
 * @param lost What is said of a cell that neither finished nor failed; `null` where it was stopped.
 * @throws {StoreError} If a finished run's files are damaged.
 */
export async function outcomesOf(
  cells: readonly GridCell[],
  runs: string,
  lost: (cell: GridCell) => string | null,
): Promise<CellOutcome[]> {
  const outcomes: CellOutcome[] = [];
  for (const cell of cells) {
    const { state, failure } = inspectRun(runs, cell.id, nobody);
    const message = lost(cell);
    if (state === "finished") {
      const folder = openRun(runs, cell.id);
      outcomes.push({ cell, status: "finished", summary: (await folder.summary())!, timing: await folder.timing() });
    } else if (state === "failed") {
      outcomes.push({ cell, status: "failed", message: failure!.message, command: failure!.command });
    } else if (message !== null) outcomes.push({ cell, status: "failed", message, command: "" });
    else outcomes.push({ cell, status: "stopped" });
  }
  return outcomes.sort((a, b) => a.cell.index - b.cell.index);
}
