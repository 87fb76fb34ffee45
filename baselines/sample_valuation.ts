/**
 * Sample-level modality valuation.
 *
 * @module
 */
import { defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";
import { maskedPasses, ordersOption, sampleContributions, warmupOption, withMaskedCopies } from "./valuation.ts";
import { needsTwo } from "./unimodal.ts";

/** Options of `sample-valuation`. */
export interface SampleValuationOptions {
  readonly warmup: number;
  readonly thresholds: readonly number[];
  readonly orders: number;
}

/** The released code's thresholds. */
const THRESHOLDS: readonly number[] = [0.9, 0.4, -0.1];

/** Extra copies by contribution: 0 from the first threshold on, 1 above the second, 2 above the third, else 3. */
export function copiesFor(contribution: number, [none, one, two]: readonly number[] = THRESHOLDS): number {
  if (contribution >= none) return 0;
  if (contribution > one) return 1;
  return contribution > two ? 2 : 3;
}

/** Repeats each sample with only its under-contributing modality, the more the less it contributes. */
export const sampleValuation: MethodPlugin = defineMethod<SampleValuationOptions>({
  name: "sample-valuation",
  about: "re-samples each sample's under-contributing modality alone, by Shapley contributions",
  formula: `v(S) = |S| if the prediction from S is right, else 0;  phi_u = Shapley value of v
    copies with u only: 0 if phi_u >= .9, 1 if > .4, 2 if > -.1, else 3`,
  source: 'Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024',
  options: {
    warmup: warmupOption,
    thresholds: {
      type: "numbers",
      default: THRESHOLDS,
      about: "contributions from which a modality gets no copy, and above which one or two; falling",
      source: "released code; 1 is a full contribution for any number of modalities",
    },
    orders: ordersOption,
  },
  cost: { forwards: 1, backwards: 1 },
  passes: ({ orders }, context) => maskedPasses(context, orders),
  refuses: (_fusion, context, { thresholds }) => {
    const falling = thresholds.length === 3 && thresholds[0] > thresholds[1] && thresholds[1] > thresholds[2];
    return falling ? needsTwo(context) : `its thresholds must be three falling numbers: found ${thresholds.join(", ")}`;
  },
  create: ({ warmup, thresholds, orders }, { modalities }) => {
    const m = modalities.length;
    let counts: Record<string, number> = {};
    return {
      name: "sample-valuation",
      declares: { keep: true, claims: ["add copies with modalities dropped"] },
      async plan(host, base) {
        counts = {};
        if (host.epoch < warmup) return base;
        const planned = [];
        for (const [index, segment] of base.entries()) {
          const distinct = Int32Array.from(new Set(segment.items)).sort();
          const phi = await sampleContributions(host, distinct, orders);
          const copies: { item: number; keep: number[] }[] = [];
          distinct.forEach((item, n) => {
            modalities.forEach((modality, u) => {
              const count = copiesFor(phi[n * m + u], thresholds);
              counts[modality] = (counts[modality] ?? 0) + count;
              const keep = modalities.map((_, v) => v === u ? 1 : 0);
              for (let copy = 0; copy < count; copy++) copies.push({ item, keep });
            });
          });
          const order = host.random.split("sample-valuation", index).permutation(segment.items.length + copies.length);
          planned.push({ ...segment, ...withMaskedCopies(segment.items, copies, m, order) });
        }
        return planned;
      },
      report: () => ({ copies: { ...counts } }),
    };
  },
});
