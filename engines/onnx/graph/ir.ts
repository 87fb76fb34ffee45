/**
 * The graph between tracing and running: values, nodes, and a printer.
 *
 * One structure serves both stages. In a *traced* graph a node's `op` is a tfjs kernel; in a *lowered* graph it is an
 * ONNX operator. Nodes are immutable; passes build new graphs.
 *
 * @module
 */

/** Element types inside a graph. tfjs knows the first three; the others occur in lowered graphs only. */
export type ElementType = "float32" | "int32" | "bool" | "int64" | "uint8" | "uint32" | "uint64";

/** Host values of a constant. */
export type ConstantData = Float32Array | Int32Array | Uint8Array | BigInt64Array | Uint32Array | BigUint64Array;

/** Shape and element type. */
export interface ValueSpec {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

/** One tensor of a graph. */
export interface Value extends ValueSpec {
  /** The node that computes it; `null` for inputs and constants. */
  readonly node: Node | null;
  /** Values, if it is a constant. */
  readonly data: ConstantData | null;
}

/** Attribute values. Which are integers and which floats is known by the operator, not by the value. */
export type Attribute = number | string | boolean | readonly number[] | readonly (readonly number[])[];
/** Attributes by name; absent is `undefined`. */
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** One operation. */
export interface Node {
  readonly op: string;
  /** `null` marks an optional input that is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** Uniform noise that the host draws before a run (`tensor/noise.ts`). */
export interface Draw {
  /** The graph's input that is the key. */
  readonly key: Value;
  readonly stream: number;
  /** Number of the first. */
  readonly from: number;
}

/** A named input or output of a graph. */
export interface Port {
  readonly name: string;
  readonly value: Value;
  /** Of an input that the program does not know: what the host draws for it. */
  readonly draw?: Draw;
}

/** Which operators a graph may contain. */
export type Stage = "traced" | "lowered";

/** A computation without side effects; `nodes` are in an order in which they can run. */
export interface Graph {
  readonly stage: Stage;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
}

/** A graph's input value. */
export function inputValue(spec: ValueSpec): Value {
  return { shape: spec.shape, dtype: spec.dtype, node: null, data: null };
}

/** A constant value. */
export function constantValue(shape: readonly number[], dtype: ElementType, data: ConstantData): Value {
  return { shape, dtype, node: null, data };
}

/** A node with fresh output values. */
export function makeNode(
  op: string,
  inputs: readonly (Value | null)[],
  attributes: Attributes,
  specs: readonly ValueSpec[],
): Node {
  const outputs: Value[] = [];
  const node: Node = { op, inputs, attributes, outputs };
  for (const { shape, dtype } of specs) outputs.push({ shape, dtype, node, data: null });
  return node;
}

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Nodes from which the outputs can be reached, in running order. */
export function liveNodes(outputs: readonly Port[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // Depth-first without recursion: a training step is thousands of nodes deep.
  for (const { value } of outputs) {
    const stack: { node: Node; next: number }[] = [];
    const enter = (node: Node | null): void => {
      if (node !== null && !seen.has(node)) {
        seen.add(node);
        stack.push({ node, next: 0 });
      }
    };
    enter(value.node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) {
        enter(top.node.inputs[top.next++]?.node ?? null);
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** The graph as text: one line per node, values numbered in order of appearance. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    let name = names.get(value);
    if (name === undefined) {
      name = value.data === null
        ? `%${names.size}`
        : value.data.length === 1
        ? String(value.data[0])
        : value.data.length <= 8 && value.dtype === "int64"
        ? `[${value.data.join(",")}]`
        : `const ${printSpec(value)}`;
      if (value.data === null) names.set(value, name);
    }
    return name;
  };
  const lines: string[] = [];
  for (const { name, value } of graph.inputs) lines.push(`input ${nameOf(value)}: ${printSpec(value)} "${name}"`);
  for (const node of graph.nodes) {
    const attributes = Object.entries(node.attributes).filter(([_, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(" ");
    const inputs = node.inputs.map((input) => input === null ? "-" : nameOf(input)).join(", ");
    const outputs = node.outputs.map((output) => `${nameOf(output)}: ${printSpec(output)}`).join(", ");
    lines.push(`${outputs} = ${node.op}(${inputs})${attributes === "" ? "" : ` {${attributes}}`}`);
  }
  for (const { name, value } of graph.outputs) lines.push(`output ${nameOf(value)} "${name}"`);
  return lines.join("\n");
}

/** For example `float32[64,10]`. */
export function printSpec(spec: ValueSpec): string {
  return `${spec.dtype}[${spec.shape.join(",")}]`;
}
