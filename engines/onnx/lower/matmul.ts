/**
 * Matrix products.
 *
 * @module
 */
import { sizeOf } from "../ir.ts";
import { broadcastShapes } from "../onnx_ops.ts";
import { float, type Rules } from "./rule.ts";

/** Rows of this family. */
export const matmulRules: Rules<"BatchMatMul"> = {
  BatchMatMul: {
    inputs: ["a", "b"],
    infer: ([x, y], { transposeA, transposeB }) => ({
      shape: [
        ...broadcastShapes(x.shape.slice(0, -2), y.shape.slice(0, -2)),
        x.shape.at(transposeA ? -1 : -2)!,
        y.shape.at(transposeB ? -2 : -1)!,
      ],
      dtype: "float32",
    }),
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
  },
};
