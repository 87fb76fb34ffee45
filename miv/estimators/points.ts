/**
 * Samples on the host, for estimators that work on joint samples of vectors rather than on the coordinates of features.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import { checkFinite } from "../../core/check.ts";

/** n samples of a vector, row-major [n, width]. */
export interface Points {
  readonly values: ArrayLike<number>;
  readonly width: number;
}

/** Samples of a scalar variable. */
export function scalars(values: ArrayLike<number>): Points {
  return { values, width: 1 };
}

/** The number of samples. @throws {Refusal} If the values do not make whole rows. */
export function countOf({ values, width }: Points): number {
  if (!Number.isInteger(width) || width < 1 || values.length % width !== 0) {
    throw new Refusal({
      what: `use samples of width ${width}`,
      must: "their values must make whole rows",
      found: `found ${values.length}`,
    });
  }
  return values.length / width;
}

/**
 * The number of samples that all variables have.
 *
 * @param least How many there must be.
 * @throws {Refusal} If counts differ.
 * @throws {Refusal} If there are too few, or a value is not finite.
 */
export function commonCount(variables: readonly Points[], least: number): number {
  const counts = variables.map(countOf);
  if (counts.some((count) => count !== counts[0])) {
    throw new Refusal({
      what: "estimate information",
      must: "all variables must have the same number of samples",
      found: `found ${counts.join(", ")}`,
    });
  }
  if (counts[0] < least) {
    throw new Refusal({
      what: "estimate information",
      must: `there must be at least ${least} samples`,
      found: `found ${counts[0]}`,
    });
  }
  for (const { values } of variables) checkFinite("samples", values);
  return counts[0];
}

/** Variables side by side: [n, sum of widths]. */
export function joined(variables: readonly Points[]): Points {
  const count = countOf(variables[0]);
  const width = variables.reduce((sum, variable) => sum + variable.width, 0);
  const values = new Float64Array(count * width);
  let column = 0;
  for (const variable of variables) {
    for (let n = 0; n < count; n++) {
      for (let k = 0; k < variable.width; k++) values[n * width + column + k] = variable.values[n * variable.width + k];
    }
    column += variable.width;
  }
  return { values, width };
}
