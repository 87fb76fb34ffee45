/**
 * What gradients of several kernels are made of.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Attributes of a kernel, by tfjs's names. */
export type Attributes = Readonly<Record<string, unknown>>;
type Gradients = Record<string, () => tf.Tensor>;

/** A gradient as tfjs's registry takes it: what is kept of the forward kernel, and what is made of it. */
export interface Config {
  readonly inputsToSave?: string[];
  readonly outputsToSave?: boolean[];
  readonly saveAllInputs?: boolean;
  gradient(dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attributes: Attributes): Gradients | (() => tf.Tensor)[];
}

const ones = (count: number): number[] => new Array(count).fill(1);
const spread = (value: unknown, rank: number): number[] =>
  Array.isArray(value) ? value as number[] : new Array(rank).fill(value ?? 1);
/** Runs a kernel of whatever backend there is. */
export const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: Attributes): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs, attributes as unknown as tf.NamedAttrMap) as tf.Tensor;
/** An axis counted from the front. */
export const positive = (axis: number, rank: number): number => axis < 0 ? axis + rank : axis;

/** Ones at the given places of a new last axis; `tf.oneHot` refuses an axis of one. */
export const marked = (indices: tf.Tensor, extent: number): tf.Tensor =>
  tf.cast(tf.equal(tf.expandDims(indices, -1), tf.range(0, extent, 1, "int32")), "float32");

/** x with `steps[i] - 1` zeros between neighbours along axis i. */
function stuffed(x: tf.Tensor, steps: readonly number[]): tf.Tensor {
  // Axis by axis: backends pad few axes at once.
  return steps.reduce((whole, step, axis) => {
    if (step === 1) return whole;
    const [before, extent, after] = [whole.shape.slice(0, axis), whole.shape[axis], whole.shape.slice(axis + 1)];
    const size = (shape: readonly number[]) => shape.reduce((product, count) => product * count, 1);
    const split = tf.reshape(whole, [size(before), extent, 1, size(after)]);
    const wide = tf.reshape(tf.pad(split, [[0, 0], [0, 0], [0, step - 1], [0, 0]]), [
      ...before,
      extent * step,
      ...after,
    ]);
    const kept = [...before, Math.max(0, (extent - 1) * step + 1), ...after];
    return tf.slice(wide, kept.map(() => 0), kept);
  }, x);
}

/**
 * A convolution's gradients. Gradient kernels know no dilation: a dilated convolution is one by a filter with zeros
 * between its elements.
 */
export function convolution(byInput: string, byFilter: string): Config {
  return {
    inputsToSave: ["x", "filter"],
    gradient(dy, [x, filter], attributes) {
      const rank = filter.rank - 2;
      const steps = [...spread(attributes["dilations"], rank), 1, 1];
      const plain = { ...attributes, dilations: ones(rank) };
      const given = dy as tf.Tensor;
      const wide = steps.map((step, axis) => (filter.shape[axis] - 1) * step + 1);
      return {
        x: () => run(byInput, { dy: given, filter: stuffed(filter, steps) }, { ...plain, inputShape: x.shape }),
        filter: () => {
          const made = run(byFilter, { x, dy: given }, { ...plain, filterShape: wide });
          return steps.every((step) => step === 1) ? made : tf.stridedSlice(made, wide.map(() => 0), wide, steps);
        },
      };
    },
  };
}

/** A pooling's gradient, which needs to know how extents were rounded. */
export function pooling(byInput: string, keepsOutput: boolean): Config {
  return {
    inputsToSave: ["x"],
    outputsToSave: [keepsOutput],
    gradient: (dy, [input, output], attributes) => {
      const inputs = { dy: dy as tf.Tensor, input };
      return { x: () => run(byInput, keepsOutput ? { ...inputs, output } : inputs, attributes) };
    },
  };
}

/** The letters of an equation's operands and result. */
function terms(equation: string): string[] {
  return equation.replaceAll(" ", "").split(/,|->/);
}

/** The gradient of a sum of products by one operand: the product of the others, summed over what the operand has not. */
export function einsumBy(dy: tf.Tensor, operands: readonly tf.Tensor[], equation: string, own: number): tf.Tensor {
  const letters = terms(equation);
  const result = letters.at(-1)!;
  const wanted = [...letters[own]];
  const other = operands.length === 2 ? 1 - own : null;
  const known = wanted.filter((letter) =>
    result.includes(letter) || (other !== null && letters[other].includes(letter))
  );
  const part = other === null
    ? (known.length < 2 ? dy : tf.einsum(`${result}->${known.join("")}`, dy))
    : result === ""
    ? tf.mul(
      dy,
      known.length === 0 ? tf.sum(operands[other]) : tf.einsum(`${letters[other]}->${known.join("")}`, operands[other]),
    )
    : tf.einsum(`${result},${letters[other]}->${known.join("")}`, dy, operands[other]);
  // What the operand alone has was summed over, so each of its places gets the same.
  const x = operands[own];
  const shape = wanted.map((letter, axis) => known.includes(letter) ? x.shape[axis] : 1);
  return tf.add(tf.reshape(part, shape), tf.zerosLike(x));
}

/** The sum of what mirrored copies along one axis contribute to it. */
export function unmirrored(
  dy: tf.Tensor,
  axis: number,
  extent: number,
  [before, after]: number[],
  skip: number,
): tf.Tensor {
  const part = (begin: number, size: number) =>
    tf.slice(dy, dy.shape.map((_, i) => i === axis ? begin : 0), dy.shape.map((all, i) => i === axis ? size : all));
  const placed = (copy: tf.Tensor, begin: number, size: number) =>
    tf.pad(
      tf.reverse(copy, axis),
      dy.shape.map((_, i) => i === axis ? [begin, extent - begin - size] : [0, 0]) as [number, number][],
    );
  let sum = part(before, extent);
  if (before > 0) sum = tf.add(sum, placed(part(0, before), skip, before));
  if (after > 0) sum = tf.add(sum, placed(part(before + extent, after), extent - skip - after, after));
  return sum;
}

/** The parts of dy at places [..., depth]; tfjs's CPU refuses to take any from a tensor of no elements. */
export function placed(dy: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  if (dy.size > 0) return tf.gatherND(dy, indices);
  return tf.zeros([...indices.shape.slice(0, -1), ...dy.shape.slice(indices.shape.at(-1)!)]);
}

/** The gradient of taking rows by number, within leading axes that both share. */
export function gathered(x: tf.Tensor, indices: tf.Tensor, dy: tf.Tensor, axis: number, batch: number): tf.Tensor {
  // tfjs's CPU fails to sum into no segments.
  if (x.size === 0) return tf.zerosLike(x);
  const count = indices.shape.slice(batch).reduce((product, extent) => product * extent, 1);
  const [lead, outer, inner] = [x.shape.slice(0, batch), x.shape.slice(batch, axis), x.shape.slice(axis + 1)];
  const size = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);
  const rows = tf.transpose(tf.reshape(dy, [size(lead), size(outer), count, size(inner)]), [0, 2, 1, 3]);
  const extent = x.shape[axis];
  const sums = batch === 0
    ? tf.unsortedSegmentSum(
      tf.reshape(rows, [count, size(outer) * size(inner)]),
      tf.reshape(indices, [count]) as tf.Tensor1D,
      extent,
    )
    : tf.matMul(
      marked(tf.reshape(indices, [size(lead), count]), extent),
      tf.reshape(rows, [size(lead), count, size(outer) * size(inner)]),
      true,
    );
  const apart = tf.reshape(sums, [size(lead), extent, size(outer), size(inner)]);
  return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), x.shape);
}

/** Puts a strided part back to where it was taken, with zeros around. */
export function unsliced(x: tf.Tensor, dy: tf.Tensor, attributes: Attributes): tf.Tensor {
  const mask = (name: string) => (attributes[name] ?? 0) as number;
  const { begin, end, strides } = tf.slice_util.sliceInfo(
    x.shape,
    attributes["begin"] as number[],
    attributes["end"] as number[],
    attributes["strides"] as number[],
    mask("beginMask"),
    mask("endMask"),
    mask("ellipsisMask"),
    mask("newAxisMask"),
    mask("shrinkAxisMask"),
  );
  if (dy.size === 0) return tf.zerosLike(x);
  const taken = begin.map((at, axis) => Math.ceil((end[axis] - at) / strides[axis]));
  const turned = strides.map((_, axis) => axis).filter((axis) => strides[axis] < 0);
  const steps = strides.map(Math.abs);
  const sparse = tf.reshape(dy, taken);
  const wide = stuffed(turned.length === 0 ? sparse : tf.reverse(sparse, turned), steps);
  const first = begin.map((at, axis) => strides[axis] < 0 ? at + (taken[axis] - 1) * strides[axis] : at);
  return tf.pad(wide, first.map((at, axis) => [at, x.shape[axis] - at - wide.shape[axis]]) as [number, number][]);
}

/** The shape of what a reduction over some axes gives, with them. */
export const keptShape = (x: tf.Tensor, axes: readonly number[]): number[] =>
  x.shape.map((extent, axis) => axes.includes(axis) ? 1 : extent);

/** Equal largest (smallest) values share the gradient evenly. */
export function extreme(axis: "axis" | "reductionIndices"): Config {
  return {
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradient: (dy, [x, y], attributes) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(attributes[axis] as number | number[], x.shape);
        const kept = keptShape(x, axes);
        const marks = tf.cast(tf.equal(x, tf.reshape(y, kept)), "float32");
        return tf.mul(tf.div(tf.reshape(dy as tf.Tensor, kept), tf.sum(marks, axes, true)), marks);
      },
    }),
  };
}
