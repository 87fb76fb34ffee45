/**
 * Modality valuation: from information and probabilities to contributions (ARM, AAAI 2025, Eqs. 6, 7, 10-13).
 *
 * Shapes: B batch, m modalities in sorted order. Symbols: I_i = NMI(f_y; f_i), NC_ij = NCMI(f_y; f_j | f_i), p_y and p_i
 * the probabilities of the true class by the fused and by modality i's own readout.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../tensor/autodiff.ts";

/** How the range of phi^CMI is made fit for division. */
export type Range = "shift" | "clamp" | "raw";
/** Which interaction information modality i is credited with for partner j: the partner's (Eq. 11) or its own. */
export type InteractionIndex = "other" | "own";
/** How the smallest information is taken. */
export type Minimum = "softmin" | "min" | "paper-literal";

/**
 * Contribution of each modality to each sample (Eq. 11):
 * phi_i = p_y I_i + sum over j != i of p_j (I_j - NC_ij).
 *
 * In [-(m - 1), m]: interaction information is negative where a modality matters only together with another.
 *
 * @param p Probability of the true class by the fused readout, [B].
 * @param solo The same by each modality's own readout, [B, m].
 * @param nmi [B, m].
 * @param ncmi [B, m, m], NC_ij at [i, j].
 * @returns [B, m].
 */
export function contributions(
  p: tf.Tensor1D,
  solo: tf.Tensor2D,
  nmi: tf.Tensor2D,
  ncmi: tf.Tensor3D,
  index: InteractionIndex = "other",
): tf.Tensor2D {
  const m = nmi.shape[1];
  // phi_i = sum_j P_ij T_ij: T_ii = I_i and P_ii = p_y, elsewhere the interaction with partner j and p_j.
  const eye = tf.reshape(tf.eye(m), [1, m, m]);
  const others = tf.sub(1, eye);
  const probabilities = tf.add(
    tf.mul(tf.reshape(p, [-1, 1, 1]), eye),
    tf.mul(tf.expandDims(solo, 1), others),
  );
  const given = tf.mul(index === "other" ? ncmi : tf.transpose(ncmi, [0, 2, 1]), others);
  const terms = tf.sub(tf.expandDims(nmi, index === "other" ? 1 : 2), given);
  return tf.sum(tf.mul(probabilities, terms), 2);
}

/** Joint contribution phi^CMI(X) of each sample (Eq. 12): the mean over modalities, [B]. */
export function jointContribution(phi: tf.Tensor2D): tf.Tensor1D {
  return tf.mean(phi, 1);
}

/**
 * Brings contributions into [0, m].
 *
 * `"shift"`: phi' = m (phi + m - 1) / (2m - 1), monotone, from [-(m-1), m] onto [0, m]. `"clamp"`: max(phi, 0).
 * `"raw"`: as they are.
 */
export function ranged(phi: tf.Tensor2D, range: Range): tf.Tensor2D {
  const m = phi.shape[1];
  switch (range) {
    case "shift":
      return tf.mul(tf.add(phi, m - 1), m / (2 * m - 1)) as tf.Tensor2D;
    case "clamp":
      return tf.relu(phi);
    case "raw":
      return phi;
  }
}

/** Least size of what Eqs. 13 and 15 divide by. */
const LEAST_DENOMINATOR = 1e-3;

/**
 * sign(x) max(|x|, 1e-3): what Eqs. 13 and 15 divide by, with the sign that is printed. 0 counts as above 0.
 *
 * A bound from below alone would divide small negative contributions by a thousandth instead of by themselves.
 */
export function awayFromZero(x: tf.Tensor): tf.Tensor {
  return tf.where(tf.less(x, 0), tf.minimum(x, -LEAST_DENOMINATOR), tf.maximum(x, LEAST_DENOMINATOR));
}

/**
 * Fusion weights FW_i = phi_i / phi(X) (Eq. 13), which sum to m.
 *
 * @param phi Contributions in their chosen range, [B, m].
 */
export function fusionWeights(phi: tf.Tensor2D): tf.Tensor2D {
  return tf.div(phi, tf.expandDims(awayFromZero(jointContribution(phi)), 1)) as tf.Tensor2D;
}

/**
 * Smooth lower bound of min_i I_i: -(1/tau) log sum_i exp(-tau I_i), at most log(m) / tau below it.
 *
 * @returns [B].
 */
export function softmin(values: tf.Tensor2D, tau: number): tf.Tensor1D {
  return tf.customGrad((given, save) => {
    const scaled = tf.mul(given as tf.Tensor2D, -tau) as tf.Tensor2D;
    (save as tf.GradSaveFunc)([scaled]);
    return {
      value: tf.mul(tf.logSumExp(scaled, 1), -1 / tau),
      // d softmin / d I_i = softmax(-tau I)_i.
      gradFunc: (dy: tf.Tensor, [scaled]: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), tf.softmax(scaled)),
    };
  })(values) as tf.Tensor1D;
}

/**
 * Lower bound of every modality's contribution, phi^MI(X) = p_y min_i I_i (Eq. 7), [B].
 *
 * `"softmin"`: max(0, softmin with tau = 20). `"min"`: exact. `"paper-literal"`: log sum_i exp(-I_i) as Eq. 16 prints it,
 * whose sign makes minimising 1 - phi^MI lower the information; for demonstration.
 */
export function lowerBound(
  p: tf.Tensor1D,
  nmi: tf.Tensor2D,
  minimum: Minimum = "softmin",
  tau: number = 20,
): tf.Tensor1D {
  const least = minimum === "softmin"
    ? tf.relu(softmin(nmi, tau))
    : minimum === "min"
    ? tf.min(nmi, 1)
    : tf.logSumExp(tf.neg(nmi), 1);
  return tf.mul(p, least) as tf.Tensor1D;
}

/**
 * Centres vectors per coordinate by their weighted batch mean. What all samples share would make mismatched samples look
 * informative about each other; a coordinate that all samples have alike is exactly 0, not what rounding leaves of it.
 *
 * @param weights [B]; rows of weight 0 do not enter the mean.
 */
export function centred(vectors: tf.Tensor2D, weights: tf.Tensor1D): tf.Tensor2D {
  const shares = tf.div(weights, tf.maximum(tf.sum(weights), 1e-12));
  const row = tf.expandDims(shares, 0) as tf.Tensor2D;
  return tf.customGrad((given) => {
    const all = given as tf.Tensor2D;
    // Where no sample that counts differs from the first one, that is the mean.
    const first = tf.slice(all, [0, 0], [1, -1]);
    const differences = tf.matMul(row, tf.abs(tf.sub(all, first)) as tf.Tensor2D);
    return {
      value: tf.sub(all, tf.where(tf.equal(differences, 0), first, tf.matMul(row, all))),
      // Every sample also moves all others, by its share of the mean.
      gradFunc: (dy: tf.Tensor) => tf.sub(dy, tf.mul(tf.expandDims(shares, 1), tf.sum(dy, 0, true))),
    };
  })(vectors) as tf.Tensor2D;
}

/** The same tensor, without gradient if asked. */
export function gradientIf<T extends tf.Tensor>(tensor: T, gradient: boolean): T {
  return gradient ? tensor : stopGradient(tensor);
}
