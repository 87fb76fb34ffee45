/**
 * Points of the Sobol' sequence: fixed lists that fill a cube evenly however many of them are taken.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";

/**
 * Direction numbers of the dimensions after the first, a row each: the primitive polynomial with all its coefficients as
 * bits, then m_1, m_2, … up to its degree.
 *
 * Data of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput.
 * 30 (2008): the file new-joe-kuo-6.
 */
const DIRECTIONS: readonly (readonly number[])[] = [
  [3, 1],
  [7, 1, 3],
  [11, 1, 3, 1],
  [13, 1, 1, 1],
  [19, 1, 1, 3, 3],
  [25, 1, 3, 5, 13],
  [37, 1, 1, 5, 5, 17],
  [41, 1, 1, 5, 5, 5],
  [47, 1, 1, 7, 11, 19],
  [55, 1, 1, 5, 1, 1],
  [59, 1, 1, 1, 3, 11],
  [61, 1, 3, 5, 5, 31],
  [67, 1, 3, 3, 9, 7, 49],
  [91, 1, 1, 1, 15, 21, 21],
  [97, 1, 3, 1, 13, 27, 49],
  [103, 1, 1, 1, 15, 7, 5],
  [109, 1, 3, 1, 15, 13, 25],
  [115, 1, 1, 5, 5, 19, 61],
  [131, 1, 3, 7, 11, 23, 15, 103],
  [137, 1, 3, 7, 13, 13, 15, 69],
  [143, 1, 1, 3, 13, 7, 35, 63],
  [145, 1, 3, 5, 9, 1, 25, 53],
  [157, 1, 3, 1, 13, 9, 35, 107],
  [167, 1, 3, 1, 5, 27, 61, 31],
  [171, 1, 1, 5, 11, 19, 41, 61],
  [185, 1, 3, 5, 3, 3, 13, 69],
  [191, 1, 1, 7, 13, 1, 19, 1],
  [193, 1, 3, 7, 5, 13, 19, 59],
  [203, 1, 1, 3, 9, 25, 29, 41],
  [211, 1, 3, 5, 13, 23, 1, 55],
  [213, 1, 3, 7, 3, 13, 59, 17],
  [229, 1, 3, 1, 3, 5, 53, 69],
  [239, 1, 1, 5, 5, 23, 33, 13],
  [241, 1, 1, 7, 7, 1, 61, 123],
  [247, 1, 1, 7, 9, 13, 61, 49],
  [253, 1, 3, 3, 5, 3, 55, 33],
  [285, 1, 3, 1, 15, 31, 13, 49, 245],
  [299, 1, 3, 5, 15, 31, 59, 63, 97],
  [301, 1, 3, 1, 11, 11, 11, 77, 249],
];

/** Dimensions that points can have. */
export const mostDimensions: number = DIRECTIONS.length + 1;

const BITS = 32;

/** Direction numbers of a dimension as 32-bit fractions, the most significant first. */
function directionsOf(dimension: number): Uint32Array {
  const directions = new Uint32Array(BITS);
  if (dimension === 0) return directions.map((_, k) => 2 ** (BITS - 1 - k));
  const [polynomial, ...initial] = DIRECTIONS[dimension - 1];
  const degree = initial.length;
  for (let k = 0; k < BITS; k++) {
    if (k < degree) {
      directions[k] = initial[k] * 2 ** (BITS - 1 - k);
      continue;
    }
    let value = directions[k - degree] ^ (directions[k - degree] >>> degree);
    for (let j = 1; j < degree; j++) {
      if ((polynomial >>> (degree - j)) & 1) value ^= directions[k - j];
    }
    directions[k] = value >>> 0;
  }
  return directions;
}

const tables: Uint32Array[] = [];

/**
 * A coordinate of a point, as a 32-bit fraction: the XOR of the direction numbers at the index's bits.
 *
 * Any 2^k points from a multiple of 2^k on have one each in every interval of length 2^-k, in every dimension.
 *
 * @param index Of the point, from 0.
 * @param dimension From 0.
 * @throws {Refusal} If there are no direction numbers for it.
 */
export function sobol(index: number, dimension: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** BITS || !(dimension < mostDimensions)) {
    throw new Refusal({
      what: "take a quasi-random point",
      must: `its index must be below 2^${BITS} and its dimension below ${mostDimensions}`,
      found: `found ${index} and ${dimension}`,
    });
  }
  const directions = tables[dimension] ??= directionsOf(dimension);
  let value = 0;
  for (let k = 0, rest = index; rest > 0; k++, rest >>>= 1) {
    if (rest & 1) value ^= directions[k];
  }
  return value >>> 0;
}
