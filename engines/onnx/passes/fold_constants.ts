/**
 * What depends on small constants alone, computed while compiling.
 *
 * Float arithmetic is done in double precision and rounded once per node, which is what IEEE single precision gives for
 * sums, differences, products, quotients and square roots.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { constantValue, type Graph, type Node, sameShape, sizeOf, type Value } from "../graph/ir.ts";
import { elementTypes } from "../graph/onnx_ops.ts";
import { rewrite } from "./rewrite.ts";

/** Larger results stay computations: they would make the model file large. */
const MOST_ELEMENTS = 1024;

const unary: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
};

const binary: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  Div: (x, y) => x / y,
};

/** The values of a node on float constants, or `null` if it is none that is known here. */
function computed(node: Node, inputs: readonly Value[]): Float32Array | null {
  const data = inputs.map((input) => input.data as Float32Array);
  const size = sizeOf(node.outputs[0].shape);
  const one = unary[node.op];
  if (one !== undefined) return data[0].map(one);
  const two = binary[node.op];
  // A lone number is repeated; other broadcasts are rare among constants.
  const fits = inputs.every(({ shape }) => sizeOf(shape) === 1 || sameShape(shape, node.outputs[0].shape));
  if (two === undefined || !fits) return null;
  const at = (values: Float32Array, index: number) => values[values.length === 1 ? 0 : index];
  return Float32Array.from({ length: size }, (_, i) => two(at(data[0], i), at(data[1], i)));
}

function moved(b: Builder, node: Node, x: Value): Value | null {
  switch (node.op) {
    case "Reshape":
      return b.reshape(x, node.outputs[0].shape);
    case "Cast": {
      if (node.attributes["to"] !== elementTypes.float32 || x.dtype !== "int32") return null;
      return b.constant(Array.from(x.data as Int32Array), x.shape, "float32");
    }
    default:
      return null;
  }
}

/** Replaces nodes whose inputs are small constants by their values. */
export function foldConstants(graph: Graph): Graph {
  return rewrite(graph, (b, node, now) => {
    if (node.inputs.length === 0 || node.outputs.length !== 1 || sizeOf(node.outputs[0].shape) > MOST_ELEMENTS) {
      return null;
    }
    const inputs: Value[] = [];
    for (const input of node.inputs) {
      if (input === null) return null;
      const value = now(input);
      if (value.data === null) return null;
      inputs.push(value);
    }
    const same = moved(b, node, inputs[0]);
    if (same !== null) return [same];
    if (inputs.some(({ dtype }) => dtype !== "float32")) return null;
    const values = computed(node, inputs);
    return values === null ? null : [b.intern(constantValue(node.outputs[0].shape, "float32", values))];
  });
}
