/**
 * What every part says of itself, whatever its kind.
 *
 * @module
 */
import type { OptionSpecs, RawOptions } from "../options.ts";

/** What every plugin says of itself, for `--list` and `--describe`. */
export interface About {
  /** Kebab-case name from the paper. */
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** The formula in plain text, where there is one. */
  readonly formula?: string;
  /** Author et al., "Title", venue and year, equation; or where else it comes from. */
  readonly source?: string;
  /** Its options. */
  readonly options: OptionSpecs;
  /** Options that make it as small as it gets with all its structure: what contracts are checked with. @default {} */
  readonly tiny?: RawOptions;
  /** Version of armlab whose `define...` made it. */
  readonly madeWith?: string;
}
