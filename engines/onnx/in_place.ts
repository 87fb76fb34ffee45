/**
 * New state that is written where the old one was.
 *
 * A second buffer for every state tensor would keep parameters and slots twice: of a BERT-base with momentum 877 MB for
 * nothing. The runtime reads inputs and writes outputs wherever they are, so both may be one buffer, if whatever reads
 * the old values has run when the new ones are written. The runtime chooses the order of nodes by what they take from one
 * another; so the node that writes is made to take something of every reader: none of its values.
 *
 * @module
 */
import { type Builder, ELEMENTWISE } from "./graph/builder.ts";
import { type Graph, type Node, type Port, sameShape, sizeOf, type Value } from "./graph/ir.ts";
import type { OnnxName } from "./graph/onnx_ops.ts";
import { rebuild } from "./passes/rewrite.ts";

/** Of smaller tensors a second buffer costs less than three nodes. */
export const LEAST_ELEMENTS = 2 ** 18;

/** A graph, and which of its outputs may be written over the inputs of their names. */
export interface InPlace {
  readonly graph: Graph;
  readonly names: ReadonlySet<string>;
}

/** Nodes whose result is their first input's memory in another shape. */
const VIEWS: ReadonlySet<string> = new Set(["Reshape", "Identity"]);

/** Who reads which value. */
type Readers = ReadonlyMap<Value, readonly Node[]>;

function readersOf(graph: Graph): Readers {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      if (input === null || input.data !== null) continue;
      const present = readers.get(input);
      if (present === undefined) readers.set(input, [node]);
      else present.push(node);
    }
  }
  return readers;
}

/** An input under all its shapes, and the nodes that read it. */
function memoryOf(graph: Graph, name: string, readers: Readers): { values: Set<Value>; nodes: Set<Node> } {
  const values = new Set(graph.inputs.filter((port) => port.name === name).map(({ value }) => value));
  const nodes = new Set<Node>();
  for (const value of values) { // grows
    for (const node of readers.get(value) ?? []) {
      nodes.add(node);
      if (VIEWS.has(node.op) && node.inputs[0] === value) values.add(node.outputs[0]);
    }
  }
  return { values, nodes };
}

/** Places of a node's inputs that are the given memory. */
function ownInputs(node: Node, values: ReadonlySet<Value>): number[] {
  return node.inputs.flatMap((input, index) => input !== null && values.has(input) ? [index] : []);
}

/** Products that the runtime may join with a sum behind them. */
const PRODUCTS: ReadonlySet<string> = new Set(["Gemm", "FusedGemm", "MatMul", "FusedMatMul", "Conv", "FusedConv"]);

/** Whether a value is a product with the given memory. */
function isProductOf(value: Value | null, values: ReadonlySet<Value>): boolean {
  const node = value?.node ?? null;
  if (node === null) return false;
  if (VIEWS.has(node.op)) return isProductOf(node.inputs[0], values);
  return PRODUCTS.has(node.op) && ownInputs(node, values).some((index) => index !== 2);
}

/** How a node can write over what it reads: as it is, as a product and a sum, or not. */
type Form = "as it is" | "mul and add" | null;

function formOf(node: Node, values: ReadonlySet<Value>): Form {
  const [result] = node.outputs;
  const own = ownInputs(node, values);
  const elementwise = ELEMENTWISE.has(node.op as OnnxName);
  if (node.outputs.length !== 1 || VIEWS.has(node.op)) return null;
  if (elementwise && node.inputs.some((input) => isProductOf(input, values))) return null;
  if (own.length === 0) return "as it is";
  if (!own.every((index) => sameShape(node.inputs[index]!.shape, result.shape))) return null;
  if (elementwise) return "as it is";
  if (node.op !== "Gemm") return null;
  // The runtime begins with a copy of what is added, and then adds the product.
  if (own.join() === "2") return "as it is";
  // s x + y of the pass "multiply and add" would find y where x was.
  const [factor, _, added] = node.inputs;
  const plain = Object.values(node.attributes).every((attribute) => attribute === undefined || attribute === 0);
  return own.join() === "1" && sizeOf(factor!.shape) === 1 && added !== undefined && added !== null && plain
    ? "mul and add"
    : null;
}

/** The number among a node's inputs that can wait for other nodes. */
function scalarOf(node: Node): number {
  return node.inputs.findIndex((input) => input !== null && input.dtype === "float32" && sizeOf(input.shape) === 1);
}

/** An output that is written in place. */
interface Write {
  readonly node: Node;
  readonly form: Form;
  /** Readers that it has to wait for. */
  readonly after: readonly Node[];
}

/** Every node that a node needs, with what was decided to wait for. */
function neededBy(node: Node, waits: ReadonlyMap<Node, Write>): Set<Node> {
  const needed = new Set<Node>([node]);
  for (const each of needed) { // grows
    for (const input of each.inputs) if (input !== null && input.node !== null) needed.add(input.node);
    for (const reader of waits.get(each)?.after ?? []) needed.add(reader);
  }
  return needed;
}

/** What is written in place, by the node that writes. */
function writesOf(graph: Graph, isState: (name: string) => boolean, least: number): Map<Node, Write & { port: Port }> {
  const readers = readersOf(graph);
  const writes = new Map<Node, Write & { port: Port }>();
  for (const port of graph.outputs) {
    const { node, shape } = port.value;
    if (!isState(port.name) || sizeOf(shape) < least || node === null) continue;
    const { values, nodes } = memoryOf(graph, port.name, readers);
    const form = formOf(node, values);
    if (values.size === 0 || form === null) continue;
    const needed = neededBy(node, writes);
    const after = [...nodes].filter((reader) => !needed.has(reader));
    if (after.length > 0 && scalarOf(node) === -1) continue;
    if (after.some((reader) => neededBy(reader, writes).has(node))) continue;
    writes.set(node, { node, form, after, port });
  }
  return writes;
}

/** The same number, which is there once some values are: it is joined with none of each. */
function waiting(b: Builder, number: Value, values: readonly Value[]): Value {
  const none = values.map((value) => {
    const zero = value.shape.map(() => 0);
    return b.cast(b.reshape(b.slice(value, zero, zero), [0]), "float32");
  });
  return b.reshape(b.op("Concat", [b.reshape(number, [1]), ...none], { axis: 0 }), number.shape);
}

/** Nodes in an order in which those that wait come after what they wait for. */
function ordered(graph: Graph, waits: ReadonlyMap<Node, Write>): Node[] {
  const order = new Set<Node>();
  for (const last of graph.nodes) {
    const stack: { node: Node; before: readonly Node[]; next: number }[] = [];
    const enter = (node: Node) => {
      if (order.has(node)) return;
      const before = node.inputs.flatMap((input) => input === null || input.node === null ? [] : [input.node]);
      stack.push({ node, before: [...before, ...waits.get(node)?.after ?? []], next: 0 });
    };
    enter(last);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.before.length) enter(top.before[top.next++]);
      else {
        order.add(top.node);
        stack.pop();
      }
    }
  }
  return [...order];
}

/**
 * Lets large new state be written over the old.
 *
 * @param graph A graph that is ready to run.
 * @param isState Whether an output is new state: the input of its name is the old.
 * @param least Elements from which on a second buffer is worth avoiding.
 * @returns The graph in which every reader of such an input comes before its writer, and the outputs that this holds for.
 *   Where it cannot hold (a reader needs the new values, or the writing node would overwrite what it still reads) the
 *   output is not among them.
 */
export function inPlace(graph: Graph, isState: (name: string) => boolean, least: number = LEAST_ELEMENTS): InPlace {
  const writes = writesOf(graph, isState, least);
  if (writes.size === 0) return { graph, names: new Set() };
  const { b, now } = rebuild({ ...graph, nodes: ordered(graph, writes) }, (b, node, now) => {
    const write = writes.get(node);
    if (write === undefined || (write.after.length === 0 && write.form === "as it is")) return null;
    const inputs = node.inputs.map((input) => input === null ? null : now(input));
    if (write.after.length > 0) {
      const at = scalarOf(node);
      inputs[at] = waiting(b, inputs[at]!, write.after.map((reader) => now(reader.outputs[0])));
    }
    if (write.form === "as it is") return b.node(node.op as OnnxName, inputs, node.attributes);
    const [factor, x, added] = inputs as readonly Value[];
    return [b.op("Add", [b.op("Mul", [factor, x]), added])];
  });
  return {
    graph: b.finish(graph, graph.outputs.map(({ value }) => now(value))),
    names: new Set([...writes.values()].map(({ port }) => port.name)),
  };
}
