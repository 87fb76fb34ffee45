/**
 * log sum exp x as max x + log sum exp(x - max x), where the largest is infinite: infinity minus infinity is no number,
 * though the logarithm of a sum of zeros is -infinity and that of infinity is infinity. There nothing is subtracted.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import type { Graph, Node, Value } from "../graph/ir.ts";
import { rewrite } from "./rewrite.ts";

/** Without changes of shape. */
function bare(value: Value): Value {
  return value.node?.op === "Reshape" ? bare(value.node.inputs[0]!) : value;
}

/** The input of a node of an operator, or `null`. */
function under(op: string, value: Value): Value | null {
  const node = bare(value).node;
  return node?.op === op ? node.inputs[0]! : null;
}

/** x whose largest value along axes a value is; NaN need not be passed on, as the sum does it. */
function largestOf(value: Value): { readonly x: Value; readonly largest: Value } | null {
  const { node } = bare(value);
  if (node?.op === "ReduceMax") return { x: node.inputs[0]!, largest: bare(value) };
  if (node?.op !== "Where" || under("ReduceMax", node.inputs[0]!)?.node?.op !== "IsNaN") return null;
  const largest = bare(node.inputs[2]!);
  return largest.node?.op === "ReduceMax" ? { x: largest.node.inputs[0]!, largest } : null;
}

/** The difference x - max x under a sum max x + log sum exp(x - max x), or `null` if it is another sum. */
function shiftOf({ op, inputs }: Node): { readonly shift: Node; readonly at: 0 | 1; readonly largest: Value } | null {
  if (op !== "Add") return null;
  for (const at of [0, 1] as const) {
    const total = under("Log", inputs[1 - at]!);
    const powers = total === null ? null : under("ReduceSum", total);
    const below = powers === null ? null : under("Exp", powers);
    const shift = below === null ? null : bare(below).node;
    if (shift?.op !== "Sub" || bare(shift.inputs[1]!) !== bare(inputs[at]!)) continue;
    const found = largestOf(shift.inputs[1]!);
    if (found !== null && bare(found.x) === bare(shift.inputs[0]!)) return { shift, at, largest: found.largest };
  }
  return null;
}

/** Replaces the largest value in such sums by zero where it is infinite. */
export function logSumExp(graph: Graph): Graph {
  const shifts = new Map<Node, Value>();
  const sums = new Map<Node, { readonly at: 0 | 1; readonly largest: Value }>();
  for (const node of graph.nodes) {
    const found = shiftOf(node);
    if (found === null) continue;
    shifts.set(found.shift, found.largest);
    sums.set(node, found);
  }
  const finite = (b: Builder, largest: Value, shape: readonly number[]) =>
    b.reshape(b.where(b.op("IsInf", [largest]), b.scalar(0), largest), shape);
  return rewrite(graph, (b, node, now) => {
    const [x, y] = node.inputs as readonly Value[];
    const shifted = shifts.get(node);
    if (shifted !== undefined) return [b.op("Sub", [now(x), finite(b, now(shifted), y.shape)])];
    const sum = sums.get(node);
    if (sum === undefined) return null;
    const [own, log] = sum.at === 0 ? [x, y] : [y, x];
    return [b.op("Add", [finite(b, now(sum.largest), own.shape), now(log)])];
  });
}
