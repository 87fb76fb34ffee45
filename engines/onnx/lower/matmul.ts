/**
 * Matrix products, fused ones, and sums of products by index letters.
 *
 * @module
 */
import { Refusal } from "../../../core/refusal.ts";
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value, type ValueSpec } from "../graph/ir.ts";
import { broadcastShapes } from "../graph/onnx_shapes.ts";
import { activated } from "./activation.ts";
import { float, type KernelRule, numeric, type Rules } from "./rule.ts";

const product: KernelRule<"BatchMatMul"> = {
  inputs: ["a", "b"],
  infer: ([x, y], { transposeA, transposeB }) => {
    const [inner, other] = [x.shape.at(transposeA ? -2 : -1)!, y.shape.at(transposeB ? -1 : -2)!];
    // tfjs leaves this to its kernels; without it, a wrong product would be noticed in its gradient.
    if (inner !== other) {
      throw new Refusal({
        what: `multiply [${x.shape.join(", ")}] by [${y.shape.join(", ")}]`,
        must: "the extents that are summed over must be equal",
        found: `found ${inner} and ${other}`,
      });
    }
    return {
      shape: [
        ...broadcastShapes(x.shape.slice(0, -2), y.shape.slice(0, -2)),
        x.shape.at(transposeA ? -1 : -2)!,
        y.shape.at(transposeB ? -2 : -1)!,
      ],
      dtype: "float32",
    };
  },
  sums: true,
  lower: (b, [x, y], { transposeA, transposeB }, [output]) => {
    const [left, right] = [float(b, x), float(b, y)];
    const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
    if (sizeOf(output.shape.slice(0, -2)) === 1) {
      const flat = b.op(
        "Gemm",
        [b.reshape(left, left.shape.slice(-2)), b.reshape(right, right.shape.slice(-2))],
        flags,
      );
      return b.reshape(flat, output.shape);
    }
    if (!transposeA && !transposeB) return b.op("MatMul", [left, right]);
    return b.op("FusedMatMul", [left, right], flags);
  },
};

/** The letters of `ij,jk->ik`: those of each operand, and those of the result. */
function letters(equation: string): { operands: readonly string[][]; result: string[] } {
  const [left, right] = equation.split("->");
  return { operands: left.split(",").map((term) => [...term]), result: [...right] };
}

function extentsOf(operands: readonly string[][], inputs: readonly ValueSpec[]): Map<string, number> {
  return new Map(operands.flatMap((term, k) => term.map((letter, axis) => [letter, inputs[k].shape[axis]] as const)));
}

/** Sums over axes whose letters are not wanted; what is left with its letters. */
function summed(b: Builder, x: Value, term: readonly string[], wanted: ReadonlySet<string>): [Value, string[]] {
  const axes = term.map((_, axis) => axis).filter((axis) => !wanted.has(term[axis]));
  return [b.reduce("ReduceSum", x, axes, false), term.filter((letter) => wanted.has(letter))];
}

function arranged(b: Builder, x: Value, term: readonly string[], order: readonly string[]): Value {
  return b.transpose(x, order.map((letter) => term.indexOf(letter)));
}

/** Two operands as one matrix product: letters of both and the result are its batch, letters of both alone are summed. */
function contracted(
  b: Builder,
  values: readonly [Value, Value],
  terms: readonly [string[], string[]],
  result: readonly string[],
  extents: ReadonlyMap<string, number>,
): Value {
  const [x, xTerm] = summed(b, values[0], terms[0], new Set([...terms[1], ...result]));
  const [y, yTerm] = summed(b, values[1], terms[1], new Set([...terms[0], ...result]));
  const batch = result.filter((letter) => xTerm.includes(letter) && yTerm.includes(letter));
  const inner = xTerm.filter((letter) => yTerm.includes(letter) && !result.includes(letter));
  const rows = xTerm.filter((letter) => !yTerm.includes(letter));
  const columns = yTerm.filter((letter) => !xTerm.includes(letter));
  const size = (part: readonly string[]) => part.reduce((count, letter) => count * extents.get(letter)!, 1);
  const shape = (part: readonly string[]) => part.map((letter) => extents.get(letter)!);
  const left = b.reshape(arranged(b, x, xTerm, [...batch, ...rows, ...inner]), [
    ...shape(batch),
    size(rows),
    size(inner),
  ]);
  const right = b.reshape(arranged(b, y, yTerm, [...batch, ...inner, ...columns]), [
    ...shape(batch),
    size(inner),
    size(columns),
  ]);
  const term = [...batch, ...rows, ...columns];
  const flat = b.op("MatMul", [left, right]);
  return arranged(b, b.reshape(flat, shape(term)), term, result);
}

/** Rows of this family. */
export const matmulRules: Rules<"BatchMatMul" | "Einsum" | "_FusedMatMul"> = {
  BatchMatMul: product,
  Einsum: {
    inputs: "variadic",
    infer: (inputs, { equation }) => {
      const { operands, result } = letters(equation);
      const extents = extentsOf(operands, inputs);
      return { shape: result.map((letter) => extents.get(letter)!), dtype: inputs[0].dtype };
    },
    sums: true,
    note: "one or two operands, no repeated letter in one, as in tfjs",
    lower: (b, inputs, { equation }) => {
      const { operands, result } = letters(equation);
      if (inputs.length === 1) {
        const [x, term] = summed(b, numeric(b, inputs[0]), operands[0], new Set(result));
        return b.cast(arranged(b, x, term, result), inputs[0].dtype);
      }
      const [x, y] = inputs.map((input) => float(b, input));
      const made = contracted(b, [x, y], [operands[0], operands[1]], result, extentsOf(operands, inputs));
      return b.cast(made, inputs[0].dtype);
    },
  },
  _FusedMatMul: {
    inputs: ["a", "b", "bias?", "preluActivationWeights?"],
    infer: ([x, y], attributes) => product.infer([x, y], attributes),
    lower: (b, [x, y, bias, weights], attributes, outputs) => {
      const made = sizeOf(x.shape) === 0
        ? b.filled(0, outputs[0].shape, "float32")
        : product.lower(b, [x, y], attributes, outputs) as Value;
      return activated(b, bias === null ? made : b.op("Add", [made, float(b, bias)]), weights, attributes);
    },
  },
};
