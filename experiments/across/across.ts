/**
 * What is compared on several data sets: one row for each subject, over all of them.
 *
 * @module
 */
import type { FinishedRun } from "../results.ts";
import { mean } from "../statistics.ts";
import {
  type BootstrapEstimate,
  improvement,
  interquartileMean,
  type Scores,
  stratifiedBootstrap,
} from "./aggregates.ts";
import { type Ranking, ranking } from "./ranks.ts";

/** A subject over all data sets. */
export interface AcrossResult {
  readonly subject: string;
  /** Mean test accuracy on each data set, in their order. */
  readonly means: readonly number[];
  /** Interquartile mean of the test accuracies of all runs on all data sets. */
  readonly iqm: BootstrapEstimate;
  /** Chance that a run of it is better than one of the reference on the same data; `null` for the reference itself. */
  readonly improvement: BootstrapEstimate | null;
  /** Mean rank over data sets; `null` with one data set or one subject. */
  readonly rank: number | null;
  /** Test accuracies by data set. */
  readonly scores: Scores;
}

/** Several data sets together. */
export interface Across {
  readonly dataSets: readonly string[];
  readonly reference: string;
  readonly results: readonly AcrossResult[];
  /** `null` with fewer than two subjects. */
  readonly ranking: Ranking | null;
  /** Subjects that lack a finished run on some data set, and stand in no row. */
  readonly incomplete: readonly string[];
}

/**
 * Compares subjects over data sets.
 *
 * @param finished Runs; those that say of what subject and data set they are.
 * @param reference Subject; the first one if there is none of that name.
 * @returns `null` where there are fewer than two data sets, or no subject has a run on each.
 */
export function acrossOf(finished: readonly FinishedRun[], reference: string): Across | null {
  const known = finished.filter(({ across, summary }) => across !== undefined && summary.readsLabels !== true);
  const dataSets = [...new Set(known.map(({ across }) => across!.data))];
  const subjects = [...new Set(known.map(({ across }) => across!.subject))];
  if (dataSets.length < 2) return null;
  const scored = subjects.map((subject) => ({
    subject,
    scores: dataSets.map((data) =>
      known.filter(({ across }) => across!.subject === subject && across!.data === data)
        .map(({ summary }) => summary.test.accuracy)
    ),
  }));
  const complete = scored.filter(({ scores }) => scores.every((runs) => runs.length > 0));
  if (complete.length === 0) return null;
  const incomplete = scored.filter((own) => !complete.includes(own)).map(({ subject }) => subject);
  const against = complete.find(({ subject }) => subject === reference) ?? complete[0];
  const ranks = complete.length < 2 ? null : ranking(complete.map(({ scores }) => scores.map((runs) => mean(runs))));
  const results = complete.map(({ subject, scores }, i): AcrossResult => ({
    subject,
    means: scores.map((runs) => mean(runs)),
    iqm: stratifiedBootstrap([scores], ([own]) => [interquartileMean(own.flat())])[0],
    improvement: subject === against.subject
      ? null
      : stratifiedBootstrap([scores, against.scores], ([own, other]) => [improvement(own, other)])[0],
    rank: ranks?.ranks[i] ?? null,
    scores,
  }));
  return { dataSets, reference: against.subject, results, ranking: ranks, incomplete };
}
