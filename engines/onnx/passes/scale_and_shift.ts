/**
 * a x + c with an a and a c for every channel, in one pass over memory: what normalisation and its gradient consist of.
 *
 * The runtime has no such operation of its own, but normalising by mean 0 and variance 1 is one.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, sizeOf, type Value } from "../graph/ir.ts";
import { rewrite, Uses } from "./rewrite.ts";

/** Below this size a node's own cost outweighs what it moves. */
const LEAST_ELEMENTS = 16384;
/** Shorter channels make the runtime's loop over them slow. */
const LEAST_INNER = 32;

/** How many leading axes a factor varies along; the rest is repeated. `null` if it varies along others. */
function leading(factor: readonly number[], shape: readonly number[]): number | null {
  const full = [...new Array(shape.length - factor.length).fill(1), ...factor];
  let count = full.length;
  while (count > 0 && full[count - 1] === 1) count--;
  const fits = full.every((extent, axis) => axis >= count || extent === shape[axis] || extent === 1);
  return fits ? count : null;
}

/** Whether a factor is the same for all rows. */
function alikeInRows(factor: Value, rank: number): boolean {
  return factor.shape.length < rank || factor.shape[0] === 1;
}

/** Replaces a x + c on large tensors, where a and c are the same along at least one last axis. */
export function scaleAndShift(graph: Graph): Graph {
  const uses = new Uses(graph);
  return rewrite(graph, (b, node, now) => {
    const { shape } = node.outputs[0];
    if (node.op !== "Add" || sizeOf(shape) < LEAST_ELEMENTS || node.outputs[0].dtype !== "float32") return null;
    const [x, y] = node.inputs as readonly Value[];
    for (const [product, shift] of [[x, y], [y, x]]) {
      if (product.node?.op !== "Mul" || uses.of(product) !== 1 || product.shape.join() !== shape.join()) continue;
      const [p, q] = product.node.inputs as readonly Value[];
      for (const [map, scale] of [[p, q], [q, p]]) {
        if (map.shape.join() !== shape.join()) continue;
        const axes = [leading(scale.shape, shape), leading(shift.shape, shape)];
        if (axes[0] === null || axes[1] === null) continue;
        const count = Math.max(axes[0], axes[1]);
        const inner = sizeOf(shape.slice(count));
        if (inner < LEAST_INNER) continue;
        return [normalised(b, now(map), now(scale), now(shift), count)];
      }
    }
    return null;
  });
}

function normalised(b: Builder, x: Value, scale: Value, shift: Value, count: number): Value {
  const { shape } = x;
  const rank = shape.length;
  // The runtime's channels are the second axis: of rows that are alike they are the channels, else rows and channels.
  const rows = count === 2 && alikeInRows(scale, rank) && alikeInRows(shift, rank) ? shape[0] : 1;
  const channels = sizeOf(shape.slice(0, count)) / rows;
  const perChannel = (factor: Value): Value => {
    const full = b.reshape(factor, [...new Array(rank - factor.shape.length).fill(1), ...factor.shape]);
    const wanted = shape.map((extent, axis) => axis < count && !(axis === 0 && rows > 1) ? extent : 1);
    return b.reshape(b.expand(full, wanted), [channels]);
  };
  const vector = (value: number) => b.expand(b.constant([value], [1], "float32"), [channels]);
  const map = b.reshape(x, [rows, channels, sizeOf(shape) / (rows * channels)]);
  const inputs = [map, perChannel(scale), perChannel(shift), vector(0), vector(1)];
  return b.reshape(b.op("BatchNormalization", inputs, { epsilon: 0 }), shape);
}
