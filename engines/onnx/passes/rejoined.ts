/**
 * What was split and is joined again without a change: scalars that a program took out of one tensor to name them, and
 * that are logged in one.
 *
 * @module
 */
import { type Graph, type Node, sizeOf, type Value } from "../graph/ir.ts";
import { rewrite } from "./rewrite.ts";

/** Whether pieces along an axis lie one behind the other in memory. */
function outermost({ shape }: Value, axis: number): boolean {
  return sizeOf(shape.slice(0, axis)) === 1;
}

/** The split node whose pieces, in any shape, stand from a place of a list on, all of them and in order; or `null`. */
function splitAt(pieces: readonly Value[], place: number): Node | null {
  const piece = (value: Value) => value.node?.op === "Reshape" ? value.node.inputs[0]! : value;
  const node = piece(pieces[place])?.node ?? null;
  if (node?.op !== "Split" || !outermost(node.inputs[0]!, node.attributes["axis"] as number)) return null;
  return node.outputs.every((output, k) => place + k < pieces.length && piece(pieces[place + k]) === output)
    ? node
    : null;
}

/** Replaces concat(.., all pieces of split(x), ..) by concat(.., x, ..). */
export function rejoined(graph: Graph): Graph {
  return rewrite(graph, (b, node, now) => {
    const axis = node.attributes["axis"] as number;
    if (node.op !== "Concat" || !outermost(node.outputs[0], axis)) return null;
    const pieces = node.inputs as readonly Value[];
    const joined: Value[] = [];
    for (let place = 0; place < pieces.length;) {
      const split = splitAt(pieces, place);
      const count = split?.outputs.length ?? 1;
      const [first] = pieces.slice(place);
      const extent = pieces.slice(place, place + count).reduce((sum, { shape }) => sum + shape[axis], 0);
      const shape = first.shape.map((own, along) => along === axis ? extent : own);
      joined.push(split === null ? now(first) : b.reshape(now(split.inputs[0]!), shape));
      place += count;
    }
    if (joined.length === pieces.length) return null;
    return [joined.length === 1 ? joined[0] : b.op("Concat", joined, { axis })];
  });
}
