/**
 * Squares that are all summed, as one operation; those of many small tensors as one for all. The norm of a gradient over
 * all parameters is such a sum.
 *
 * Sums along some axes stay as they are: the runtime's operation rounds them more, and variances are made of them.
 *
 * @module
 */
import type { Builder } from "../builder.ts";
import { type Graph, type Node, sizeOf, type Value } from "../ir.ts";
import { constantInts } from "../onnx_shapes.ts";
import { rewrite, Uses } from "./rewrite.ts";

/** Larger tensors take longer to copy than a node costs. */
const MOST_ELEMENTS = 8192;
/** Fewer tensors are not worth the copy. */
const LEAST_TERMS = 3;

/** The x of the sum of x x over all axes, or `null` if it is another sum. */
function squaredBy(value: Value, uses: Uses): Value | null {
  const { node } = value;
  if (node?.op !== "ReduceSum" || !sumsAll(node)) return null;
  const [product] = node.inputs as readonly Value[];
  if (uses.of(product) !== 1) return null;
  const [x, y] = product.node?.op === "Mul" ? product.node.inputs : [null, null];
  return x !== null && x === y && x.dtype === "float32" ? x : null;
}

function squareSum(b: Builder, x: Value): Value {
  return b.reduce("ReduceSumSquare", x, x.shape.map((_, axis) => axis), false);
}

function sumsAll({ inputs, outputs }: Node): boolean {
  return outputs[0].shape.length === 0 && constantInts(inputs[1])!.length === inputs[0]!.shape.length;
}

/** Sums of numbers that are a term of one other sum and nothing else. */
function innerSums(graph: Graph, uses: Uses): ReadonlySet<Node> {
  const inner = new Set<Node>();
  for (const node of graph.nodes) {
    if (!isSum(node)) continue;
    for (const input of node.inputs) {
      if (input!.node !== null && isSum(input!.node) && uses.of(input!) === 1) inner.add(input!.node);
    }
  }
  return inner;
}

function isSum(node: Node): boolean {
  return node.op === "Add" && node.outputs[0].shape.length === 0 && node.outputs[0].dtype === "float32";
}

function termsOf(node: Node, inner: ReadonlySet<Node>): Value[] {
  const terms: Value[] = [];
  // A loop, as the norm over hundreds of parameters is a chain as long.
  const open: Value[] = [...node.inputs as readonly Value[]].reverse();
  while (open.length > 0) {
    const value = open.pop()!;
    if (value.node !== null && inner.has(value.node)) {
      open.push(...([...value.node.inputs as readonly Value[]].reverse()));
    } else terms.push(value);
  }
  return terms;
}

/** Replaces sum(x x), and sums of many of them. */
export function sumsOfSquares(graph: Graph): Graph {
  const uses = new Uses(graph);
  const inner = innerSums(graph, uses);
  return rewrite(graph, (b, node, now) => {
    if (node.op === "ReduceSum") {
      const x = squaredBy(node.outputs[0], uses);
      return x === null ? null : b.node("ReduceSumSquare", [now(x), node.inputs[1]], node.attributes);
    }
    if (!isSum(node) || inner.has(node)) return null;
    const terms = termsOf(node, inner);
    const small = terms.filter((term) => {
      const x = squaredBy(term, uses);
      return x !== null && uses.of(term) === 1 && sizeOf(x.shape) <= MOST_ELEMENTS;
    });
    if (small.length < LEAST_TERMS) return null;
    const flat = small.map((term) => {
      const x = now(squaredBy(term, uses)!);
      return b.reshape(x, [sizeOf(x.shape)]);
    });
    const joined = squareSum(b, b.op("Concat", flat, { axis: 0 }));
    const others = terms.filter((term) => !small.includes(term)).map(now);
    return [others.reduce((sum, term) => b.op("Add", [sum, term]), joined)];
  });
}
