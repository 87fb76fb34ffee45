/** Parity cases of every kernel. The type checker holds the table complete. */
import type { KernelName } from "../../../engines/onnx/trace/kernels.ts";
import type { Case } from "./case.ts";
import { convCases } from "./conv.ts";
import { elementwiseCases } from "./elementwise.ts";
import { gatherCases } from "./gather.ts";
import { imageCases } from "./image.ts";
import { logicCases } from "./logic.ts";
import { matmulCases } from "./matmul.ts";
import { poolCases } from "./pool.ts";
import { reductionCases } from "./reduction.ts";
import { shapeCases } from "./shape.ts";

/** Cases by family of kernels. */
export const parityFamilies = {
  elementwise: elementwiseCases,
  logic: logicCases,
  reduction: reductionCases,
  matmul: matmulCases,
  conv: convCases,
  pool: poolCases,
  image: imageCases,
  shape: shapeCases,
  gather: gatherCases,
} as const;

type Family = typeof parityFamilies[keyof typeof parityFamilies];
type Covered = Family extends infer F ? (F extends unknown ? keyof F : never) : never;

/** Kernels without a case, but for noise, which has tests of its own: this compiles only if there are none. */
export const uncovered: Readonly<Record<Exclude<KernelName, Covered | "ArmlabNoise">, readonly Case[]>> = {};
