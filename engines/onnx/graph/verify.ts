/**
 * What a legal graph is.
 *
 * @module
 */
import { type Graph, printSpec, sameShape, type Value } from "./ir.ts";
import { kernelRules } from "../lower/mod.ts";
import { onnxOperator } from "./onnx_ops.ts";

/** Constants above this many bytes do not belong into a graph: what is that large is state or a computed filling. */
export const MAX_CONSTANT_BYTES = 64 * 1024;

/**
 * Checks a graph: operators of its stage, values made before they are used, outputs of the inferred shapes, no large
 * constant.
 *
 * @param after The step that made it, for the message.
 * @throws {Error} If it is illegal: a defect of that step.
 */
export function verify(graph: Graph, after: string): void {
  const fail = (what: string): never => {
    throw new Error(`Cannot use the graph after ${after}: ${what}`);
  };
  const known = new Set<Value>(graph.inputs.map(({ value }) => value));
  const check = (value: Value, user: string) => {
    if (value.data !== null) {
      if (value.data.byteLength > MAX_CONSTANT_BYTES) {
        fail(
          `${user} has a constant ${
            printSpec(value)
          } of ${value.data.byteLength} bytes; at most ${MAX_CONSTANT_BYTES} are allowed`,
        );
      }
    } else if (!known.has(value)) fail(`${user} uses a value before it is made`);
  };
  for (const node of graph.nodes) {
    for (const input of node.inputs) if (input !== null) check(input, node.op);
    if (graph.stage === "traced") {
      if (!Object.hasOwn(kernelRules, node.op)) fail(`kernel ${node.op} has no rule`);
    } else {
      const specs = onnxOperator(node.op).infer(node.inputs, node.attributes);
      node.outputs.forEach((output, index) => {
        if (!sameShape(output.shape, specs[index].shape) || output.dtype !== specs[index].dtype) {
          fail(`${node.op} gives ${printSpec(specs[index])}, its output says ${printSpec(output)}`);
        }
      });
    }
    for (const output of node.outputs) known.add(output);
  }
  for (const { name, value } of graph.outputs) {
    if (!known.has(value) && value.data === null) fail(`output "${name}" is never made`);
  }
}
