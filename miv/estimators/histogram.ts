/**
 * Histogram estimates of normalised (conditional) mutual information between the coordinates of feature vectors.
 *
 * Each vector is standardised over its own coordinates and put into b equal bins of [-2, 2], the outer ones open, hard
 * (one-hot) or soft (B-spline of order 2, the hat function max(0, 1 - |v - c_k| / delta) of centres c_k from -2 to 2).
 * Either assignment sums to 1 over bins, so every table is a genuine joint distribution: I >= 0, CMI >= 0 and both
 * normalised values lie in [0, 1].
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEstimator, type EstimatorPlugin, type Information } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { stopGradient, withGradient } from "../../tensor/autodiff.ts";
import { countedInformation, type Triples } from "./counted.ts";
import { type BinOptions, binWarning, MOST_BINS, type Normalization, resolvedBins } from "./options.ts";
import { conditional, I, J, judged, mutual, type Wanted, Y } from "./quantities.ts";

/** How coordinates are put into bins, and what has a gradient. */
export type HistogramBinning = "straight-through" | "soft" | "hard";

/** Options of `histogram`. */
export interface HistogramOptions extends BinOptions {
  readonly binning: HistogramBinning;
}

/** I(y; i) and I(y; j | i) of all pairs of parts, by the chain rule of entropies (ARM, AAAI 2025, Eqs. 1, 2, 8, 9). */
function byChainRule(
  { m, pairs, entropies }: Triples,
  norm: Normalization,
  conditionalNorm: Normalization,
): Information {
  const [rows] = entropies.shape;
  const mi: Wanted[] = new Array<Wanted>(m).fill(null);
  const cmi: Wanted[] = new Array<Wanted>(m * m).fill(null);
  pairs.forEach(([i, j], table) => {
    mi[i] = { table, quantity: mutual(I, Y) };
    mi[j] = { table, quantity: mutual(J, Y) };
    cmi[i * m + j] = { table, quantity: conditional(J, Y, I) };
    cmi[j * m + i] = { table, quantity: conditional(I, Y, J) };
  });
  const matrix = (flat: tf.Tensor): tf.Tensor3D => tf.reshape(flat, [rows, m, m]);
  if (norm !== conditionalNorm) {
    const [unconditional, given] = [judged(entropies, 3, mi, norm), judged(entropies, 3, cmi, conditionalNorm)];
    return {
      nmi: unconditional.normalised,
      mi: unconditional.nats,
      ncmi: matrix(given.normalised),
      cmi: matrix(given.nats),
    };
  }
  const both = judged(entropies, 3, [...mi, ...cmi], norm);
  const [nmi, ncmi] = tf.split(both.normalised, [m, m * m], 1) as tf.Tensor2D[];
  const [unconditional, given] = tf.split(both.nats, [m, m * m], 1) as tf.Tensor2D[];
  return { nmi, mi: unconditional, ncmi: matrix(ncmi), cmi: matrix(given) };
}

/** The straight-through estimator: soft - sg[soft] + sg[hard]; rows that have no soft values have no gradient. */
function through<T extends tf.Tensor>(soft: T, hard: T): T {
  const [rows] = soft.shape;
  const gradient = (dy: tf.Tensor) => [
    dy.shape[0] === rows ? dy : tf.slice(dy, dy.shape.map(() => 0), soft.shape),
  ];
  return withGradient([soft], () => ({ value: stopGradient(hard), gradient })) as T;
}

/** The paper's estimate: plug-in entropies of few bins, with values of hard ones and gradients of soft ones. */
export const histogram: EstimatorPlugin = defineEstimator<HistogramOptions>({
  name: "histogram",
  about: "plug-in entropies of binned coordinates; values of hard bins, gradients of soft ones",
  formula: `I(x; y) = H(x) + H(y) - H(xy);  I(x; y | z) = H(xz) + H(yz) - H(z) - H(xyz)
    NMI = I / norm(H(x), H(y));  NCMI = I / norm(H(x|z), H(y|z))`,
  source: 'Gao et al., "Asymmetric Reinforcing against Multi-modal Representation Bias", AAAI 2025, Eqs. 1, 2, 8, 9',
  options: {
    binning: {
      type: "choice",
      choices: ["straight-through", "soft", "hard"],
      default: "straight-through",
      about:
        "hard bins with the gradient of soft ones, soft bins (hat functions) throughout, or hard ones without gradient",
      source: "chosen here: hard histograms have no gradient, soft ones are biased low",
    },
    bins: {
      type: "integer",
      default: 0,
      min: 0,
      max: MOST_BINS,
      tune: [3, 4, 8],
      about: "bins per axis for MI; 0 is 4 from width 256 on, else 3",
      source: "the bias of a plug-in estimate grows with the cells; the released code's 30 gives mostly bias",
    },
    cmiBins: {
      type: "integer",
      default: 0,
      min: 0,
      max: MOST_BINS,
      tune: [0, 2, 3, 4],
      about: "bins per axis for CMI; 0 is as for MI: interaction information subtracts like from like",
      source: "as for MI, so that bias cancels in the interaction information",
    },
    edges: {
      type: "choice",
      choices: ["standard", "range"],
      default: "standard",
      about: "equal bins of [-2, 2] after standardising, or of [min, max] (hard bins only)",
      source: "chosen here: steady under outliers",
    },
    norm: {
      type: "choice",
      choices: ["sqrt", "mean", "sum"],
      default: "sqrt",
      about: "NMI: by sqrt(Hx Hy) (Eq. 2), their mean or their sum",
      source: "the paper, Eq. 2",
    },
    conditionalNorm: {
      type: "choice",
      choices: ["sqrt", "mean", "sum"],
      default: "sqrt",
      about: "NCMI: by sqrt (Eq. 9), mean or sum of both conditional entropies",
      source: "the paper, Eq. 9",
    },
  },
  promises: ({ binning }) => ({
    gradient: binning === "hard" ? "none" : binning === "soft" ? "exact" : "surrogate",
  }),
  warning(options, { coordinates }, observations) {
    const { bins, cmiBins } = resolvedBins(options, coordinates);
    return binWarning(bins, cmiBins, observations);
  },
  create(options, { coordinates }) {
    const { binning, edges, norm, conditionalNorm } = options;
    const bins = resolvedBins(options, coordinates);
    if (binning !== "hard" && edges === "range") {
      throw new Refusal({
        what: `estimate information by ${binning} bins of [min, max]`,
        must: "only hard bins have such edges",
        hint: 'take binning "hard" or edges "standard"',
      });
    }
    const judge = (triples: Triples) => byChainRule(triples, norm, conditionalNorm);
    const withMismatched: NonNullable<ReturnType<EstimatorPlugin["create"]>["withMismatched"]> = (
      vectors,
      share,
      mismatch,
    ) => {
      const counted = countedInformation(vectors, share, mismatch, { ...bins, edges, norm, judge });
      if (binning !== "straight-through") return counted(binning, true);
      // Where nothing is differentiated, a compiled program never computes the soft ones.
      const [soft, hard] = [counted("soft", false), counted("hard", true)];
      return {
        nmi: through(soft.nmi, hard.nmi),
        ncmi: through(soft.ncmi, hard.ncmi),
        mi: through(soft.mi, hard.mi),
        cmi: through(soft.cmi, hard.cmi),
      };
    };
    return {
      settings: { ...bins },
      information: (vectors, share) => withMismatched(vectors, share, null),
      withMismatched,
    };
  },
});
