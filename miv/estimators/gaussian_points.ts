/**
 * Information of samples of vectors as if they were jointly Gaussian, on the host: from determinants of covariances.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import { commonCount, joined, type Points } from "./points.ts";

/** Sample covariance, row-major [width, width]. */
export function covarianceOf({ values, width }: Points): Float64Array {
  const count = values.length / width;
  const mean = new Float64Array(width);
  for (let n = 0; n < count; n++) for (let k = 0; k < width; k++) mean[k] += values[n * width + k] / count;
  const covariance = new Float64Array(width * width);
  for (let n = 0; n < count; n++) {
    for (let a = 0; a < width; a++) {
      const deviation = values[n * width + a] - mean[a];
      for (let b = 0; b <= a; b++) {
        covariance[a * width + b] += deviation * (values[n * width + b] - mean[b]) / (count - 1);
      }
    }
  }
  for (let a = 0; a < width; a++) {
    for (let b = a + 1; b < width; b++) covariance[a * width + b] = covariance[b * width + a];
  }
  return covariance;
}

/**
 * Cholesky's factor L with L L^T = matrix, row-major.
 *
 * @throws {Refusal} If the matrix is not positive definite: a variable is determined by the others.
 */
export function choleskyFactor(matrix: ArrayLike<number>, width: number): Float64Array {
  const lower = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    for (let b = 0; b <= a; b++) {
      let value = matrix[a * width + b];
      for (let k = 0; k < b; k++) value -= lower[a * width + k] * lower[b * width + k];
      if (a !== b) {
        lower[a * width + b] = value / lower[b * width + b];
        continue;
      }
      if (!(value > 1e-12 * Math.abs(matrix[a * width + a]))) {
        throw new Refusal({
          what: "factorise",
          must: "the covariance must be positive definite",
          found: `column ${a} is determined by others`,
        });
      }
      lower[a * width + a] = Math.sqrt(value);
    }
  }
  return lower;
}

/** ln det of a symmetric positive definite matrix. @throws {Refusal} If it is not positive definite. */
export function logDeterminant(matrix: ArrayLike<number>, width: number): number {
  const lower = choleskyFactor(matrix, width);
  let sum = 0;
  for (let a = 0; a < width; a++) sum += 2 * Math.log(lower[a * width + a]);
  return sum;
}

/** The submatrix of some rows and columns. */
function submatrix(matrix: ArrayLike<number>, width: number, chosen: readonly number[]): Float64Array {
  return Float64Array.from(chosen.flatMap((a) => chosen.map((b) => matrix[a * width + b])));
}

/**
 * I(X; Y | Z) of jointly Gaussian variables in nats, from their covariance:
 * 1/2 (ln|XZ| + ln|YZ| - ln|Z| - ln|XYZ|). Without Z this is I(X; Y).
 *
 * @param covariance Row-major [width, width].
 * @param x Columns of X; `y` and `z` likewise.
 */
export function gaussianInformationNats(
  covariance: ArrayLike<number>,
  width: number,
  x: readonly number[],
  y: readonly number[],
  z: readonly number[] = [],
): number {
  const log = (...columns: (readonly number[])[]) => {
    const chosen = columns.flat();
    return chosen.length === 0 ? 0 : logDeterminant(submatrix(covariance, width, chosen), chosen.length);
  };
  return (log(x, z) + log(y, z) - log(z) - log(x, y, z)) / 2;
}

/** I(X; Y) of samples in nats, as if they were jointly Gaussian. */
export function gaussianMi(x: Points, y: Points): number {
  commonCount([x, y], x.width + y.width + 1);
  const all = joined([x, y]);
  return gaussianInformationNats(covarianceOf(all), all.width, range(0, x.width), range(x.width, y.width));
}

/** I(X; Y | Z) of samples in nats, as if they were jointly Gaussian. */
export function gaussianCmi(x: Points, y: Points, z: Points): number {
  const all = joined([x, y, z]);
  commonCount([x, y, z], all.width + 1);
  return gaussianInformationNats(
    covarianceOf(all),
    all.width,
    range(0, x.width),
    range(x.width, y.width),
    range(x.width + y.width, z.width),
  );
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => from + k);
}
