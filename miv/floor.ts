/**
 * Floors of information: what an estimator finds between a fused feature and the part of another sample.
 *
 * @module
 */
import { mapByModality } from "../core/modality.ts";
import type { EstimatorPlugin } from "../core/kinds/mod.ts";
import type { BoundPart } from "../core/options.ts";
import { Random } from "../core/random.ts";
import { type MeasuredVectors, measureInformation, type MeasureOptions, measuringEstimator } from "./measure.ts";
import type { ValuationInputs } from "./saved.ts";
import { type InformationMeans, informationMeans } from "./summaries.ts";

/** Whether an estimator runs on the host alone, where it takes long. */
function slow({ plugin, options }: BoundPart<EstimatorPlugin>, width: number): boolean {
  return plugin.create(options, { coordinates: width }).information === undefined;
}

/** Most mismatched pairs that the floor is measured on, and most where the estimator is slow. */
const FLOOR_PAIRS = 1024;
const SLOW_FLOOR_PAIRS = 16;
/** The order of samples is drawn from this seed, so that a valuation repeats itself. */
const FLOOR_SEED = 0;

/**
 * Pairs of samples of different groups, at most so many, drawn by a seed.
 *
 * Samples stand in the shuffled order of their groups, each beside the one that is as many places behind as the largest
 * group has samples: so every sample is paired once in each role. Where a group has more than half of all samples, those
 * that would meet their own are left out.
 */
export function mismatchedPairs(
  size: number,
  groups: readonly (string | number)[] | undefined,
  most: number,
): readonly (readonly [fused: number, part: number])[] {
  const random = new Random(FLOOR_SEED).split("floor");
  const members = new Map<string | number, number[]>();
  for (const sample of random.permutation(size)) {
    const group = groups === undefined ? sample : groups[sample];
    members.set(group, [...members.get(group) ?? [], sample]);
  }
  const order = [...members.values()].flat();
  const largest = Math.max(0, ...[...members.values()].map(({ length }) => length));
  const groupOf = (sample: number) => groups === undefined ? sample : groups[sample];
  return order.map((sample, place) => [sample, order[(place + largest) % size]] as const)
    .filter(([fused, part]) => groupOf(fused) !== groupOf(part)).slice(0, most);
}

/** Both per modality for mismatched samples; `null` where no two samples are of different groups. */
export async function floorOf(
  { parts, fused, size }: MeasuredVectors,
  width: number,
  groups: ValuationInputs["groups"],
  options: MeasureOptions,
): Promise<InformationMeans | null> {
  const most = slow(options.estimator ?? measuringEstimator, width) ? SLOW_FLOOR_PAIRS : FLOOR_PAIRS;
  const pairs = mismatchedPairs(size, groups, most);
  if (pairs.length === 0) return null;
  const taken = (values: Float32Array, role: 0 | 1) => {
    const rows = new Float32Array(pairs.length * width);
    pairs.forEach((pair, n) => rows.set(values.subarray(pair[role] * width, (pair[role] + 1) * width), n * width));
    return rows;
  };
  const found = await measureInformation(
    { parts: mapByModality(parts, (part) => taken(part, 1)), fused: taken(fused, 0), size: pairs.length },
    options,
  );
  return informationMeans(found, Object.keys(parts).length);
}
