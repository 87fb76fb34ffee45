/**
 * Samples that are followed one by one over the epochs.
 *
 * @module
 */
import type { Split } from "../core/kinds/mod.ts";
import { byModality } from "../core/modality.ts";
import { Random } from "../core/random.ts";
import type { ValuationRecord } from "../core/record.ts";
import { contributionsOf } from "../miv/contributions.ts";
import { likelihood } from "./metrics/classification.ts";
import type { DetailedPass } from "./predictor.ts";

/** Samples that are followed. */
export const FOLLOWED = 64;

/** Places of the samples that are followed in a split of a size, ascending: the same in every run, whatever its seed. */
export function followedIn(size: number): Int32Array {
  return new Random(0).split("followed", size).permutation(size).slice(0, FOLLOWED).sort();
}

/** Six digits: what differs beyond them no picture shows. */
const rounded = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toPrecision(6)));

/**
 * Contributions and probabilities of some samples of a pass.
 *
 * @param ids Places of the samples [n].
 * @param classes Number of classes C.
 */
export function valuationOf(
  pass: Pick<DetailedPass, "logits" | "solo" | "nmi" | "ncmi">,
  { labels }: Pick<Split, "labels">,
  ids: Int32Array,
  modalities: readonly string[],
  classes: number,
): Omit<ValuationRecord, "epoch"> {
  const m = modalities.length;
  const rows = (values: Float32Array, width: number) => {
    const taken = new Float32Array(ids.length * width);
    ids.forEach((id, n) => taken.set(values.subarray(id * width, (id + 1) * width), n * width));
    return taken;
  };
  const own = Int32Array.from(ids, (id) => labels[id]);
  const probability = (logits: Float32Array) => likelihood(rows(logits, classes), own, classes).probabilities;
  const fused = probability(pass.logits);
  const solo = modalities.map((modality) => probability(pass.solo[modality]));
  const { phi } = contributionsOf({
    nmi: rows(pass.nmi, m),
    ncmi: rows(pass.ncmi, m * m),
    jointProbability: fused,
    soloProbability: solo,
    modalities: m,
  });
  return {
    ids: [...ids],
    phi: byModality(modalities, (_, u) => rounded(Array.from(ids, (_, n) => phi[n * m + u]))),
    fused: rounded(fused),
    solo: byModality(modalities, (_, u) => rounded(solo[u])),
  };
}
