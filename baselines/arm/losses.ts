/**
 * The balanced min-max loss of a valuation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../tensor/autodiff.ts";
import { gapLoss, minimumLoss } from "../../losses/balanced_min_max.ts";
import { contributions, gated, lowerBound, ranged } from "../../miv/valuation.ts";
import type { ArmOptions } from "./options.ts";
import type { Valuation } from "./valuation.ts";

/** What of a valuation the losses need. */
export type Valued = Pick<Valuation, "p" | "solo" | "nmi" | "ncmi">;

/** phi_i (Eq. 11) with the gradients that L_phiCMI asks for, [B, m]. */
export function differentiableContributions(
  { p, solo, nmi, ncmi }: Valued,
  { probGradient, asymmetric, index }: Pick<ArmOptions, "probGradient" | "asymmetric" | "index">,
): tf.Tensor2D {
  const own = gated(p, probGradient);
  if (!asymmetric) return contributions(own, gated(solo, probGradient), nmi, ncmi, index);
  // A weak modality is to rise by its own information, not by what others say or know.
  const whole = contributions(stopGradient(p), stopGradient(solo), stopGradient(nmi), stopGradient(ncmi), index);
  const term = tf.mul(tf.expandDims(own, 1), nmi);
  return tf.add(term, stopGradient(tf.sub(whole, term))) as tf.Tensor2D;
}

/** L_phiMI and L_phiCMI per sample, without their weights (Eqs. 14, 15). */
export function balancedMinMax(value: Valued, options: ArmOptions): { phiMI: tf.Tensor1D; phiCMI: tf.Tensor1D } {
  return {
    phiMI: minimumLoss(lowerBound(value.p, value.nmi, options.minimum, options.tau)),
    phiCMI: gapLoss(ranged(differentiableContributions(value, options), options.range), {
      denominatorGradient: options.denominatorGradient,
      asymmetric: options.asymmetric,
    }),
  };
}
