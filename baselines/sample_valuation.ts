/**
 * Sample-level modality valuation.
 *
 * @module
 */
import { defineMethod, type MethodPlugin } from "../core/plugin.ts";
import { sampleContributions, withMaskedCopies } from "./valuation.ts";

/** Options of `sample-valuation`. */
export interface SampleValuationOptions {
  readonly warmup: number;
}

/** Extra copies by contribution: 0 from .9 on, 1 above .4, 2 above -.1, else 3. */
export function copiesFor(contribution: number): number {
  if (contribution >= 0.9) return 0;
  if (contribution > 0.4) return 1;
  return contribution > -0.1 ? 2 : 3;
}

/** Repeats each sample with only its under-contributing modality, the more the less it contributes. */
export const sampleValuation: MethodPlugin = defineMethod<SampleValuationOptions>({
  name: "sample-valuation",
  about: "re-samples each sample's under-contributing modality alone, by Shapley contributions",
  formula: `v(S) = |S| if the prediction from S is right, else 0;  phi_u = Shapley value of v
    copies with u only: 0 if phi_u >= .9, 1 if > .4, 2 if > -.1, else 3`,
  source: 'Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024',
  options: {
    warmup: { type: "integer", default: 5, min: 0, about: "first epoch with copies", source: "released code" },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, { modalities }) => modalities.length < 2 ? "it compares modalities and needs at least two" : null,
  create: ({ warmup }, { modalities }) => {
    const m = modalities.length;
    let counts: Record<string, number> = {};
    return {
      name: "sample-valuation",
      declares: { keep: true },
      async plan(host, base) {
        counts = {};
        if (host.epoch < warmup) return base;
        const planned = [];
        for (const [index, segment] of base.entries()) {
          if (segment.keep !== undefined) {
            throw new RangeError('Cannot use "sample-valuation" after a method that drops modalities');
          }
          const distinct = Int32Array.from(new Set(segment.items)).sort();
          const phi = await sampleContributions(host, distinct);
          const copies: { item: number; keep: number[] }[] = [];
          distinct.forEach((item, n) => {
            modalities.forEach((modality, u) => {
              const count = copiesFor(phi[n * m + u]);
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
