/**
 * What the paper as printed and the released code give, and what the latter's use of test labels is worth.
 *
 * @module
 */
import { part } from "../config.ts";
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armWith, cell, plain } from "./arm_shared.ts";

/** All presets; the paper also with more bins than coordinates fill, the released code with weights of 1 at test. */
export const armPresets: GridPlugin = defineGrid({
  name: "arm-presets",
  question: "What do ARM's presets give on av-digits, and what is the released code's use of test labels worth?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    armWith("arm"),
    cell("arm-literal", [["arm-literal", {}]]),
    cell("arm-literal, 8 bins", [["arm-literal", {
      estimator: part("histogram", { binning: "soft", bins: 8, cmiBins: 8 }),
    }]]),
    cell("arm-official", [["arm-official", {}]]),
    cell("arm-official, weights 1 at test", [["arm-official", { fwTest: "one" }]]),
  ],
});
