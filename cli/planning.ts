/**
 * Plans of grids as commands make and show them.
 *
 * @module
 */
import type { CellRequest } from "../core/kinds/mod.ts";
import { trainingOptions } from "../experiments/config.ts";
import { estimate, type PlanEstimate } from "../experiments/estimate.ts";
import { type GridPlan, planGrid } from "../experiments/plan.ts";
import type { GridOptions } from "../experiments/run_grid.ts";
import { CompositionError } from "../training/compose.ts";
import { VERSION } from "../version.ts";
import { planLines, plannedRun } from "./plan_table.ts";
import { withoutExit } from "./plugins.ts";
import { estimateText, type ProgressView } from "./progress.ts";
import { toWidth } from "./terminal.ts";
import { toCompare } from "./requests.ts";

/** Plans a grid, and says so: data is loaded in one go, and nothing can be said meanwhile. */
export async function planned(
  options: GridOptions,
  composed: readonly string[][],
  view: ProgressView,
): Promise<GridPlan> {
  const onLoad = () => view.tell(`armlab ${VERSION}: loading data and choosing an engine`);
  try {
    return await withoutExit("plan a grid", () => planGrid({ ...options, onLoad }));
  } catch (error) {
    if (error instanceof CompositionError && composed.length > 0) {
      throw error.with({ hint: [...error.hint === undefined ? [] : [error.hint], toCompare(composed[0])].join("; ") });
    }
    throw error;
  }
}

/** How long a plan will take; where no run is kept, steps are made for it, and that is said first. */
export async function timed(
  plan: GridPlan,
  { runs, library, workers = navigator.hardwareConcurrency }: GridOptions,
  view: ProgressView,
): Promise<PlanEstimate> {
  const onMeasure = () => view.tell("Measuring the speed of runs that are not kept yet");
  return await estimate(plan, { runs, library, workers, measure: true, onMeasure });
}

/** Prints what would become of a plan's runs, and how long it will take; returns the exit code. */
export async function showPlan(
  plan: GridPlan,
  options: GridOptions,
  json: boolean,
  view: ProgressView,
  known?: PlanEstimate,
): Promise<number> {
  const { runs, experiment } = options;
  const states = [];
  for (const cell of plan.cells) states.push(await plannedRun(cell, runs));
  const lines = json ? states.map((state) => JSON.stringify(state)) : planLines(plan, states, runs, experiment?.tuning);
  if (!json) lines.push(estimateText(known ?? await timed(plan, options, view)));
  console.log(json ? lines.join("\n") : toWidth(lines));
  return plan.failed.length === 0 ? 0 : 1;
}

/** The budgets of configurations in words, each once. */
export function budgetsOf(requests: readonly CellRequest[]): string {
  const budgets = requests.map(({ training }) => {
    const { budget, epochs } = {
      budget: trainingOptions.budget.default,
      epochs: trainingOptions.epochs.default,
      ...training,
    };
    return budget === "samples"
      ? `equal samples drawn, ${epochs} x the training set`
      : `${epochs} epochs, whatever is drawn`;
  });
  return [...new Set(budgets)].join("; ");
}
