/**
 * How long a plan will take: from the usual speed of runs that are kept, else from steps that are made for it.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { median } from "../core/median.ts";
import { modalitiesOf } from "../core/modality.ts";
import type { RunConfig } from "../core/record.ts";
import { isFolder, StoreError } from "../store/files.ts";
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
 * @param options.onMeasure Before the first such step.
 */
export async function estimate(
  plan: Pick<GridPlan, "cells" | "teachers">,
  options: {
    readonly runs: string;
    readonly library: Library;
    readonly workers: number;
    readonly measure: boolean;
    readonly onMeasure?: () => void;
  },
): Promise<PlanEstimate> {
  const { runs, library, workers, measure, onMeasure } = options;
  // Passes over the training set, of which all cells of a kind take as long.
  const passes = ({ methods, training }: RunConfig) =>
    training.epochs * stepForwards(methods.map(({ name }) => library.of("method").get(name).cost));
  const left: GridCell[] = [];
  const speeds = new Map<string, number[]>();
  let kept = 0;
  for (const cell of [...plan.cells, ...plan.teachers]) {
    const seconds = await keptSeconds(runs, cell.id);
    if (seconds === null) {
      left.push(cell);
      continue;
    }
    const key = speedKey(cell.config);
    speeds.set(key, [...speeds.get(key) ?? [], seconds / passes(cell.config)]);
    kept++;
  }
  // Some of them were made while the machine did other work as well.
  const secondsOf = new Map([...speeds].map(([key, own]) => [key, median(own)]));
  let measured = 0;
  let told = false;
  for (const cell of left) {
    if (!measure || secondsOf.has(speedKey(cell.config))) continue;
    if (!told) onMeasure?.();
    told = true;
    const seconds = await timeOf(cell, library);
    if (seconds === null) continue;
    secondsOf.set(speedKey(cell.config), seconds / passes(cell.config));
    measured++;
  }
  const known = left.flatMap(({ config }) => {
    const own = secondsOf.get(speedKey(config));
    return own === undefined ? [] : [own * passes(config)];
  });
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

/** Seconds that a finished run took; `null` if it is not finished, or damaged and to be made anew. */
async function keptSeconds(runs: string, id: string): Promise<number | null> {
  const folder = openRun(runs, id);
  try {
    if (!await isFolder(folder.path) || await folder.summary() === null) return null;
    return (await folder.timing()).seconds;
  } catch (error) {
    if (error instanceof StoreError) return null; // the plan says what is broken
    throw error;
  }
}

/** Seconds of a cell by its first steps, data and programs ready; `null` where it told of none. */
async function timeOf(cell: GridCell, library: Library): Promise<number | null> {
  const folder = await Deno.makeTempDir({ prefix: "armlab-steps-" });
  const stop = new AbortController();
  const told: { at: number; drawn: number }[] = [];
  let budget = 0;
  let whole: number | null = null;
  const runner = new CellRunner(library, folder);
  try {
    await runner.run(cell.config, {
      command: "",
      signal: stop.signal,
      onEvent(event) {
        if (event.type === "started") budget = event.samplesBudget;
        if (event.type === "finished") whole = event.timing.seconds; // shorter than what is measured
        if (event.type !== "step") return;
        told.push({ at: performance.now(), drawn: event.samplesDrawn });
        if (told.at(-1)!.at - told[0].at > MEASURED_MS) stop.abort();
      },
    });
  } finally {
    await runner.dispose();
    await Deno.remove(folder, { recursive: true });
  }
  if (whole !== null) return whole;
  const [first, last] = [told[0], told.at(-1)];
  if (first === undefined || last === undefined || last.drawn <= first.drawn) return null;
  return budget * (last.at - first.at) / (1000 * (last.drawn - first.drawn));
}
