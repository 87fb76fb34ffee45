/**
 * L_phiMI: raises the least informative modality (ARM, AAAI 2025, Eqs. 14, 16).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineLoss, type LossPlugin } from "../core/kinds/mod.ts";
import { lowerBound, type Minimum } from "../miv/valuation.ts";

/**
 * L_phiMI = 1 - phi^MI(X) (Eq. 14).
 *
 * @param lowerBound phi^MI(X), [B].
 * @returns [B].
 */
export function minimumLoss(lowerBound: tf.Tensor1D): tf.Tensor1D {
  return tf.sub(1, lowerBound);
}

/** Options of `minimum-information`. */
export interface MinimumOptions {
  readonly minimum: Minimum;
  readonly tau: number;
}

/** Eq. 14 as a part. */
export const minimumInformation: LossPlugin = defineLoss<MinimumOptions>({
  name: "minimum-information",
  about: "ARM's L_phiMI: raises the information of the least informative modality",
  formula: "1 - p_y min_i I_i",
  source: 'Gao et al., "Asymmetric Reinforcing against Multi-modal Representation Bias", AAAI 2025, Eqs. 14, 16',
  needs: ["valuation"],
  options: {
    minimum: {
      type: "choice",
      choices: ["softmin", "min", "paper-literal"],
      default: "softmin",
      about:
        "smallest information: bounded softmin, exact, or Eq. 16 as printed, whose sign is wrong (tau has no effect)",
      source: "chosen here: Eq. 16 as meant, with a bound",
    },
    tau: {
      type: "number",
      default: 20,
      min: 0.1,
      about: "sharpness of softmin; at most log(m) / tau below the minimum",
      tune: [5, 20, 50],
      source: "chosen here: at most 0.035 below the minimum of two",
    },
  },
  create: ({ minimum, tau }, { valuation }) => ({
    terms(step) {
      const { p, nmi } = valuation!(step);
      return { phiMI: minimumLoss(lowerBound(p, nmi, minimum, tau)) };
    },
  }),
});
