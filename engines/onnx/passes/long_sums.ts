/**
 * Sums, means and sums of squares of many numbers per result, in stages.
 *
 * The runtime adds one number after the other (of neighbours, as many chains as its vectors are wide): of 2^20 times 0.1 the
 * sum is off by 1e-3, as every addition rounds the same way. Sums of short rows, then sums of those, are off by the rounding
 * of a few hundred additions however many numbers there are, and take no longer.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, sizeOf, type Value } from "../graph/ir.ts";
import { constantInts } from "../graph/onnx_shapes.ts";
import { rewrite } from "./rewrite.ts";

/**
 * Up to so many rows are added as before, and four times as many neighbours, which are added in several chains: what small
 * models train to stays the same to the last bit.
 */
const LONG = 2 ** 14;
const CHAINS = 4;
/** Neighbours that are summed at once. */
const ROW = 128;
/** Rows that are summed at once, one after the other. */
const ROWS = 32;

/** Neighbouring axes that are all summed or all kept, as one. */
interface Group {
  readonly extent: number;
  readonly summed: boolean;
}

function groupsOf(shape: readonly number[], axes: readonly number[]): Group[] {
  const groups: Group[] = [];
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const summed = axes.includes(axis);
    const last = groups.at(-1);
    if (last?.summed === summed) groups[groups.length - 1] = { extent: last.extent * extent, summed };
    else groups.push({ extent, summed });
  });
  return groups;
}

const extents = (groups: readonly Group[]): number[] => groups.map(({ extent }) => extent);
const joined = (groups: readonly Group[]): Group[] =>
  groupsOf(extents(groups), groups.map((_, i) => i).filter((i) => groups[i].summed));

/** The largest divisor up to a limit that is not much smaller; `null` if there is none. */
function partOf(extent: number, limit: number): number | null {
  for (let part = limit; part >= limit / 4; part--) if (extent % part === 0) return part;
  return null;
}

/** Sums over groups of axes, the last one first, part by part. */
function staged(b: Builder, op: "ReduceSum" | "ReduceSumSquare", x: Value, shape: Group[]): Value {
  let [value, groups, reduce] = [b.reshape(x, extents(shape)), shape, op];
  for (;;) {
    const at = groups.findLastIndex(({ summed }) => summed);
    if (at < 0) return value;
    const limit = at === groups.length - 1 ? ROW : ROWS;
    const { extent } = groups[at];
    let [part, size] = [extent, extent];
    if (extent > limit) {
      part = partOf(extent, limit) ?? limit;
      size = Math.ceil(extent / part) * part;
      // Zeros add nothing, and nor do their squares.
      const pads = groups.map((_, i) => i === at ? size - extent : 0);
      value = b.pad(value, [...groups.map(() => 0), ...pads], 0);
    }
    const parted = [...groups.slice(0, at), { extent: size / part, summed: true }, ...groups.slice(at + 1)];
    const split = [...extents(groups.slice(0, at)), size / part, part, ...extents(groups.slice(at + 1))];
    value = b.reduce(reduce, b.reshape(value, split), [at + 1], false);
    groups = joined(parted);
    value = b.reshape(value, extents(groups));
    reduce = "ReduceSum";
  }
}

/** Whether so many numbers are added that their rounding shows. */
function long(groups: readonly Group[], count: number): boolean {
  return count > LONG * (groups.at(-1)?.summed === true ? CHAINS : 1);
}

/** Replaces sums of many numbers per result. */
export function longSums(graph: Graph): Graph {
  return rewrite(graph, (b, { op, inputs, outputs }, now) => {
    if (op !== "ReduceSum" && op !== "ReduceMean" && op !== "ReduceSumSquare") return null;
    const x = inputs[0]!;
    const axes = constantInts(inputs[1]);
    if (axes === null || x.dtype !== "float32") return null;
    const count = sizeOf(axes.map((axis) => x.shape[axis]));
    const groups = groupsOf(x.shape, axes);
    if (!long(groups, count)) return null;
    const sum = staged(b, op === "ReduceSumSquare" ? op : "ReduceSum", now(x), groups);
    const value = op === "ReduceMean" ? b.op("Div", [sum, b.scalar(count)]) : sum;
    return [b.reshape(value, outputs[0].shape)];
  });
}
