/**
 * Which terms of the balanced min-max loss help? The paper's Table 4 in miniature, and the terms without the other parts.
 *
 * @module
 */
import { part } from "../config.ts";
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armOnly, armWith, PAPER, plain } from "./arm_shared.ts";

const MI = { lambda1: 0.1 };
const CMI = { lambda2: 1 };

/** Both terms, alone and with DFE and DSR. */
export const armLosses: GridPlugin = defineGrid({
  name: "arm-losses",
  question: "Which terms of the balanced min-max loss help on av-digits at equal samples drawn (Table 4 in miniature)?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    armOnly("L_phiMI", MI),
    armOnly("L_phiCMI", CMI),
    armOnly("BMML", { ...MI, ...CMI }),
    armOnly("DFE+DSR", { dfe: "ratio", sampler: part("dsr") }),
    armWith("DFE+DSR+L_phiMI", { ...PAPER, lambda2: 0 }),
    armWith("DFE+DSR+L_phiCMI", { ...PAPER, lambda1: 0 }),
    armWith("DFE+DSR+BMML", PAPER),
  ],
});
