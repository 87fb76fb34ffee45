/**
 * Rebuilding a lowered graph with some of its nodes replaced.
 *
 * @module
 */
import { Builder } from "../graph/builder.ts";
import type { Graph, Node, Value } from "../graph/ir.ts";
import type { OnnxName } from "../graph/onnx_ops.ts";

/** How often values are used, as inputs of nodes and as outputs. */
export class Uses {
  readonly #counts: Map<Value, number> = new Map();

  constructor(graph: Graph) {
    const count = (value: Value) => this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
    for (const node of graph.nodes) for (const input of node.inputs) if (input !== null) count(input);
    for (const { value } of graph.outputs) count(value);
  }

  /** Uses of a value. */
  of(value: Value): number {
    return this.#counts.get(value) ?? 0;
  }
}

/** What a value is in another shape, if nothing else uses it in either; else the value. */
export function unshaped(value: Value, uses: Uses): Value {
  return value.node?.op === "Reshape" && uses.of(value) === 1 ? value.node.inputs[0]! : value;
}

/**
 * Replaces a node.
 *
 * @param b Makes what stands instead.
 * @param node The node as it was, to look at what it hangs on.
 * @param now The value that stands for one of the old graph; only for inputs of nodes that came before.
 * @returns As many values as the node has outputs, of the same shapes and types; or `null` to leave it.
 */
export type Rule = (b: Builder, node: Node, now: (value: Value) => Value) => readonly Value[] | null;

/** A graph that is being built anew. */
export interface Rebuilt {
  readonly b: Builder;
  /** The value that stands for one of the old graph. */
  now(value: Value): Value;
}

/** Makes the nodes of a graph again, some of them replaced. */
export function rebuild(graph: Graph, rule: Rule): Rebuilt {
  // Passes work on nodes that are made; what depends on the target was chosen before.
  const b = new Builder("any");
  const values = new Map<Value, Value>();
  for (const { value } of graph.inputs) values.set(value, value);
  const now = (value: Value): Value => value.data !== null ? b.intern(value) : values.get(value)!;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => input === null ? null : now(input));
    const same = inputs.every((input, index) => input === node.inputs[index]);
    const made = rule(b, node, now) ??
      (node.op === "Identity"
        ? [inputs[0]!]
        : same
        ? b.adopted(node)
        : b.node(node.op as OnnxName, inputs, node.attributes));
    node.outputs.forEach((output, index) => values.set(output, made[index]));
  }
  return { b, now };
}

/** Rebuilds a lowered graph; equal nodes become one, and nodes that nothing hangs on are left out. */
export function rewrite(graph: Graph, rule: Rule): Graph {
  const { b, now } = rebuild(graph, rule);
  return b.finish(graph, graph.outputs.map(({ value }) => now(value)));
}
