/**
 * Which of ARM's three parts help? The paper's Table 6 in miniature.
 *
 * @module
 */
import { part } from "../config.ts";
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armOnly, armWith, PAPER, plain, uniCe } from "./arm_shared.ts";

const DFE = { dfe: "ratio" };
const BMML = { lambda1: 0.1, lambda2: 1 };
const DSR = { sampler: part("dsr") };

/** All combinations of the parts with the paper's losses, beside the plain reference. */
export const armModules: GridPlugin = defineGrid({
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
    armWith("DFE+BMML+DSR", PAPER),
    uniCe(),
  ],
});

const TRAINED = { readoutWeight: 1 };

/** The same parts where every modality's readout is trained, as the preset `arm` does: what do they add to `uni-ce`? */
export const armReadouts: GridPlugin = defineGrid({
  name: "arm-readouts",
  question: "What do ARM's parts add on av-digits where every modality's readout is trained, at equal samples drawn?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    uniCe(),
    armOnly("readouts+DFE", { ...DFE, ...TRAINED }),
    armOnly("readouts+BMML", { ...BMML, ...TRAINED }),
    armOnly("readouts+DSR", { ...DSR, ...TRAINED }),
    armOnly("readouts+DFE+BMML", { ...DFE, ...BMML, ...TRAINED }),
    armWith("arm"),
  ],
});
