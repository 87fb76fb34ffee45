/**
 * Contributions on the host, for measurements over a whole split.
 *
 * @module
 */

/** Information and probabilities of N samples, row-major. */
export interface ContributionInputs {
  /** NMI(f_y; f_i), [N, m]. */
  readonly nmi: ArrayLike<number>;
  /** NCMI(f_y; f_j | f_i) at [i, j], [N, m, m]. */
  readonly ncmi: ArrayLike<number>;
  /** Probability of the true class by the fused readout, [N]. */
  readonly jointProbability: ArrayLike<number>;
  /** The same by each modality's own readout: m arrays [N]. */
  readonly soloProbability: readonly ArrayLike<number>[];
  /** m. */
  readonly modalities: number;
}

/** Contributions in their raw range [-(m - 1), m]. */
export interface Contributions {
  /** phi^CMI(x^i), [N, m] (ARM Eq. 11). */
  readonly phi: Float32Array;
  /** phi^CMI(X), [N] (ARM Eq. 12). */
  readonly mean: Float32Array;
}

/** phi_i = p_y I_i + sum over j != i of p_j (I_j - NC_ij), as `contributions` of `valuation.ts`, on arrays. */
export function contributionsOf(inputs: ContributionInputs): Contributions {
  const { nmi, ncmi, jointProbability, soloProbability, modalities: m } = inputs;
  const size = jointProbability.length;
  const phi = new Float32Array(size * m);
  const mean = new Float32Array(size);
  for (let n = 0; n < size; n++) {
    let sum = 0;
    for (let i = 0; i < m; i++) {
      let value = jointProbability[n] * nmi[n * m + i];
      for (let j = 0; j < m; j++) {
        if (j !== i) value += soloProbability[j][n] * (nmi[n * m + j] - ncmi[(n * m + i) * m + j]);
      }
      phi[n * m + i] = value;
      sum += value;
    }
    mean[n] = sum / m;
  }
  return { phi, mean };
}
