/**
 * The middle of some numbers.
 *
 * @module
 */

/** The middle one of some numbers in their order; of an even count the upper of the two in the middle; 0 for none. */
export function median(values: readonly number[]): number {
  return values.length === 0 ? 0 : [...values].sort((a, b) => a - b)[values.length >> 1];
}
