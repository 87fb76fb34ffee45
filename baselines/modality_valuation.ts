/**
 * Modality-level valuation.
 *
 * @module
 */
import { defineMethod, type MethodPlugin, type SamplerPlugin } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { contributionGaps, maskedShare } from "../sampling/masked_copies.ts";
import { maskedPasses, ordersOption, sampleContributions, samplerRefusal, warmupOption } from "./valuation.ts";
import { needsTwo } from "./unimodal.ts";

/** Options of `modality-valuation`. */
export interface ModalityValuationOptions {
  readonly warmup: number;
  readonly share: number;
  readonly sampler: BoundPart<SamplerPlugin>;
  readonly orders: number;
}

const count = (plan: readonly { readonly items: Int32Array }[]) =>
  plan.reduce((sum, { items }) => sum + items.length, 0);

/** Values a random share of the training set by masked passes, and hands the contributions to a sampler. */
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
    sampler: {
      type: "part",
      kind: "sampler",
      default: use(maskedShare),
      about: "what is made of the valuated samples' contributions",
      source: "released code",
    },
    orders: ordersOption,
  },
  cost: { forwards: 1, backwards: 1 },
  passes: ({ share, orders }, context) => share * maskedPasses(context, orders),
  refuses: (_fusion, context, { sampler, share }) =>
    samplerRefusal(sampler) ??
      (sampler.name === "masked-copies" && share < 1
        ? "masked-copies needs every sample valued, which sample-valuation does"
        : needsTwo(context)),
  create: ({ warmup, share, sampler, orders }, context) => {
    const { plan } = sampler.plugin.create(sampler.options, context);
    let gaps: number[] = [];
    let copies = 0;
    return {
      name: "modality-valuation",
      declares: { keep: sampler.plugin.keep, claims: ["add copies with modalities dropped"] },
      async plan(host, base) {
        gaps = [];
        copies = 0;
        if (host.epoch < warmup) return base;
        const labels = host.labels("train");
        const random = host.random.split("modality-valuation");
        const items = Int32Array.from(
          { length: Math.max(1, Math.floor(share * labels.length)) },
          () => random.integer(labels.length),
        );
        const contributions = await sampleContributions(host, items, orders);
        gaps = contributionGaps(contributions, context.modalities.length);
        const planned = plan(base, { labels, random, valued: { items, contributions } });
        copies = count(planned) - count(base);
        return planned;
      },
      report: () => ({
        copies,
        ...Object.fromEntries(gaps.map((gap, u) => [`gap:${context.modalities[u]}`, gap])),
      }),
    };
  },
});
