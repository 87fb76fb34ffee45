/**
 * The same update of many small tensors, done once on all of them end to end.
 *
 * An optimiser's update is the same few operations for every parameter. On a vector of a hundred numbers each costs what
 * a node costs, so that the biases and norms of a network take longer to update than its matrices.
 *
 * @module
 */
import { type Builder, ELEMENTWISE } from "../graph/builder.ts";
import { type Attributes, type Graph, type Node, sameShape, sizeOf, type Value } from "../graph/ir.ts";
import type { OnnxName } from "../graph/onnx_ops.ts";
import { rebuild } from "./rewrite.ts";

/** Larger tensors take longer to copy than their nodes cost. */
const MOST_ELEMENTS = 8192;
/** Fewer tensors are not worth the nodes that join and part them. */
const LEAST_MEMBERS = 3;

/** What an operation of an update takes: an earlier operation, a tensor of the update, or a number common to all. */
type Operand = { readonly step: number } | { readonly leaf: number } | { readonly scalar: Value };

interface Step {
  readonly op: OnnxName;
  readonly attributes: Attributes;
  readonly operands: readonly Operand[];
}

/** An output as elementwise operations on tensors of its own shape. */
interface Update {
  readonly steps: readonly Step[];
  /** The nodes that these are now. */
  readonly nodes: ReadonlySet<Node>;
  readonly leaves: readonly Value[];
  /** Equal for updates that differ in their tensors alone. */
  readonly key: string;
}

/** Numbers values, so that keys can name them. */
type Numbering = (scalar: Value) => string;

function numbering(): Numbering {
  const ids = new Map<Value, number>();
  return (scalar) => {
    // Small constants of equal content are the same value.
    if (!ids.has(scalar)) ids.set(scalar, ids.size);
    return `s${ids.get(scalar)}`;
  };
}

/**
 * The update that makes an output, or `null` if it is something else.
 *
 * @param made What is computed in any case, so that an update can start from it.
 */
function updateOf(output: Value, nameOf: Numbering, made: ReadonlySet<Value | null>): Update | null {
  const { shape } = output;
  const steps: Step[] = [];
  const nodes = new Set<Node>();
  const leaves: Value[] = [];
  const keys: string[] = [];
  const known = new Map<Value, Operand | null>();
  const visit = (value: Value): Operand | null => {
    let operand = known.get(value);
    if (operand === undefined) known.set(value, operand = operandOf(value));
    return operand;
  };
  const operandOf = (value: Value): Operand | null => {
    if (value.dtype !== "float32") return null;
    if (sizeOf(value.shape) === 1) return { scalar: value };
    if (!sameShape(value.shape, shape)) return null;
    const { node } = value;
    if (node === null || !ELEMENTWISE.has(node.op as OnnxName) || made.has(value)) {
      return { leaf: leaves.push(value) - 1 };
    }
    const operands = node.inputs.map((input) => visit(input!));
    // What takes operands of other shapes or types is computed as before.
    if (operands.includes(null)) return { leaf: leaves.push(value) - 1 };
    keys.push(
      `${node.op}(${
        operands.map((operand) =>
          "scalar" in operand! ? nameOf(operand.scalar) : "step" in operand! ? `t${operand.step}` : `l${operand!.leaf}`
        ).join()
      })${JSON.stringify(node.attributes)}`,
    );
    nodes.add(node);
    return {
      step: steps.push({ op: node.op as OnnxName, attributes: node.attributes, operands: operands as Operand[] }) - 1,
    };
  };
  const size = sizeOf(shape);
  if (size < 2 || size > MOST_ELEMENTS) return null;
  const root = visit(output);
  return root !== null && "step" in root ? { steps, nodes, leaves, key: keys.join(";") } : null;
}

/** Outputs that are updated alike, with the places of their ports. */
type Group = { readonly update: Update; readonly port: number; readonly value: Value }[];

function groupsOf(graph: Graph): Group[] {
  const nameOf = numbering();
  const updates = (made: ReadonlySet<Value | null>): Group =>
    graph.outputs.flatMap(({ value }, port) => {
      const update = updateOf(value, nameOf, made);
      return update === null ? [] : [{ update, port, value }];
    });
  // What something else reads as well is made for that anyway: a gradient that was changed before its norm is taken.
  const own = new Set(updates(new Set()).flatMap(({ update }) => [...update.nodes]));
  const read = new Set(graph.nodes.flatMap((node) => own.has(node) ? [] : node.inputs));
  const groups = new Map<string, Group>();
  for (const { update, port, value } of updates(read)) {
    const group = groups.get(update.key);
    if (group === undefined) groups.set(update.key, [{ update, port, value }]);
    else group.push({ update, port, value });
  }
  return [...groups.values()].filter((group) => group.length >= LEAST_MEMBERS);
}

/** The updated tensors of a group. */
function updated(b: Builder, group: Group, now: (value: Value) => Value): Value[] {
  const { steps, leaves } = group[0].update;
  const flat = (value: Value) => b.reshape(value, [sizeOf(value.shape)]);
  const joined = leaves.map((_, leaf) =>
    b.op("Concat", group.map(({ update }) => flat(now(update.leaves[leaf]))), { axis: 0 })
  );
  const results: Value[] = [];
  for (const { op, attributes, operands } of steps) {
    const inputs = operands.map((operand) =>
      "step" in operand
        ? results[operand.step]
        : "leaf" in operand
        ? joined[operand.leaf]
        : b.reshape(now(operand.scalar), [])
    );
    results.push(b.op(op, inputs, attributes));
  }
  const sizes = group.map(({ value }) => sizeOf(value.shape));
  const parts = b.node("Split", [results[results.length - 1], b.ints(sizes)], { axis: 0 });
  return group.map(({ value }, member) => b.reshape(parts[member], value.shape));
}

/** Joins the updates of small tensors that differ in nothing but the tensors. */
export function groupUpdates(graph: Graph): Graph {
  const groups = groupsOf(graph);
  if (groups.length === 0) return graph;
  const { b, now } = rebuild(graph, () => null);
  const outputs = graph.outputs.map(({ value }) => now(value));
  for (const group of groups) {
    updated(b, group, now).forEach((value, member) => outputs[group[member].port] = value);
  }
  return b.finish(graph, outputs);
}
