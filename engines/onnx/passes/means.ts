/**
 * Means that the runtime takes faster as products of matrices, so that formulas can be written as they are.
 *
 * A sum of rows by their weights, sum_b w_b x_b, is the row w times the matrix x: one pass over x instead of two. What is
 * left of a row of a few numbers without their mean is the row times I - 1/m: one node instead of two.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, type Node, sameShape, type Value } from "../graph/ir.ts";
import { constantInts } from "../graph/onnx_shapes.ts";
import { rewrite, Uses } from "./rewrite.ts";

/** Of longer rows the product takes longer than two passes. */
const MOST_COLUMNS = 8;

/** Whether a node reduces a matrix along one axis and keeps it with an extent of 1. */
function along(node: Node, axis: number): boolean {
  return node.inputs[0]!.shape.length === 2 && constantInts(node.inputs[1])?.join() === String(axis) &&
    node.attributes["keepdims"] !== 0;
}

/** The weights [B, 1] and the rows [B, c] of a sum of rows, or `null` if it is another. */
function weightedRows(node: Node, uses: Uses): { readonly weights: Value; readonly rows: Value } | null {
  const product = node.inputs[0]!;
  if (node.op !== "ReduceSum" || !along(node, 0) || product.node?.op !== "Mul" || uses.of(product) !== 1) return null;
  const [x, y] = product.node.inputs as readonly Value[];
  const column = [product.shape[0], 1];
  for (const [weights, rows] of [[x, y], [y, x]]) {
    if (rows.dtype === "float32" && sameShape(weights.shape, column) && sameShape(rows.shape, product.shape)) {
      return { weights, rows };
    }
  }
  return null;
}

/** x of x - mean(x) along short rows, or `null` if it is another difference. */
function centredRows({ op, inputs }: Node): Value | null {
  const mean = inputs[1]?.node;
  if (op !== "Sub" || mean?.op !== "ReduceMean" || mean.inputs[0] !== inputs[0] || !along(mean, 1)) return null;
  const [x] = inputs as readonly Value[];
  return x.dtype === "float32" && x.shape[1] <= MOST_COLUMNS ? x : null;
}

/** I - 1/m. */
function centring(b: Builder, m: number): Value {
  const values = Array.from({ length: m * m }, (_, k) => Number(k % (m + 1) === 0) - 1 / m);
  return b.constant(values, [m, m], "float32");
}

/** Replaces sums of weighted rows, and short rows without their mean. */
export function means(graph: Graph): Graph {
  const uses = new Uses(graph);
  return rewrite(graph, (b, node, now) => {
    const sum = weightedRows(node, uses);
    if (sum !== null) {
      const { weights, rows } = sum;
      // A list of weights that was turned into a column is a row as well.
      return weights.node?.op === "Reshape"
        ? b.node("Gemm", [b.reshape(now(weights), [1, weights.shape[0]]), now(rows)])
        : b.node("Gemm", [now(weights), now(rows)], { transA: 1 });
    }
    const centred = centredRows(node);
    return centred === null ? null : b.node("Gemm", [now(centred), centring(b, centred.shape[1])]);
  });
}
