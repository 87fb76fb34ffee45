/**
 * What is estimated, from what, and how: the options that all estimators share, and their defaults.
 *
 * @module
 */

/**
 * How information is estimated inside a traced step.
 *
 * - `"straight-through"`: values of hard bins, gradients of soft bins.
 * - `"hard"`: one-hot bins; no gradient.
 * - `"soft"`: B-spline bins of order 2 (hat functions); differentiable, biased low.
 * - `"gaussian"`: closed form of the correlation of standardised coordinates; differentiable.
 * - `"official"`: the arithmetic of the code that was released with the paper, with its errors; no gradient.
 *
 * KSG (`ksg.ts`) runs on the host alone.
 */
export type EstimatorName = "straight-through" | "hard" | "soft" | "gaussian" | "official";
/** How information is normalised: by sqrt(Hx Hy) (Eqs. 2, 9), (Hx + Hy) / 2, or Hx + Hy (released code, conditional). */
export type Normalization = "sqrt" | "mean" | "sum";
/** Equal bins of [-2, 2] after standardising, or of [min, max] as NumPy's histograms have them. */
export type Edges = "standard" | "range";
/** H(X|Z) = H(XZ) - H(Z), or what the released code computes in its place. */
export type ConditionalEntropy = "chain" | "official";
/** One value per sample from its d coordinates, or one per batch from all B d of them (the same for every sample). */
export type Granularity = "sample" | "batch";

/** Options of `informationOf`. */
export interface EstimatorOptions {
  /** @default {"straight-through"} */
  readonly estimator?: EstimatorName;
  /** Bins per axis for MI; 0 chooses by the number of observations (30 with `"official"`). @default {0} */
  readonly bins?: number;
  /** Bins per axis for CMI; 0 means as for MI (2 with `"official"`). @default {0} */
  readonly cmiBins?: number;
  /** @default {"standard"} (`"range"` with `"official"`) */
  readonly edges?: Edges;
  /** Of MI; has no meaning for `"gaussian"`. @default {"sqrt"} (`"mean"` with `"official"`) */
  readonly norm?: Normalization;
  /** Of CMI; has no meaning for `"gaussian"`. @default {"sqrt"} (`"sum"` with `"official"`) */
  readonly conditionalNorm?: Normalization;
  /** @default {"chain"} (`"official"` with `"official"`) */
  readonly conditionalEntropy?: ConditionalEntropy;
  /** @default {"sample"} (`"batch"` with `"official"`) */
  readonly granularity?: Granularity;
}

/** Options with every default filled in. */
export type ResolvedEstimator = Required<EstimatorOptions>;

/**
 * The default number of bins: 4 from 256 observations on, else 3.
 *
 * The bias of a plug-in estimate grows with the number of cells: for independent parts and 4 bins, NCMI is about .03 at
 * d = 512, .06 at 256, .13 at 128 and .25 at 64.
 */
export function automaticBins(observations: number): number {
  return observations >= 256 ? 4 : 3;
}

/** Most bins per axis: more have no constant matrix within a compiled program's limit, and no observations to fill them. */
export const MOST_BINS = 100;

/**
 * Fills in defaults.
 *
 * @param coordinates d, the width of the fused feature.
 * @throws {RangeError} If bins are not integers from 2 to 100, or options contradict each other.
 */
export function resolveEstimator(options: EstimatorOptions, coordinates: number): ResolvedEstimator {
  const { estimator = "straight-through", bins = 0, cmiBins = 0 } = options;
  const official = estimator === "official";
  for (const count of [bins, cmiBins]) {
    if (count !== 0 && (!Number.isInteger(count) || count < 2 || count > MOST_BINS)) {
      throw new RangeError(
        `Cannot estimate information as bins must be an integer from 2 to ${MOST_BINS}, or 0 for automatic: found ${count}`,
      );
    }
  }
  const mi = bins !== 0 ? bins : official ? 30 : automaticBins(coordinates);
  const resolved: ResolvedEstimator = {
    estimator,
    bins: mi,
    cmiBins: cmiBins !== 0 ? cmiBins : official ? 2 : mi,
    edges: options.edges ?? (official ? "range" : "standard"),
    norm: options.norm ?? (official ? "mean" : "sqrt"),
    conditionalNorm: options.conditionalNorm ?? (official ? "sum" : "sqrt"),
    conditionalEntropy: options.conditionalEntropy ?? (official ? "official" : "chain"),
    granularity: options.granularity ?? (official ? "batch" : "sample"),
  };
  const hard = estimator === "hard" || official;
  if (!hard && resolved.edges === "range") {
    throw new RangeError(
      `Cannot estimate information by "${estimator}" in bins of [min, max] as only hard bins have them: ` +
        'use "hard" or edges "standard"',
    );
  }
  if (!hard && resolved.conditionalEntropy === "official") {
    throw new RangeError(
      `Cannot estimate information by "${estimator}" with the released code's conditional entropy as it is defined for ` +
        'hard bins only: use "hard" or "official"',
    );
  }
  return resolved;
}

/** Expected size of the estimates of independent vectors: what the number of cells alone gives. */
export interface EstimatorBias {
  /** (b - 1)^2 / 2n, in nats. */
  readonly miNats: number;
  /** b (b - 1)^2 / 2n, in nats. */
  readonly cmiNats: number;
  /** `miNats` over log b. */
  readonly nmi: number;
  /** `cmiNats` over log b. */
  readonly ncmi: number;
}

/** Bias of plug-in estimates, to first order in 1 / n (Miller and Madow), at equally filled bins. */
export function pluginBias(bins: number, cmiBins: number, observations: number): EstimatorBias {
  const miNats = (bins - 1) ** 2 / (2 * observations);
  const cmiNats = cmiBins * (cmiBins - 1) ** 2 / (2 * observations);
  return { miNats, cmiNats, nmi: miNats / Math.log(bins), ncmi: cmiNats / Math.log(cmiBins) };
}

/** A bias above this share of the range [0, 1] deserves a warning. */
const WORTH_A_WARNING = 0.1;

/**
 * Says that there are too few observations for the bins, or `null`. Returned as data: whoever shows it shows it once.
 *
 * @param coordinates d.
 * @param batch B; counts with granularity `"batch"`.
 */
export function estimatorWarning(options: EstimatorOptions, coordinates: number, batch: number = 1): string | null {
  const { estimator, bins, cmiBins, granularity } = resolveEstimator(options, coordinates);
  if (estimator === "gaussian") return null;
  const n = granularity === "batch" ? coordinates * batch : coordinates;
  const { nmi, ncmi } = pluginBias(bins, cmiBins, n);
  if (nmi <= WORTH_A_WARNING && ncmi <= WORTH_A_WARNING) return null;
  return `${n} observations are few for ${bins} bins (MI) and ${cmiBins} bins (CMI) per axis: independent vectors would ` +
    `show an NMI of about ${Math.min(1, nmi).toFixed(2)} and an NCMI of about ${Math.min(1, ncmi).toFixed(2)}`;
}
