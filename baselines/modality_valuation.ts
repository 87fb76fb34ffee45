/**
 * Modality-level valuation.
 *
 * @module
 */
import { defineMethod, type MethodPlugin } from "../core/plugin.ts";
import { sampleContributions, withMaskedCopies } from "./valuation.ts";

/** Options of `modality-valuation`. */
export interface ModalityValuationOptions {
  readonly warmup: number;
  readonly share: number;
  readonly alpha: number;
  readonly curve: "linear" | "tanh" | "power";
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

/**
 * Repeats samples with only the modality that contributes least on average.
 *
 * For two modalities the one with the larger gap 1 - mean phi; for more, each copy's modality is drawn with probability
 * proportional to gap_u - min gap, and the difference is the mean over pairs; no copies where all gaps are equal.
 */
export const modalityValuation: MethodPlugin = defineMethod<ModalityValuationOptions>({
  name: "modality-valuation",
  about: "re-samples the modality that contributes least on average",
  formula: `gap_u = 1 - mean over a sample of the training set of phi_u;  p = f(2/3 mean |gap_u - gap_v| alpha)
    floor(p N) copies with only the modality of the larger gap`,
  source: 'Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024',
  options: {
    warmup: { type: "integer", default: 5, min: 0, about: "first epoch with copies", source: "released code" },
    share: {
      type: "number",
      default: 0.2,
      min: 0.01,
      max: 1,
      about: "share of the training set that is valuated",
      source: "released code",
    },
    alpha: { type: "number", default: 1, min: 0, about: "strength", source: "released code" },
    curve: {
      type: "choice",
      choices: ["linear", "tanh", "power"],
      default: "linear",
      about: "from difference to share",
      source: "released code",
    },
  },
  refuses: (_fusion, { modalities }) => modalities.length < 2 ? "it compares modalities and needs at least two" : null,
  create: ({ warmup, share, alpha, curve }, { modalities }) => {
    const m = modalities.length;
    let gaps: number[] = [];
    let repeated = 0;
    return {
      name: "modality-valuation",
      declares: { keep: true },
      async plan(host, base) {
        gaps = [];
        repeated = 0;
        if (host.epoch < warmup) return base;
        const n = host.labels("train").length;
        const random = host.random.split("modality-valuation");
        const drawn = Int32Array.from({ length: Math.max(1, Math.floor(share * n)) }, () => random.integer(n));
        const phi = await sampleContributions(host, drawn);
        gaps = modalities.map((_, u) => {
          let sum = 0;
          for (let i = u; i < phi.length; i += m) sum += phi[i];
          return 1 - sum / drawn.length;
        });
        let difference = 0;
        for (let u = 0; u < m; u++) for (let v = u + 1; v < m; v++) difference += Math.abs(gaps[u] - gaps[v]);
        const p = repeatedShare(difference / (m * (m - 1) / 2), alpha, curve);
        repeated = Math.floor(p * n);
        if (repeated === 0) return base;
        const least = Math.min(...gaps);
        const total = gaps.reduce((sum, gap) => sum + gap - least, 0);
        const pick = (): number => {
          let rest = random.uniform() * total;
          for (let u = 0; u < m; u++) {
            rest -= gaps[u] - least;
            if (rest < 0) return u;
          }
          return gaps.indexOf(Math.max(...gaps));
        };
        return base.map((segment, index) => {
          if (segment.keep !== undefined) {
            throw new RangeError('Cannot use "modality-valuation" after a method that drops modalities');
          }
          if (index > 0) return { ...segment, keep: new Uint8Array(segment.items.length * m).fill(1) };
          const copies = Array.from({ length: repeated }, () => {
            const only = pick();
            return { item: random.integer(n), keep: modalities.map((_, v) => v === only ? 1 : 0) };
          });
          const order = random.split("order").permutation(segment.items.length + copies.length);
          return { ...segment, ...withMaskedCopies(segment.items, copies, m, order) };
        });
      },
      report: () => ({
        copies: repeated,
        ...Object.fromEntries(gaps.map((gap, u) => [`gap:${modalities[u]}`, gap])),
      }),
    };
  },
});
