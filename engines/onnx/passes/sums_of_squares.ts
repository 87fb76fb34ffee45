/**
 * Squares that are all summed, as one operation; those of many small tensors as one for all that the same sums have. The
 * norm of a gradient over all parameters is such a sum, and the norms of its parts are others. What remains of a long sum of
 * numbers is one operation too.
 *
 * Sums along some axes stay as they are: the runtime's operation rounds them more, and variances are made of them.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, type Node, sizeOf, type Value } from "../graph/ir.ts";
import { constantInts } from "../graph/onnx_shapes.ts";
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

/** Small tensors whose squares are summed together wherever they are summed at all. */
interface Joined {
  readonly terms: readonly Value[];
  /** The sum of their squares, once it is made. */
  made: Value | null;
}

/** Which terms are joined with which: those that the same sums have. */
function joinedTerms(
  sums: readonly { readonly node: Node; readonly terms: readonly Value[] }[],
  uses: Uses,
): ReadonlyMap<Value, Joined> {
  const where = new Map<Value, number[]>();
  sums.forEach(({ terms }, index) => {
    for (const term of terms) {
      const x = squaredBy(term, uses);
      if (x === null || sizeOf(x.shape) > MOST_ELEMENTS) continue;
      const found = where.get(term);
      if (found === undefined) where.set(term, [index]);
      else found.push(index);
    }
  });
  const alike = new Map<string, Value[]>();
  for (const [term, found] of where) {
    // What something else uses too is made by itself anyway, and a term that a sum has twice is rare.
    if (uses.of(term) !== found.length || new Set(found).size !== found.length) continue;
    const key = found.join();
    alike.set(key, [...alike.get(key) ?? [], term]);
  }
  const joined = new Map<Value, Joined>();
  for (const terms of alike.values()) {
    if (terms.length < LEAST_TERMS) continue;
    const group: Joined = { terms, made: null };
    for (const term of terms) joined.set(term, group);
  }
  return joined;
}

/** Replaces sum(x x), and sums of many numbers. */
export function sumsOfSquares(graph: Graph): Graph {
  const uses = new Uses(graph);
  const inner = innerSums(graph, uses);
  const sums = graph.nodes.filter((node) => isSum(node) && !inner.has(node))
    .map((node) => ({ node, terms: termsOf(node, inner) }));
  const termsBy = new Map(sums.map(({ node, terms }) => [node, terms]));
  const joined = joinedTerms(sums, uses);
  return rewrite(graph, (b, node, now) => {
    if (node.op === "ReduceSum") {
      const x = squaredBy(node.outputs[0], uses);
      return x === null ? null : b.node("ReduceSumSquare", [now(x), node.inputs[1]], node.attributes);
    }
    const terms = termsBy.get(node) ?? [];
    if (terms.length < LEAST_TERMS) return null;
    const groups = new Set(terms.flatMap((term) => joined.get(term) ?? []));
    const madeOf = (group: Joined): Value => {
      if (group.made === null) {
        const flat = group.terms.map((term) => {
          const x = now(squaredBy(term, uses)!);
          return b.reshape(x, [sizeOf(x.shape)]);
        });
        group.made = squareSum(b, b.op("Concat", flat, { axis: 0 }));
      }
      return group.made;
    };
    const others = terms.filter((term) => !joined.has(term)).map(now);
    const parts = [...[...groups].map(madeOf), ...others];
    return [parts.length === 1 ? parts[0] : b.op("Sum", parts)];
  });
}
