/**
 * Gathering and scattering by numbers that are values of the program.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import { Refusal } from "../../../core/refusal.ts";
import { float, numeric, type Rules } from "./rule.ts";

/** Numbers that are known while compiling, or `null`. */
function knownNumbers({ data, node, shape }: Value): readonly number[] | null {
  if (data !== null) return Array.from(data, Number);
  if (node?.op === "Reshape" || node?.op === "Cast") return knownNumbers(node.inputs[0]!)?.map(Math.trunc) ?? null;
  if (node?.op !== "ConstantOfShape") return null;
  return sizeOf(shape) === 0 ? [] : [Number(node.inputs[1]!.data![0])];
}

/**
 * Which tuples of the last axis are places of a tensor, [...list, 1] as truths; `null` if all are known to be.
 *
 * @param extents Of the axes that a tuple's elements number.
 * @throws {Refusal} If one is known not to be.
 */
function legal(b: Builder, kernel: string, indices: Value, extents: readonly number[]): Value | null {
  const known = knownNumbers(indices);
  if (known !== null) {
    const wrong = known.findIndex((number, i) => number < 0 || number >= extents[i % extents.length]);
    if (wrong < 0) return null;
    const extent = extents[wrong % extents.length];
    throw new Refusal({
      what: `trace kernel ${kernel}`,
      must: `its indices must be integers in 0..${extent - 1}`,
      found: `found ${known[wrong]}`,
    });
  }
  const one = extents.length === 1;
  const ends = b.constant(extents, one ? [] : [extents.length], indices.dtype);
  // As one long axis: the runtime compares along the last one, and an axis of extent 1 costs ten times as much.
  const numbers = one ? b.reshape(indices, [sizeOf(indices.shape)]) : indices;
  const inside = b.op("And", [
    b.op("GreaterOrEqual", [numbers, b.scalar(0, indices.dtype)]),
    b.op("Less", [numbers, ends]),
  ]);
  if (one) return b.reshape(inside, indices.shape);
  return b.cast(b.reduce("ReduceMin", b.cast(inside, "int32"), [indices.shape.length - 1], true), "bool");
}

/** Numbers of the rows that tuples name, [count]; those that name none have another number. */
function rowNumbers(
  b: Builder,
  indices: Value,
  extents: readonly number[],
  inside: Value | null,
  other: number,
): Value {
  const depth = extents.length;
  const count = sizeOf(indices.shape.slice(0, -1));
  // The number of a row is what its tuple makes with the strides of the leading axes.
  const strides = extents.map((_, axis) => sizeOf(extents.slice(axis + 1)));
  const tuple = b.reshape(b.cast(indices, "int64"), [count, depth]);
  const numbers = depth === 1
    ? b.reshape(tuple, [count])
    : b.reduce("ReduceSum", b.op("Mul", [tuple, b.constant(strides, [1, depth], "int64")]), [1], false);
  return inside === null ? numbers : b.where(b.reshape(inside, [count]), numbers, b.scalar(other, "int64"));
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

/** Updates put into a base; what names no place is left out. */
function put(b: Builder, kernel: string, base: Value, indices: Value, updates: Value): Value {
  const depth = indices.shape.at(-1)!;
  const [size, width] = [base.shape.slice(0, depth), base.shape.slice(depth)].map(sizeOf);
  const list = [...indices.shape.slice(0, -1), ...base.shape.slice(depth)];
  const each = b.expand(numeric(b, updates), list);
  if (sizeOf(each.shape) === 0) return base;
  const inside = legal(b, kernel, indices, base.shape.slice(0, depth));
  if (inside === null) {
    return b.cast(b.op("ScatterND", [numeric(b, base), b.cast(indices, "int64"), each]), base.dtype);
  }
  // What names no place goes to a row behind the others.
  const rows = b.pad(b.reshape(numeric(b, base), [size, width]), [0, 0, 1, 0], 0);
  const numbers = rowNumbers(b, indices, base.shape.slice(0, depth), inside, size);
  const count = sizeOf(numbers.shape);
  const put = b.op("ScatterND", [rows, b.reshape(numbers, [count, 1]), b.reshape(each, [count, width])]);
  return b.cast(b.reshape(b.slice(put, [0, 0], [size, width]), base.shape), base.dtype);
}

/** Updates added up in zeros. Truths are added as integers, as the runtime has no sum of truths. */
function addedUp(b: Builder, indices: Value, updates: Value, shape: readonly number[]): Value {
  const depth = indices.shape.at(-1)!;
  const [count, size, width] = [indices.shape.slice(0, -1), shape.slice(0, depth), shape.slice(depth)].map(sizeOf);
  const each = b.expand(numeric(b, updates), [...indices.shape.slice(0, -1), ...shape.slice(depth)]);
  const inside = legal(b, "ScatterNd", indices, shape.slice(0, depth));
  const extents = shape.slice(0, depth);
  const rows = b.reshape(each, [count, width]);
  let sums: Value;
  if (inside !== null && size < count) {
    // What names no place goes to a row behind the others, which are fewer than the rows that would have to be blanked.
    const numbers = rowNumbers(b, indices, extents, inside, size);
    sums = b.slice(added(b, b.filled(0, [size + 1, width], each.dtype), numbers, rows), [0, 0], [size, width]);
  } else {
    const numbers = rowNumbers(b, indices, extents, inside, 0);
    sums = added(b, b.filled(0, [size, width], each.dtype), numbers, rowsInside(b, inside, rows));
  }
  return b.cast(b.reshape(sums, shape), updates.dtype);
}

/** Values where a truth holds, else zeros. */
function chosen(b: Builder, inside: Value | null, values: Value): Value {
  return inside === null ? values : b.where(inside, values, b.constant([0], [], values.dtype));
}

/** Rows [count, width] where a truth of the row holds, else zeros. */
function rowsInside(b: Builder, inside: Value | null, rows: Value): Value {
  const [count, width] = rows.shape;
  const [list, flat] = width === 1 ? [[count], [count]] : [[count, 1], rows.shape];
  return inside === null ? rows : b.reshape(chosen(b, b.reshape(inside, list), b.reshape(rows, flat)), rows.shape);
}

/** Indices with 0 in place of what is no place. */
function safe(b: Builder, inside: Value | null, indices: Value): Value {
  return inside === null ? indices : b.where(inside, indices, b.scalar(0, indices.dtype));
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

const OUTSIDE_GATHERED = "an index out of range is refused where it is known while compiling, else it gives zeros";
const OUTSIDE_SCATTERED =
  "an index out of range is refused where it is known while compiling, else what belongs to it is left out";

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
    note: OUTSIDE_GATHERED,
    lower: (b, [x, indices], _, [output]) => {
      const depth = indices.shape.at(-1)!;
      if (sizeOf(x.shape) === 0) return b.filled(0, output.shape, output.dtype);
      const inside = legal(b, "GatherNd", indices, x.shape.slice(0, depth));
      const values = b.op("GatherND", [x, b.cast(safe(b, inside, indices), "int64")]);
      if (inside === null) return values;
      const list = [...indices.shape.slice(0, -1), ...output.shape.slice(indices.shape.length - 1).map(() => 1)];
      return chosen(b, b.reshape(inside, list), values);
    },
  },
  GatherV2: {
    inputs: ["x", "indices"],
    infer: ([x, indices], { axis, batchDims }) => ({
      shape: [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)],
      dtype: x.dtype,
    }),
    note: OUTSIDE_GATHERED,
    lower: (b, [x, given], { axis, batchDims }, [output]) => {
      const indices = b.cast(given, "int32");
      if (sizeOf(x.shape) === 0) return b.filled(0, output.shape, output.dtype);
      const inside = legal(b, "GatherV2", indices, [x.shape[axis]]);
      const places = safe(b, inside, indices);
      const values = batchDims === 0
        ? b.op("Gather", [x, places], { axis })
        : gatheredInBatch(b, x, places, axis, batchDims);
      if (inside === null) return values;
      const list = indices.shape.slice(batchDims);
      const outer = output.shape.map((extent, i) =>
        i < batchDims ? extent : i >= axis && i < axis + list.length ? extent : 1
      );
      return chosen(b, b.reshape(inside, outer), values);
    },
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
    note: OUTSIDE_SCATTERED,
    lower: (b, [indices, updates], { shape }) => addedUp(b, indices, updates, shape),
  },
  SparseToDense: {
    inputs: ["sparseIndices", "sparseValues", "defaultValue"],
    infer: ([_, values], { shape }) => ({ shape, dtype: values.dtype }),
    note: OUTSIDE_SCATTERED,
    lower: (b, [indices, values, fallback], { shape }) => {
      const base = b.expand(b.reshape(b.cast(fallback, values.dtype), []), shape);
      // A list of numbers are places of a vector; one number is one place.
      const rank = indices.shape.length;
      const places = rank < 2 ? b.reshape(indices, [sizeOf(indices.shape), 1]) : indices;
      return put(b, "SparseToDense", base, places, values);
    },
  },
  TensorScatterUpdate: {
    inputs: ["tensor", "indices", "updates"],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    note: `leaves the given tensor as it is, tfjs's CPU writes into it; ${OUTSIDE_SCATTERED}`,
    lower: (b, [x, indices, updates]) => put(b, "TensorScatterUpdate", x, indices, b.cast(updates, x.dtype)),
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
      const width = sizeOf(x.shape.slice(1));
      const rows = rowsInside(b, legal, b.reshape(float(b, x), [ids.shape[0], width]));
      const numbers = b.where(legal, number, b.scalar(0, "int64"));
      const sums = added(
        b,
        b.filled(0, [segments, width], "float32"),
        b.reshape(numbers, [ids.shape[0]]),
        rows,
      );
      return b.reshape(sums, [segments, ...x.shape.slice(1)]);
    },
  },
};
