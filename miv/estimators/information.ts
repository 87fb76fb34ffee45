/**
 * Normalised (conditional) mutual information between parts and the fused feature, by the estimator of one's choice.
 *
 * For one sample the d coordinates of two vectors are d paired observations; with granularity `"batch"` the B d
 * coordinates of the whole batch are. Entropies and information are in nats. Shapes: B batch, d coordinates, m modalities.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ByModality, modalitiesOf, valuesOf } from "../../core/modality.ts";
import type { Estimator, EstimatorPlugin, Information, Mismatch } from "../../core/kinds/mod.ts";
import { type BoundPart, use } from "../../core/options.ts";
import { Refusal } from "../../core/refusal.ts";
import { histogram } from "./histogram.ts";
import { mismatchedVectors } from "./mismatch.ts";
import type { Granularity } from "./options.ts";

/** How information is estimated. */
export interface InformationOptions {
  /** @default {use(histogram)} */
  readonly estimator?: BoundPart<EstimatorPlugin>;
  /** @default the estimator's own */
  readonly granularity?: Granularity;
}

/** The estimator where nothing is said. */
export const defaultEstimator: BoundPart<EstimatorPlugin> = use(histogram);

/**
 * Builds an estimator for a width.
 *
 * @throws {Refusal} If its options contradict each other, or it runs on the host alone.
 */
export function tracedEstimator(
  { name, plugin, options }: BoundPart<EstimatorPlugin>,
  coordinates: number,
): Estimator & {
  readonly information: NonNullable<Estimator["information"]>;
} {
  const { information, ...rest } = plugin.create(options, { coordinates });
  if (information !== undefined) return { ...rest, information };
  throw new Refusal({
    what: `use estimator "${name}" in a traced step`,
    must: "it must have a function `information`",
    found: "it runs on the host alone",
    hint: "take it for `armlab value`, or another estimator here",
  });
}

/** What is doubtful about an estimate, in one sentence, or `null`. */
export function estimatorWarning(
  { plugin, options }: BoundPart<EstimatorPlugin>,
  coordinates: number,
  batch: number = 1,
  granularity: Granularity = plugin.granularity ?? "sample",
): string | null {
  return plugin.warning?.(options, { coordinates }, granularity === "batch" ? coordinates * batch : coordinates) ??
    null;
}

/** Information of vectors, and of mismatched ones in the rows below. */
function judged(
  estimator: ReturnType<typeof tracedEstimator>,
  vectors: tf.Tensor3D,
  share: tf.Tensor2D | null,
  mismatch: Mismatch | null,
): Information {
  if (mismatch === null) return estimator.information(vectors, share);
  if (estimator.withMismatched !== undefined) return estimator.withMismatched(vectors, share, mismatch);
  const matched = estimator.information(vectors, share);
  const other = estimator.information(mismatchedVectors(vectors, mismatch), mismatch.share);
  return {
    nmi: tf.concat([matched.nmi, other.nmi], 0),
    ncmi: tf.concat([matched.ncmi, other.ncmi], 0),
    mi: tf.concat([matched.mi, other.mi], 0),
    cmi: tf.concat([matched.cmi, other.cmi], 0),
  };
}

/**
 * NMI and NCMI of every sample.
 *
 * @param parts What is compared with the fused feature, [B, d] each; usually the solo images z_u, centred by the caller.
 * @param fused Fused feature, [B, d], centred by the caller.
 * @param weights Sample weights [B] for granularity `"batch"`; rows of weight 0 do not count. Without them all count.
 * @throws {Refusal} If widths differ: the estimate pairs coordinate with coordinate.
 * @throws {Refusal} If options are out of range or contradict each other.
 */
export function informationOf(
  parts: ByModality<tf.Tensor2D>,
  fused: tf.Tensor2D,
  options: InformationOptions = {},
  weights: tf.Tensor1D | null = null,
): Information {
  return informationOfVectors(vectorsOf(parts, fused), options, weights);
}

/**
 * What is compared in one tensor, [B, 1 + m, d]: the fused feature, then the parts in sorted order of modalities.
 *
 * @throws {Refusal} If widths differ or the batch is empty.
 */
export function vectorsOf(parts: ByModality<tf.Tensor2D>, fused: tf.Tensor2D): tf.Tensor3D {
  const [batch, coordinates] = fused.shape;
  for (const modality of modalitiesOf(parts)) {
    if (parts[modality].shape[1] !== coordinates) {
      throw new Refusal({
        what: `estimate information of "${modality}"`,
        must: `parts must have the fused width ${coordinates}`,
        found: `found ${parts[modality].shape[1]}`,
      });
    }
  }
  if (batch === 0) {
    throw new Refusal({ what: "estimate information", must: "the batch must hold a sample", found: "it is empty" });
  }
  return tf.reshape(tf.concat([fused, ...valuesOf(parts)], 1), [batch, -1, coordinates]) as tf.Tensor3D;
}

/** Information of matched samples, and of mismatched ones if they were asked for. */
export interface Estimate extends Information {
  /** Of the fused feature of sample k + 1 with the parts of sample k, [pairs, m] and [pairs, m, m]; see `shuffledFloor`. */
  readonly floor: Information | null;
}

/** Which neighbours of a batch are judged as pairs that do not belong together. */
export interface Mismatches {
  /** How many, at most B - 1. For estimates over the whole batch a pair counts if both of its samples do. */
  readonly pairs: number;
  /** Which of them count in such estimates, [pairs] of 0 and 1. @default all */
  readonly apart?: tf.Tensor1D | null;
}

/**
 * The same of vectors that are together already.
 *
 * @param vectors [B, 1 + m, d]: the fused feature, then the parts in sorted order of modalities.
 * @param mismatches Mismatched pairs of neighbours that are judged besides; in the bins of all vectors.
 * @throws {Refusal} If options are out of range or contradict each other, or there are not so many pairs.
 */
export function informationOfVectors(
  vectors: tf.Tensor3D,
  options: InformationOptions = {},
  weights: tf.Tensor1D | null = null,
  { pairs, apart = null }: Mismatches = { pairs: 0 },
): Estimate {
  const [batch, count, coordinates] = vectors.shape;
  const { estimator = defaultEstimator, granularity = estimator.plugin.granularity ?? "sample" } = options;
  const built = tracedEstimator(estimator, coordinates);
  if (pairs > 0 && pairs >= batch) {
    throw new Refusal({
      what: "mismatch samples",
      must: `there must be at least ${pairs + 1}`,
      found: `found ${batch}`,
    });
  }
  const parted = (found: Information, rows: number): { matched: Information; floor: Information | null } => {
    if (pairs === 0) return { matched: found, floor: null };
    const cut = (at: number, size: number): Information => ({
      nmi: tf.slice(found.nmi, [at, 0], [size, -1]),
      ncmi: tf.slice(found.ncmi, [at, 0, 0], [size, -1, -1]),
      mi: tf.slice(found.mi, [at, 0], [size, -1]),
      cmi: tf.slice(found.cmi, [at, 0, 0], [size, -1, -1]),
    });
    return { matched: cut(0, rows), floor: cut(rows, found.nmi.shape[0] - rows) };
  };
  if (granularity === "sample") {
    const mismatch: Mismatch = { axis: "rows", by: 1, count: pairs, share: null };
    const { matched, floor } = parted(judged(built, vectors, null, pairs === 0 ? null : mismatch), batch);
    return { ...matched, floor };
  }
  // Every coordinate counts as its sample does.
  const repeated = (perSample: tf.Tensor): tf.Tensor2D =>
    tf.reshape(tf.mul(tf.reshape(perSample, [-1, 1]), tf.ones([1, coordinates])), [1, -1]);
  const counted = weights ?? (pairs === 0 ? null : tf.ones([batch]) as tf.Tensor1D);
  const mismatch = (counted: tf.Tensor1D): Mismatch => {
    const both = tf.mul(tf.slice(counted, [0], [pairs]), tf.slice(counted, [1], [pairs]));
    const share = repeated(apart === null ? both : tf.mul(both, apart));
    return { axis: "observations", by: coordinates, count: pairs * coordinates, share };
  };
  const whole = tf.reshape(tf.transpose(vectors, [1, 0, 2]), [1, count, batch * coordinates]) as tf.Tensor3D;
  const found = judged(
    built,
    whole,
    counted === null ? null : repeated(counted),
    counted === null || pairs === 0 ? null : mismatch(counted),
  );
  const { matched, floor } = parted(found, 1);
  const everywhere = ({ nmi, ncmi, mi, cmi }: Information, rows: number): Information => ({
    nmi: tf.tile(nmi, [rows, 1]),
    ncmi: tf.tile(ncmi, [rows, 1, 1]),
    mi: tf.tile(mi, [rows, 1]),
    cmi: tf.tile(cmi, [rows, 1, 1]),
  });
  return { ...everywhere(matched, batch), floor: floor === null ? null : everywhere(floor, pairs) };
}

/**
 * The estimator's floor: the same estimate between mismatched samples. What it finds is bias, and what all samples share.
 *
 * @param weights Weight of each mismatched pair, [B], for estimates over the whole batch; `null` if all count.
 * @throws {Refusal} If there is only one sample.
 */
export function shuffledFloor(
  parts: ByModality<tf.Tensor2D>,
  fused: tf.Tensor2D,
  options: InformationOptions = {},
  weights: tf.Tensor1D | null = null,
): Information {
  return informationOfVectors(mismatched(vectorsOf(parts, fused)), options, weights);
}

/**
 * The fused feature of each row beside the parts of the row before.
 *
 * @param vectors [B, 1 + m, d], as `vectorsOf` gives them.
 * @throws {Refusal} If there is only one sample.
 */
export function mismatched(vectors: tf.Tensor3D): tf.Tensor3D {
  const [batch, count] = vectors.shape;
  if (batch < 2) {
    throw new Refusal({ what: "mismatch samples", must: "there must be at least 2", found: `found ${batch}` });
  }
  const fused = tf.slice(vectors, [0, 0, 0], [-1, 1, -1]);
  const before = tf.concat([
    tf.slice(vectors, [batch - 1, 1, 0], [1, count - 1, -1]),
    tf.slice(vectors, [0, 1, 0], [batch - 1, count - 1, -1]),
  ], 0);
  return tf.concat([fused, before], 1);
}
