/**
 * Definitions of parts.
 *
 * @module
 */
export {
  defineDataset,
  defineEncoder,
  defineEngine,
  defineEstimator,
  defineFusion,
  defineGrid,
  defineLoss,
  defineMethod,
  defineSampler,
} from "./kinds/mod.ts";
