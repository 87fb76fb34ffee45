/**
 * ReLU inside the product or convolution before it.
 *
 * Its gradient asks where the input was above zero, which is where the result is. So the input need not be kept, and the
 * runtime's fused operators apply.
 *
 * @module
 */
import type { Graph, Value } from "../graph/ir.ts";
import { rewrite, unshaped, Uses } from "./rewrite.ts";

function isZero(value: Value): boolean {
  return value.data !== null && value.data.length === 1 && Number(value.data[0]) === 0;
}

/** Asks of ReLU's result what was asked of its input. */
function masksOfResults(graph: Graph): Graph {
  const activated = new Set<Value>();
  for (const { op, inputs } of graph.nodes) if (op === "Relu") activated.add(inputs[0]!);
  return rewrite(graph, (b, node, now) => {
    if (node.op !== "Greater") return null;
    const [x, limit] = node.inputs as readonly Value[];
    return activated.has(x) && isZero(limit) ? b.node("Greater", [b.op("Relu", [now(x)]), limit]) : null;
  });
}

const fused: Readonly<Record<string, "FusedGemm" | "FusedConv" | undefined>> = { Gemm: "FusedGemm", Conv: "FusedConv" };

/** Replaces relu(product) and relu(convolution over two axes). */
export function relu(graph: Graph): Graph {
  const masked = masksOfResults(graph);
  const uses = new Uses(masked);
  return rewrite(masked, (b, node, now) => {
    if (node.op !== "Relu") return null;
    const x = unshaped(node.inputs[0]!, uses);
    const op = fused[x.node?.op ?? ""];
    const planar = x.shape.length === (op === "FusedConv" ? 4 : 2);
    if (op === undefined || !planar || uses.of(x) !== 1) return null;
    const inputs = x.node!.inputs.map((input) => now(input!));
    return [b.reshape(b.op(op, inputs, { ...x.node!.attributes, activation: "Relu" }), node.outputs[0].shape)];
  });
}
