/**
 * How much do the choices that the paper leaves open, and those that were made against it, matter?
 *
 * @module
 */
import { part } from "../config.ts";
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
    ...["clamp", "raw"].map((range) => armWith(`range ${range}`, { range, gap: part("contribution-gap", { range }) })),
    armWith("soft bins", { estimator: part("histogram", { binning: "soft" }) }),
    armWith("gradient probabilities", { gradient: "probabilities" }),
    armWith("probGradient", { gap: part("contribution-gap", { probGradient: true }) }),
    armWith("denominatorGradient", { gap: part("contribution-gap", { denominatorGradient: true }) }),
    armWith("asymmetric", { gap: part("contribution-gap", { asymmetric: true }) }),
    armWith("exact minimum", { minimum: part("minimum-information", { minimum: "min" }) }),
    ...[0, 1].map((lambda1) => armWith(`lambda1 ${lambda1}`, { lambda1 })),
    ...[0, 0.1].map((lambda2) => armWith(`lambda2 ${lambda2}`, { lambda2 })),
    ...[-0.5, -1, -3].map((k) => armWith(`k ${k}`, { sampler: part("dsr", { k }) })),
  ],
});
