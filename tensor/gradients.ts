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
import {
  type Attributes,
  type Config,
  convolution,
  einsumBy,
  extreme,
  gathered,
  keptShape,
  marked,
  placed,
  pooling,
  positive,
  run,
  unmirrored,
  unsliced,
} from "./gradient_parts.ts";
import { identityMatrix } from "./identity_matrix.ts";
import { mendTape } from "./tape.ts";

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
