/**
 * A sampler of one's own, in one file: the samples of least joint contribution are drawn twice, the others once.
 *
 * In ARM: `deno task bench --plugin ./examples/weakest_first.ts --method arm --set arm.sampler=weakest --set arm.sampler.share=0.2`
 *
 * Outside this repository the import below is `@armlab/armlab`.
 *
 * @module
 */
import { defineSampler, type SamplerPlugin } from "../mod.ts";

/** Options of `weakest`. */
export interface WeakestOptions {
  readonly share: number;
}

/** Repeats the share of samples that ARM's valuation finds weakest. */
export const weakest: SamplerPlugin = defineSampler<WeakestOptions>({
  name: "weakest",
  about: "draws the samples of least joint contribution twice, the weakest ones first",
  formula: "the share of smallest phi(X) once more, before all others",
  source: "an example",
  needs: "joint",
  options: {
    share: {
      type: "number",
      default: 0.5,
      min: 0,
      max: 1,
      tune: [0.2, 0.5],
      about: "share of the samples that is drawn twice",
      source: "an example",
    },
  },
  create: ({ share }) => ({
    // A function of its arguments alone: randomness comes from the stream that it is given.
    plan: (base, { joint, random }) =>
      base.map((segment, index) => {
        const sorted = segment.items.slice().sort((a, b) => joint![a] - joint![b] || a - b);
        const weak = random.split(index).shuffle(sorted.subarray(0, Math.round(share * sorted.length)));
        const items = new Int32Array(weak.length + segment.items.length);
        items.set(weak);
        items.set(segment.items, weak.length);
        return { ...segment, items };
      }),
  }),
});
