/**
 * Values moved along time.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import { modality, noTime, stepOf } from "./inputs.ts";

/** time-shift: moves values along time; what leaves at one end comes in at the other. */
export const timeShift: AugmentationPlugin = defineAugmentation<{ readonly modality: string; readonly most: number }>({
  name: "time-shift",
  about: "moves values along time; what leaves at one end comes in at the other",
  source: "common in audio classification; no value is made up",
  tiny: { modality: "audio" },
  options: {
    modality,
    most: {
      type: "number",
      default: 0.1,
      min: 0,
      max: 1,
      about: "furthest, as a share of the time",
      source: "chosen here",
      tune: [0.05, 0.1, 0.2],
    },
  },
  refuses: noTime,
  create: ({ most }, info) => {
    const step = stepOf(info);
    const [steps] = info.shape;
    const furthest = Math.floor(most * steps);
    return {
      apply(values, random) {
        const by = ((random.integer(2 * furthest + 1) - furthest) % steps + steps) % steps;
        if (by === 0) return;
        const old = values.slice();
        values.set(old.subarray(0, old.length - by * step), by * step);
        values.set(old.subarray(old.length - by * step));
      },
    };
  },
});
