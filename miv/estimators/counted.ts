/**
 * Information from tables of binned coordinates: what estimators that count have in common. How conditional information
 * follows from the tables of three variables is theirs.
 *
 * Shapes: N rows, n observations each, b bins, m modalities; entropies are in nats.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Information, Mismatch } from "../../core/kinds/mod.ts";
import { type Binning, type Ends, type Placed, standardise, stretch, type Tables, tablesOf } from "./binned.ts";
import { mismatchedVectors } from "./mismatch.ts";
import type { Edges, Normalization } from "./options.ts";
import { I, judged, mutual, Y } from "./quantities.ts";
import { entropiesOf } from "./tables.ts";

/** Tables P(y, i, j) of all pairs of parts. */
export interface Triples {
  readonly m: number;
  /** b. */
  readonly bins: number;
  /** The parts of each table, i < j. */
  readonly pairs: readonly (readonly [number, number])[];
  /** The tables, in the form of `tables`. */
  readonly found: tf.Tensor;
  readonly tables: Tables;
  /** Entropies of all variables of each table in turn, [N, 7 pairs]. */
  readonly entropies: tf.Tensor2D;
}

/** What is counted, in which bins. */
export interface Counting {
  readonly bins: number;
  readonly cmiBins: number;
  readonly edges: Edges;
  readonly norm: Normalization;
  /** MI and CMI from tables of three variables. */
  readonly judge: (triples: Triples) => Information;
}

/** MI of parts with the fused feature, one table each. */
function fromPairs(tables: Tables, m: number, bins: number, norm: Normalization): Pick<Information, "nmi" | "mi"> {
  const entropies = entropiesOf(tables.of(Array.from({ length: m }, (_, u) => [1 + u])), 2, bins, tables);
  const wanted = Array.from({ length: m }, (_, table) => ({ table, quantity: mutual(I, Y) }));
  const { nats, normalised } = judged(tf.reshape(entropies, [-1, m * entropies.shape[1]]), 2, wanted, norm);
  return { nmi: normalised, mi: nats };
}

/** One table P(y, i, j) per pair of parts: it serves both directions, and its margins both MIs. */
function triplesOf(tables: Tables, m: number, bins: number): Triples {
  const pairs = Array.from({ length: m }, (_, i) => i)
    .flatMap((i) => Array.from({ length: m - i - 1 }, (_, k) => [i, i + 1 + k] as const));
  const found = tables.of(pairs.map(([i, j]) => [1 + i, 1 + j]));
  const each = entropiesOf(found, 3, bins, tables);
  return { m, bins, pairs, found, tables, entropies: tf.reshape(each, [-1, pairs.length * each.shape[1]]) };
}

/** Weights that sum to 1. */
function portionsOf(share: tf.Tensor2D | null): tf.Tensor2D | null {
  return share === null ? null : tf.div(share, tf.maximum(tf.sum(share), 1e-12));
}

/** Information of vectors in bins, hard or soft. */
export type Counted = (binning: Binning, mismatched: boolean) => Information;

/**
 * Puts vectors into bins; what comes back counts them.
 *
 * @param vectors [N, 1 + m, n]: the fused feature, then the parts.
 * @param share Weights of observations [1, n], or `null`.
 * @param mismatch What is paired with what besides, or `null`; in the same bins. Its observations have weights if all have.
 * @returns Rows of the vectors, then, where asked, those of the mismatched ones.
 */
export function countedInformation(
  vectors: tf.Tensor3D,
  share: tf.Tensor2D | null,
  mismatch: Mismatch | null,
  { bins, cmiBins, edges, norm, judge }: Counting,
): Counted {
  const m = vectors.shape[1] - 1;
  /** All vectors' places on the axis that is cut into bins, and the ends of that axis. */
  const placed = (bins: number): { sets: Placed[]; ends: Ends } => {
    // [-2, 2] in units in which the centres of soft bins are 1 apart.
    const half = (bins - 1) / 2;
    const standard = edges === "standard";
    const values = (standard ? standardise(vectors, share, half / 2) : stretch(vectors, share)) as tf.Tensor3D;
    const sets: Placed[] = [{ values, portions: portionsOf(share) }];
    if (mismatch !== null) {
      sets.push({ values: mismatchedVectors(values, mismatch), portions: portionsOf(mismatch.share) });
    }
    return { sets, ends: standard ? [-half, half] : [0, 1] };
  };
  const [single, triple] = [m === 1 || bins !== cmiBins ? placed(bins) : null, m === 1 ? null : placed(cmiBins)];
  return (binning, mismatched) => {
    const tables = ({ sets, ends }: ReturnType<typeof placed>, variables: number, bins: number) =>
      tablesOf(mismatched ? sets : sets.slice(0, 1), variables, bins, binning, ends);
    const all = triple === null ? null : judge(triplesOf(tables(triple, 3, cmiBins), m, cmiBins));
    const unconditional = single === null ? null : fromPairs(tables(single, 2, bins), m, bins, norm);
    return { ...(all ?? withoutPartners(unconditional!.nmi.shape[0])), ...unconditional } as Information;
  };
}

/** One modality has no conditional information. */
function withoutPartners(rows: number): Pick<Information, "ncmi" | "cmi"> {
  const none: tf.Tensor3D = tf.zeros([rows, 1, 1]);
  return { ncmi: none, cmi: none };
}
