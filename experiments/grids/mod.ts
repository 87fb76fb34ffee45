/**
 * All grids.
 *
 * @module
 */
import type { GridPlugin } from "../../core/kinds/mod.ts";
import { iconAdding, mojiAdding } from "./adding.ts";
import { armFusions } from "./arm_fusions.ts";
import { armLosses } from "./arm_losses.ts";
import { armModules, armReadouts } from "./arm_modules.ts";
import { armPresets } from "./arm_presets.ts";
import { armResampling, armResamplingEpochs } from "./arm_resampling.ts";
import { armSensitivity } from "./arm_sensitivity.ts";
import { armStudy, armStudyHard } from "./arm_study.ts";
import { baselines } from "./baselines.ts";
import { fusion } from "./fusion.ts";
import { embeddedImbalance, iconImbalance, imbalance, mojiImbalance } from "./imbalance.ts";
import { learningRate } from "./learning_rate.ts";
import { figures } from "./paper/figures.ts";
import { q7, q8, table1, table2, table3, table4, table5, table6 } from "./paper/tables.ts";
import { quick } from "./quick.ts";

export {
  armFusions,
  armLosses,
  armModules,
  armPresets,
  armReadouts,
  armResampling,
  armResamplingEpochs,
  armSensitivity,
  armStudy,
  armStudyHard,
  baselines,
  embeddedImbalance,
  fusion,
  iconAdding,
  iconImbalance,
  imbalance,
  learningRate,
  mojiAdding,
  mojiImbalance,
  quick,
};

/** Tables and figures of the paper, in its order. */
export const paperGrids: readonly GridPlugin[] = [
  table1,
  table2,
  table3,
  table4,
  table5,
  table6,
  q7,
  q8,
  ...figures,
];

/** Grids by the order in which they are listed. */
export const grids: readonly GridPlugin[] = [
  quick,
  fusion,
  baselines,
  imbalance,
  armModules,
  armReadouts,
  armLosses,
  armPresets,
  armResampling,
  armResamplingEpochs,
  armSensitivity,
  learningRate,
  mojiAdding,
  iconAdding,
  mojiImbalance,
  iconImbalance,
  embeddedImbalance,
  armStudy,
  armStudyHard,
  armFusions,
  ...paperGrids,
];
