/**
 * Does dynamic re-sampling help by what it repeats, or by how much it draws? The paper's Table 5 in miniature, at equal
 * updates and at equal epochs.
 *
 * @module
 */
import { part } from "../config.ts";
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, armOnly, plain } from "./arm_shared.ts";

const SLOPES = [-0.5, -1, -1.5, -2, -2.5, -3];

/** Re-sampling alone: every run draws as many samples, so that more copies mean fewer epochs. */
export const armResampling: GridPlugin = defineGrid({
  name: "arm-resampling",
  question: "Does re-sampling alone help on av-digits at equal samples drawn (Table 5 in miniature)?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    ...SLOPES.map((k) => armOnly(`DSR k=${k}`, { sampler: part("dsr", { k }) })),
    armOnly("random", { sampler: part("random") }),
    armOnly("inverse", { sampler: part("inverse") }),
    armOnly("inverse, as many copies as k=-2", { sampler: part("inverse", { match: 4 }) }),
  ],
});

const EPOCHS = 4;
const epochs = (count: number) => ({ training: { budget: "epochs", epochs: count } });

/**
 * Re-sampling alone over equal epochs, as the paper compares, beside plain training that is as long as the slopes' copies
 * make it.
 */
export const armResamplingEpochs: GridPlugin = defineGrid({
  name: "arm-resampling-epochs",
  question: `Is what re-sampling gains over ${EPOCHS} equal epochs more than plain training gains by as many samples?`,
  seeds: ARM_SEEDS,
  cells: [
    plain(`concat, ${EPOCHS} epochs`, epochs(EPOCHS)),
    armOnly("DSR k=-1", { sampler: part("dsr", { k: -1 }) }, epochs(EPOCHS)),
    armOnly("DSR k=-2", { sampler: part("dsr", { k: -2 }) }, epochs(EPOCHS)),
    armOnly("random", { sampler: part("random") }, epochs(EPOCHS)),
    armOnly("inverse", { sampler: part("inverse") }, epochs(EPOCHS)),
    plain("concat, 10 epochs", epochs(10)),
    plain("concat, 16 epochs", epochs(16)),
  ],
});
