/**
 * Does ARM help other fusions? The paper's MMTM-ARM and CentralNet-ARM, whose table is missing, and the rest.
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armWith, PAPER, plain, uniCe } from "./arm_shared.ts";

const FUSIONS = ["mmtm", "centralnet", "sum", "decision", "film", "bigated"];

/** Each fusion plain, with the plain reference, with the paper's ARM and with the default preset. */
export const armFusions: GridPlugin = defineGrid({
  name: "arm-fusions",
  question: "Does ARM help fusions other than concatenation on av-digits at equal samples drawn?",
  seeds: ARM_SEEDS,
  cells: FUSIONS.flatMap((fusion) => [
    plain(fusion, { fusion }),
    uniCe(`${fusion} uni-ce`, { fusion }),
    armWith(`${fusion} ARM of the paper`, PAPER, { fusion }),
    armWith(`${fusion} arm`, {}, { fusion }),
  ]),
});
