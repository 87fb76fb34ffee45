/**
 * A loss of one's own, in one file: predictions that are too sure cost something.
 *
 * Beside the task's loss: `deno task bench --plugin ./examples/confidence_penalty.ts --method recipe --set recipe.losses=confidence-penalty`
 * In ARM: `--method arm --set arm.losses=confidence-penalty --set arm.lossWeight=0.1`
 *
 * Outside this repository the import below is `@armlab/armlab`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineLoss, type LossPlugin } from "../mod.ts";

/** Options of `confidence-penalty`. */
export interface ConfidencePenaltyOptions {
  readonly least: number;
}

/** Negative entropy of the fused prediction, as far as it is below a bound. */
export const confidencePenalty: LossPlugin = defineLoss<ConfidencePenaltyOptions>({
  name: "confidence-penalty",
  about: "costs predictions whose entropy is below a bound",
  formula: "max(0, least - H(p)), H(p) = -sum_c p_c log p_c in nats",
  source: "Pereyra et al., Regularizing Neural Networks by Penalizing Confident Output Distributions, 2017",
  options: {
    least: {
      type: "number",
      default: 0.5,
      min: 0,
      tune: [0.1, 0.5, 1],
      about: "entropy in nats from which nothing is paid",
      source: "an example",
    },
  },
  create: ({ least }) => ({
    terms({ output }) {
      // log-softmax, so that neither end overflows: p log p is 0 where p is.
      const logarithms = tf.logSoftmax(output.logits);
      const entropy = tf.neg(tf.sum(tf.mul(tf.exp(logarithms), logarithms), 1));
      return { "confidence-penalty": tf.relu(tf.sub(least, entropy)) as tf.Tensor1D };
    },
  }),
});
