/**
 * What is added to a product or a convolution, as its own third input: the runtime starts the sums from it, which saves
 * a pass over the result.
 *
 * @module
 */
import type { Builder } from "../builder.ts";
import { type Graph, sameShape, sizeOf, type Value } from "../ir.ts";
import { rewrite, type Rule, unshaped, Uses } from "./rewrite.ts";

/** A matrix product or convolution without a third input that is used once. */
function isOpen(value: Value, uses: Uses): boolean {
  const { node } = value;
  return node !== null && (node.op === "Gemm" || node.op === "Conv") && node.inputs.length === 2 &&
    uses.of(value) === 1;
}

/** A product by a number: the pass "multiply and add" does more for its sum. */
function isScaled({ node }: Value): boolean {
  return node?.op === "Mul" && node.inputs.some((input) => sizeOf(input!.shape) === 1);
}

/** What is added, in the form of the third input; `null` if that cannot take it. */
function third(b: Builder, product: Value, added: Value, now: (value: Value) => Value): Value | null {
  const { shape } = product;
  if (product.node!.op === "Gemm") {
    const fits = sameShape(added.shape, [shape[1]]) || sameShape(added.shape, shape) && !isScaled(added);
    return fits ? now(added) : null;
  }
  const channels = shape[1];
  const byChannel = added.shape.length >= shape.length - 1 && sizeOf(added.shape) === channels &&
    added.shape.at(1 - shape.length) === channels;
  return byChannel ? b.reshape(now(added), [channels]) : null;
}

/** Replaces product + bias, also where the product got another shape of the same rows in between. */
export function bias(graph: Graph): Graph {
  const uses = new Uses(graph);
  const rule: Rule = (b, node, now) => {
    if (node.op !== "Add") return null;
    const { shape } = node.outputs[0];
    const [x, y] = node.inputs as readonly Value[];
    for (const [sum, added] of [[x, y], [y, x]]) {
      if (!sameShape(sum.shape, shape)) continue;
      const product = unshaped(sum, uses);
      const rows = product === sum || added.shape.length === 1 && product.shape.at(-1) === added.shape[0];
      if (!rows || !isOpen(product, uses)) continue;
      const value = third(b, product, added, now);
      if (value === null) continue;
      const { op, inputs, attributes } = product.node!;
      return [b.reshape(b.op(op as "Gemm", [now(inputs[0]!), now(inputs[1]!), value], attributes), shape)];
    }
    return null;
  };
  return rewrite(graph, rule);
}
