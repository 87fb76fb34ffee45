/**
 * What the two valuation methods share: per-sample contributions from masked forward passes.
 *
 * @module
 */
import type { BoundPart, NumberOption } from "../core/options.ts";
import type { Host, ModelContext, SamplerPlugin } from "../core/kinds/mod.ts";
import { Random } from "../core/random.ts";
import { joiningOrders, membersOf, orderedContributions, subsetsOf } from "../miv/shapley.ts";

/** The option `orders` of both methods. */
export const ordersOption: NumberOption = {
  type: "integer",
  default: 32,
  min: 1,
  tune: [8, 32, 128],
  about: "random orders in which modalities join; up to four modalities all orders are taken",
  source: "four modalities have 24 orders; more cost more masked passes",
};

/** The option `warmup` of both methods. */
export const warmupOption: NumberOption = {
  type: "integer",
  default: 5,
  min: 0,
  tune: [1, 5, 10],
  about: "first epoch with copies, from 0",
  source: "released code",
};

/** Says why a sampler has no use for contributions, or `null`. */
export function samplerRefusal({ name, plugin }: BoundPart<SamplerPlugin>): string | null {
  return plugin.needs === "contributions" || plugin.needs === undefined
    ? null
    : `sampler "${name}" needs the joint contribution of every sample, which this method does not measure`;
}

/** Masked forward passes that contributions take: one per subset of modalities that the joining orders go through. */
export function maskedPasses({ modalities }: ModelContext, sampled: number): number {
  return subsetsOf(joiningOrders(modalities.length, sampled, new Random(0))).length;
}

/**
 * Shapley contributions of every modality to samples, with v(S) = |S| if the prediction from S is right, else 0
 * (absent features filled as the fusion does).
 *
 * @param items Training samples.
 * @param sampled Random joining orders where there are too many modalities for all.
 * @returns [items, m], row-major; the sum of a row is m if all modalities together are right, else 0.
 */
export async function sampleContributions(
  host: Host,
  items: Int32Array,
  sampled: number = ordersOption.default,
): Promise<Float32Array> {
  const { modalities, classes } = host;
  const m = modalities.length;
  const orders = joiningOrders(m, sampled, host.random.split("joining-orders"));
  const labels = host.labels("train");
  const right = new Map<number, Uint8Array>();
  for (const subset of subsetsOf(orders)) {
    const kept = membersOf(subset, modalities);
    const logits = await host.logits("train", kept.length === m ? undefined : kept, items);
    right.set(
      subset,
      Uint8Array.from(items, (item, n) => {
        const row = logits.subarray(n * classes, (n + 1) * classes);
        return row.indexOf(Math.max(...row)) === labels[item] ? kept.length : 0;
      }),
    );
  }
  const phi = new Float32Array(items.length * m);
  for (let n = 0; n < items.length; n++) {
    phi.set(orderedContributions(m, orders, (subset) => subset === 0 ? 0 : right.get(subset)![n]), n * m);
  }
  return phi;
}
