/**
 * Copies of samples with only some of their modalities: what sample- and modality-level valuation plan.
 *
 * @see Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024.
 * @module
 */
import { defineSampler, type SamplerPlugin, type Segment } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";

const source = 'Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024';

/** Adds samples with only some modalities kept to an epoch's samples with all of them; shuffled. */
export function withMaskedCopies(
  items: Int32Array,
  copies: readonly { readonly item: number; readonly keep: readonly number[] }[],
  m: number,
  order: Int32Array,
): { items: Int32Array; keep: Uint8Array } {
  const all = new Int32Array(items.length + copies.length);
  const keep = new Uint8Array(all.length * m).fill(1);
  order.forEach((from, to) => {
    const copy = copies[from - items.length];
    all[to] = copy === undefined ? items[from] : copy.item;
    if (copy !== undefined) keep.set(copy.keep, to * m);
  });
  return { items: all, keep };
}

/** How many copies a plan has that keep each modality, beside the samples with all. */
export function maskedCounts(plan: readonly Segment[], modalities: readonly string[]): Record<string, number> {
  const m = modalities.length;
  const counts: Record<string, number> = {};
  for (const { keep } of plan) {
    if (keep === undefined) continue;
    for (const modality of modalities) counts[modality] ??= 0;
    for (let at = 0; at < keep.length; at += m) {
      if (keep.subarray(at, at + m).every((flag) => flag === 1)) continue;
      modalities.forEach((modality, u) => counts[modality] += keep[at + u]);
    }
  }
  return counts;
}

/** The released code's thresholds. */
const THRESHOLDS: readonly number[] = [0.9, 0.4, -0.1];

/** Extra copies by contribution: 0 from the first threshold on, 1 above the second, 2 above the third, else 3. */
export function copiesFor(contribution: number, [none, one, two]: readonly number[] = THRESHOLDS): number {
  if (contribution >= none) return 0;
  if (contribution > one) return 1;
  return contribution > two ? 2 : 3;
}

/** Options of `masked-copies`. */
export interface MaskedCopiesOptions {
  readonly thresholds: readonly number[];
}

/** Sample-level: each sample's under-contributing modalities alone, the more often the less they contribute. */
export const maskedCopies: SamplerPlugin = defineSampler<MaskedCopiesOptions>({
  name: "masked-copies",
  about: "repeats each sample with only its under-contributing modality, the more the less it contributes",
  formula: "copies with u only: 0 if phi_u >= .9, 1 if > .4, 2 if > -.1, else 3",
  source,
  needs: "contributions",
  keep: true,
  options: {
    thresholds: {
      type: "numbers",
      default: THRESHOLDS,
      about: "contributions from which a modality gets no copy, and above which one or two; falling",
      source: "released code; 1 is a full contribution for any number of modalities",
    },
  },
  create({ thresholds }, { modalities }) {
    if (!(thresholds.length === 3 && thresholds[0] > thresholds[1] && thresholds[1] > thresholds[2])) {
      throw new Refusal({
        what: "repeat samples by thresholds",
        must: "they must be three falling numbers",
        found: `found ${thresholds.join(", ") || "none"}`,
      });
    }
    const m = modalities.length;
    return {
      plan(base, { valued, random }) {
        const { items, contributions } = valued!;
        const row = new Map(Array.from(items, (item, n) => [item, n]));
        return base.map((segment, index) => {
          const copies: { item: number; keep: number[] }[] = [];
          for (const item of Int32Array.from(new Set(segment.items)).sort()) {
            modalities.forEach((_, u) => {
              const count = copiesFor(contributions[row.get(item)! * m + u], thresholds);
              const keep = modalities.map((_, v) => v === u ? 1 : 0);
              for (let copy = 0; copy < count; copy++) copies.push({ item, keep });
            });
          }
          const order = random.split(index).permutation(segment.items.length + copies.length);
          return { ...segment, ...withMaskedCopies(segment.items, copies, m, order) };
        });
      },
    };
  },
});

/** Options of `masked-share`. */
export interface MaskedShareOptions {
  readonly alpha: number;
  readonly curve: "linear" | "tanh" | "power";
  readonly many: "proportional" | "nested";
}

/** Share of samples to repeat for a mean difference of gaps. */
export function repeatedShare(difference: number, alpha: number, curve: MaskedShareOptions["curve"]): number {
  const scaled = 2 / 3 * difference;
  const share = curve === "linear"
    ? scaled * alpha
    : curve === "tanh"
    ? Math.tanh(scaled * alpha)
    : scaled ** 1.5 * alpha;
  return Math.min(1, share);
}

/** Mean of |gap_u - gap_v| over all pairs. */
export function gapDifference(gaps: readonly number[]): number {
  const pairs = gaps.flatMap((gap, u) => gaps.slice(u + 1).map((other) => Math.abs(gap - other)));
  return pairs.reduce((sum, difference) => sum + difference, 0) / Math.max(1, pairs.length);
}

/**
 * Which modalities a copy keeps: 1 or 0 each. Of two modalities always the one with the larger gap alone.
 *
 * @param draw Uniform in [0, 1).
 */
export function keptOfCopy(gaps: readonly number[], draw: number): number[] {
  const least = Math.min(...gaps);
  let rest = draw * gaps.reduce((sum, gap) => sum + gap - least, 0);
  // Rounding may use up the last share; the largest gap then takes what is left.
  let chosen = gaps.indexOf(Math.max(...gaps));
  for (const [u, gap] of gaps.entries()) {
    rest -= gap - least;
    if (rest < 0) {
      chosen = u;
      break;
    }
  }
  return gaps.map((_, u) => u === chosen ? 1 : 0);
}

/** The copies of one sample in the nested form: for each modality, those whose gap is at least as large. */
export function nestedCopies(gaps: readonly number[]): number[][] {
  return gaps.map((gap) => gaps.map((other) => other >= gap ? 1 : 0));
}

/** 1 - mean contribution of each modality. */
export function contributionGaps(contributions: ArrayLike<number>, m: number): number[] {
  const rows = contributions.length / m;
  return Array.from({ length: m }, (_, u) => {
    let sum = 0;
    for (let i = u; i < contributions.length; i += m) sum += contributions[i];
    return 1 - sum / rows;
  });
}

/**
 * Modality-level: a share of the samples again, with only the modality that contributes least on average.
 *
 * For two modalities the one with the larger gap 1 - mean phi. The paper defines it for two; for more, the difference is the
 * mean over pairs, and each copy's modality is drawn with probability proportional to gap_u - min gap. BalanceBenchmark's
 * form adds one copy per modality to every drawn sample, without the modalities of smaller gap (`many: "nested"`). Where all
 * gaps are equal there are no copies.
 */
export const maskedShare: SamplerPlugin = defineSampler<MaskedShareOptions>({
  name: "masked-share",
  about: "repeats a share of the samples with only the modality that contributes least on average",
  formula: `gap_u = 1 - mean phi_u;  p = f(2/3 mean |gap_u - gap_v| alpha)
    floor(p N) copies with only the modality of the larger gap`,
  source,
  needs: "contributions",
  keep: true,
  options: {
    alpha: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.5, 1, 2],
      about: "strength: more copies the larger",
      source: "released code",
    },
    curve: {
      type: "choice",
      choices: ["linear", "tanh", "power"],
      default: "linear",
      about: "from difference to share",
      source: "released code",
    },
    many: {
      type: "choice",
      choices: ["proportional", "nested"],
      default: "proportional",
      about: "more than two modalities: one drawn by its gap per copy, or nested sets for every drawn sample",
      source: "the paper has two; nested as in BalanceBenchmark",
    },
  },
  create: ({ alpha, curve, many }, { modalities }) => {
    const m = modalities.length;
    return {
      plan(base, { valued, labels, random }) {
        const gaps = contributionGaps(valued!.contributions, m);
        const n = labels.length;
        const repeated = Math.floor(repeatedShare(gapDifference(gaps), alpha, curve) * n);
        if (repeated === 0) return base;
        const added = Array.from({ length: repeated }, () => {
          const item = random.integer(n);
          const kept = m > 2 && many === "nested" ? nestedCopies(gaps) : [keptOfCopy(gaps, random.uniform())];
          return kept.map((keep) => ({ item, keep }));
        }).flat();
        return base.map((segment, index) => {
          if (index > 0) return { ...segment, keep: new Uint8Array(segment.items.length * m).fill(1) };
          const order = random.split("order").permutation(segment.items.length + added.length);
          return { ...segment, ...withMaskedCopies(segment.items, added, m, order) };
        });
      },
    };
  },
});
