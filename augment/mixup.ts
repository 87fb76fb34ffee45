/**
 * Mixtures of two samples.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import type { Random } from "../core/random.ts";

/** Gamma(shape, 1) for a shape of at least 1 (Marsaglia and Tsang, 2000). */
function gamma(shape: number, random: Random): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  while (true) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < x * x / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Beta(a + 1, a). */
export function leadingShare(alpha: number, random: Random): number {
  const own = gamma(alpha + 1, random);
  // Gamma of a shape below 1 from that of the shape above it.
  const other = gamma(alpha + 1, random) * (1 - random.uniform()) ** (1 / alpha);
  return own / (own + other);
}

/**
 * mixup: a sample with a share of another.
 *
 * The loss is linear in labels, and which of the two samples is called the first is chance: so l weighted by Beta(a, a) and
 * a mixed label is, in expectation, the label of the first alone with l ~ Beta(a + 1, a). Labels stay what they are.
 */
export const mixup: AugmentationPlugin = defineAugmentation<{ readonly modality: string; readonly alpha: number }>({
  name: "mixup",
  everywhere: true,
  about: "mixes a sample with another of training, the same share in all its modalities of numbers",
  formula: "x <- l x + (1 - l) x', y stays, l ~ Beta(alpha + 1, alpha), x' uniform over training",
  source: 'Zhang et al., "mixup", ICLR 2018; labels as in Huszar, "mixup: Data-Dependent Data Augmentation", 2017',
  options: {
    modality: {
      type: "text",
      default: "",
      about: "the modality that it is for; none means all of numbers",
      source: "Zhang et al. mix the whole input",
    },
    alpha: {
      type: "number",
      default: 0.2,
      min: 0.01,
      max: 100,
      about: "how evenly two are mixed",
      source: "Zhang et al., ImageNet: 0.1 to 0.4",
      tune: [0.1, 0.2, 0.4],
    },
  },
  refuses: ({ vocabulary }) => vocabulary === undefined ? null : "it takes numbers, not ids",
  create: ({ alpha }) => ({ share: (random) => leadingShare(alpha, random) }),
});
