/**
 * Rows scattered into zeros and added to x become rows scattered into x: the gradient of an embedding table with weight
 * decay.
 *
 * @module
 */
import type { Graph, Value } from "../graph/ir.ts";
import { sameShape } from "../graph/ir.ts";
import { rewrite, Uses } from "./rewrite.ts";

function isZeros(value: Value | null): boolean {
  return value?.node?.op === "ConstantOfShape" && Number(value.node.inputs[1]!.data![0]) === 0;
}

/** Replaces x + scatter(0, i, u) by scatter(x, i, u), where the scattered rows are used for nothing else. */
export function scatterInto(graph: Graph): Graph {
  const uses = new Uses(graph);
  const scattered = (value: Value) =>
    value.node?.op === "ScatterElements" && value.node.attributes["reduction"] === "add" &&
    isZeros(value.node.inputs[0]) && uses.of(value) === 1;
  return rewrite(graph, (b, node, now) => {
    if (node.op !== "Add") return null;
    const [x, y] = node.inputs as readonly Value[];
    const [sum, other] = scattered(y) ? [y, x] : scattered(x) ? [x, y] : [null, null];
    if (sum === null || !sameShape(other.shape, sum.shape)) return null;
    const [_, indices, updates] = sum.node!.inputs as readonly Value[];
    return b.node("ScatterElements", [now(other), now(indices), now(updates)], sum.node!.attributes);
  });
}
