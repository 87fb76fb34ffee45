/**
 * Writes the nodes of a lowered graph.
 *
 * Equal nodes are made once (common subexpressions), and operations that change nothing are not made at all.
 *
 * @module
 */
import {
  type Attributes,
  type ConstantData,
  constantValue,
  type ElementType,
  type Graph,
  inputValue,
  liveNodes,
  makeNode,
  type Node,
  type Port,
  sameShape,
  sizeOf,
  type Value,
} from "./ir.ts";
import { elementTypes, type OnnxName, onnxOperator } from "./onnx_ops.ts";
import { broadcastShapes } from "./onnx_shapes.ts";

/** Typed arrays by element type. */
function arrayOf(dtype: ElementType, values: readonly number[]): ConstantData {
  switch (dtype) {
    case "float32":
      return Float32Array.from(values);
    case "int32":
      return Int32Array.from(values);
    case "uint32":
      return Uint32Array.from(values);
    case "int64":
      return BigInt64Array.from(values, (value) => BigInt(value));
    case "uint64":
      return BigUint64Array.from(values, (value) => BigInt(value));
    case "bool":
    case "uint8":
      return Uint8Array.from(values);
  }
}

/** Constants up to this many elements are recognised as equal by their content. */
const sharedConstantElements = 4096;

/** Operations that treat every element alike; their operands broadcast. */
export const ELEMENTWISE: ReadonlySet<OnnxName> = new Set<OnnxName>([
  "Abs",
  "Add",
  "And",
  "Cast",
  "Div",
  "Equal",
  "Erf",
  "Exp",
  "Floor",
  "Greater",
  "GreaterOrEqual",
  "IsNaN",
  "Less",
  "LessOrEqual",
  "Log",
  "Max",
  "Min",
  "Mul",
  "Neg",
  "Not",
  "Or",
  "Reciprocal",
  "Relu",
  "Sigmoid",
  "Sign",
  "Sqrt",
  "Sub",
  "Tanh",
  "Where",
]);

/** Texts of attributes and of constants, which stay the same through all passes. */
const texts: WeakMap<object, string> = new WeakMap();

function textOf(attributes: Attributes): string {
  let text = texts.get(attributes);
  if (text === undefined) texts.set(attributes, text = JSON.stringify(attributes));
  return text;
}

/** Type, shape and bytes of a constant. */
function contentOf(constant: Value): string {
  let text = texts.get(constant);
  if (text === undefined) {
    const { buffer, byteOffset, byteLength } = constant.data!;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    texts.set(constant, text = `${constant.dtype}[${constant.shape.join(",")}]${bytes.join(",")}`);
  }
  return text;
}

/** The number that a value is filled with, if it is a filling. */
function fillingOf(value: Value): number | null {
  return value.node?.op === "ConstantOfShape" ? Number(value.node.inputs[1]!.data![0]) : null;
}

/** Where a graph is to run: in ONNX Runtime on the CPU, for which forms were chosen by measurement, or anywhere. */
export type Target = "cpu" | "any";

/** Makes lowered nodes. */
export class Builder {
  readonly target: Target;
  readonly #ids: Map<Value, number> = new Map();
  readonly #nodes: Map<string, Node> = new Map();
  readonly #constants: Map<string, Value> = new Map();
  readonly #draws: Map<string, Port> = new Map();

  constructor(target: Target) {
    this.target = target;
  }

  #idOf(value: Value): number {
    let id = this.#ids.get(value);
    if (id === undefined) this.#ids.set(value, id = this.#ids.size);
    return id;
  }

  /**
   * A node's outputs; an equal node made before is reused.
   *
   * Elementwise operations are simplified first: repetition that broadcasting does anyway is dropped, multiplying by ones
   * and adding zeros is nothing, and a transposition of the operands becomes one of the result, where it meets the next
   * one and cancels.
   */
  node(op: OnnxName, inputs: readonly (Value | null)[], attributes: Attributes = {}): readonly Value[] {
    if (ELEMENTWISE.has(op)) {
      const values = this.#narrowed(inputs as readonly Value[]);
      return this.#neutral(op, values) ?? this.#sunk(op, values, attributes) ?? this.#made(op, values, attributes);
    }
    return this.#made(op, inputs, attributes);
  }

  /** Operands without repetition that broadcasting to the same shape does anyway. */
  #narrowed(inputs: readonly Value[]): Value[] {
    const shape = broadcastShapes(...inputs.map((input) => input.shape));
    const values = [...inputs];
    values.forEach((value, index) => {
      const source = this.#repeated(value);
      if (source === null) return;
      const others = values.filter((_, other) => other !== index).map((other) => other.shape);
      if (sameShape(broadcastShapes(source.shape, ...others), shape)) values[index] = source;
    });
    return values;
  }

  /** What a value repeats: the input of an Expand, or the number that fills it. */
  #repeated(value: Value): Value | null {
    if (value.node?.op === "Expand") return value.node.inputs[0];
    const filling = fillingOf(value);
    return filling === null ? null : this.constant([filling], [], value.dtype);
  }

  /** The other operand, of an operation that leaves it as it is. */
  #neutral(op: OnnxName, inputs: readonly Value[]): readonly Value[] | null {
    if (inputs.length !== 2) return null;
    const [x, y] = inputs;
    const shape = broadcastShapes(x.shape, y.shape);
    const is = (value: Value, number: number) =>
      (value.data !== null && value.data.length === 1 && Number(value.data[0]) === number) ||
      fillingOf(value) === number;
    if ((op === "Mul" || op === "Div") && is(y, 1)) return [this.expand(x, shape)];
    if (op === "Mul" && is(x, 1)) return [this.expand(y, shape)];
    if ((op === "Add" || op === "Sub") && is(y, 0)) return [this.expand(x, shape)];
    if (op === "Add" && is(x, 0)) return [this.expand(y, shape)];
    return null;
  }

  /** The operation before the transposition that its operands share. */
  #sunk(op: OnnxName, inputs: readonly Value[], attributes: Attributes): readonly Value[] | null {
    const moved = inputs.find((input) => input.node?.op === "Transpose");
    if (moved === undefined) return null;
    const perm = moved.node!.attributes["perm"] as readonly number[];
    const rank = perm.length;
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    const before: Value[] = [];
    for (const input of inputs) {
      if (input.node?.op === "Transpose" && (input.node.attributes["perm"] as number[]).join() === perm.join()) {
        before.push(input.node.inputs[0]!);
      } else if (sizeOf(input.shape) === 1) {
        before.push(input);
      } else if (input.shape.length <= rank) {
        // Where what is not repeated keeps its order, an operand only needs another shape.
        const full = [...new Array(rank - input.shape.length).fill(1), ...input.shape];
        const moved = inverse.filter((axis) => full[axis] !== 1);
        if (!moved.every((axis, index) => index === 0 || moved[index - 1] < axis)) return null;
        before.push(this.reshape(input, inverse.map((axis) => full[axis])));
      } else return null;
    }
    const [result] = this.node(op, before, attributes);
    return result.shape.length === rank ? [this.transpose(result, perm)] : null;
  }

  /** What equal nodes have in common. */
  #keyOf(op: string, inputs: readonly (Value | null)[], attributes: Attributes): string {
    const ids = inputs.map((input) => input === null ? "" : this.#idOf(input)).join(",");
    return `${op}(${ids})${textOf(attributes)}`;
  }

  #made(op: OnnxName, inputs: readonly (Value | null)[], attributes: Attributes): readonly Value[] {
    const named = inputs.map((input) => input === null || input.data === null ? input : this.intern(input));
    const key = this.#keyOf(op, named, attributes);
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = makeNode(op, named, attributes, onnxOperator(op).infer(named, attributes));
      this.#nodes.set(key, node);
    }
    return node.outputs;
  }

  /**
   * A node of another builder's graph whose inputs are values of this one too: it was simplified when it was made, and is
   * not made again. An equal node made before stands for it.
   */
  adopted(node: Node): readonly Value[] {
    const key = this.#keyOf(node.op, node.inputs, node.attributes);
    const present = this.#nodes.get(key);
    if (present !== undefined) return present.outputs;
    this.#nodes.set(key, node);
    return node.outputs;
  }

  /** The first output of a node. */
  op(op: OnnxName, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.node(op, inputs, attributes)[0];
  }

  /** A copy that is a value of its own, for an output that is an input, a constant or another output too. */
  distinct(x: Value): Value {
    return makeNode("Identity", [x], {}, [x]).outputs[0];
  }

  /** A constant; small ones of equal content are the same value. */
  intern(constant: Value): Value {
    const data = constant.data!;
    if (data.length > sharedConstantElements) return constant;
    const key = contentOf(constant);
    const present = this.#constants.get(key);
    if (present !== undefined) return present;
    this.#constants.set(key, constant);
    return constant;
  }

  /** A constant from numbers. */
  constant(values: readonly number[], shape: readonly number[], dtype: ElementType): Value {
    return this.intern(constantValue(shape, dtype, arrayOf(dtype, values)));
  }

  /** A constant of shape []. */
  scalar(value: number, dtype: ElementType = "float32"): Value {
    return this.constant([value], [], dtype);
  }

  /** An int64 vector, as many ONNX operators take their sizes. */
  ints(values: readonly number[]): Value {
    return this.constant(values, [values.length], "int64");
  }

  /** A tensor of one value. */
  filled(value: number, shape: readonly number[], dtype: ElementType): Value {
    if (sizeOf(shape) === 1) return this.constant([value], shape, dtype);
    return this.op("ConstantOfShape", [this.ints(shape), this.constant([value], [1], dtype)]);
  }

  /** The numbers 0 to `count` - 1. Many are counted by the graph: they would be a large constant. */
  iota(count: number, dtype: ElementType): Value {
    if (count <= sharedConstantElements) {
      return this.constant(Array.from({ length: count }, (_, i) => i), [count], dtype);
    }
    return this.cast(
      this.op("Range", [this.scalar(0, "int64"), this.scalar(count, "int64"), this.scalar(1, "int64")]),
      dtype,
    );
  }

  /** Uniform noise from a number on that the host is to draw, [count]; equal draws are one input. */
  drawn(key: Value, stream: number, from: number, count: number): Value {
    const id = `${this.#idOf(key)}/${stream}/${from}/${count}`;
    let port = this.#draws.get(id);
    if (port === undefined) {
      const value = inputValue({ shape: [count], dtype: "float32" });
      this.#draws.set(id, port = { name: `draw:${this.#draws.size}`, value, draw: { key, stream, from } });
    }
    return port.value;
  }

  /** Another element type. */
  cast(x: Value, dtype: ElementType): Value {
    return x.dtype === dtype ? x : this.op("Cast", [x], { to: elementTypes[dtype] });
  }

  /** Another shape of the same size. */
  reshape(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    if (x.data !== null) return this.intern(constantValue(shape, x.dtype, x.data));
    if (x.node?.op === "Reshape") return this.reshape(x.node.inputs[0]!, shape);
    // Without `allowzero` ONNX takes 0 for "as in the input".
    return this.op("Reshape", [x, this.ints(shape)], shape.includes(0) ? { allowzero: 1 } : {});
  }

  /** Axes in another order. */
  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((axis, index) => axis === index)) return x;
    const moved = perm.filter((axis) => x.shape[axis] !== 1);
    if (moved.every((axis, index) => index === 0 || moved[index - 1] < axis)) {
      return this.reshape(x, perm.map((axis) => x.shape[axis])); // only axes of extent 1 move
    }
    if (x.node?.op === "Transpose") {
      const inner = x.node.attributes["perm"] as readonly number[];
      return this.transpose(x.node.inputs[0]!, perm.map((axis) => inner[axis]));
    }
    return this.op("Transpose", [x], { perm });
  }

  /** The values repeated along axes of extent 1 to a broadcast shape. */
  expand(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    return this.op("Expand", [x, this.ints(shape)]);
  }

  /** A reduction over axes. */
  reduce(
    op: "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceSumSquare",
    x: Value,
    axes: readonly number[],
    keepDims: boolean,
  ): Value {
    if (axes.length === 0) return x;
    if (x.node?.op === "Transpose") {
      // Reduce before transposing, where what is left keeps its order.
      const perm = x.node.attributes["perm"] as readonly number[];
      const inner = axes.map((axis) => perm[axis]).sort((a, b) => a - b);
      const left = perm.filter((_, axis) => !axes.includes(axis));
      if (left.every((axis, index) => index === 0 || left[index - 1] < axis)) {
        const reduced = this.reduce(op, x.node.inputs[0]!, inner, false);
        return keepDims ? this.reshape(reduced, x.shape.map((e, axis) => axes.includes(axis) ? 1 : e)) : reduced;
      }
    }
    return this.op(op, [x, this.ints(axes)], { keepdims: keepDims ? 1 : 0 });
  }

  /** The part `begin` to `begin + size` (exclusive) with steps, along all axes where it is not everything. */
  slice(x: Value, begin: readonly number[], size: readonly number[], steps?: readonly number[]): Value {
    const axes = x.shape.map((_, axis) => axis).filter((axis) =>
      begin[axis] !== 0 || size[axis] !== x.shape[axis] || (steps !== undefined && steps[axis] !== 1)
    );
    if (axes.length === 0) return x;
    const step = (axis: number) => steps === undefined ? 1 : steps[axis];
    const ends = axes.map((axis) => {
      const end = begin[axis] + (size[axis] - 1) * step(axis) + Math.sign(step(axis));
      return size[axis] === 0 ? begin[axis] : end < 0 ? -x.shape[axis] - 1 : end;
    });
    const inputs = [x, this.ints(axes.map((axis) => begin[axis])), this.ints(ends), this.ints(axes)];
    if (axes.some((axis) => step(axis) !== 1)) inputs.push(this.ints(axes.map(step)));
    return this.op("Slice", inputs);
  }

  /** Constant padding; `pads` lists what to put before each axis, then what to put after each. */
  pad(x: Value, pads: readonly number[], value: number): Value {
    if (pads.every((count) => count === 0)) return x;
    return this.op("Pad", [x, this.ints(pads), this.scalar(value, x.dtype)], { mode: "constant" });
  }

  /** Elementwise choice; shapes broadcast. */
  where(condition: Value, t: Value, e: Value): Value {
    if (t.dtype === "bool") { // ONNX Runtime chooses among numbers only
      return this.cast(this.where(condition, this.cast(t, "uint8"), this.cast(e, "uint8")), "bool");
    }
    return this.op("Where", [condition, t, e]);
  }

  /** Broadcast shape of values. */
  broadcast(...values: readonly Value[]): number[] {
    return broadcastShapes(...values.map((value) => value.shape));
  }

  /**
   * The graph that has been built, without nodes that nothing hangs on.
   *
   * @param ports Its inputs, and the names of its outputs.
   * @param made The value of every output, in order.
   */
  finish(ports: Pick<Graph, "inputs" | "outputs">, made: readonly Value[]): Graph {
    const given = [...ports.inputs, ...this.#draws.values()];
    const inputs = new Set(given.map(({ value }) => value));
    const taken = new Set<Value>();
    const outputs: Port[] = ports.outputs.map(({ name }, index) => {
      let value = made[index];
      // The runtime wants every output to be computed, once, by a node.
      if (inputs.has(value) || taken.has(value) || value.data !== null) value = this.distinct(value);
      taken.add(value);
      return { name, value };
    });
    const nodes = liveNodes(outputs);
    const used = new Set(nodes.flatMap((node) => node.inputs));
    const needed = given.filter(({ draw, value }) => draw === undefined || used.has(value));
    return { stage: "lowered", inputs: needed, outputs, nodes };
  }
}
