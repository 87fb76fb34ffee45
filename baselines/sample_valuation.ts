/**
 * Sample-level modality valuation.
 *
 * @module
 */
import { defineMethod, type MethodPlugin, type SamplerPlugin } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { maskedCopies, maskedCounts } from "../sampling/masked_copies.ts";
import { maskedPasses, ordersOption, sampleContributions, samplerRefusal, warmupOption } from "./valuation.ts";
import { needsTwo } from "./unimodal.ts";

/** Options of `sample-valuation`. */
export interface SampleValuationOptions {
  readonly warmup: number;
  readonly sampler: BoundPart<SamplerPlugin>;
  readonly orders: number;
}

/** Values every sample by masked passes, and hands the contributions to a sampler. */
export const sampleValuation: MethodPlugin = defineMethod<SampleValuationOptions>({
  name: "sample-valuation",
  about: "re-samples each sample's under-contributing modality alone, by Shapley contributions",
  formula: `v(S) = |S| if the prediction from S is right, else 0;  phi_u = Shapley value of v
    copies with u only: 0 if phi_u >= .9, 1 if > .4, 2 if > -.1, else 3`,
  source: 'Wei et al., "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024',
  options: {
    warmup: warmupOption,
    sampler: {
      type: "part",
      kind: "sampler",
      default: use(maskedCopies),
      about: "what is made of every sample's contributions",
      source: "released code",
    },
    orders: ordersOption,
  },
  cost: { forwards: 1, backwards: 1 },
  passes: ({ orders }, context) => maskedPasses(context, orders),
  refuses: (_fusion, context, { sampler }) => samplerRefusal(sampler) ?? needsTwo(context),
  create: ({ warmup, sampler, orders }, context) => {
    const { plan } = sampler.plugin.create(sampler.options, context);
    let copies: Record<string, number> = {};
    return {
      name: "sample-valuation",
      declares: { keep: sampler.plugin.keep, claims: ["add copies with modalities dropped"] },
      async plan(host, base) {
        copies = {};
        if (host.epoch < warmup) return base;
        const items = Int32Array.from(new Set(base.flatMap((segment) => [...segment.items]))).sort();
        const contributions = await sampleContributions(host, items, orders);
        const random = host.random.split("sample-valuation");
        const planned = plan(base, { labels: host.labels("train"), random, valued: { items, contributions } });
        copies = maskedCounts(planned, context.modalities);
        return planned;
      },
      report: () => ({ copies: { ...copies } }),
    };
  },
});
