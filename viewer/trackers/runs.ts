/**
 * Runs as other tools keep them: names, settings, curves and results, apart from any format.
 *
 * @module
 */
import type { RunConfig } from "../../core/record.ts";
import type { KnownRun } from "../configurations.ts";
import { epochMeasures } from "../curves.ts";
import type { Grid } from "../grid.ts";
import { measuresFor } from "../measures.ts";
import { type Setting, settingsOf } from "../settings.ts";
import type { RunStore } from "../store.ts";

/** A number at a step. */
export interface Point {
  readonly step: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly value: number;
}

/** A run to be written. */
export interface TrackedRun {
  readonly id: string;
  /** Of its configuration, as the grid names it. */
  readonly configuration: string;
  readonly seed: number;
  readonly state: KnownRun["state"];
  /** Seconds since 1970. */
  readonly started: number;
  /** `null` of a run that goes on or stopped. */
  readonly ended: number | null;
  readonly config: RunConfig;
  readonly settings: Readonly<Record<string, Setting>>;
  /** Curves by name: what is before the first slash groups them. Steps are epochs from 1. */
  readonly curves: Readonly<Record<string, readonly Point[]>>;
}

const seconds = (time: string | null | undefined) => {
  const parsed = Date.parse(time ?? "");
  return Number.isFinite(parsed) ? parsed / 1000 : null;
};

/** Key of a measure as a name with groups: `loss.total` becomes `loss/total`, `phi:audio` `phi/audio`. */
function grouped(key: string): string {
  return key.replace(/[.:]/, "/");
}

/** Measures of a run that are not of its test split. */
const ofRun: ReadonlySet<string> = new Set(["validation", "samples", "epochs", "seconds", "stepMs", "parameters"]);

/** Name of a result: `test/accuracy`, `test/loss`, `run/seconds`. */
function resultName(key: string): string {
  return ofRun.has(key) ? `run/${key}` : `test/${key === "testLoss" ? "loss" : key}`;
}

/** The runs of a grid, in its order, with all that was measured. */
export function trackedRuns(store: RunStore, { groups }: Grid): TrackedRun[] {
  return groups.flatMap(({ rows }) =>
    rows.flatMap(({ configuration: { label, runs } }) => runs.map((run) => trackedRun(store, label, run)))
  );
}

function trackedRun(store: RunStore, configuration: string, run: KnownRun): TrackedRun {
  const { id, config, state, summary, timing, progress, failure } = run;
  const { records } = store.epochs(id);
  const last = seconds(timing?.finishedAt) ?? seconds(progress?.updatedAt) ?? seconds(failure?.at) ?? 0;
  const started = seconds(timing?.startedAt) ?? last;
  // No epoch keeps its time, so that equal runs write equal bytes: they are taken to be equally long.
  const at = (done: number) => started + (last - started) * Math.min(1, done / Math.max(1, run.epochs));
  const curves: Record<string, Point[]> = {};
  for (const measure of epochMeasures(records)) {
    curves[grouped(measure.key)] = records.flatMap((record): Point[] => {
      const value = measure.of(record);
      const step = record.epoch + 1;
      return value === null || !Number.isFinite(value) ? [] : [{ step, time: at(step), value }];
    });
  }
  if (summary !== null) {
    for (const measure of measuresFor(config.modalities)) {
      const value = measure.of(run);
      if (value === null || !Number.isFinite(value)) continue;
      curves[resultName(measure.key)] = [{ step: summary.selectedEpoch + 1, time: last, value }];
    }
  }
  return {
    id,
    configuration,
    seed: config.seed,
    state,
    started,
    ended: state === "finished" || state === "failed" ? last : null,
    config,
    settings: { ...settingsOf(config), seed: config.seed },
    curves,
  };
}

/** A text as one part of a path: letters, digits and `. _ - +`; it begins with none of those that hide or lead away. */
export function pathPart(text: string): string {
  return text.replaceAll(/[^\w.+-]+/g, "-").replaceAll(/^[.-]+|[.-]+$/g, "").slice(0, 80) || "x";
}
