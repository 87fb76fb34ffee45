/**
 * What is done to a lowered graph before it runs.
 *
 * Much is settled while nodes are made (`builder.ts`): equal nodes are one node, neutral operations are none, repetition
 * that broadcasting does is dropped, transpositions sink through elementwise operations and reductions until they meet
 * and cancel, so that maps stay channels first between convolutions. Passes do what needs a view of the whole graph.
 *
 * @module
 */
import type { Graph } from "../ir.ts";
import { verify } from "../verify.ts";
import { foldConstants } from "./fold_constants.ts";
import { multiplyAdd } from "./multiply_add.ts";
import { scatterInto } from "./scatter_into.ts";

/** One pass. */
export interface Pass {
  readonly name: string;
  /** Why it is there and why at this place. */
  readonly reason: string;
  run(graph: Graph): Graph;
}

/** The passes, in order. */
export const passes: readonly Pass[] = [
  {
    name: "fold constants",
    reason: "first, so that the others see numbers: what depends on small constants alone is computed once, here",
    run: foldConstants,
  },
  {
    name: "scatter into",
    reason: "before sums are fused: rows added to zeros and then to x are added to x, which saves two passes over x",
    run: scatterInto,
  },
  {
    name: "multiply and add",
    reason: "last, as its form hides the sum from the others: s x + y in one pass over memory, which is what an " +
      "optimiser's update of a large parameter consists of",
    run: multiplyAdd,
  },
];

/**
 * Runs all passes.
 *
 * @throws {Error} If one makes an illegal graph: a defect of the pass.
 */
export function optimise(graph: Graph): Graph {
  let current = graph;
  for (const { name, run } of passes) {
    current = run(current);
    verify(current, `pass "${name}"`);
  }
  return current;
}
