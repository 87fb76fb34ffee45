/**
 * How much arithmetic a graph's matrix products and convolutions are.
 *
 * @module
 */
import { type Graph, sizeOf } from "../../engines/onnx/graph/ir.ts";

/** Floating-point operations, 2 per multiplication with addition, of all matrix products and convolutions. */
export function matrixFlops(graph: Graph): number {
  let total = 0;
  for (const { op, inputs, attributes, outputs } of graph.nodes) {
    const out = sizeOf(outputs[0].shape);
    switch (op) {
      case "Gemm":
      case "FusedGemm":
      case "MatMul":
      case "FusedMatMul": {
        const { shape } = inputs[0]!;
        total += 2 * out * shape[attributes["transA"] === 1 ? shape.length - 2 : shape.length - 1];
        break;
      }
      case "Conv":
      case "FusedConv":
        total += 2 * out * sizeOf(inputs[1]!.shape.slice(1));
        break;
      case "ConvTranspose":
        total += 2 * sizeOf(inputs[0]!.shape) * sizeOf(inputs[1]!.shape.slice(1));
        break;
    }
  }
  return total;
}
