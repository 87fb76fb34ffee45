/**
 * Claims of an independent study about ARM, tested where there is headroom and where there is more of it.
 *
 * @module
 */
import { part } from "../config.ts";
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armOnly, armWith, cell, PAPER, plain, uniCe } from "./arm_shared.ts";

const THROUGH_P = { gap: part("contribution-gap", { probGradient: true }) };
const EQUAL = { lambda1: 1, lambda2: 1 };
const BMML = { lambda1: 0.1, lambda2: 1 };

/** Harmful weights, gamed probabilities, and the plain reference. */
export const armStudy: GridPlugin = defineGrid({
  name: "arm-study",
  question:
    "Are equal loss weights harmful, are unimodal probabilities gamed, and is uni-ce ahead of ARM on av-digits?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    uniCe(),
    armOnly("BMML", BMML),
    armOnly("BMML, gradient through p", { ...BMML, ...THROUGH_P }),
    armOnly("BMML, weights 1, gradient through p", { ...BMML, ...THROUGH_P, ...EQUAL }),
    armWith("ARM of the paper", PAPER),
    armWith("ARM of the paper, weights 1, all gradients", {
      ...PAPER,
      ...EQUAL,
      gap: part("contribution-gap", { probGradient: true, denominatorGradient: true }),
    }),
    armWith("arm"),
    cell("ogm-ge", [["ogm-ge", {}]]),
  ],
});

const HARD = { dataset: { snr: -10 } };

/** The same comparison with noisier speech, where no modality suffices. */
export const armStudyHard: GridPlugin = defineGrid({
  name: "arm-study-hard",
  question: "Do ARM and uni-ce compare alike where speech is noisier (snr -10 dB)?",
  seeds: ARM_SEEDS,
  cells: [
    plain("concat", HARD),
    uniCe("uni-ce", HARD),
    armOnly("BMML", BMML, HARD),
    armWith("ARM of the paper", PAPER, HARD),
    armWith("arm", {}, HARD),
    cell("ogm-ge", [["ogm-ge", {}]], HARD),
  ],
});
