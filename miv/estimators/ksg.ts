/**
 * Nearest-neighbour estimates of mutual information between vectors, on the host: the reference for the fast estimators.
 *
 * For continuous variables: equal values (zeros of a ReLU, rounded numbers) are all each other's nearest neighbours, and look
 * like information. So the estimator adds seeded noise of 1e-10 standard deviations to every vector first, as the paper
 * does; `ksgMi` and `knnCmi` themselves take values as they are. Nothing is binned or assumed about the
 * distributions; bias is small where information is moderate, and grows with dependence and dimension.
 *
 * @see Kraskov, Stögbauer, Grassberger, "Estimating mutual information", Physical Review E 69, 2004, algorithm 1 (Eq. 8).
 * @see Frenzel, Pompe, "Partial mutual information for coupling analysis of multivariate time series", PRL 99, 2007.
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import { type ByModality, modalitiesOf } from "../../core/modality.ts";
import { defineEstimator, type EstimatorPlugin } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { commonCount, joined, type Points, scalars } from "./points.ts";

/** Options of nearest-neighbour estimates. */
export interface NeighbourOptions {
  /** Which neighbour: small values have little bias, large ones little variance. @default {3} */
  readonly k?: number;
}

/** psi(n) for n = 1 .. count: -gamma + sum of 1 / j for j < n. */
function digammas(count: number): Float64Array {
  const psi = new Float64Array(count + 1);
  psi[0] = NaN;
  psi[1] = -0.5772156649015329;
  for (let n = 2; n <= count; n++) psi[n] = psi[n - 1] + 1 / (n - 1);
  return psi;
}

/** Points in the order of their first coordinate, so that a search walks outward from a point and knows when to stop. */
class Sorted {
  readonly #values: Float64Array;
  readonly #width: number;
  readonly #first: Float64Array;
  /** Position in the order, by sample. */
  readonly #place: Int32Array;

  constructor({ values, width }: Points) {
    const count = values.length / width;
    const order = Int32Array.from({ length: count }, (_, n) => n).sort((a, b) => values[a * width] - values[b * width]);
    this.#width = width;
    this.#values = new Float64Array(count * width);
    this.#place = new Int32Array(count);
    order.forEach((sample, place) => {
      this.#place[sample] = place;
      for (let k = 0; k < width; k++) this.#values[place * width + k] = values[sample * width + k];
    });
    this.#first = Float64Array.from({ length: count }, (_, place) => this.#values[place * width]);
  }

  /** Largest difference of any coordinate, or any number >= `enough` if it reaches that. */
  #distance(a: number, b: number, enough: number): number {
    let distance = 0;
    const width = this.#width;
    for (let k = 0; k < width; k++) {
      const difference = Math.abs(this.#values[a * width + k] - this.#values[b * width + k]);
      if (difference > distance) {
        distance = difference;
        if (distance >= enough) break;
      }
    }
    return distance;
  }

  /** Distance to the k-th neighbour of a sample. */
  neighbour(sample: number, k: number): number {
    const at = this.#place[sample];
    const first = this.#first;
    const nearest = new Float64Array(k).fill(Infinity);
    let [left, right] = [at - 1, at + 1];
    while (true) {
      const toLeft = left < 0 ? Infinity : first[at] - first[left];
      const toRight = right >= first.length ? Infinity : first[right] - first[at];
      const bound = nearest[k - 1];
      if (toLeft >= bound && toRight >= bound) return bound;
      const other = toLeft < toRight ? left-- : right++;
      const distance = this.#distance(at, other, bound);
      if (distance >= bound) continue;
      let slot = k - 1;
      while (slot > 0 && nearest[slot - 1] > distance) {
        nearest[slot] = nearest[slot - 1];
        slot--;
      }
      nearest[slot] = distance;
    }
  }

  /** How many other samples are nearer than a radius. */
  within(sample: number, radius: number): number {
    const at = this.#place[sample];
    const first = this.#first;
    let count = 0;
    for (let other = at - 1; other >= 0 && first[at] - first[other] < radius; other--) {
      if (this.#distance(at, other, radius) < radius) count++;
    }
    for (let other = at + 1; other < first.length && first[other] - first[at] < radius; other++) {
      if (this.#distance(at, other, radius) < radius) count++;
    }
    return count;
  }
}

/** Noise that parts equal values and changes nothing else, of values with standard deviation 1. */
const NOISE = 1e-10;
const NOISE_SEED = 0;

function neighbourOf({ k = 3 }: NeighbourOptions): number {
  if (!Number.isInteger(k) || k < 1) {
    throw new Refusal({ what: `use neighbour ${k}`, must: "k must be an integer >= 1" });
  }
  return k;
}

/**
 * I(X; Y) in nats: psi(k) + psi(n) - mean of psi(n_x + 1) + psi(n_y + 1), where n_x and n_y count the samples that are
 * nearer in X or Y alone than the k-th neighbour is in both (maximum norm). May be slightly negative.
 *
 * Scales matter: standardise coordinates that have different units.
 *
 * @throws {Refusal} If numbers of samples differ.
 * @throws {Refusal} If there are not more samples than k, or a value is not finite.
 */
export function ksgMi(x: Points, y: Points, options: NeighbourOptions = {}): number {
  const k = neighbourOf(options);
  const count = commonCount([x, y], k + 1);
  const psi = digammas(count + 1);
  const [both, ofX, ofY] = [joined([x, y]), x, y].map((points) => new Sorted(points));
  let sum = 0;
  for (let n = 0; n < count; n++) {
    const radius = both.neighbour(n, k);
    sum += psi[ofX.within(n, radius) + 1] + psi[ofY.within(n, radius) + 1];
  }
  return psi[k] + psi[count] - sum / count;
}

/**
 * I(X; Y | Z) in nats: psi(k) - mean of psi(n_xz + 1) + psi(n_yz + 1) - psi(n_z + 1), with the k-th neighbour in (X, Y, Z).
 *
 * @throws As `ksgMi`.
 */
export function knnCmi(x: Points, y: Points, z: Points, options: NeighbourOptions = {}): number {
  const k = neighbourOf(options);
  const count = commonCount([x, y, z], k + 1);
  const psi = digammas(count + 1);
  const [all, ofXz, ofYz, ofZ] = [joined([x, y, z]), joined([x, z]), joined([y, z]), z].map((points) =>
    new Sorted(points)
  );
  let sum = 0;
  for (let n = 0; n < count; n++) {
    const radius = all.neighbour(n, k);
    sum += psi[ofXz.within(n, radius) + 1] + psi[ofYz.within(n, radius) + 1] - psi[ofZ.within(n, radius) + 1];
  }
  return psi[k] - sum / count;
}

/** 1 - exp(-2 I), Linfoot's normalisation: rho^2 for Gaussians, in [0, 1) for every estimate. */
export function linfoot(nats: number): number {
  return 1 - Math.exp(-2 * Math.max(0, nats));
}

/**
 * Information between the coordinates of every sample's vectors, as `informationOf`, by nearest neighbours. O(N m^2 d^2) at
 * worst: a check of the fast estimators, not for training.
 *
 * @param parts [N, d] each, row-major, centred by the caller.
 * @param fused [N, d].
 * @param width d.
 * @returns Linfoot's normalised values, [N, m] and [N, m, m] with NC_ij at [i, j].
 */
export function ksgInformation(
  parts: ByModality<ArrayLike<number>>,
  fused: ArrayLike<number>,
  width: number,
  options: NeighbourOptions = {},
): { nmi: Float32Array; ncmi: Float32Array } {
  const modalities = modalitiesOf(parts);
  const m = modalities.length;
  const count = fused.length / width;
  const nmi = new Float32Array(count * m);
  const ncmi = new Float32Array(count * m * m);
  for (let n = 0; n < count; n++) {
    const row = (values: ArrayLike<number>, role: string) => {
      const random = new Random(NOISE_SEED).split("ksg", role, n);
      return scalars(standardRow(values, n * width, width).map((value) => value + NOISE * random.normal()));
    };
    const y = row(fused, "fused");
    const z = modalities.map((modality) => row(parts[modality], `part ${modality}`));
    for (let i = 0; i < m; i++) {
      nmi[n * m + i] = linfoot(ksgMi(z[i], y, options));
      for (let j = 0; j < m; j++) {
        if (j !== i) ncmi[(n * m + i) * m + j] = linfoot(knnCmi(y, z[j], z[i], options));
      }
    }
  }
  return { nmi, ncmi };
}

function standardRow(values: ArrayLike<number>, from: number, width: number): Float64Array {
  const row = Float64Array.from({ length: width }, (_, k) => values[from + k]);
  const mean = row.reduce((sum, value) => sum + value, 0) / width;
  const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width) || 1;
  return row.map((value) => (value - mean) / deviation);
}

/** Nearest neighbours: a check of the fast estimators on the host. */
export const ksg: EstimatorPlugin = defineEstimator<{ readonly k: number }>({
  name: "ksg",
  about: "nearest neighbours (Kraskov), on the host alone: slow, for checks",
  formula: `I = psi(k) + psi(n) - mean of psi(n_x + 1) + psi(n_y + 1);  NMI = 1 - exp(-2 I)`,
  source: 'Kraskov, Stoegbauer, Grassberger, "Estimating mutual information", Physical Review E 69, 2004, Eq. 8',
  options: {
    k: {
      type: "integer",
      default: 3,
      min: 1,
      tune: [3, 5],
      about: "which neighbour: small values have little bias, large ones little variance",
      source: "the paper's examples",
    },
  },
  create: (options) => ({ onHost: (parts, fused, width) => ksgInformation(parts, fused, width, options) }),
});
