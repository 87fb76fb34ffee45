/**
 * What became of mutants, counted.
 *
 * @module
 */
import type { Mutant } from "../mutant.ts";

/** What became of a mutant. `late` is killed too: a test did not end in time. */
export type Fate = "killed" | "late" | "alive" | "unreadable";

/** A test of a file. */
export interface TestName {
  readonly file: string;
  readonly name: string;
}

/** A mutant and what became of it. */
export interface Outcome {
  readonly mutant: Mutant;
  readonly fate: Fate;
  /** The test that noticed; `null` where none did, or the file failed outside of its tests. */
  readonly by: TestName | null;
  /** Whether it is from an earlier run. */
  readonly kept: boolean;
}

/** Share of those that are not equivalent that must be noticed. */
const LEAST_KILLED = 0.9;

/** Counts over outcomes. */
export interface Tally {
  readonly killed: number;
  readonly alive: number;
  readonly equivalent: number;
  /** Marked as equivalent, yet a test noticed. */
  readonly refuted: number;
  /** The change is no program. */
  readonly unreadable: number;
}

/** Counts outcomes. */
export function tally(outcomes: readonly Pick<Outcome, "mutant" | "fate">[]): Tally {
  type Counted = Pick<Outcome, "mutant" | "fate">;
  const count = (holds: (outcome: Counted) => boolean) => outcomes.filter(holds).length;
  const noticed = ({ fate }: Counted) => fate === "killed" || fate === "late";
  const marked = ({ mutant }: Counted) => mutant.equivalent !== undefined;
  return {
    killed: count((outcome) => noticed(outcome) && !marked(outcome)),
    alive: count((outcome) => outcome.fate === "alive" && !marked(outcome)),
    equivalent: count((outcome) => outcome.fate === "alive" && marked(outcome)),
    refuted: count((outcome) => noticed(outcome) && marked(outcome)),
    unreadable: count(({ fate }) => fate === "unreadable"),
  };
}

/** Whether a room's tests notice enough. */
export function passes({ killed, alive, refuted, unreadable }: Tally): boolean {
  return refuted === 0 && unreadable === 0 && killed >= LEAST_KILLED * (killed + alive);
}
