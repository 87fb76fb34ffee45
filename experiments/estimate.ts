/**
 * How long a plan will take: from the speed of runs that are kept, else from steps that are made for it.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { modalitiesOf } from "../core/modality.ts";
import type { RunConfig } from "../core/record.ts";
import { isFolder } from "../store/files.ts";
import { openRun } from "../store/run_folder.ts";
import { stepForwards } from "../training/mod.ts";
import type { GridCell, GridPlan } from "./plan.ts";
import { CellRunner } from "./run_cell.ts";

/** How long a plan will take. */
export interface PlanEstimate {
  /** Runs that are still to be made. */
  readonly left: number;
  /** Seconds, with as many at once as asked; `null` where nothing could be measured. */
  readonly seconds: number | null;
  /** What it rests on, in words. */
  readonly basis: string;
}

/** What decides how fast a sample is trained on, but for the method. */
function speedKey({ dataset, encoders, fusion, training }: RunConfig): string {
  const names = modalitiesOf(encoders).map((modality) => encoders[modality]);
  return JSON.stringify([dataset.name, dataset.options, names, fusion.name, training.batchSize]);
}

/** Milliseconds of steps that are made to know a speed. */
const MEASURED_MS = 3000;

/**
 * Estimates the time of what is left of a plan.
 *
 * @param options.workers Cells at once.
 * @param options.measure Whether steps may be made, in a folder that is removed: a few seconds for each kind of cell.
 */
export async function estimate(
  plan: Pick<GridPlan, "cells" | "teachers">,
  options: {
    readonly runs: string;
    readonly library: Library;
    readonly workers: number;
    readonly measure: boolean;
    readonly trainSizeOf: (cell: GridCell) => number;
  },
): Promise<PlanEstimate> {
  const { runs, library, workers, measure, trainSizeOf } = options;
  const forwards = ({ methods }: RunConfig) =>
    stepForwards(methods.map(({ name }) => library.of("method").get(name).cost));
  const left: GridCell[] = [];
  const rates = new Map<string, number>();
  let kept = 0;
  for (const cell of [...plan.cells, ...plan.teachers]) {
    const folder = openRun(runs, cell.id);
    const summary = await isFolder(folder.path) ? await folder.summary() : null;
    if (summary === null) left.push(cell);
    else {
      const { seconds } = await folder.timing();
      rates.set(speedKey(cell.config), summary.samplesDrawn * forwards(cell.config) / seconds);
      kept++;
    }
  }
  let measured = 0;
  for (const cell of left) {
    if (!measure || rates.has(speedKey(cell.config))) continue;
    const rate = await speedOf(cell, library);
    if (rate !== null) rates.set(speedKey(cell.config), rate * forwards(cell.config));
    measured++;
  }
  const seconds = left.map((cell) => {
    const rate = rates.get(speedKey(cell.config));
    const { epochs } = cell.config.training;
    return rate === undefined ? null : epochs * trainSizeOf(cell) * forwards(cell.config) / rate;
  });
  const known = seconds.filter((own) => own !== null);
  const mean = known.reduce((sum, own) => sum + own, 0) / Math.max(1, known.length);
  const count = (n: number, one: string) => `${n} ${one}${n === 1 ? "" : "s"}`;
  return {
    left: left.length,
    seconds: left.length === 0 ? 0 : known.length === 0 ? null : mean * left.length / Math.min(workers, left.length),
    basis: [
      ...(kept === 0 ? [] : [count(kept, "kept run")]),
      ...(measured === 0 ? [] : [`steps of ${count(measured, "configuration")}, made for it`]),
    ].join(" and ") || "nothing measured",
  };
}

/** Samples a second of a cell's first steps, data and programs ready; `null` where it told none. */
async function speedOf(cell: GridCell, library: Library): Promise<number | null> {
  const folder = await Deno.makeTempDir({ prefix: "armlab-steps-" });
  const stop = new AbortController();
  const told: { at: number; drawn: number }[] = [];
  const runner = new CellRunner(library, folder);
  try {
    await runner.run(cell.config, {
      command: "",
      signal: stop.signal,
      onEvent(event) {
        if (event.type !== "step") return;
        told.push({ at: performance.now(), drawn: event.samplesDrawn });
        if (told.at(-1)!.at - told[0].at > MEASURED_MS) stop.abort();
      },
    });
  } finally {
    await runner.dispose();
    await Deno.remove(folder, { recursive: true });
  }
  const [first, last] = [told[0], told.at(-1)];
  if (first === undefined || last === undefined || last.drawn <= first.drawn) return null;
  return 1000 * (last.drawn - first.drawn) / (last.at - first.at);
}
