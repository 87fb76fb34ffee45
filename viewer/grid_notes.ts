/**
 * What must be known to read the grid.
 *
 * @module
 */
import type { ConfigurationResult } from "../experiments/results.ts";
import { leastSeeds } from "../experiments/statistics.ts";
import type { Configuration } from "./configurations.ts";

/**
 * Notes on what rows rest on.
 *
 * @param fitting Rows shown.
 * @param results Of those with a finished seed.
 */
export function gridNotes(
  fitting: readonly Configuration[],
  results: readonly ConfigurationResult[],
): string[] {
  if (results.length === 0) {
    return fitting.length === 0
      ? []
      : ["None of the runs shown has finished: accuracies and comparisons come with the first that does."];
  }
  return [...seedNotes(results), ...versusNotes(results), ...bestNotes(results), ...olderNotes(fitting)];
}

/** Which rows an older version of armlab wrote. */
function olderNotes(fitting: readonly Configuration[]): string[] {
  const older = fitting.filter(({ runs }) => runs.some((run) => run.older === 1)).map(({ label }) => label);
  if (older.length === 0) return [];
  const named = older.length > 5 ? `${older.slice(0, 5).join(", ")} and ${older.length - 5} more` : older.join(", ");
  return [`As of an older version of armlab, which this one shows and does not go on with: ${named}.`];
}

function seedNotes(results: readonly ConfigurationResult[]): string[] {
  const notes: string[] = [];
  if (results.some(({ seeds }) => seeds.length > 1)) {
    notes.push("Mean ± half width of the 95 % confidence interval over finished seeds (Student's t).");
  }
  const single = results.filter(({ seeds }) => seeds.length === 1).length;
  if (single > 0) {
    notes.push(
      `${single} of ${results.length} with results ${single === 1 ? "rests" : "rest"} on one finished seed: ` +
        `${single === 1 ? "it has" : "they have"} no interval, and no test can tell ${
          single === 1 ? "it" : "them"
        } from ` +
        `others; ${leastSeeds} seeds and more can be tested.`,
    );
  }
  return notes;
}

function versusNotes(results: readonly ConfigurationResult[]): string[] {
  const compared = results.filter(({ versus }) => versus !== null);
  if (compared.length === 0) return [];
  const tested = compared.filter(({ versus }) => versus!.pHolm !== null).length;
  const references = [...new Set(compared.map(({ versus }) => versus!.reference))];
  const over = references.length === 1 ? references[0] : `the reference on the same data (${references.join("; ")})`;
  const what = `Points over ${over} with their 95 % intervals (not corrected)`;
  if (tested === 0) return [`${what}; none could be tested: that takes ${leastSeeds} common seeds.`];
  return [
    `${what}; p of paired t-tests over common seeds, Holm-corrected for ${tested} comparison${
      tested === 1 ? "" : "s"
    }, 5 %.`,
  ];
}

/** What the tests say of the best, for each set of rows that are compared. */
function bestNotes(results: readonly ConfigurationResult[]): string[] {
  const groups = [...new Set(results.map(({ group }) => group))].map((group) =>
    results.filter((result) => result.group === group && result.tied !== null)
  ).filter((own) => own.length > 1);
  const notes = groups.length < 2
    ? []
    : ["Rows with other data, encoders or budgets are not ranked together; a ★ is the best of its own."];
  for (const own of groups) {
    const where = groups.length === 1 ? "" : `Of those ranked with ${own[0].label}: `;
    const best = own.find((result) => result.best);
    const tied = own.filter((result) => result.tied === "yes").length;
    if (best !== undefined) {
      notes.push(
        `${where}★ marks the best of ${own.length} shown: ${best.label} (tests as above, against each other).`,
      );
    } else if (own.every((result) => result.tied === "untested")) {
      notes.push(`${where}No configuration is marked best: a test needs two with ${leastSeeds} common seeds at least.`);
    } else if (tied > 1) {
      notes.push(`${where}No configuration is marked best: ${tied} of ${own.length} shown are tied with it.`);
    } else {
      notes.push(`${where}No configuration is marked best: not all could be tested against it.`);
    }
  }
  return notes;
}
