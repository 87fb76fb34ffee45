/**
 * Information from entropies: which sums of a table's entropies it is, and how it is normalised.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../../tensor/autodiff.ts";
import type { Normalization } from "./options.ts";

/** Entropies below this count as zero: normalising by them would give noise. */
const LEAST_ENTROPY = 1e-5;

/**
 * information / norm(first, second), in [0, 1]; 0 with zero gradient where an entropy vanishes.
 *
 * With r the ratio and s the norm: dr/d information = 1 / s, and for s = sqrt(a b) dr/da = -r b / (2 s^2), for
 * s = c (a + b) dr/da = -r c / s.
 */
export function normalised(
  information: tf.Tensor,
  first: tf.Tensor,
  second: tf.Tensor,
  norm: Normalization,
): tf.Tensor {
  const share = norm === "mean" ? 0.5 : 1;
  return withGradient([information, first, second], (save) => {
    const defined = tf.greater(tf.minimum(first, second), LEAST_ENTROPY);
    const scale = norm === "sqrt" ? tf.sqrt(tf.mul(first, second)) : tf.mul(tf.add(first, second), share);
    const inverse = tf.where(defined, tf.reciprocal(scale), tf.zerosLike(scale));
    const ratio = tf.mul(information, inverse);
    save([first, second, inverse, ratio]);
    return {
      // Only rounding goes beyond the bounds.
      value: tf.clipByValue(ratio, 0, 1),
      gradient(dy, [a, b, inverse, ratio]) {
        const byInformation = tf.mul(dy, inverse);
        const byScale = tf.mul(tf.mul(byInformation, ratio), norm === "sqrt" ? -0.5 : -share);
        if (norm !== "sqrt") return [byInformation, byScale, byScale];
        const scaled = tf.mul(byScale, inverse);
        return [byInformation, tf.mul(scaled, b), tf.mul(scaled, a)];
      },
    };
  });
}

/** Entropies of some of a table's variables with their signs. */
export type Terms = readonly (readonly [variables: number, sign: 1 | -1])[];

/** Information and the two entropies that bound it, by bit masks of a table's variables. */
export interface Quantity {
  readonly information: Terms;
  readonly first: Terms;
  readonly second: Terms;
}

/** I(x; y) = H(x) + H(y) - H(xy). */
export const mutual = (x: number, y: number): Quantity => ({
  information: [[x, 1], [y, 1], [x | y, -1]],
  first: [[x, 1]],
  second: [[y, 1]],
});

/** I(x; y | z) = H(xz) + H(yz) - H(z) - H(xyz), bounded by H(x|z) and H(y|z). */
export const conditional = (x: number, y: number, z: number): Quantity => ({
  information: [[x | z, 1], [y | z, 1], [z, -1], [x | y | z, -1]],
  first: [[x | z, 1], [z, -1]],
  second: [[y | z, 1], [z, -1]],
});

// The variables of a table as bits: the fused feature, then one part or two.
export const [Y, I, J] = [1, 2, 4];

/** A quantity of one of some tables; `null` is 0. */
export type Wanted = { readonly table: number; readonly quantity: Quantity } | null;

/** Most entries of one constant matrix (64 KiB): with seven modalities or more all tables' quantities at once have more. */
const LARGEST_MATRIX = 16384;

/**
 * Quantities from entropies by one constant matrix, and normalised.
 *
 * @param entropies Of each table in turn, 2^v - 1 each, [N, tables (2^v - 1)].
 * @returns A column for each wanted quantity.
 */
export function judged(
  entropies: tf.Tensor2D,
  variables: number,
  wanted: readonly Wanted[],
  norm: Normalization,
): { nats: tf.Tensor2D; normalised: tf.Tensor2D } {
  const each = (1 << variables) - 1;
  const large = entropies.shape[1] * 3 * wanted.length > LARGEST_MATRIX;
  const sums = large ? tableByTable(entropies, each, wanted) : atOnce(entropies, each, wanted);
  const [nats, first, second] = tf.split(sums, 3, 1) as tf.Tensor2D[];
  return { nats, normalised: normalised(nats, first, second, norm) as tf.Tensor2D };
}

const kinds = ({ information, first, second }: Quantity): readonly Terms[] => [information, first, second];

/** Information, then both bounds, of all wanted quantities: [N, tables each] times one matrix of signs. */
function atOnce(entropies: tf.Tensor2D, each: number, wanted: readonly Wanted[]): tf.Tensor2D {
  const columns = 3 * wanted.length;
  const signs = new Float32Array(entropies.shape[1] * columns);
  wanted.forEach((one, column) => {
    if (one === null) return;
    kinds(one.quantity).forEach((terms, kind) => {
      for (const [variables, sign] of terms) {
        signs[(one.table * each + variables - 1) * columns + kind * wanted.length + column] += sign;
      }
    });
  });
  return tf.matMul(entropies, tf.tensor2d(signs, [entropies.shape[1], columns]));
}

/** The same where that matrix would be large: every quantity of every table by a small one, of which those are taken. */
function tableByTable(entropies: tf.Tensor2D, each: number, wanted: readonly Wanted[]): tf.Tensor2D {
  const [rows, size] = entropies.shape;
  const quantities: Quantity[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (quantity: Quantity): number => {
    const key = JSON.stringify(quantity);
    if (!numbers.has(key)) numbers.set(key, quantities.push(quantity) - 1);
    return numbers.get(key)!;
  };
  const chosen = wanted.map((one) => one === null ? null : { table: one.table, number: numberOf(one.quantity) });
  const columns = 3 * quantities.length;
  const signs = new Float32Array(each * columns);
  quantities.forEach((quantity, number) =>
    kinds(quantity).forEach((terms, kind) => {
      for (const [variables, sign] of terms) signs[(variables - 1) * columns + 3 * number + kind] += sign;
    })
  );
  const tables = size / each;
  const all = tf.matMul(tf.reshape(entropies, [rows * tables, each]), tf.tensor2d(signs, [each, columns]));
  // What is not wanted of any table is the zero behind all others.
  const padded = tf.concat([tf.reshape(all, [rows, tables * columns]), tf.zeros([rows, 1])], 1);
  const places = [0, 1, 2].flatMap((kind) =>
    chosen.map((one) => one === null ? tables * columns : one.table * columns + 3 * one.number + kind)
  );
  return tf.gather(padded, tf.tensor1d(places, "int32"), 1) as tf.Tensor2D;
}
