/**
 * Rules of selection side by side on the same runs: what the habit of choosing on test is worth in points.
 *
 * @module
 */
import type { EpochRecord } from "../core/record.ts";
import { openRun } from "../store/run_folder.ts";
import { testCurve } from "../store/test_curve.ts";
import type { FinishedRun } from "./results.ts";
import { type Interval, interval } from "./statistics.ts";

/** A row's test accuracy by the rule that chose the epoch. */
export interface SelectionResult {
  readonly label: string;
  readonly seeds: readonly number[];
  /** The epoch that is best on validation. */
  readonly validation: Interval;
  /** The last epoch. */
  readonly last: Interval;
  /** The epoch that is best on test: an oracle, which nobody has, and which is never ranked. */
  readonly oracle: Interval;
  /** Paired over seeds. */
  readonly lastMinusValidation: Interval;
  readonly oracleMinusValidation: Interval;
}

/** What each rule makes of one run. */
export interface Selected {
  readonly validation: number;
  readonly last: number;
  readonly oracle: number;
}

/**
 * Applies the rules to one run; of equal epochs each takes the first.
 *
 * @param validation Accuracies on validation by epoch; `undefined` where none is kept.
 * @param test Accuracies on test by epoch, as many.
 */
export function selectedBy(validation: readonly (number | undefined)[], test: readonly number[]): Selected {
  const best = validation.reduce<number>(
    (found, value, epoch) => value !== undefined && value > validation[found]! ? epoch : found,
    0,
  );
  return {
    validation: test[best],
    last: test.at(-1)!,
    oracle: test.reduce((most, value) => Math.max(most, value), -Infinity),
  };
}

/** Accuracies on validation by epoch; of runs of thousands of epochs not all are kept. */
function validationOf(records: readonly EpochRecord[], epochs: number): (number | undefined)[] {
  const found: (number | undefined)[] = new Array(epochs).fill(undefined);
  for (const { epoch, validation } of records) found[epoch] = validation.accuracy;
  return found;
}

/**
 * The rules on runs that kept a test curve.
 *
 * @returns A result for each row of which some run did, in order.
 */
export async function selectionRules(runs: string, finished: readonly FinishedRun[]): Promise<SelectionResult[]> {
  const results: SelectionResult[] = [];
  for (const [label, own] of Map.groupBy(finished, (run) => run.label)) {
    const found: (Selected & { readonly seed: number })[] = [];
    for (const { id, seed } of own) {
      const folder = openRun(runs, id);
      const test = testCurve(folder);
      if (test.length === 0) continue;
      const validation = validationOf(await folder.epochs(), test.length);
      if (validation.length === test.length) found.push({ seed, ...selectedBy(validation, test) });
    }
    if (found.length === 0) continue;
    const over = (pick: (one: Selected) => number) => interval(found.map(pick));
    results.push({
      label,
      seeds: found.map(({ seed }) => seed),
      validation: over((one) => one.validation),
      last: over((one) => one.last),
      oracle: over((one) => one.oracle),
      lastMinusValidation: over((one) => one.last - one.validation),
      oracleMinusValidation: over((one) => one.oracle - one.validation),
    });
  }
  return results;
}
