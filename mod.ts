/**
 * armlab: balanced multimodal training, compared honestly.
 *
 * The front door. Each room is also an entry of its own (`@armlab/armlab/fusion`, `/miv`, …), which pulls in nothing
 * else.
 *
 * @example Train concatenation and ARM on two seeds and compare them
 * ```ts no-eval
 * import { configurations, createLibrary, part, resultTable, runGrid } from "@armlab/armlab";
 *
 * const library = createLibrary();
 * const common = { dataset: part("av-digits", { size: "mini" }), encoder: part("mlp"), fusion: part("concat") };
 * const { outcomes } = await runGrid({
 *   library,
 *   runs: "runs",
 *   seeds: [0, 1],
 *   cells: [
 *     { ...common, label: "concat", methods: [], training: { epochs: 2 } },
 *     { ...common, label: "arm", methods: [part("arm")], training: { epochs: 2 } },
 *   ],
 * });
 * console.log(resultTable(configurations(outcomes)));
 * ```
 *
 * @module
 */
export { Library } from "./core/library.ts";
export { type BoundPart, use } from "./core/options.ts";
export { importPlugins } from "./core/plugins.ts";
export {
  defineDataset,
  defineEncoder,
  defineEstimator,
  defineFusion,
  defineGrid,
  defineKind,
  defineLoss,
  defineMethod,
  defineSampler,
} from "./core/kinds/mod.ts";
export type {
  CellRequest,
  Dataset,
  DatasetPlugin,
  Encoder,
  EncoderPlugin,
  EnginePlugin,
  Estimator,
  EstimatorPlugin,
  Features,
  Fusion,
  FusionOutput,
  FusionPlugin,
  GridPlugin,
  Host,
  Information,
  Loss,
  LossPlugin,
  Method,
  MethodPlugin,
  ModelContext,
  Sampler,
  SamplerPlugin,
  Segment,
  Split,
  Step,
  TrainStep,
} from "./core/kinds/mod.ts";
export { buildModel, part, resolveConfig } from "./experiments/config.ts";
export { type ConfigurationResult, configurations } from "./experiments/results.ts";
export { resultTable } from "./experiments/table.ts";
export { type CellOutcome, type GridOptions, type GridResult, runGrid } from "./experiments/run_grid.ts";
export { createLibrary } from "./library.ts";
export { selectEngine } from "./engines/mod.ts";
export { train } from "./training/train.ts";
export { VERSION } from "./version.ts";
