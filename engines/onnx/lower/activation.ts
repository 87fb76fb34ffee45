/**
 * The activations that fused kernels apply to their results.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/ir.ts";
import type { ActivationAttributes } from "../trace/kernels.ts";
import { elementwiseRules } from "./elementwise.ts";

/** The kernel that each activation is by itself. */
const plain = { relu: "Relu", relu6: "Relu6", elu: "Elu", sigmoid: "Sigmoid" } as const;

/**
 * An activation of a float value.
 *
 * @param weights Slopes of `prelu`; they broadcast to x.
 */
export function activated(
  b: Builder,
  x: Value,
  weights: Value | null,
  { activation, alpha }: ActivationAttributes,
): Value {
  switch (activation) {
    case "linear":
      return x;
    case "leakyrelu":
      return elementwiseRules.LeakyRelu.lower(b, [x], { alpha }, [x]) as Value;
    case "prelu":
      return elementwiseRules.Prelu.lower(b, [x, weights!], {}, [x]) as Value;
    default:
      return elementwiseRules[plain[activation]].lower(b, [x], {}, [x]) as Value;
  }
}
