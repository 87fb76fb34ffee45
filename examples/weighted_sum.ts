/**
 * A fusion of one's own, in one file: unimodal logits summed with learned weights.
 *
 * Bench it: `deno task bench --plugin ./examples/weighted_sum.ts --fusion concat,weighted-sum`
 *
 * Outside this repository the imports below are `@armlab/armlab` and `@armlab/armlab/nn`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineFusion, type FusionPlugin } from "../mod.ts";
import { linear, ones } from "../nn/mod.ts";

/** l = sum_u a_u (W_u f_u + b_u), a_u learned and 1 at the start. */
export const weightedSum: FusionPlugin = defineFusion({
  name: "weighted-sum",
  about: "sum of unimodal logits with one learned weight per modality",
  formula: "l = sum_u a_u (W_u f_u + b_u)",
  options: {},
  create: (_options, { modalities, classes }) => ({
    needs: {},
    soloMode: "ablate-zero",
    forward(features, keep, scope) {
      const heads = modalities.map((modality) => {
        const head = linear(scope.group(`head:${modality}`), features[modality].pooled, { width: classes });
        const weighted = tf.mul(head, scope.group("fusion").param(`weight/${modality}`, [], ones));
        return keep === null ? weighted : tf.mul(weighted, keep[modality]);
      });
      const logits = tf.addN(heads) as tf.Tensor2D;
      return { fused: logits, logits };
    },
  }),
});
