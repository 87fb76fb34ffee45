/**
 * What is added to a product or a convolution, as its own third input: the runtime starts the sums from it, which saves
 * a pass over the result.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, sameShape, sizeOf, type Value } from "../graph/ir.ts";
import { rewrite, type Rule, unshaped, Uses } from "./rewrite.ts";

/** A matrix product or convolution without a third input that is used once. */
function isOpen(value: Value, uses: Uses): boolean {
  const { node } = value;
  return node !== null && (node.op === "Gemm" || node.op === "Conv") && node.inputs.length === 2 &&
    uses.of(value) === 1;
}

/** Of smaller matrices the updates are joined, which takes the same form for all. */
const LEAST_ELEMENTS = 16384;

/** What is added: a value, times a number. */
interface Third {
  readonly value: Value;
  readonly beta: number;
}

/** A constant times a large matrix, as weight decay adds it to a gradient. */
function scaledByConstant(added: Value, uses: Uses): { x: Value; factor: number } | null {
  if (added.node?.op !== "Mul" || uses.of(added) !== 1 || sizeOf(added.shape) < LEAST_ELEMENTS) return null;
  const [x, y] = added.node.inputs as readonly Value[];
  const [number, tensor] = sizeOf(x.shape) === 1 ? [x, y] : [y, x];
  return number.data === null || number.data.length !== 1 || !sameShape(tensor.shape, added.shape)
    ? null
    : { x: tensor, factor: Number(number.data[0]) };
}

/** A product by a number: the pass "multiply and add" does more for its sum. */
function isScaled({ node }: Value): boolean {
  return node?.op === "Mul" && node.inputs.some((input) => sizeOf(input!.shape) === 1);
}

/** What is added, in the form of the third input; `null` if that cannot take it. */
function third(b: Builder, product: Value, added: Value, uses: Uses, now: (value: Value) => Value): Third | null {
  const { shape } = product;
  if (product.node!.op === "Gemm") {
    if (sameShape(added.shape, [shape[1]])) return { value: now(added), beta: 1 };
    if (sizeOf(added.shape) !== sizeOf(shape)) return null;
    const scaled = scaledByConstant(added, uses);
    if (scaled !== null) return { value: b.reshape(now(scaled.x), shape), beta: scaled.factor };
    return isScaled(added) ? null : { value: b.reshape(now(added), shape), beta: 1 };
  }
  const channels = shape[1];
  const byChannel = added.shape.length >= shape.length - 1 && sizeOf(added.shape) === channels &&
    added.shape.at(1 - shape.length) === channels;
  return byChannel ? { value: b.reshape(now(added), [channels]), beta: 1 } : null;
}

/** Replaces product + bias, also where the product got another shape in between. */
export function bias(graph: Graph): Graph {
  const uses = new Uses(graph);
  const rule: Rule = (b, node, now) => {
    if (node.op !== "Add") return null;
    const { shape } = node.outputs[0];
    const [x, y] = node.inputs as readonly Value[];
    for (const [sum, added] of [[x, y], [y, x]]) {
      if (!sameShape(sum.shape, shape)) continue;
      const product = unshaped(sum, uses);
      const alike = product === sum || sameShape(added.shape, shape) ||
        added.shape.length === 1 && product.shape.at(-1) === added.shape[0];
      if (!alike || !isOpen(product, uses)) continue;
      const found = third(b, product, added, uses, now);
      if (found === null) continue;
      const { op, inputs, attributes } = product.node!;
      const scale = found.beta === 1 ? {} : { beta: found.beta };
      const fused = b.op(op as "Gemm", [now(inputs[0]!), now(inputs[1]!), found.value], { ...attributes, ...scale });
      return [b.reshape(fused, shape)];
    }
    return null;
  };
  return rewrite(graph, rule);
}
