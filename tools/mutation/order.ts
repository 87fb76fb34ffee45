/**
 * In which order tests are tried on a mutant: what noticed a neighbour, names what is changed or is quick goes first.
 *
 * @module
 */
import type { Place } from "./change.ts";
import type { Reach } from "./reach.ts";
import type { TestName } from "./tally.ts";
import type { Timed } from "./trial.ts";

/** Distance in lines at which a neighbour counts half. */
const NEAR_LINES = 20;
/** What a test is taken to last that has not run yet, in milliseconds. */
const UNKNOWN_MS = 500;
/** What a test costs beside itself, in milliseconds: keeps those of no time apart by what is known of them. */
const LEAST_MS = 20;

/** A mutant that a test noticed. */
interface Notice {
  readonly line: number;
  readonly by: TestName;
}

/** What is known of who notices what; grows as mutants are tried. */
export class Notices {
  readonly #byFile = new Map<string, Notice[]>();

  /** Adds that a test noticed a mutant of a file. */
  add(file: string, line: number, by: TestName): void {
    if (!this.#byFile.has(file)) this.#byFile.set(file, []);
    this.#byFile.get(file)!.push({ line, by });
  }

  /** How much neighbours of a line speak for a test, or, without a name, for all tests of a file. */
  weigh(file: string, line: number, test: string, name: string | null): number {
    let weight = 0;
    for (const { line: other, by } of this.#byFile.get(file) ?? []) {
      if (by.file !== test || (name !== null && by.name !== name)) continue;
      weight += NEAR_LINES / (NEAR_LINES + Math.abs(other - line));
    }
    return weight;
  }
}

/** What an order is made from. */
export interface OrderOf {
  readonly file: string;
  readonly place: Place;
  readonly notices: Notices;
  /** The test that noticed this mutant before. */
  readonly before: TestName | null;
}

/** Whether a test's name has a name as a word. */
const says = (test: string, name: string): boolean =>
  test.split(/[^\w$]+/).some((word) => word.toLowerCase() === name.toLowerCase());

/** Names of a file's tests, the likeliest to notice for its time first. */
export function testOrder(test: string, tests: readonly Timed[], { file, place, notices, before }: OrderOf): string[] {
  const worth = ({ name, ms }: Timed) => {
    if (before?.file === test && before.name === name) return Infinity;
    const named = place.names.findIndex((part) => says(name, part));
    const likely = 0.1 + (named < 0 ? 0 : 2 / (1 + named)) + 4 * notices.weigh(file, place.line, test, name);
    return likely / (LEAST_MS + (ms ?? UNKNOWN_MS));
  };
  const ranked = tests.map((timed) => ({ name: timed.name, worth: worth(timed) }));
  return ranked.sort((a, b) => b.worth === a.worth ? 0 : b.worth - a.worth).map(({ name }) => name);
}

/** Test files that reach a mutant's file: the one that noticed it first, then by neighbours, then by imports on the way. */
export function fileOrder(
  tests: readonly string[],
  reaches: ReadonlyMap<string, Reach>,
  { file, place, notices, before }: OrderOf,
): string[] {
  const steps = (test: string) => reaches.get(test)!.steps.get(file);
  const rank = (test: string): readonly number[] => [
    before?.file === test ? 0 : 1,
    -notices.weigh(file, place.line, test, null),
    steps(test)!,
  ];
  const compare = (a: readonly number[], b: readonly number[]) => {
    const at = a.findIndex((value, index) => value !== b[index]);
    return at < 0 ? 0 : a[at] - b[at];
  };
  return tests.filter((test) => steps(test) !== undefined).sort((a, b) => compare(rank(a), rank(b)));
}
