/**
 * Gathering and scattering by numbers that are values of the program.
 *
 * @module
 */
import type { Builder } from "../builder.ts";
import { sizeOf, type Value } from "../ir.ts";
import { float, numeric, type Rules } from "./rule.ts";

/** The elements of the last axis's index tuples, [...list, depth]. */
function tuples(b: Builder, indices: Value): Value {
  return b.cast(indices, "int64");
}

/** Updates put into or added to a base. Truths are added as integers, as the runtime has no sum of truths. */
function scattered(b: Builder, base: Value, indices: Value, updates: Value, add: boolean): Value {
  const { dtype } = base;
  const list = [...indices.shape.slice(0, -1), ...base.shape.slice(indices.shape.at(-1)!)];
  const each = b.expand(numeric(b, updates), list);
  if (sizeOf(each.shape) === 0) return base;
  const made = b.op("ScatterND", [numeric(b, base), tuples(b, indices), each], add ? { reduction: "add" } : {});
  return b.cast(made, dtype);
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
    lower: (b, [indices, updates], { shape }) =>
      scattered(b, b.filled(0, shape, updates.dtype), indices, updates, true),
  },
  SparseToDense: {
    inputs: ["sparseIndices", "sparseValues", "defaultValue"],
    infer: ([_, values], { shape }) => ({ shape, dtype: values.dtype }),
    lower: (b, [indices, values, fallback], { shape }) => {
      const base = b.expand(b.reshape(b.cast(fallback, values.dtype), []), shape);
      // A list of numbers are places of a vector; one number is one place.
      const rank = indices.shape.length;
      const places = rank < 2 ? b.reshape(indices, [sizeOf(indices.shape), 1]) : indices;
      return scattered(b, base, places, values, false);
    },
  },
  TensorScatterUpdate: {
    inputs: ["tensor", "indices", "updates"],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    note: "leaves the given tensor as it is; tfjs's CPU writes into it",
    lower: (b, [x, indices, updates]) => scattered(b, x, indices, b.cast(updates, x.dtype), false),
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
      const places = b.where(legal, number, b.scalar(0, "int64"));
      return b.op("ScatterND", [
        b.filled(0, [segments, ...x.shape.slice(1)], "float32"),
        b.reshape(places, [...ids.shape, 1]),
        rows,
      ], { reduction: "add" });
    },
  },
};
