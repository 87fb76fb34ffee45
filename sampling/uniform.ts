/**
 * Every sample once.
 *
 * @module
 */
import { defineSampler, type SamplerPlugin } from "../core/kinds/mod.ts";

/** The plan as it is. */
export const uniformSampler: SamplerPlugin = defineSampler<Record<never, never>>({
  name: "uniform",
  about: "every sample once an epoch, in random order",
  source: "plain training",
  idle: true,
  options: {},
  create: () => ({ plan: (base) => base }),
});
