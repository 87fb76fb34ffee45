/**
 * Which terms of the balanced min-max loss help? The paper's Table 4 in miniature, and the terms without the other parts.
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armOnly, armWith, PAPER, plain } from "./arm_shared.ts";

/** Both terms, alone and with DFE and DSR. */
export const armLosses: GridPlugin = defineGrid({
  name: "arm-losses",
  question: "Which terms of the balanced min-max loss help on av-digits at equal samples drawn (Table 4 in miniature)?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    armOnly("L_phiMI", { bmmlMi: true }),
    armOnly("L_phiCMI", { bmmlCmi: true }),
    armOnly("BMML", { bmmlMi: true, bmmlCmi: true }),
    armOnly("DFE+DSR", { dfe: true, dsr: "dsr" }),
    armWith("DFE+DSR+L_phiMI", { ...PAPER, bmmlCmi: false }),
    armWith("DFE+DSR+L_phiCMI", { ...PAPER, bmmlMi: false }),
    armWith("DFE+DSR+BMML", PAPER),
  ],
});
