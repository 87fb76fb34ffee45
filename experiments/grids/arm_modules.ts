/**
 * Which of ARM's three parts help? The paper's Table 6 in miniature.
 *
 * @module
 */
import type { Grid } from "../grid.ts";
import { ARM_SEEDS, armOnly, armWith, plain, uniCe } from "./arm_shared.ts";

const DFE = { dfe: true };
const BMML = { bmmlMi: true, bmmlCmi: true };
const DSR = { dsr: "dsr" };

/** All combinations of the parts, and the plain reference. */
export const armModules: Grid = {
  name: "arm-modules",
  question: "Which of ARM's parts help on av-digits at equal samples drawn (Table 6 in miniature)?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    armOnly("DFE", DFE),
    armOnly("BMML", BMML),
    armOnly("DSR", DSR),
    armOnly("DFE+BMML", { ...DFE, ...BMML }),
    armOnly("DFE+DSR", { ...DFE, ...DSR }),
    armOnly("BMML+DSR", { ...BMML, ...DSR }),
    armWith("arm"),
    uniCe(),
  ],
};
