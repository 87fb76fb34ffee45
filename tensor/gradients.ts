/**
 * Gradients that tfjs lacks or has wrong.
 *
 * Each is tested against finite differences. What is wrong with tfjs 4.22's own: `Max` and `Min` give the whole gradient to
 * each of equal largest values; `Cumsum` transposes the result unless
 * the axis is the last; `Prod` refuses negative axes; `GatherV2` treats several batch dimensions as none; `MirrorPad`
 * forgets the mirrored copies; `Tile` refuses five dimensions; `SplitV` and `Unpack` fail with one part; convolutions refuse
 * dilation; they and pooling forget how extents were rounded. `Mean` is right, but divides a tensor of the input's size.
 * The others it does not have at all. Of an index out of range the compiled engine gathers zeros and scatters nothing, and so do
 * the gradients.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { identityMatrix } from "./identity_matrix.ts";
import { mendTape } from "./tape.ts";

type Attributes = Readonly<Record<string, unknown>>;
type Gradients = Record<string, () => tf.Tensor>;

interface Config {
  readonly inputsToSave?: string[];
  readonly outputsToSave?: boolean[];
  readonly saveAllInputs?: boolean;
  gradient(dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attributes: Attributes): Gradients | (() => tf.Tensor)[];
}

const ones = (count: number): number[] => new Array(count).fill(1);
const spread = (value: unknown, rank: number): number[] =>
  Array.isArray(value) ? value as number[] : new Array(rank).fill(value ?? 1);
const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: Attributes): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs, attributes as unknown as tf.NamedAttrMap) as tf.Tensor;
const positive = (axis: number, rank: number): number => axis < 0 ? axis + rank : axis;

/** Ones at the given places of a new last axis; `tf.oneHot` refuses an axis of one. */
const marked = (indices: tf.Tensor, extent: number): tf.Tensor =>
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
function convolution(byInput: string, byFilter: string): Config {
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
function pooling(byInput: string, keepsOutput: boolean): Config {
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
function einsumBy(dy: tf.Tensor, operands: readonly tf.Tensor[], equation: string, own: number): tf.Tensor {
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
function unmirrored(dy: tf.Tensor, axis: number, extent: number, [before, after]: number[], skip: number): tf.Tensor {
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
function placed(dy: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  if (dy.size > 0) return tf.gatherND(dy, indices);
  return tf.zeros([...indices.shape.slice(0, -1), ...dy.shape.slice(indices.shape.at(-1)!)]);
}

/** The gradient of taking rows by number, within leading axes that both share. */
function gathered(x: tf.Tensor, indices: tf.Tensor, dy: tf.Tensor, axis: number, batch: number): tf.Tensor {
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
function unsliced(x: tf.Tensor, dy: tf.Tensor, attributes: Attributes): tf.Tensor {
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
const keptShape = (x: tf.Tensor, axes: readonly number[]): number[] =>
  x.shape.map((extent, axis) => axes.includes(axis) ? 1 : extent);

/** Equal largest (smallest) values share the gradient evenly. */
function extreme(axis: "axis" | "reductionIndices"): Config {
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

const configs: Readonly<Record<string, Config>> = {
  AvgPool: pooling("AvgPoolGrad", false),
  AvgPool3D: pooling("AvgPool3DGrad", false),
  MaxPool: pooling("MaxPoolGrad", true),
  MaxPool3D: pooling("MaxPool3DGrad", true),
  Conv2D: convolution("Conv2DBackpropInput", "Conv2DBackpropFilter"),
  Conv3D: convolution("Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"),
  DepthwiseConv2dNative: convolution(
    "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter",
  ),
  Conv3DBackpropInputV2: {
    inputsToSave: ["dy", "filter"],
    gradient: (ddx, [dy, filter], attributes) => ({
      dy: () => run("Conv3D", { x: ddx as tf.Tensor, filter }, { ...attributes, dilations: 1, dataFormat: "NDHWC" }),
      filter: () =>
        run("Conv3DBackpropFilterV2", { x: ddx as tf.Tensor, dy }, { ...attributes, filterShape: filter.shape }),
    }),
  },
  Cumprod: {
    inputsToSave: ["x"],
    outputsToSave: [true],
    // Zero where x is zero, as in TensorFlow: the products past it are zero, and what they would be is not kept.
    gradient: (dy, [x, y], { axis, exclusive, reverse }) => ({
      x: () => tf.divNoNan(tf.cumsum(tf.mul(dy as tf.Tensor, y), axis as number, exclusive as boolean, !reverse), x),
    }),
  },
  Cumsum: {
    gradient: (dy, _, { axis, exclusive, reverse }) => ({
      x: () => tf.cumsum(dy as tf.Tensor, axis as number, exclusive as boolean, !reverse),
    }),
  },
  DepthToSpace: {
    inputsToSave: ["x"],
    gradient: (dy, [x], { blockSize, dataFormat }) => ({
      x: () => {
        const block = blockSize as number;
        const given = dy as tf.Tensor;
        const [batch, ...rest] = given.shape;
        if (dataFormat === "NCHW") {
          const apart = [batch, rest[0], rest[1] / block, block, rest[2] / block, block];
          return tf.reshape(tf.transpose(tf.reshape(given, apart), [0, 3, 5, 1, 2, 4]), x.shape);
        }
        const apart = [batch, rest[0] / block, block, rest[1] / block, block, rest[2]];
        return tf.reshape(tf.transpose(tf.reshape(given, apart), [0, 1, 3, 2, 4, 5]), x.shape);
      },
    }),
  },
  Diag: {
    inputsToSave: ["x"],
    gradient: (dy, [x]) => ({
      x: () => {
        const square = tf.reshape(dy as tf.Tensor, [x.size, x.size]);
        return tf.reshape(tf.sum(tf.mul(square, identityMatrix(x.size)), 1), x.shape);
      },
    }),
  },
  Einsum: {
    saveAllInputs: true,
    gradient: (dy, operands, { equation }) =>
      operands.map((_, own) => () => einsumBy(dy as tf.Tensor, operands, equation as string, own)),
  },
  FlipLeftRight: {
    gradient: (dy) => ({ image: () => tf.image.flipLeftRight(dy as tf.Tensor4D) }),
  },
  GatherNd: {
    inputsToSave: ["params", "indices"],
    gradient: (dy, [params, indices]) => ({
      params: () => tf.scatterND(indices, dy as tf.Tensor, params.shape),
    }),
  },
  GatherV2: {
    inputsToSave: ["x", "indices"],
    gradient: (dy, [x, indices], { axis, batchDims }) => ({
      x: () => gathered(x, indices, dy as tf.Tensor, positive(axis as number, x.rank), (batchDims ?? 0) as number),
    }),
  },
  Max: extreme("reductionIndices"),
  Mean: {
    inputsToSave: ["x"],
    gradient: (dy, [x], { axis }) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(axis as number | number[], x.shape);
        const count = axes.reduce((product, along) => product * x.shape[along], 1);
        // Divided before it is repeated, which broadcasting does where it is used.
        return tf.mul(tf.reshape(tf.div(dy as tf.Tensor, count), keptShape(x, axes)), tf.onesLike(x));
      },
    }),
  },
  Min: extreme("axis"),
  MirrorPad: {
    inputsToSave: ["x"],
    gradient: (dy, [x], { paddings, mode }) => ({
      x: () =>
        (paddings as number[][]).reduce(
          (sum, pair, axis) => unmirrored(sum, axis, x.shape[axis], pair, mode === "reflect" ? 1 : 0),
          dy as tf.Tensor,
        ),
    }),
  },
  // Where x is NaN the results are, so that the gradient needs no look at it, as `tf.step` takes.
  Relu: {
    inputsToSave: ["x"],
    gradient: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.cast(tf.greater(x, 0), "float32")) }),
  },
  Relu6: {
    inputsToSave: ["x"],
    gradient: (dy, [x]) => ({
      x: () => {
        const inside = tf.mul(tf.cast(tf.lessEqual(x, 6), "float32"), tf.cast(tf.greater(x, 0), "float32"));
        return tf.mul(dy as tf.Tensor, inside);
      },
    }),
  },
  ScatterNd: {
    inputsToSave: ["indices"],
    gradient: (dy, [indices]) => ({ updates: () => placed(dy as tf.Tensor, indices) }),
  },
  SparseToDense: {
    inputsToSave: ["sparseIndices", "sparseValues", "defaultValue"],
    gradient: (dy, [indices, values, fallback]) => {
      const given = dy as tf.Tensor;
      const places = indices.rank < 2 ? tf.reshape(indices, [indices.size, 1]) : indices;
      const at = tf.reshape(placed(given, places), [places.shape[0]]);
      return {
        sparseValues: () => values.rank === 0 ? tf.sum(at) : tf.reshape(at, values.shape),
        defaultValue: () => tf.reshape(tf.sub(tf.sum(given), tf.sum(at)), fallback.shape),
      };
    },
  },
  SplitV: {
    // Of one part alone tfjs gives the gradient itself instead of a list.
    gradient: (dy, _, { axis }) => ({ x: () => tf.concat([dy].flat(), axis as number) }),
  },
  StridedSlice: {
    inputsToSave: ["x"],
    gradient: (dy, [x], attributes) => ({ x: () => unsliced(x, dy as tf.Tensor, attributes) }),
  },
  TensorScatterUpdate: {
    inputsToSave: ["indices", "updates"],
    gradient: (dy, [indices, updates]) => {
      const given = dy as tf.Tensor;
      return {
        tensor: () => tf.where(tf.greater(tf.scatterND(indices, tf.onesLike(updates), given.shape), 0), 0, given),
        updates: () => placed(given, indices),
      };
    },
  },
  Tile: {
    inputsToSave: ["x"],
    gradient: (dy, [x], { reps }) => ({
      x: () => {
        const counts = reps as number[];
        const apart = x.shape.flatMap((extent, axis) => [counts[axis], extent]);
        return tf.sum(tf.reshape(dy as tf.Tensor, apart), x.shape.map((_, axis) => 2 * axis));
      },
    }),
  },
  TopK: {
    inputsToSave: ["x"],
    outputsToSave: [false, true],
    gradient: (dy, [x, indices]) => ({
      x: () => {
        const places = marked(indices, x.shape.at(-1)!);
        return tf.sum(tf.mul(places, tf.expandDims((dy as tf.Tensor[])[0], -1)), -2);
      },
    }),
  },
  Unpack: {
    gradient: (dy, _, { axis }) => ({ value: () => tf.stack([dy].flat(), axis as number) }),
  },
};

let registered = false;

/** Registers them with tfjs, once. */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  mendTape();
  for (const [kernelName, { gradient, ...saves }] of Object.entries(configs)) {
    tf.registerGradient({
      kernelName,
      ...saves,
      gradFunc: (dy, saved, attributes) =>
        gradient(dy, saved, attributes as unknown as Attributes) as ReturnType<tf.GradFunc>,
    });
  }
  const prod = tf.getGradient("Prod");
  tf.registerGradient({
    ...prod,
    gradFunc: (dy, saved, attributes) => {
      const axis = attributes["axis"] as number | number[] | null;
      const rank = saved[0].rank;
      const axes = axis === null || axis === undefined
        ? saved[0].shape.map((_, i) => i)
        : (Array.isArray(axis) ? axis : [axis]).map((i) => positive(i, rank)).sort((a, b) => a - b);
      return prod.gradFunc(dy, saved, { ...attributes, axis: axes });
    },
  });
}
