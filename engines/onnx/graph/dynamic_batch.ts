/**
 * One graph for every batch size.
 *
 * Programs have fixed shapes. A graph that works for all batch sizes comes from lowering a program for three of them and
 * comparing: the operators must be the same, and every number that differs must follow the batch linearly,
 * `scale * batch + offset`. Such numbers occur in int64 vectors (target shapes); they become a computation from the first
 * input's extent.
 *
 * @module
 */
import { type Attributes, constantValue, type Graph, makeNode, type Node, type Port, type Value } from "./ir.ts";
import { Refusal } from "../../../core/refusal.ts";

/** Batch sizes to lower for: primes larger than most extents, so that no extent is taken for the batch. */
export const probeBatches: readonly [number, number, number] = [1009, 1013, 1031];

/** An extent: a number, or one that follows the batch. */
export type Extent = number | { readonly scale: number; readonly offset: number };

/** A graph whose first axes are free. */
export interface DynamicGraph {
  readonly graph: Graph;
  /** Shapes of the graph's ports, in their order. */
  readonly inputShapes: readonly (readonly Extent[])[];
  readonly outputShapes: readonly (readonly Extent[])[];
}

/** The extent that takes the given values at the probed batches; `null` if none does. */
function extentOf(values: readonly number[], batches: readonly number[]): Extent | null {
  if (values.every((value) => value === values[0])) return values[0];
  const scale = (values[1] - values[0]) / (batches[1] - batches[0]);
  const offset = values[0] - scale * batches[0];
  const linear = values.every((value, i) => value === scale * batches[i] + offset);
  return linear && Number.isInteger(scale) ? { scale, offset } : null;
}

function fail(what: string): never {
  throw new Refusal({
    what: "make one model for all batch sizes",
    must: "a sample's prediction must not depend on the others",
    found: what,
  });
}

/**
 * Unites the graphs of one program at the probed batch sizes.
 *
 * @param graphs Lowered for `probeBatches`, in that order.
 * @param batchPort The input whose first extent is the batch.
 * @throws {Refusal} If they differ in more than extents that follow the batch.
 */
export function dynamicBatch(graphs: readonly [Graph, Graph, Graph], batchPort: string): DynamicGraph {
  const [first, ...others] = graphs;
  const batches = probeBatches;
  const twins = new Map<Value, readonly Value[]>();
  const made = new Map<Value, Value>();
  const matched = (lists: readonly (readonly Port[])[], what: string) => {
    lists[0].forEach((port, index) => {
      const found = lists.map((list) => list[index]);
      if (found.some((other) => other?.name !== port.name)) fail(`its ${what} differ`);
      twins.set(port.value, found.map((other) => other.value));
    });
  };
  matched(graphs.map((graph) => graph.inputs), "inputs");
  for (const { value } of first.inputs) made.set(value, value);
  if (others.some((graph) => graph.nodes.length !== first.nodes.length)) fail("its operations differ in number");

  const nodes: Node[] = [];
  const add = (op: string, inputs: readonly (Value | null)[], attributes: Attributes, specs: readonly Value[]) => {
    const node = makeNode(op, inputs, attributes, specs);
    nodes.push(node);
    return node;
  };
  const source = first.inputs.find(({ name }) => name === batchPort)!.value;
  let size: Value | null = null;
  const batchSize = (): Value => {
    if (size === null) {
      const spec = constantValue([1], "int64", new BigInt64Array(1));
      size = add("Shape", [source], { start: 0, end: 1 }, [spec]).outputs[0];
    }
    return size;
  };
  const followed = new Map<string, Value>();
  /** A vector of extents, computed while the model runs. */
  const computed = (extents: readonly Extent[]): Value => {
    const key = JSON.stringify(extents);
    let value = followed.get(key);
    if (value === undefined) {
      const vector = (pick: (extent: Extent) => number) =>
        constantValue([extents.length], "int64", BigInt64Array.from(extents, (extent) => BigInt(pick(extent))));
      const scales = vector((extent) => typeof extent === "number" ? 0 : extent.scale);
      const offsets = vector((extent) => typeof extent === "number" ? extent : extent.offset);
      const scaled = add("Mul", [batchSize(), scales], {}, [scales]).outputs[0];
      value = add("Add", [scaled, offsets], {}, [offsets]).outputs[0];
      followed.set(key, value);
    }
    return value;
  };
  const constant = (op: string, values: readonly Value[]): Value => {
    const [own] = values;
    const bytes = values.map(({ data }) => data!.join());
    const shapes = values.map(({ shape }) => shape.join());
    if (bytes.every((text) => text === bytes[0]) && shapes.every((text) => text === shapes[0])) return own;
    if (own.dtype !== "int64" || shapes.some((text) => text !== shapes[0])) {
      fail(`a constant of ${op} follows the batch`);
    }
    return computed(Array.from(own.data as BigInt64Array, (_, i) => {
      const extent = extentOf(values.map(({ data }) => Number(data![i])), batches);
      return extent ?? fail(`a size of ${op} does not follow the batch linearly`);
    }));
  };

  first.nodes.forEach((node, index) => {
    const same = graphs.map((graph) => graph.nodes[index]);
    const attributes = JSON.stringify(node.attributes);
    if (
      same.some((other) =>
        other.op !== node.op || other.inputs.length !== node.inputs.length ||
        other.outputs.length !== node.outputs.length || JSON.stringify(other.attributes) !== attributes
      )
    ) fail(`operation ${node.op} differs`);
    const inputs = node.inputs.map((input, k) => {
      const values = same.map((other) => other.inputs[k]);
      if (values.some((value) => (value === null) !== (input === null))) fail(`operation ${node.op} differs`);
      if (input === null) return null;
      if (values.every((value) => value!.data !== null)) return constant(node.op, values as Value[]);
      const expected = twins.get(input);
      if (expected === undefined || values.some((value, g) => value !== expected[g])) {
        fail(`operation ${node.op} takes other values`);
      }
      return made.get(input)!;
    });
    const copy = add(node.op, inputs, node.attributes, node.outputs);
    node.outputs.forEach((output, k) => {
      twins.set(output, same.map((other) => other.outputs[k]));
      made.set(output, copy.outputs[k]);
    });
  });
  const shapesOf = (value: Value): Extent[] => {
    const values = twins.get(value)!;
    return value.shape.map((_, axis) =>
      extentOf(values.map(({ shape }) => shape[axis]), batches) ?? fail("an extent does not follow the batch linearly")
    );
  };
  const outputs = first.outputs.map(({ name, value }, index) => {
    const expected = twins.get(value);
    if (expected === undefined || graphs.some((graph, g) => graph.outputs[index].value !== expected[g])) {
      fail(`output "${name}" differs`);
    }
    return { name, value: made.get(value)! };
  });
  return {
    graph: { stage: "lowered", inputs: first.inputs, outputs, nodes },
    inputShapes: first.inputs.map(({ value }) => shapesOf(value)),
    outputShapes: first.outputs.map(({ value }) => shapesOf(value)),
  };
}
