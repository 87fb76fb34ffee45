/**
 * A short row that is combined with every place of a map, such as a gate per sample and channel of a map with channels
 * last, in longer rows.
 *
 * The runtime goes through broadcast operands row by row, and of rows of 8 or 16 numbers the calls cost more than the
 * numbers. So the short operand is repeated until its row is long enough; of the map that is another shape only.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, sameShape, sizeOf, type Value } from "../graph/ir.ts";
import type { OnnxName } from "../graph/onnx_ops.ts";
import { rewrite } from "./rewrite.ts";

const OPERATIONS: ReadonlySet<string> = new Set<OnnxName>(["Add", "Div", "Max", "Min", "Mul", "Sub"]);
/** The calls for fewer rows cost less than the nodes that make them longer. */
const LEAST_ROWS = 2048;
/** How long a row is to be, and at least if the map's places cannot be parted so. */
const LONG = 128;
const LONG_ENOUGH = 64;
/** The short operand may be repeated to this share of the map. */
const MOST_COPIED = 1 / 4;

/** How to widen: what both operands have in front of the repetition, and how often the row is repeated. */
interface Widening {
  readonly leading: number;
  readonly times: number;
  /** Places that one row of the short operand stands for. */
  readonly places: number;
}

/** The widening of a short operand for a map, or `null` if there is none. */
function wideningOf(short: Value, { shape }: Value): Widening | null {
  const rank = shape.length;
  const row = shape[rank - 1];
  const full = [...new Array(rank - short.shape.length).fill(1), ...short.shape];
  if (row >= LONG || row < 2 || full[rank - 1] !== row || sizeOf(shape) < LEAST_ROWS * row) return null;
  let leading = rank - 1;
  while (leading > 0 && full[leading - 1] === 1) leading--;
  const places = sizeOf(shape.slice(leading, -1));
  if (!sameShape(full.slice(0, leading), shape.slice(0, leading))) return null;
  const most = MOST_COPIED * sizeOf(shape) / sizeOf(full);
  let times = 1;
  for (let next = 2; next <= most && times * row < LONG; next++) if (places % next === 0) times = next;
  return times > 1 && times * row >= LONG_ENOUGH ? { leading, times, places } : null;
}

function widened(
  b: Builder,
  op: OnnxName,
  map: Value,
  short: Value,
  { leading, times, places }: Widening,
  order: 0 | 1,
) {
  const { shape } = map;
  const row = shape[shape.length - 1];
  const before = shape.slice(0, leading);
  const repeated = b.expand(b.reshape(short, [...before, 1, row]), [...before, times, row]);
  const wide = [
    b.reshape(map, [...before, places / times, times * row]),
    b.reshape(repeated, [...before, 1, times * row]),
  ];
  return b.reshape(b.op(op, order === 0 ? wide : wide.reverse()), shape);
}

/** Replaces operations of a large map and a short row. */
export function wideRows(graph: Graph): Graph {
  return rewrite(graph, (b, node, now) => {
    const [output] = node.outputs;
    if (!OPERATIONS.has(node.op) || output.dtype !== "float32" || output.shape.length < 2) return null;
    const [x, y] = node.inputs as readonly Value[];
    for (const [map, short, order] of [[x, y, 0], [y, x, 1]] as const) {
      if (!sameShape(map.shape, output.shape)) continue;
      const widening = wideningOf(short, map);
      if (widening !== null) return [widened(b, node.op as OnnxName, now(map), now(short), widening, order)];
    }
    return null;
  });
}
