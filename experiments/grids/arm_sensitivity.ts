/**
 * How much do the choices that the paper leaves open, and those that were made against it, matter?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armWith, plain } from "./arm_shared.ts";

/** The preset `arm` with one option changed at a time. */
export const armSensitivity: GridPlugin = defineGrid({
  name: "arm-sensitivity",
  question: "How sensitive is ARM on av-digits to the choices that the paper leaves open, at equal samples drawn?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    armWith("arm"),
    ...[0, 0.3].map((readoutWeight) => armWith(`readoutWeight ${readoutWeight}`, { readoutWeight })),
    armWith("readout auxiliary", { readout: "auxiliary" }),
    armWith("view raw", { view: "raw" }),
    ...["clamp", "raw"].map((range) => armWith(`range ${range}`, { range })),
    ...["soft", "prob-only"].map((gradient) => armWith(`gradient ${gradient}`, { gradient })),
    armWith("probGradient", { probGradient: true }),
    armWith("denominatorGradient", { denominatorGradient: true }),
    armWith("asymmetric", { asymmetric: true }),
    armWith("exact minimum", { minimum: "min" }),
    ...[0, 1].map((lambda1) => armWith(`lambda1 ${lambda1}`, { lambda1 })),
    ...[0, 0.1].map((lambda2) => armWith(`lambda2 ${lambda2}`, { lambda2 })),
    ...[-0.5, -1, -3].map((k) => armWith(`k ${k}`, { k })),
  ],
});
