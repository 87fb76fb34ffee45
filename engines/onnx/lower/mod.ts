/**
 * The rule table: every tfjs kernel that can be compiled. The type checker holds it complete.
 *
 * @module
 */
import type { Kernels } from "../trace/kernels.ts";
import { convRules } from "./conv.ts";
import { depthwiseRules } from "./depthwise.ts";
import { elementwiseRules } from "./elementwise.ts";
import { gatherRules } from "./gather.ts";
import { logicRules } from "./logic.ts";
import { matmulRules } from "./matmul.ts";
import { noiseRules } from "./noise.ts";
import { normalisationRules } from "./normalisation.ts";
import { reductionRules } from "./reduction.ts";
import { resizeRules } from "./resize.ts";
import type { KernelRule } from "./rule.ts";
import { shapeRules } from "./shape.ts";

/** Rules by kernel. */
export const kernelRules: { readonly [K in keyof Kernels]: KernelRule<K> } = {
  ...elementwiseRules,
  ...logicRules,
  ...reductionRules,
  ...matmulRules,
  ...convRules,
  ...depthwiseRules,
  ...normalisationRules,
  ...resizeRules,
  ...shapeRules,
  ...gatherRules,
  ...noiseRules,
};
