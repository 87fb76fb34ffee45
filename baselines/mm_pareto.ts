/**
 * Pareto integration of multimodal and unimodal gradients.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { CLAIMS, defineMethod, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { groupOf } from "../core/scope.ts";
import { squareScale } from "../tensor/square_scale.ts";
import { needsTwo, ownLogits, SHARED_CLAIMS, unimodalKeys, unimodalLosses } from "./unimodal.ts";

/** Options of `mmpareto`. */
export interface MmParetoOptions {
  readonly gamma: number;
  readonly weight: number;
}

/** How the two gradients of an encoder are joined. */
export interface ParetoJoint {
  /** One per tensor of the encoder. */
  readonly gradients: tf.Tensor[];
  /** Cosine of the two over the whole encoder. */
  readonly cosine: tf.Scalar;
  /** Weight of the joint loss's gradient; that of the unimodal one is 1 less it. */
  readonly share: tf.Scalar;
}

const FLOOR = 1e-8;

/**
 * Joins two gradients of an encoder: half and half where they agree (cosine > 0), else by the weights of least norm; then
 * every tensor is brought to the norm of the plain sum where it lies below, and times gamma.
 *
 * @param joint Gradients of the joint loss, one per tensor.
 * @param own Gradients of the unimodal loss, of the same shapes.
 */
export function paretoGradients(joint: readonly tf.Tensor[], own: readonly tf.Tensor[], gamma: number): ParetoJoint {
  // Only ratios of these products are looked at, so that all may be of smaller gradients.
  const scale = squareScale(tf.stack([...joint, ...own].map((x) => tf.max(tf.abs(x)))));
  const scaled = (tensors: readonly tf.Tensor[]) => tensors.map((x) => tf.mul(x, scale));
  const dots = (a: readonly tf.Tensor[], b: readonly tf.Tensor[]) =>
    tf.stack(a.map((x, i) => tf.sum(tf.mul(x, b[i])))) as tf.Tensor1D;
  const squares = (a: readonly tf.Tensor[]) => dots(a, a);
  const [j, u] = [scaled(joint), scaled(own)];
  const [jj, uu, ju] = [squares(j), squares(u), dots(j, u)];
  const [jointNorm, ownNorm, product] = [tf.sum(jj), tf.sum(uu), tf.sum(ju)];
  const norm = (square: tf.Tensor) => tf.maximum(tf.sqrt(square), FLOOR);
  const cosine = tf.div(product, tf.mul(norm(jointNorm), norm(ownNorm))) as tf.Scalar;
  const distance = tf.sub(tf.add(jointNorm, ownNorm), tf.mul(product, 2));
  const leastNorm = tf.div(tf.sub(ownNorm, product), tf.maximum(distance, FLOOR * FLOOR));
  const share = tf.where(
    tf.greater(cosine, 0),
    tf.fill([], 0.5),
    tf.clipByValue(leastNorm, 0.001, 0.999),
  ) as tf.Scalar;
  const [onJoint, onOwn] = [tf.mul(share, 2), tf.mul(tf.sub(1, share), 2)];
  const mixed = joint.map((x, i) => tf.add(tf.mul(x, onJoint), tf.mul(own[i], onOwn)));
  // |g_J + g_u| of every tensor from the products that are there already.
  const plain = norm(tf.relu(tf.add(tf.add(jj, uu), tf.mul(ju, 2))));
  const factors = tf.split(
    tf.mul(tf.maximum(tf.div(plain, norm(squares(scaled(mixed)))), 1), gamma),
    joint.length,
  );
  return { gradients: mixed.map((x, i) => tf.mul(x, tf.reshape(factors[i], []))), cosine, share };
}

/**
 * Every encoder has two losses, the joint and its own; their gradients are weighed so that neither is worked against.
 *
 * Heads, and all else that is no encoder, get the plain sum. Own heads are the fusion's where it has such, else linear ones.
 * Where encoders look at each other (mmtm), an encoder's second loss is the sum of all unimodal ones. BalanceBenchmark
 * accumulates gradients between backward calls and gives conflicting encoders weights (0, 0); not offered. The factor gamma
 * does nothing under Adam.
 */
export const mmPareto: MethodPlugin = defineMethod<MmParetoOptions>({
  name: "mmpareto",
  about:
    "weighs each encoder's joint and unimodal gradients so that they do not conflict; gamma does nothing under Adam",
  formula: `cos(g_J, g_u) > 0: a = 1/2, else a = argmin |a g_J + (1 - a) g_u|, in [.001, .999]
    g = 2 a g_J + 2 (1 - a) g_u;  per tensor g <- gamma g max(|g_J + g_u| / |g|, 1);  L = CE(l) + sum_u CE(l_u)`,
  source: 'Wei and Hu, "MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance", ICML 2024',
  options: {
    gamma: {
      type: "number",
      default: 1.5,
      min: 0.01,
      tune: [1, 1.5, 2],
      about: "factor on the joined gradients",
      source: "released code",
    },
    weight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.3, 1, 3],
      about: "weight of the unimodal losses",
      source: "released code: 1",
    },
  },
  worksWith: "every fusion; those without heads of one modality each get linear ones",
  cost: { forwards: 1, backwards: 2 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ gamma, weight }, { modalities }) => {
    const keys = unimodalKeys(modalities);
    const noted = (step: TrainStep) => step.memo("mmpareto/found", (): Record<string, tf.Scalar> => ({}));
    return {
      name: "mmpareto",
      declares: { claims: [SHARED_CLAIMS.readouts, CLAIMS.readout, CLAIMS.gradients] },
      readout: ownLogits,
      loss: (step) => unimodalLosses(step, ownLogits(step), weight),
      gradients(gradients, book, step) {
        const found = noted(step);
        const joint = book.of(book.keys.filter((key) => !keys.includes(key)));
        const own = book.of(keys);
        const result = { ...gradients };
        for (const full of Object.keys(gradients)) {
          // The sum of the two backward passes, so that no third one is needed.
          const both = joint[full] !== undefined && own[full] !== undefined;
          result[full] = both ? tf.add(joint[full], own[full]) : joint[full] ?? own[full];
        }
        for (const modality of modalities) {
          const names = Object.keys(gradients).filter((full) =>
            groupOf(full) === `encoder:${modality}` && joint[full] !== undefined && own[full] !== undefined
          );
          if (names.length === 0) continue;
          const joined = paretoGradients(names.map((full) => joint[full]), names.map((full) => own[full]), gamma);
          names.forEach((full, i) => result[full] = joined.gradients[i]);
          found[`cosine:${modality}`] = joined.cosine;
          found[`share:${modality}`] = joined.share;
        }
        return result;
      },
      emit: (step) => ({ stats: { ...noted(step) } }),
    };
  },
});
