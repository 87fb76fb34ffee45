/**
 * An estimator of one's own, in one file: how well two vectors point the same way, read as information.
 *
 * In ARM: `deno task bench --plugin ./examples/cosine_information.ts --method arm --set arm.estimator=cosine`
 * In a valuation: `deno task armlab value features.npz --plugin ./examples/cosine_information.ts --estimator cosine`
 *
 * Outside this repository the import below is `@armlab/armlab`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEstimator, type EstimatorPlugin } from "../mod.ts";

/** A partial cosine is not defined where what is left of a vector is below this share of it. */
const LEAST_REST = 1e-5;

/** Squared cosine as normalised information, and what is left of it once another part is known. */
export const cosineInformation: EstimatorPlugin = defineEstimator<Record<never, never>>({
  name: "cosine",
  about: "squared cosine of two vectors; given a third, that of what is left of them",
  formula: "NMI = cos(x, y)^2;  NCMI = squared partial cosine;  I = -1/2 ln(1 - NMI)",
  source: "an example; the Gaussian closed form without centring",
  options: {},
  // Held against: bounds, symmetry, order of observations, units, padded rows, and finite differences of the gradient.
  promises: () => ({ bounded: true, symmetric: true, scaleFree: true, gradient: "exact" }),
  create: () => ({
    information(vectors, share) {
      const [rows, count] = vectors.shape;
      const m = count - 1;
      // Observations of weight 0 must change nothing: they become 0 in every vector.
      const counted = share === null ? vectors : tf.mul(vectors, tf.sqrt(tf.expandDims(share, 1)));
      const largest = tf.maximum(tf.max(tf.abs(counted), 2, true), 1e-30);
      const scaled = tf.div(counted, largest);
      const unit = tf.div(scaled, tf.maximum(tf.norm(scaled, 2, 2, true), 1e-12)) as tf.Tensor3D;
      // All cosines at once, [rows, 1 + m, 1 + m]: the fused feature comes first.
      const cosines = tf.clipByValue(tf.matMul(unit, unit, false, true), -1, 1);
      const between = (a: number, b: number) => tf.reshape(tf.slice(cosines, [0, a, b], [-1, 1, 1]), [rows]);
      const nmi = tf.stack(Array.from({ length: m }, (_, u) => tf.square(between(0, 1 + u))), 1) as tf.Tensor2D;
      const ncmi = tf.reshape(
        tf.stack(
          Array.from({ length: m * m }, (_, k) => {
            const [i, j] = [Math.floor(k / m), k % m];
            if (i === j) return tf.zeros([rows]);
            const [yj, yi, ij] = [between(0, 1 + j), between(0, 1 + i), between(1 + i, 1 + j)];
            const rest = tf.mul(tf.sub(1, tf.square(yi)), tf.sub(1, tf.square(ij)));
            const defined = tf.greater(rest, LEAST_REST);
            const squared = tf.div(
              tf.square(tf.sub(yj, tf.mul(yi, ij))),
              tf.where(defined, rest, tf.onesLike(rest)),
            );
            return tf.where(defined, tf.clipByValue(squared, 0, 1), tf.zerosLike(squared));
          }),
          1,
        ),
        [rows, m, m],
      ) as tf.Tensor3D;
      const nats = <T extends tf.Tensor>(squared: T): T =>
        tf.mul(tf.log(tf.maximum(tf.sub(1, squared), 1e-7)), -0.5) as T;
      return { nmi, ncmi, mi: nats(nmi), cmi: nats(ncmi) };
    },
  }),
});
