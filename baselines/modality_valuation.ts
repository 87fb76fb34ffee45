/**
 * Modality-level valuation.
 *
 * @module
 */
import { defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";
import { maskedPasses, ordersOption, sampleContributions, warmupOption, withMaskedCopies } from "./valuation.ts";
import { needsTwo } from "./unimodal.ts";

/** Options of `modality-valuation`. */
export interface ModalityValuationOptions {
  readonly warmup: number;
  readonly share: number;
  readonly alpha: number;
  readonly curve: "linear" | "tanh" | "power";
  readonly many: "proportional" | "nested";
  readonly orders: number;
}

/** Share of samples to repeat for a mean difference of gaps. */
export function repeatedShare(difference: number, alpha: number, curve: ModalityValuationOptions["curve"]): number {
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

/**
 * Repeats samples with only the modality that contributes least on average.
 *
 * For two modalities the one with the larger gap 1 - mean phi. The paper defines it for two; for more, the difference is the
 * mean over pairs, and each copy's modality is drawn with probability proportional to gap_u - min gap. BalanceBenchmark's
 * form adds one copy per modality to every drawn sample, without the modalities of smaller gap (`many: "nested"`). Where all
 * gaps are equal there are no copies.
 */
export const modalityValuation: MethodPlugin = defineMethod<ModalityValuationOptions>({
  name: "modality-valuation",
  about: "re-samples the modality that contributes least on average",
  formula: `gap_u = 1 - mean over a sample of the training set of phi_u;  p = f(2/3 mean |gap_u - gap_v| alpha)
    floor(p N) copies with only the modality of the larger gap`,
  source: 'Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024',
  options: {
    warmup: warmupOption,
    share: {
      type: "number",
      default: 0.2,
      min: 0.01,
      max: 1,
      tune: [0.1, 0.2, 1],
      about: "share of the training set that is valuated",
      source: "released code",
    },
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
    orders: ordersOption,
  },
  cost: { forwards: 1, backwards: 1 },
  passes: ({ share, orders }, context) => share * maskedPasses(context, orders),
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ warmup, share, alpha, curve, many, orders }, { modalities }) => {
    const m = modalities.length;
    let gaps: number[] = [];
    let copies = 0;
    return {
      name: "modality-valuation",
      declares: { keep: true, claims: ["add copies with modalities dropped"] },
      async plan(host, base) {
        gaps = [];
        copies = 0;
        if (host.epoch < warmup) return base;
        const n = host.labels("train").length;
        const random = host.random.split("modality-valuation");
        const drawn = Int32Array.from({ length: Math.max(1, Math.floor(share * n)) }, () => random.integer(n));
        const phi = await sampleContributions(host, drawn, orders);
        gaps = modalities.map((_, u) => {
          let sum = 0;
          for (let i = u; i < phi.length; i += m) sum += phi[i];
          return 1 - sum / drawn.length;
        });
        const repeated = Math.floor(repeatedShare(gapDifference(gaps), alpha, curve) * n);
        if (repeated === 0) return base;
        const added = Array.from({ length: repeated }, () => {
          const item = random.integer(n);
          const kept = m > 2 && many === "nested" ? nestedCopies(gaps) : [keptOfCopy(gaps, random.uniform())];
          return kept.map((keep) => ({ item, keep }));
        }).flat();
        copies = added.length;
        return base.map((segment, index) => {
          if (index > 0) return { ...segment, keep: new Uint8Array(segment.items.length * m).fill(1) };
          const order = random.split("order").permutation(segment.items.length + added.length);
          return { ...segment, ...withMaskedCopies(segment.items, added, m, order) };
        });
      },
      report: () => ({
        copies,
        ...Object.fromEntries(gaps.map((gap, u) => [`gap:${modalities[u]}`, gap])),
      }),
    };
  },
});
