/** Two small finished runs of one configuration, for commands that ask for runs. */
import { join } from "node:path";
import { part } from "../../experiments/config.ts";
import type { GridCell } from "../../experiments/plan.ts";
import { runGrid } from "../../experiments/run_grid.ts";
import { createLibrary } from "../../library.ts";

/** Trains seeds 0 and 1 of a sum of two small MLPs on synthetic data for an epoch. @returns Their folders. */
export async function twoRuns(runs: string): Promise<string[]> {
  const { outcomes } = await runGrid({
    cells: [{
      label: "row",
      dataset: part("synthetic", { samples: 60, width: 6 }),
      encoder: part("mlp", { hidden: [8], width: 8 }),
      fusion: part("sum"),
      methods: [],
      training: { epochs: 1 },
    }],
    seeds: [0, 1],
    runs,
    library: createLibrary(),
    workers: 1,
  });
  return outcomes.map(({ cell }) => join(runs, (cell as GridCell).id));
}
