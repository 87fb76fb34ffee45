/**
 * Gathering and scattering by numbers that are values of the program.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import { float, numeric, type Rules } from "./rule.ts";

/** The elements of the last axis's index tuples, [...list, depth]. */
function tuples(b: Builder, indices: Value): Value {
  return b.cast(indices, "int64");
}

/**
 * Rows added to those of a base, [size, width], by number.
 *
 * By ScatterElements, which adds one after the other: ONNX Runtime's ScatterND shares the rows out among threads, and two
 * that go to one place get lost.
 *
 * @param numbers int64 [count].
 * @param rows [count, width].
 */
function added(b: Builder, base: Value, numbers: Value, rows: Value): Value {
  const places = b.expand(b.reshape(numbers, [...numbers.shape, 1]), rows.shape);
  return b.op("ScatterElements", [base, places, rows], { axis: 0, reduction: "add" });
}

/** Updates put into a base. */
function put(b: Builder, base: Value, indices: Value, updates: Value): Value {
  const list = [...indices.shape.slice(0, -1), ...base.shape.slice(indices.shape.at(-1)!)];
  const each = b.expand(numeric(b, updates), list);
  if (sizeOf(each.shape) === 0) return base;
  return b.cast(b.op("ScatterND", [numeric(b, base), tuples(b, indices), each]), base.dtype);
}

/** Updates added up in zeros. Truths are added as integers, as the runtime has no sum of truths. */
function addedUp(b: Builder, indices: Value, updates: Value, shape: readonly number[]): Value {
  const depth = indices.shape.at(-1)!;
  const [count, size, width] = [indices.shape.slice(0, -1), shape.slice(0, depth), shape.slice(depth)].map(sizeOf);
  const each = b.expand(numeric(b, updates), [...indices.shape.slice(0, -1), ...shape.slice(depth)]);
  // The number of a row is what its tuple makes with the strides of the leading axes.
  const strides = Array.from({ length: depth }, (_, axis) => sizeOf(shape.slice(axis + 1, depth)));
  const tuple = b.reshape(tuples(b, indices), [count, depth]);
  const numbers = depth === 1
    ? b.reshape(tuple, [count])
    : b.reduce("ReduceSum", b.op("Mul", [tuple, b.constant(strides, [1, depth], "int64")]), [1], false);
  const sums = added(b, b.filled(0, [size, width], each.dtype), numbers, b.reshape(each, [count, width]));
  return b.cast(b.reshape(sums, shape), updates.dtype);
}

/** Gathers along `axis` within each of the leading `batch` axes, which both share. */
function gatheredInBatch(b: Builder, x: Value, indices: Value, axis: number, batch: number): Value {
  // The axis goes behind the batch axes, and what was gathered back to where the axis was.
  const others = x.shape.map((_, i) => i).filter((i) => i >= batch && i !== axis);
  const moved = b.transpose(x, [...Array.from({ length: batch }, (_, i) => i), axis, ...others]);
  const places = b.cast(b.reshape(indices, [...indices.shape, 1]), "int64");
  const made = b.op("GatherND", [moved, places], { batch_dims: batch });
  const gathered = indices.shape.length - batch;
  const outer = axis - batch;
  const from = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i);
  return b.transpose(made, [
    ...from(0, batch),
    ...from(batch + gathered, outer),
    ...from(batch, gathered),
    ...from(batch + gathered + outer, others.length - outer),
  ]);
}

/** Rows of this family. */
export const gatherRules: Rules<
  | "GatherNd"
  | "GatherV2"
  | "OneHot"
  | "ScatterNd"
  | "SparseToDense"
  | "TensorScatterUpdate"
  | "UnsortedSegmentSum"
> = {
  GatherNd: {
    inputs: ["params", "indices"],
    infer: ([x, indices]) => ({
      shape: [...indices.shape.slice(0, -1), ...x.shape.slice(indices.shape.at(-1)!)],
      dtype: x.dtype,
    }),
    lower: (b, [x, indices]) => b.op("GatherND", [x, tuples(b, indices)]),
  },
  GatherV2: {
    inputs: ["x", "indices"],
    infer: ([x, indices], { axis, batchDims }) => ({
      shape: [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)],
      dtype: x.dtype,
    }),
    lower: (b, [x, indices], { axis, batchDims }) =>
      batchDims === 0
        ? b.op("Gather", [x, b.cast(indices, "int32")], { axis })
        : gatheredInBatch(b, x, indices, axis, batchDims),
  },
  OneHot: {
    inputs: ["indices"],
    infer: ([x], { depth, dtype }) => ({ shape: [...x.shape, depth], dtype }),
    lower: (b, [x], { depth, onValue, offValue, dtype }) => {
      const hit = b.op("Equal", [b.reshape(b.cast(x, "int32"), [...x.shape, 1]), b.iota(depth, "int32")]);
      if (onValue === 1 && offValue === 0) return b.cast(hit, dtype);
      return b.cast(b.where(hit, b.scalar(onValue), b.scalar(offValue)), dtype);
    },
  },
  ScatterNd: {
    inputs: ["indices", "updates"],
    infer: ([_, updates], { shape }) => ({ shape, dtype: updates.dtype }),
    sums: true,
    lower: (b, [indices, updates], { shape }) => addedUp(b, indices, updates, shape),
  },
  SparseToDense: {
    inputs: ["sparseIndices", "sparseValues", "defaultValue"],
    infer: ([_, values], { shape }) => ({ shape, dtype: values.dtype }),
    lower: (b, [indices, values, fallback], { shape }) => {
      const base = b.expand(b.reshape(b.cast(fallback, values.dtype), []), shape);
      // A list of numbers are places of a vector; one number is one place.
      const rank = indices.shape.length;
      const places = rank < 2 ? b.reshape(indices, [sizeOf(indices.shape), 1]) : indices;
      return put(b, base, places, values);
    },
  },
  TensorScatterUpdate: {
    inputs: ["tensor", "indices", "updates"],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    note: "leaves the given tensor as it is; tfjs's CPU writes into it",
    lower: (b, [x, indices, updates]) => put(b, x, indices, b.cast(updates, x.dtype)),
  },
  UnsortedSegmentSum: {
    inputs: ["x", "segmentIds"],
    infer: ([x], { segments }) => ({ shape: [segments, ...x.shape.slice(1)], dtype: "float32" }),
    sums: true,
    note: "rows of a segment number that is negative or too large are left out",
    lower: (b, [x, ids], { segments }) => {
      const number = b.cast(ids, "int64");
      const legal = b.op("And", [
        b.op("GreaterOrEqual", [number, b.scalar(0, "int64")]),
        b.op("Less", [number, b.scalar(segments, "int64")]),
      ]);
      const rows = b.where(
        b.reshape(legal, [ids.shape[0], ...x.shape.slice(1).map(() => 1)]),
        float(b, x),
        b.scalar(0),
      );
      const numbers = b.where(legal, number, b.scalar(0, "int64"));
      const width = sizeOf(x.shape.slice(1));
      const sums = added(
        b,
        b.filled(0, [segments, width], "float32"),
        b.reshape(numbers, [ids.shape[0]]),
        b.reshape(rows, [ids.shape[0], width]),
      );
      return b.reshape(sums, [segments, ...x.shape.slice(1)]);
    },
  },
};
