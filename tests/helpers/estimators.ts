import type { EstimatorPlugin } from "../../core/kinds/mod.ts";
import { type BoundPart, type RawOptions, use } from "../../core/options.ts";
import {
  gaussian,
  type Granularity,
  histogram,
  informationOf as informationByParts,
  informationOfVectors as informationOfVectorsByParts,
  type InformationOptions,
  informationProgram as informationProgramByParts,
  ksg,
  official,
  shuffledFloor as shuffledFloorByParts,
} from "../../miv/mod.ts";

/** An estimator in a word: the binnings of `histogram`, or its own name. */
export type EstimatorName = "straight-through" | "hard" | "soft" | "gaussian" | "official";

/** An estimator in a word, with its options beside it. */
export interface Estimating extends Record<string, unknown> {
  readonly estimator?: EstimatorName | "ksg";
  readonly granularity?: Granularity;
}

/** The part that a word stands for. */
export function named(
  name: EstimatorName | "ksg" = "straight-through",
  options: RawOptions = {},
): BoundPart<EstimatorPlugin> {
  switch (name) {
    case "gaussian":
      return use(gaussian);
    case "official":
      return use(official, options);
    case "ksg":
      return use(ksg, options);
    default:
      return use(histogram, { ...options, binning: name });
  }
}

/** Options of the library for options in words. */
export function estimate({ estimator, granularity, ...options }: Estimating = {}): InformationOptions {
  return { estimator: named(estimator, options), ...granularity === undefined ? {} : { granularity } };
}

type Rest<F, N extends number> = F extends (...args: infer A) => unknown ? A[N] : never;

export const informationOf = (
  parts: Rest<typeof informationByParts, 0>,
  fused: Rest<typeof informationByParts, 1>,
  options: Estimating = {},
  weights: Rest<typeof informationByParts, 3> = null,
) => informationByParts(parts, fused, estimate(options), weights);

export const informationOfVectors = (
  vectors: Rest<typeof informationOfVectorsByParts, 0>,
  options: Estimating = {},
  weights: Rest<typeof informationOfVectorsByParts, 2> = null,
  pairs = 0,
) => informationOfVectorsByParts(vectors, estimate(options), weights, { pairs });

export const shuffledFloor = (
  parts: Rest<typeof shuffledFloorByParts, 0>,
  fused: Rest<typeof shuffledFloorByParts, 1>,
  options: Estimating = {},
) => shuffledFloorByParts(parts, fused, estimate(options));

export const informationProgram = (
  modalities: readonly string[],
  batchSize: number,
  width: number,
  options: Estimating = {},
) => informationProgramByParts(modalities, batchSize, width, estimate(options));
