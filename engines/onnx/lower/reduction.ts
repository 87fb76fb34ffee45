/**
 * Reductions, positions of extremes, cumulative sums and products, counts and softmax.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value, type ValueSpec } from "../graph/ir.ts";
import type { CumulativeAttributes, ReductionAttributes } from "../trace/kernels.ts";
import { float, type KernelRule, numeric, type Rules } from "./rule.ts";
import { Refusal } from "../../../core/refusal.ts";

type Plain = "Max" | "Mean" | "Min" | "Prod" | "Sum" | "All" | "Any";

function reducedShape({ shape }: ValueSpec, { axes, keepDims }: ReductionAttributes): number[] {
  return keepDims
    ? shape.map((extent, axis) => axes.includes(axis) ? 1 : extent)
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** @param empty The value of no elements at all. */
function reduction(
  dtype: (x: ValueSpec) => ValueSpec["dtype"],
  compute: (b: Builder, x: Value, attributes: ReductionAttributes) => Value,
  empty: number,
): KernelRule<Plain> {
  return {
    inputs: ["x"],
    infer: ([x], attributes) => ({ shape: reducedShape(x, attributes), dtype: dtype(x) }),
    lower: (b, [x], attributes, [output]) =>
      sizeOf(x.shape) === 0
        ? b.filled(empty, output.shape, output.dtype)
        : b.cast(compute(b, numeric(b, x), attributes), output.dtype),
  };
}

const by = (op: Parameters<Builder["reduce"]>[0]) => (b: Builder, x: Value, attributes: ReductionAttributes): Value =>
  b.reduce(op, x, attributes.axes, attributes.keepDims);

/** The largest or smallest value: NaN where there is one, which the runtime passes over unless it comes first. */
const extremum = (op: "ReduceMax" | "ReduceMin") => (b: Builder, x: Value, attributes: ReductionAttributes): Value => {
  const value = by(op)(b, x, attributes);
  if (x.dtype !== "float32") return value;
  return b.where(by("ReduceMax")(b, b.op("IsNaN", [x]), attributes), b.scalar(NaN), value);
};
const same = ({ dtype }: ValueSpec) => dtype;
const summed = ({ dtype }: ValueSpec) => dtype === "bool" ? "int32" as const : dtype;

/** The place of the largest or smallest value: of the first NaN where there is one. */
function position(op: "ArgMax" | "ArgMin"): KernelRule<"ArgMax" | "ArgMin"> {
  return {
    inputs: ["x"],
    infer: ([x], { axis }) => {
      const shape = x.shape.filter((_, i) => i !== axis);
      if (x.shape[axis] === 0 && sizeOf(shape) > 0) {
        throw new Refusal({
          what: `trace kernel ${op}`,
          must: `axis ${axis} must have elements`,
          found: `found [${x.shape.join(", ")}]`,
        });
      }
      return { shape, dtype: "int32" };
    },
    lower: (b, [x], { axis }) => {
      const place = b.op(op, [numeric(b, x)], { axis, keepdims: 0 });
      if (x.dtype !== "float32") return b.cast(place, "int32");
      const nans = b.op("IsNaN", [x]);
      const first = b.op("ArgMax", [b.cast(nans, "int32")], { axis, keepdims: 0 });
      const any = by("ReduceMax")(b, nans, { axes: [axis], keepDims: false });
      return b.cast(b.where(any, first, place), "int32");
    },
  };
}

/** x with `by` places inserted before the first ones along an axis, or after the last, and as many dropped. */
function shifted(b: Builder, x: Value, axis: number, by: number, reverse: boolean, value: number): Value {
  const kept = x.shape.map((extent, i) => i === axis ? extent - by : extent);
  const begin = x.shape.map((_, i) => i === axis && reverse ? by : 0);
  const at = (side: boolean) => x.shape.map((_, i) => i === axis && side ? by : 0);
  return b.pad(b.slice(x, begin, kept), [...at(!reverse), ...at(reverse)], value);
}

/** Longer axes are summed up part by part, so that rounding does not add up. */
const LONG_CUMULATION = 4096;
/** Values of a part. */
const PART = 64;

/** Sums of all values up to each. */
function cumulativeSum(b: Builder, x: Value, attributes: CumulativeAttributes): Value {
  const { axis, exclusive, reverse } = attributes;
  const extent = x.shape[axis];
  const plain = (value: Value, along: number, without: boolean): Value =>
    b.op("CumSum", [value, b.constant([along], [], "int64")], { exclusive: without ? 1 : 0, reverse: reverse ? 1 : 0 });
  if (extent <= LONG_CUMULATION || x.dtype !== "float32") return plain(x, axis, exclusive);
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const parts = Math.ceil(extent / PART);
  const missing = x.shape.map((_, i) => i === axis ? parts * PART - extent : 0);
  const padded = b.reshape(b.pad(x, [...x.shape.map(() => 0), ...missing], 0), [...before, parts, PART, ...after]);
  const sums = b.reduce("ReduceSum", padded, [axis + 1], false);
  const others = cumulativeSum(b, sums, { axis, exclusive: true, reverse });
  const whole = b.op("Add", [plain(padded, axis + 1, exclusive), b.reshape(others, [...before, parts, 1, ...after])]);
  return b.slice(b.reshape(whole, [...before, parts * PART, ...after]), x.shape.map(() => 0), x.shape);
}

/** Products of all values up to each: after step k every place holds the product of the 2^k values up to it. */
function cumulativeProduct(b: Builder, x: Value, { axis, exclusive, reverse }: CumulativeAttributes): Value {
  let product = exclusive ? shifted(b, x, axis, 1, reverse, 1) : x;
  for (let reach = 1; reach < x.shape[axis]; reach *= 2) {
    product = b.op("Mul", [product, shifted(b, product, axis, reach, reverse, 1)]);
  }
  return product;
}

/** Sums of weights (ones if there are none) by number, [rows, size]; numbers of `size` and above count nothing. */
function counts(b: Builder, x: Value, weights: Value, size: number): Value {
  const [rows, columns] = x.shape;
  const number = b.op("Min", [b.cast(x, "int64"), b.scalar(size, "int64")]);
  const row = b.op("Mul", [b.reshape(b.iota(rows, "int64"), [rows, 1]), b.scalar(size + 1, "int64")]);
  const dtype = weights.dtype === "bool" ? "int32" : weights.dtype;
  const each = sizeOf(weights.shape) === 0 ? b.filled(1, x.shape, dtype) : b.cast(weights, dtype);
  const flat = b.op("ScatterElements", [
    b.filled(0, [rows * (size + 1)], dtype),
    b.reshape(b.op("Add", [number, row]), [rows * columns]),
    b.reshape(each, [rows * columns]),
  ], { axis: 0, reduction: "add" });
  return b.slice(b.reshape(flat, [rows, size + 1]), [0, 0], [rows, size]);
}

/** What sorts as x does, with NaN above all: half of x, infinity as the largest number, and NaN as infinity. */
function ranks(b: Builder, x: Value): Value {
  const half = b.op("Min", [b.op("Mul", [x, b.scalar(0.5)]), b.scalar(3.4028234663852886e38)]);
  return b.where(b.op("IsNaN", [x]), b.scalar(Infinity), half);
}

/** Rows of this family. */
export const reductionRules: Rules<
  | Plain
  | "ArgMax"
  | "ArgMin"
  | "Bincount"
  | "Cumprod"
  | "Cumsum"
  | "DenseBincount"
  | "SearchSorted"
  | "Softmax"
  | "TopK"
> = {
  All: reduction(same, by("ReduceMin"), 1),
  Any: reduction(same, by("ReduceMax"), 0),
  Max: reduction(same, extremum("ReduceMax"), -Infinity),
  Mean: reduction(() => "float32", (b, x, attributes) => by("ReduceMean")(b, float(b, x), attributes), NaN),
  Min: reduction(same, extremum("ReduceMin"), Infinity),
  Prod: reduction(summed, by("ReduceProd"), 1),
  Sum: reduction(summed, by("ReduceSum"), 0),
  ArgMax: position("ArgMax"),
  ArgMin: position("ArgMin"),
  Bincount: {
    inputs: ["x", "weights"],
    infer: ([_, weights], { size }) => ({ shape: [size], dtype: weights.dtype }),
    note: "negative numbers are an error in tfjs's CPU and undefined here",
    lower: (b, [x, weights], { size }) =>
      sizeOf(x.shape) === 0
        ? b.filled(0, [size], weights.dtype)
        : b.cast(b.reshape(counts(b, b.reshape(x, [1, sizeOf(x.shape)]), weights, size), [size]), weights.dtype),
  },
  Cumprod: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: summed(x) }),
    lower: (b, [x], attributes) => cumulativeProduct(b, numeric(b, x), attributes),
  },
  Cumsum: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: summed(x) }),
    lower: (b, [x], attributes) => cumulativeSum(b, numeric(b, x), attributes),
  },
  DenseBincount: {
    inputs: ["x", "weights"],
    infer: ([x, weights], { size }) => ({ shape: [...x.shape.slice(0, -1), size], dtype: weights.dtype }),
    note: "negative numbers are an error in tfjs's CPU and undefined here",
    lower: (b, [x, weights], { size, binary }, [output]) => {
      if (sizeOf(x.shape) === 0) return b.filled(0, output.shape, output.dtype);
      const rows = x.shape.length === 1 ? 1 : x.shape[0];
      const list = b.reshape(x, [rows, x.shape.at(-1)!]);
      // tfjs asks for truths of matrices only.
      if (!binary || x.shape.length === 1) {
        return b.cast(b.reshape(counts(b, list, weights, size), output.shape), output.dtype);
      }
      const none = b.constant([], [0], "int32");
      const present = b.op("Min", [counts(b, list, none, size), b.scalar(1, "int32")]);
      return b.cast(b.reshape(present, output.shape), output.dtype);
    },
  },
  SearchSorted: {
    inputs: ["sortedSequence", "values"],
    infer: ([_, values]) => ({ shape: values.shape, dtype: "int32" }),
    lower: (b, [sorted, values], { right }) => {
      const [rows, length] = sorted.shape;
      if (length === 0) return b.filled(0, values.shape, "int32");
      const list = b.reshape(numeric(b, sorted), [rows, 1, length]);
      const each = b.reshape(numeric(b, values), [...values.shape, 1]);
      const before = b.op(right ? "LessOrEqual" : "Less", [list, each]);
      return b.reduce("ReduceSum", b.cast(before, "int32"), [2], false);
    },
  },
  Softmax: {
    inputs: ["logits"],
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (b, [x], { axis }) => b.op("Softmax", [float(b, x)], { axis }),
  },
  TopK: {
    inputs: ["x"],
    infer: ([x], { k }) => {
      const shape = [...x.shape.slice(0, -1), k];
      return [{ shape, dtype: x.dtype }, { shape, dtype: "int32" }];
    },
    note: "always sorted; of equal values the first comes first; NaN counts as largest",
    lower: (b, [x], { k }) => {
      const axis = x.shape.length - 1;
      const attributes = { axis, largest: 1, sorted: 1 };
      const given = numeric(b, x);
      const [values, indices] = b.node("TopK", [x.dtype === "float32" ? ranks(b, x) : given, b.ints([k])], attributes);
      const found = x.dtype === "float32" ? b.op("GatherElements", [x, indices], { axis }) : b.cast(values, x.dtype);
      return [found, b.cast(indices, "int32")];
    },
  },
};
