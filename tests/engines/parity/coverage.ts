/**
 * Which kinds of shapes the cases of a kernel meet: odd, of one element, empty, broadcast. Every kernel meets each kind
 * that has a meaning for it, with its gradient where it has one; where a kind has no meaning, a row here says why.
 */
import { type Node, sameShape, sizeOf } from "../../../engines/onnx/graph/ir.ts";
import type { KernelName } from "../../../engines/onnx/trace/kernels.ts";
import { kernelRules } from "../../../engines/onnx/lower/mod.ts";
import { trace } from "../../../engines/onnx/trace/trace.ts";
import { argumentsOf, type Case, programOf } from "./case.ts";

/** The kinds of shapes. */
export const kinds = ["odd", "one element", "empty", "broadcast"] as const;
/** A kind of shapes. */
export type Kind = typeof kinds[number];

/** Kinds that have no meaning for a kernel, with the reason. */
export const meaningless: Readonly<Partial<Record<KernelName, Readonly<Partial<Record<Kind, string>>>>>> = {
  BitwiseAnd: { broadcast: "tfjs takes operands of one shape only" },
  DepthToSpace: { "one element": "a block is made of four channels or more" },
  LinSpace: { empty: "tfjs makes one number or more" },
};

/** Kernels whose result has no derivative, or a derivative of zero nearly everywhere. */
export const flat: ReadonlySet<string> = new Set<KernelName>([
  ...["All", "Any", "ArgMax", "ArgMin", "Bincount", "BitwiseAnd", "DenseBincount", "Equal", "Fill"] as const,
  ...["FloorDiv", "Greater", "GreaterEqual", "IsFinite", "IsInf", "IsNan", "Less", "LessEqual", "LinSpace"] as const,
  ...["LogicalAnd", "LogicalNot", "LogicalOr", "NotEqual", "OneHot", "Range", "SearchSorted", "ArmlabNoise"] as const,
]);

/** Kernels that have a derivative, but neither tfjs nor `tensor/gradients.ts` gives it. */
const undifferentiated: ReadonlySet<string> = new Set<KernelName>(["MaxPoolWithArgmax"]);

/** Kernels that repeat one operand to the shape of another, besides those of two operands named a and b. */
const broadcasting: ReadonlySet<string> = new Set<KernelName>([
  ...["FusedBatchNorm", "FusedConv2D", "FusedDepthwiseConv2D", "Prelu", "_FusedMatMul"] as const,
]);

/** Whether a kernel computes a gradient; then it runs where the case of another kernel is differentiated. */
const isGradient = (kernel: string): boolean => /Grad$|Backprop/.test(kernel);

/** The nodes that a case runs: those of the function itself, and of its gradient those of gradients' kernels. */
export function nodesOf(item: Case): readonly Node[] {
  const inputs = argumentsOf([item], 11);
  const nodes = (gradient: Case["gradient"]) => {
    const { inputs: specs, apply } = programOf([{ ...item, gradient }], inputs, false);
    return trace(specs, (fed) => apply({}, fed).outputs).nodes;
  };
  const own = nodes(false);
  return item.gradient === false ? own : [...own, ...nodes(undefined).filter(({ op }) => isGradient(op))];
}

/** The kinds of shapes that a node meets. */
function kindsOf({ inputs, outputs }: Node): Kind[] {
  const given = inputs.filter((input) => input !== null).map(({ shape }) => shape);
  const shapes = given.length === 0 ? outputs.map(({ shape }) => shape) : given;
  const sizes = shapes.map(sizeOf);
  const tests: Readonly<Record<Kind, boolean>> = {
    // What vector units leave over shows where no extent is even.
    odd: sizes.every((size) => size % 2 === 1) && sizes.some((size) => size > 1),
    "one element": sizes.every((size) => size === 1),
    empty: sizes[0] === 0 || outputs.every(({ shape }) => sizeOf(shape) === 0),
    broadcast: shapes.some((shape) => !sameShape(shape, shapes[0])),
  };
  return kinds.filter((kind) => tests[kind]);
}

/** What cases meet, by kernel: kinds of shapes, and those kinds with which the gradient is compared too. */
export class Coverage {
  readonly #values: Map<string, Set<Kind>> = new Map();
  readonly #gradients: Map<string, Set<Kind>> = new Map();

  /** Counts the nodes of a case. */
  add(item: Case, nodes: readonly Node[]): void {
    for (const node of nodes) {
      for (const seen of item.gradient === false ? [this.#values] : [this.#values, this.#gradients]) {
        if (!seen.has(node.op)) seen.set(node.op, new Set());
        kindsOf(node).forEach((kind) => seen.get(node.op)!.add(kind));
      }
    }
  }

  /** The kinds that a kernel should meet and does not, and those that it is said not to meet and does. */
  faults(kernel: KernelName): string[] {
    const { inputs } = kernelRules[kernel];
    const broadcasts = broadcasting.has(kernel) || (Array.isArray(inputs) && inputs.join() === "a,b");
    const differentiated = !flat.has(kernel) && !undifferentiated.has(kernel);
    return kinds.filter((kind) => kind !== "broadcast" || broadcasts).flatMap((kind) => {
      const values = this.#values.get(kernel)?.has(kind) === true;
      const gradients = this.#gradients.get(kernel)?.has(kind) === true;
      if (meaningless[kernel]?.[kind] !== undefined) return values ? [`${kernel}: ${kind} has a meaning`] : [];
      if (!values) return [`${kernel}: no case is ${kind}`];
      return differentiated && !gradients ? [`${kernel}: no gradient is ${kind}`] : [];
    });
  }
}
