/**
 * Choices that several estimators share, and how many bins observations can fill.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";

/** How information is normalised: by sqrt(Hx Hy) (Eqs. 2, 9), (Hx + Hy) / 2, or Hx + Hy (released code, conditional). */
export type Normalization = "sqrt" | "mean" | "sum";
/** Equal bins of [-2, 2] after standardising, or of [min, max] as NumPy's histograms have them. */
export type Edges = "standard" | "range";
/** One value per sample from its d coordinates, or one per batch from all B d of them (the same for every sample). */
export type Granularity = "sample" | "batch";

/** Options of estimators that count in bins. */
export interface BinOptions {
  /** Bins per axis for MI; 0 chooses by the number of coordinates. */
  readonly bins: number;
  /** Bins per axis for CMI; 0 means as for MI. */
  readonly cmiBins: number;
  readonly edges: Edges;
  /** Of MI. */
  readonly norm: Normalization;
  /** Of CMI. */
  readonly conditionalNorm: Normalization;
}

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
 * Both numbers of bins, with 0 resolved.
 *
 * @param coordinates d, the width of the fused feature.
 * @throws {Refusal} If one of them is 1 or no integer up to 100.
 */
export function resolvedBins(
  { bins, cmiBins }: Pick<BinOptions, "bins" | "cmiBins">,
  coordinates: number,
): { bins: number; cmiBins: number } {
  for (const count of [bins, cmiBins]) {
    if (count !== 0 && (!Number.isInteger(count) || count < 2 || count > MOST_BINS)) {
      throw new Refusal({
        what: "estimate information",
        must: `bins must be an integer from 2 to ${MOST_BINS}, or 0 for automatic`,
        found: `found ${count}`,
      });
    }
  }
  const mi = bins !== 0 ? bins : automaticBins(coordinates);
  return { bins: mi, cmiBins: cmiBins !== 0 ? cmiBins : mi };
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

/** Says that there are too few observations for the bins, or `null`. */
export function binWarning(bins: number, cmiBins: number, observations: number): string | null {
  const { nmi, ncmi } = pluginBias(bins, cmiBins, observations);
  if (nmi <= WORTH_A_WARNING && ncmi <= WORTH_A_WARNING) return null;
  return `${observations} observations are few for ${bins} bins (MI) and ${cmiBins} bins (CMI) per axis: independent ` +
    `vectors would show an NMI of about ${Math.min(1, nmi).toFixed(2)} and an NCMI of about ${
      Math.min(1, ncmi).toFixed(2)
    }`;
}
