/**
 * Lowering: a traced graph of tfjs kernels to a graph of ONNX operators.
 *
 * @module
 */
import { Builder, type Target } from "../graph/builder.ts";
import { type Graph, printSpec, sameShape, sizeOf, type Value, type ValueSpec } from "../graph/ir.ts";
import type { KernelName } from "../trace/kernels.ts";
import { kernelRules } from "./mod.ts";

interface AnyRule {
  readonly sums?: true;
  lower(
    b: Builder,
    inputs: readonly (Value | null)[],
    attributes: unknown,
    outputs: readonly ValueSpec[],
  ): Value | readonly Value[];
}

/**
 * Lowers every node by its row in the rule table, for a target.
 *
 * @throws {Error} If a row gives another shape or type than it inferred: a defect of the row.
 */
export function lower(graph: Graph, target: Target): Graph {
  const builder = new Builder(target);
  const values = new Map<Value, Value>();
  const lowered = (value: Value): Value => value.data !== null ? builder.intern(value) : values.get(value)!;
  for (const { value } of graph.inputs) values.set(value, value);
  for (const node of graph.nodes) {
    const rule = kernelRules[node.op as KernelName] as unknown as AnyRule;
    const inputs = node.inputs.map((input) => input === null ? null : lowered(input));
    const empty = node.outputs.every(({ shape }) => sizeOf(shape) === 0) ||
      rule.sums === true && inputs.some((input) => input !== null && sizeOf(input.shape) === 0);
    const result = empty
      ? node.outputs.map(({ shape, dtype }) => builder.filled(0, shape, dtype))
      : rule.lower(builder, inputs, node.attributes, node.outputs);
    const results = Array.isArray(result) ? result as readonly Value[] : [result as Value];
    node.outputs.forEach((output, index) => {
      const made = results[index];
      if (made === undefined || !sameShape(made.shape, output.shape) || made.dtype !== output.dtype) {
        throw new Error(
          `Cannot lower kernel ${node.op} as output ${index} must be ${printSpec(output)}: its row gives ` +
            `${made === undefined ? "nothing" : printSpec(made)}`,
        );
      }
      values.set(output, made);
    });
  }
  return builder.finish(graph, graph.outputs.map(({ value }) => lowered(value)));
}
