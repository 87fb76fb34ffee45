/**
 * The plan of a grid in words, for `bench --dry-run`.
 *
 * @module
 */
import { modalitiesOf } from "../core/modality.ts";
import type { Experiment, RunConfig } from "../core/record.ts";
import { CheckpointKeeper } from "../experiments/keeper.ts";
import type { GridCell, GridPlan } from "../experiments/plan.ts";
import { isFolder } from "../store/files.ts";
import { inspectRun, nobody } from "../store/inspect.ts";
import { openRun } from "../store/run_folder.ts";
import { printableLine } from "./printable.ts";

/** What becomes of a run. */
export interface PlannedRun {
  readonly label: string;
  readonly seed: number;
  readonly id: string;
  readonly state: "kept" | "goes on" | "new" | "broken";
  /** Where its checkpoint stands, in words; `null` if it begins anew or is finished. */
  readonly checkpoint: string | null;
  /** Why it is broken; else `null`. */
  readonly reason: string | null;
}

/** What would become of a cell. */
export async function plannedRun(cell: GridCell, runs: string): Promise<PlannedRun> {
  const known = { label: cell.request.label, seed: cell.seed, id: cell.id, checkpoint: null, reason: null };
  const folder = openRun(runs, cell.id);
  if (!await isFolder(folder.path)) return { ...known, state: "new" };
  const { state, reason } = inspectRun(runs, cell.id, nobody);
  if (state === "broken") return { ...known, state, reason };
  if (state === "finished" && await folder.hasModel()) return { ...known, state: "kept" };
  const { words } = await new CheckpointKeeper(folder, cell.config, () => {}, () => {}).standing();
  return { ...known, state: words === null ? "new" : "goes on", checkpoint: words };
}

/** A configuration in one line. */
function settingsOf({ dataset, encoders, fusion, methods, training }: RunConfig): string {
  const names = modalitiesOf(encoders).map((modality) => `${modality} by ${encoders[modality].name}`);
  const budget = training.budget === "samples" ? `samples of ${training.epochs} epochs` : `${training.epochs} epochs`;
  return [
    dataset.name,
    names.join(", "),
    [fusion.name, ...methods.map(({ name }) => name)].join(" + "),
    `${budget}, batches of ${training.batchSize}, ${training.optimizer} ${training.learningRate}`,
  ].join("; ");
}

/** How many runs are in each state, in words. */
function counted(runs: readonly PlannedRun[]): string {
  const words = { kept: "kept", "goes on": "to go on", new: "to train", broken: "broken" } as const;
  return Object.entries(words).flatMap(([state, text]) => {
    const count = runs.filter((run) => run.state === state).length;
    return count === 0 ? [] : [`${count} ${text}`];
  }).join(", ");
}

/** A row of a plan: a configuration's own runs and those of its trials. */
interface PlanRow {
  readonly config: RunConfig;
  readonly seeds: number[];
  readonly runs: PlannedRun[];
  readonly trials: PlannedRun[];
}

/** Runs by configuration, a trial's with those of what it is a trial of. */
function rowsOf(plan: GridPlan, runs: readonly PlannedRun[], tuning: Experiment["tuning"]): Map<string, PlanRow> {
  const trialOf = new Map(
    tuning?.rows.flatMap(({ label, trials }) => trials.map((trial) => [trial.label, label] as const)),
  );
  const rows = new Map<string, PlanRow>();
  for (const [i, { request: { label }, config }] of plan.cells.entries()) {
    const row = trialOf.get(label) ?? label;
    const known = rows.get(row) ?? { config, seeds: [], runs: [], trials: [] };
    rows.set(row, known);
    if (trialOf.has(label)) known.trials.push(runs[i]);
    else {
      known.runs.push(runs[i]);
      known.seeds.push(runs[i].seed);
    }
  }
  return rows;
}

/** A plan as lines: a configuration each, with what becomes of its runs. */
export function planLines(
  plan: GridPlan,
  runs: readonly PlannedRun[],
  folder: string,
  tuning?: Experiment["tuning"],
): string[] {
  const rows = rowsOf(plan, runs, tuning);
  const tuned = new Map(tuning?.rows.map(({ label, tuned: keys }) => [label, keys]));
  const width = Math.max(0, ...[...rows.keys()].map((label) => label.length));
  const broken = runs.flatMap(({ label, seed, reason }) =>
    reason === null ? [] : [`  ${label}, seed ${seed}: ${reason}`]
  );
  return [
    `Plan of ${plan.cells.length} run${plan.cells.length === 1 ? "" : "s"}: ${counted(runs)}`,
    ...[...rows].flatMap(([label, row]) => [
      `  ${label.padEnd(width)}  seeds ${row.seeds.join(", ")}: ${counted(row.runs)}`,
      ...row.trials.length === 0
        ? []
        : [`  ${"".padEnd(width)}  trials of ${tuned.get(label)!.join(", ")}: ${counted(row.trials)}`],
      `  ${"".padEnd(width)}  ${settingsOf(row.config)}`,
    ]),
    ...plan.teachers.length === 0 ? [] : [`Teachers that run first: ${plan.teachers.length}`],
    ...plan.unfit.map(({ label, reason }) => `Left out: ${label}: ${reason}`),
    ...plan.failed.map(({ cell, message }) => `Fails: ${cell.request.label}, seed ${cell.seed}: ${message}`),
    ...broken.length === 0 ? [] : ["Broken runs:", ...broken],
    ...plan.notes,
    `Engine: ${plan.engine}. Runs: ${folder}. Nothing was run.`,
  ].map(printableLine);
}
