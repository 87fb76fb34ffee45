/**
 * Joint distributions of sources and a target whose information is known exactly: what estimators and valuations are
 * measured against.
 *
 * Everything follows from v(S) = I(Y; X_S), the information that each subset of sources has about the target. All values
 * are in nats.
 *
 * @module
 */
import { type ByModality, byModality } from "../core/modality.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { choleskyFactor, gaussianInformationNats } from "../miv/estimators/gaussian_points.ts";
import type { Points } from "../miv/estimators/points.ts";
import { interactionIndex, shapleyValues } from "../miv/shapley.ts";

/** Exact information, in nats; sources by position in sorted order. */
export interface InformationTruth {
  /** I(Y; X_S) by bit mask of S; bit u stands for source u. */
  readonly subsets: readonly number[];
  /** I(Y; X_u). */
  readonly mi: readonly number[];
  /** I(Y; X_j | X_i) at [i][j]; 0 on the diagonal. */
  readonly cmi: readonly (readonly number[])[];
  /** I(Y; X_j) - I(Y; X_j | X_i) at [i][j]: above 0 where sources are redundant, below where they are synergistic. */
  readonly interaction: readonly (readonly number[])[];
  /** Shapley values of v. */
  readonly shapley: readonly number[];
  /** Shapley interaction index of v at [i][j]. */
  readonly interactionIndex: readonly (readonly number[])[];
}

/** A joint distribution with known information. */
export interface InformationSet {
  readonly name: string;
  /** What it is. */
  readonly about: string;
  /** Sorted names. */
  readonly sources: readonly string[];
  readonly truth: InformationTruth;
  /** Independent samples. */
  sample(count: number, random: Random): InformationSample;
}

/** Samples of all variables. */
export interface InformationSample {
  readonly sources: ByModality<Points>;
  readonly target: Points;
}

/** Everything that follows from the information of subsets. */
export function truthOf(m: number, value: (subset: number) => number): InformationTruth {
  const subsets = Array.from({ length: 1 << m }, (_, subset) => subset === 0 ? 0 : value(subset));
  const of = (subset: number) => subsets[subset];
  const square = (entry: (i: number, j: number) => number) =>
    Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_, j) => i === j ? 0 : entry(i, j)));
  return {
    subsets,
    mi: Array.from({ length: m }, (_, u) => of(1 << u)),
    cmi: square((i, j) => of(1 << i | 1 << j) - of(1 << i)),
    interaction: square((i, j) => of(1 << i) + of(1 << j) - of(1 << i | 1 << j)),
    shapley: shapleyValues(m, of),
    interactionIndex: square((i, j) => interactionIndex(m, i, j, of)),
  };
}

const named = (count: number) => Array.from({ length: count }, (_, u) => `x${u + 1}`);

/** Members of a bit mask. */
const members = (subset: number, m: number) => Array.from({ length: m }, (_, u) => u).filter((u) => subset >> u & 1);

/** A map of one variable's rows. It must be invertible, so that information stays as it is. */
export type Transform = (row: Float64Array) => Float64Array;

/** What a Gaussian or Student set is made of. */
export interface EllipticalOptions {
  readonly name: string;
  readonly about: string;
  /** Covariance (dispersion) of all columns, row-major. */
  readonly covariance: ArrayLike<number>;
  /** Widths of the sources, whose columns come first, in order; the target has the rest. */
  readonly widths: readonly number[];
  readonly targetWidth: number;
  /** Degrees of freedom of a Student distribution; absent for a Gaussian one. */
  readonly degrees?: number;
  /** Applied to every source. */
  readonly transformSource?: Transform;
  /** Applied to the target. */
  readonly transformTarget?: Transform;
}

/** A Gaussian or multivariate Student distribution, optionally with every variable mapped invertibly. */
export function ellipticalSet(options: EllipticalOptions): InformationSet {
  const { name, about, covariance, widths, targetWidth, degrees, transformSource, transformTarget } = options;
  const m = widths.length;
  const total = widths.reduce((sum, width) => sum + width, 0) + targetWidth;
  if (covariance.length !== total * total) {
    throw new Refusal({
      what: `make "${name}"`,
      must: `its covariance must be ${total} x ${total}`,
      found: `found ${covariance.length} values`,
    });
  }
  const lower = choleskyFactor(covariance, total);
  const starts = widths.map((_, u) => widths.slice(0, u).reduce((sum, width) => sum + width, 0));
  const columns = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);
  const target = columns(total - targetWidth, targetWidth);
  const truth = truthOf(m, (subset) => {
    const source = members(subset, m).flatMap((u) => columns(starts[u], widths[u]));
    const normal = gaussianInformationNats(covariance, total, source, target);
    if (degrees === undefined) return normal;
    // The dispersion's part is the Gaussian one; the rest depends on widths alone.
    const h = (width: number) => standardStudentEntropy(width, degrees);
    return normal + h(source.length) + h(targetWidth) - h(source.length + targetWidth);
  });
  return {
    name,
    about,
    sources: named(m),
    truth,
    sample(count, random) {
      const rows = new Float64Array(count * total);
      const noise = new Float64Array(total);
      for (let n = 0; n < count; n++) {
        for (let k = 0; k < total; k++) noise[k] = random.normal();
        let scale = 1;
        if (degrees !== undefined) {
          let square = 0;
          for (let k = 0; k < degrees; k++) square += random.normal() ** 2;
          scale = Math.sqrt(degrees / square);
        }
        for (let a = 0; a < total; a++) {
          let value = 0;
          for (let b = 0; b <= a; b++) value += lower[a * total + b] * noise[b];
          rows[n * total + a] = value * scale;
        }
      }
      const cut = (from: number, width: number, map: Transform = (row) => row): Points => {
        const mapped = Array.from(
          { length: count },
          (_, n) => map(rows.slice(n * total + from, n * total + from + width)),
        );
        const wide = mapped[0]?.length ?? width;
        const values = new Float64Array(count * wide);
        mapped.forEach((row, n) => values.set(row, n * wide));
        return { values, width: wide };
      };
      return {
        sources: byModality(named(m), (_, u) => cut(starts[u], widths[u], transformSource)),
        target: cut(total - targetWidth, targetWidth, transformTarget),
      };
    },
  };
}

/** ln Gamma and psi at half-integers, by their recurrences. */
function gammaTerms(twice: number): { logGamma: number; psi: number } {
  const euler = 0.5772156649015329;
  let at = twice % 2 === 0 ? 1 : 0.5;
  let [logGamma, psi] = at === 1 ? [0, -euler] : [Math.log(Math.PI) / 2, -euler - 2 * Math.LN2];
  for (; at < twice / 2; at++) {
    logGamma += Math.log(at);
    psi += 1 / at;
  }
  return { logGamma, psi };
}

/** Differential entropy of a Student distribution with identity dispersion, in nats. */
function standardStudentEntropy(width: number, degrees: number): number {
  const half = gammaTerms(degrees + width);
  const base = gammaTerms(degrees);
  return base.logGamma - half.logGamma + width / 2 * Math.log(degrees * Math.PI) +
    (degrees + width) / 2 * (half.psi - base.psi);
}

/** A discrete distribution: the probability of each combination of sources' and target's values. */
export interface DiscreteOptions {
  readonly name: string;
  readonly about: string;
  /** Outcomes: values of the sources, value of the target, probability. Probabilities sum to 1. */
  readonly outcomes: readonly { readonly sources: readonly number[]; readonly target: number; readonly p: number }[];
}

/** A set of discrete variables; v(S) from the table of probabilities. */
export function discreteSet({ name, about, outcomes }: DiscreteOptions): InformationSet {
  const m = outcomes[0].sources.length;
  const sum = outcomes.reduce((total, { p }) => total + p, 0);
  if (Math.abs(sum - 1) > 1e-9) {
    throw new Refusal({ what: `make "${name}"`, must: "probabilities must sum to 1", found: `found ${sum}` });
  }
  const entropyOf = (key: (outcome: DiscreteOptions["outcomes"][number]) => string) => {
    const table = new Map<string, number>();
    for (const outcome of outcomes) table.set(key(outcome), (table.get(key(outcome)) ?? 0) + outcome.p);
    return [...table.values()].reduce((total, p) => p > 0 ? total - p * Math.log(p) : total, 0);
  };
  const hy = entropyOf(({ target }) => String(target));
  const cumulative = outcomes.map((_, k) => outcomes.slice(0, k + 1).reduce((total, { p }) => total + p, 0));
  return {
    name,
    about,
    sources: named(m),
    truth: truthOf(m, (subset) => {
      const chosen = (sources: readonly number[]) => members(subset, m).map((u) => sources[u]).join();
      return entropyOf(({ sources }) => chosen(sources)) + hy -
        entropyOf(({ sources, target }) => `${chosen(sources)};${target}`);
    }),
    sample(count, random) {
      const drawn = Array.from({ length: count }, () => {
        const u = random.uniform() * sum;
        const index = cumulative.findIndex((edge) => u < edge);
        return outcomes[index === -1 ? outcomes.length - 1 : index];
      });
      const points = (value: (outcome: typeof drawn[number]) => number): Points => ({
        values: Float64Array.from(drawn, value),
        width: 1,
      });
      return {
        sources: byModality(named(m), (_, u) => points(({ sources }) => sources[u])),
        target: points(({ target }) => target),
      };
    },
  };
}

/** X uniform in [0, 1], Y = X + uniform noise in [-epsilon, epsilon]: I = epsilon - ln 2 epsilon, or 1 / 4 epsilon. */
export function additiveUniformSet(epsilon: number): InformationSet {
  return {
    name: `additive-uniform-${epsilon}`,
    about: `a uniform variable and itself with uniform noise of half-width ${epsilon}`,
    sources: named(1),
    truth: truthOf(1, () => epsilon > 0.5 ? 1 / (4 * epsilon) : epsilon - Math.log(2 * epsilon)),
    sample(count, random) {
      const x = Float64Array.from({ length: count }, () => random.uniform());
      return {
        sources: { x1: { values: x, width: 1 } },
        target: { values: x.map((value) => value + epsilon * (2 * random.uniform() - 1)), width: 1 },
      };
    },
  };
}

/** Two fair bits and a target: the four textbook cases of how sources share their information. */
export const bitSets: Readonly<Record<"redundant" | "unique" | "synergy" | "copy", InformationSet>> = {
  redundant: bitSet("redundant", "both sources are the target", (a) => a, true),
  unique: bitSet("unique", "the first source is the target, the second is independent", (a) => a),
  synergy: bitSet("synergy", "the target is the exclusive or of two independent sources", (a, b) => a ^ b),
  copy: bitSet("copy", "the target is the pair of both independent sources", (a, b) => 2 * a + b),
};

function bitSet(name: string, about: string, target: (a: number, b: number) => number, same = false): InformationSet {
  const pairs = same ? [[0, 0], [1, 1]] : [[0, 0], [0, 1], [1, 0], [1, 1]];
  return discreteSet({
    name,
    about,
    outcomes: pairs.map(([a, b]) => ({ sources: [a, b], target: target(a, b), p: 1 / pairs.length })),
  });
}

/** Correlation matrix of sources x1, x2 and target y, row-major. */
export function tripleCorrelation(x1y: number, x2y: number, x1x2: number): number[] {
  return [1, x1x2, x1y, x1x2, 1, x2y, x1y, x2y, 1];
}

/** A bivariate normal pair of correlation rho: I = -1/2 ln(1 - rho^2). */
export function gaussianPair(rho: number): InformationSet {
  return ellipticalSet({
    name: `normal-${rho}`,
    about: `two normal variables of correlation ${rho}`,
    covariance: [1, rho, rho, 1],
    widths: [1],
    targetWidth: 1,
  });
}
