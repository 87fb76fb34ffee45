/**
 * What is done to a lowered graph before it runs.
 *
 * Much is settled while nodes are made (`builder.ts`): equal nodes are one node, neutral operations are none, repetition
 * that broadcasting does is dropped, transpositions sink through elementwise operations and reductions until they meet
 * and cancel, so that maps stay channels first between convolutions. Passes do what needs a view of the whole graph.
 *
 * @module
 */
import type { Target } from "../graph/builder.ts";
import type { Graph } from "../graph/ir.ts";
import { verify } from "../graph/verify.ts";
import { bias } from "./bias.ts";
import { foldConstants } from "./fold_constants.ts";
import { groupUpdates } from "./group_updates.ts";
import { longSums } from "./long_sums.ts";
import { means } from "./means.ts";
import { multiplyAdd } from "./multiply_add.ts";
import { rejoined } from "./rejoined.ts";
import { relu } from "./relu.ts";
import { scaleAndShift } from "./scale_and_shift.ts";
import { scatterInto } from "./scatter_into.ts";
import { sumsOfSquares } from "./sums_of_squares.ts";
import { turnedFactors } from "./turned_factors.ts";
import { wideRows } from "./wide_rows.ts";

/** One pass. */
export interface Pass {
  readonly name: string;
  /** Why it is there and why at this place. */
  readonly reason: string;
  /**
   * Whether it is for ONNX Runtime on the CPU alone: its forms were measured there. Also, what depends on sizes must not
   * touch exported models, which are the same for every batch.
   */
  readonly cpu?: true;
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
    name: "rejoined",
    reason: "anywhere: logged scalars that came out of one tensor are logged as that tensor",
    cpu: true,
    run: rejoined,
  },
  {
    name: "sums of squares",
    reason:
      "before updates are grouped, which hides squares: the norm over all gradients is one operation, not hundreds",
    cpu: true,
    run: sumsOfSquares,
  },
  {
    name: "means",
    reason: "before biases, which products take: means of rows by weights, and rows without their mean, are products",
    cpu: true,
    run: means,
  },
  {
    name: "bias",
    reason: "before products get another form: what is added to a product costs no pass of its own",
    run: bias,
  },
  {
    name: "relu",
    reason: "after biases, which stand between a product and its ReLU: the fused operators write the result once",
    cpu: true,
    run: relu,
  },
  {
    name: "group updates",
    reason: "before the updates of large parameters get another form: those of small ones cost their nodes, so equal " +
      "updates are one; graphics cards join and part only few tensors at once",
    cpu: true,
    run: groupUpdates,
  },
  {
    name: "scale and shift",
    reason:
      "after biases, which products take for nothing: a x + c per channel in one pass, of which normalisation and " +
      "its gradient consist",
    cpu: true,
    run: scaleAndShift,
  },
  {
    name: "multiply and add",
    reason: "after all that look for sums, as its form hides them: s x + y in one pass over memory, which is what an " +
      "optimiser's update of a large parameter consists of",
    cpu: true,
    run: multiplyAdd,
  },
  {
    name: "long sums",
    reason: "after all that look for sums: sums of many numbers in stages, so that their rounding does not add up",
    cpu: true,
    run: longSums,
  },
  {
    name: "wide rows",
    reason:
      "last, as it takes what the others left: the runtime calls a function for every row that it repeats, which " +
      "of 8 or 16 channels takes longer than the numbers",
    cpu: true,
    run: wideRows,
  },
  {
    name: "turned factors",
    reason:
      "after all that look for products: of sums over many rows one factor is turned in a pass of its own, which " +
      "reads it in order",
    cpu: true,
    run: turnedFactors,
  },
];

/**
 * Runs all passes that a target can use.
 *
 * @throws {Error} If one makes an illegal graph: a defect of the pass.
 */
export function optimise(graph: Graph, target: Target): Graph {
  let current = graph;
  for (const { name, cpu, run } of passes) {
    if (cpu === true && target !== "cpu") continue;
    current = run(current);
    verify(current, `pass "${name}"`);
  }
  return current;
}
