/**
 * Grids: experiments as data.
 *
 * @module
 */
import type { CellRequest } from "./config.ts";

/** A question, the configurations that answer it and the seeds. */
export interface Grid {
  /** Kebab-case name for `--grid`. */
  readonly name: string;
  /** The question it answers, in one sentence. */
  readonly question: string;
  readonly cells: readonly CellRequest[];
  readonly seeds: readonly number[];
}
