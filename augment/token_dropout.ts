/**
 * Tokens left out.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import { modality } from "./inputs.ts";

interface Options {
  readonly modality: string;
  readonly p: number;
  readonly as: number;
}

/** token-dropout: replaces tokens. */
export const tokenDropout: AugmentationPlugin = defineAugmentation<Options>({
  name: "token-dropout",
  about: "replaces tokens by padding, as if they were not there",
  source: 'Iyyer et al., "Deep Unordered Composition", ACL 2015: word dropout',
  tiny: { modality: "text" },
  options: {
    modality,
    p: {
      type: "number",
      default: 0.1,
      min: 0,
      max: 1,
      about: "probability of each token",
      source: "chosen here: Iyyer et al. found 0.3 best for averages of words",
      tune: [0.1, 0.2, 0.3],
    },
    as: { type: "integer", default: 0, min: 0, about: "the id that it becomes", source: "0 is padding" },
  },
  refuses: ({ vocabulary }, { as }) =>
    vocabulary === undefined
      ? "it takes token ids"
      : as < vocabulary
      ? null
      : `ids are 0..${vocabulary - 1}: found as = ${as}`,
  create: ({ p, as }) => ({
    apply(values, random) {
      for (let i = 0; i < values.length; i++) if (values[i] !== 0 && random.uniform() < p) values[i] = as;
    },
  }),
});
