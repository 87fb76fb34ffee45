/**
 * What a list under `tools/mutants/` holds.
 *
 * @module
 */

/** One plausible mistake. */
export interface Mutant {
  /** File from the root. */
  readonly file: string;
  /** A fragment that occurs once in the file, whatever its blanks. */
  readonly from: string;
  /** What stands there instead. */
  readonly to: string;
  /** Test files or folders of its room that must notice. */
  readonly tests: readonly string[];
  /** Why no test could notice it. */
  readonly equivalent?: string;
}

/** Changes of one file under the same tests: pairs of fragments, with a third entry where they are equivalent. */
export function mutantsOf(
  file: string,
  tests: readonly string[],
  changes: readonly (readonly [from: string, to: string, equivalent?: string])[],
): Mutant[] {
  return changes.map(([from, to, equivalent]) => ({ file, from, to, tests, equivalent }));
}
