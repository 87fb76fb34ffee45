/**
 * All grids.
 *
 * @module
 */
import type { Grid } from "../grid.ts";
import { quick } from "./quick.ts";

export { quick };

/** Grids by the order in which they are listed. */
export const grids: readonly Grid[] = [quick];

/** The grid of a name. @throws {RangeError} If there is none; the message lists the names. */
export function gridOf(name: string): Grid {
  const grid = grids.find((candidate) => candidate.name === name);
  if (grid !== undefined) return grid;
  throw new RangeError(`Cannot find grid "${name}": grids are ${grids.map((other) => other.name).join(", ")}`);
}
