/**
 * NaN on tfjs's backends for the host, which lose it: a window's or row's largest value is NaN if one of its values is, and
 * so is the sign of NaN; among the k largest NaN comes first. Largest and least values of nothing are the infinities, a mean
 * of nothing is NaN.
 *
 * A kernel without NaN in its inputs is the backend's own.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ComposedKernel, Kernels } from "./composed_kernels.ts";

type Inputs = Record<string, tf.TensorInfo>;
type Attributes = Record<string, unknown>;

/** Whether a value is NaN. Only for backends that can be read at once. */
export function holdsNan(k: Kernels, x: tf.TensorInfo): boolean {
  if (x.dtype !== "float32") return false;
  const values = k.numbers(x);
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** 1 where a value is NaN, else 0, as floats. */
function nans(k: Kernels, x: tf.TensorInfo): tf.TensorInfo {
  return k.cast(k.run("IsNan", { x }), "float32");
}

/** NaN where a number is above 0, else the given values. */
function withNan(k: Kernels, places: tf.TensorInfo, values: tf.TensorInfo): tf.TensorInfo {
  const condition = k.run("Greater", { a: places, b: k.scalar(0) });
  const t = k.run("Fill", {}, { shape: values.shape, value: NaN, dtype: "float32" });
  return k.run("Select", { condition, t, e: values });
}

/** Elementwise kernels: NaN where an operand is. */
function elementwise(name: string): ComposedKernel {
  return (k, inputs: Inputs, attrs) => {
    const own = k.run(`${name}/own`, inputs, attrs as Attributes);
    const odd = Object.values(inputs).filter((x) => holdsNan(k, x));
    if (odd.length === 0) return own;
    const zeros = k.zeros(own.shape);
    return withNan(k, odd.reduce((places, x) => k.run("Add", { a: places, b: nans(k, x) }), zeros), own);
  };
}

type Pool = (k: Kernels, inputs: { x: tf.TensorInfo }, attrs: unknown) => tf.TensorInfo;
const own = (name: string): Pool => (k, { x }, attrs) => k.run(`${name}/own`, { x }, attrs as Attributes);

/**
 * Windows: NaN where one of the values is.
 *
 * @param pool The values of windows without NaN.
 * @param largest The largest values of windows without NaN.
 */
export function windows(pool: Pool, largest: Pool = pool): ComposedKernel {
  return (k, { x }, attrs) => {
    if (!holdsNan(k, x)) return pool(k, { x }, attrs);
    const places = nans(k, x);
    const finite = k.run("Select", {
      condition: k.run("Greater", { a: places, b: k.scalar(0) }),
      t: k.zeros(x.shape),
      e: x,
    });
    const values = pool(k, { x: finite }, attrs);
    return withNan(k, largest(k, { x: places }, attrs), values);
  };
}

/** The place of the first NaN, if there is one. */
function place(name: "ArgMax" | "ArgMin"): ComposedKernel {
  return (k, { x }, attrs) => {
    const own = k.run(`${name}/own`, { x }, attrs as Attributes);
    if (!holdsNan(k, x)) return own;
    const places = nans(k, x);
    const { axis } = attrs as { axis: number };
    const any = k.run("Max/own", { x: places }, { reductionIndices: [axis], axis: [axis], keepDims: false });
    const condition = k.run("Greater", { a: any, b: k.scalar(0) });
    const first = k.run("ArgMax/own", { x: places }, attrs as Attributes);
    return k.run("Select", { condition, t: first, e: own });
  };
}

/** The k largest values of every row and their places, NaN above all and of equals the first one first. */
const topK: ComposedKernel = (k, { x }, attrs) => {
  if (!holdsNan(k, x)) return k.all("TopK/own", { x }, attrs as Attributes);
  const count = (attrs as { k: number }).k;
  const given = k.numbers(x);
  const width = x.shape.at(-1)!;
  const rows = given.length / width;
  const values = new Float32Array(rows * count);
  const places = new Int32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const at = (place: number) => given[row * width + place];
    const before = (a: number, b: number): number => {
      const [first, second] = [Number.isNaN(at(a)), Number.isNaN(at(b))];
      if (first !== second) return first ? -1 : 1;
      return first || at(a) === at(b) ? a - b : at(b) > at(a) ? 1 : -1;
    };
    const order = Array.from({ length: width }, (_, place) => place).sort(before);
    for (let i = 0; i < count; i++) {
      places[row * count + i] = order[i];
      values[row * count + i] = at(order[i]);
    }
  }
  const shape = [...x.shape.slice(0, -1), count];
  return [k.tensor(values, shape), k.tensor(places, shape)];
};

/** Reductions of nothing. */
function reduction(name: "Max" | "Min" | "Mean", ofNothing: number): ComposedKernel {
  return (k, { x }, attrs) => {
    const { axis, reductionIndices, keepDims } = attrs as {
      axis?: number | number[] | null;
      reductionIndices?: number | number[];
      keepDims?: boolean;
    };
    const axes = tf.util.parseAxisParam(reductionIndices ?? axis ?? x.shape.map((_, i) => i), x.shape);
    if (axes.every((one) => x.shape[one] > 0)) return k.run(`${name}/own`, { x }, attrs as Attributes);
    const shape = x.shape.map((extent, i) => axes.includes(i) ? 1 : extent)
      .filter((_, i) => keepDims || !axes.includes(i));
    return k.run("Fill", {}, { shape, value: ofNothing, dtype: "float32" });
  };
}

/** Largest and least values and means of nothing. */
export const reductionsOfNothing: Readonly<Record<string, ComposedKernel>> = {
  Max: reduction("Max", -Infinity),
  Min: reduction("Min", Infinity),
  Mean: reduction("Mean", NaN),
};

/** Of every backend of the host. */
export const nanKernels: Readonly<Record<string, ComposedKernel>> = {
  ...reductionsOfNothing,
  MaxPool: windows(own("MaxPool")),
  ArgMax: place("ArgMax"),
  ArgMin: place("ArgMin"),
  Sign: elementwise("Sign"),
  TopK: topK,
};

/** (x > 0) - (x < 0): the backend takes what is small for 0. */
const sign: ComposedKernel = (k, { x }) => {
  const zero = k.cast(k.scalar(0), x.dtype);
  const above = k.cast(k.run("Greater", { a: x, b: zero }), "float32");
  const below = k.cast(k.run("Less", { a: x, b: zero }), "float32");
  const signs = k.run("Sub", { a: above, b: below });
  return k.cast(holdsNan(k, x) ? withNan(k, nans(k, x), signs) : signs, x.dtype);
};

/** Of WebAssembly, which loses NaN where the JavaScript backend does not. */
export const wasmNanKernels: Readonly<Record<string, ComposedKernel>> = {
  ...nanKernels,
  Sign: sign,
  AvgPool: windows(own("AvgPool"), own("MaxPool")),
  Maximum: elementwise("Maximum"),
  Minimum: elementwise("Minimum"),
  ClipByValue: elementwise("ClipByValue"),
};
