/**
 * Is what a method gains more than a better learning rate gives plain training?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { armWith, plain, uniCe } from "./arm_shared.ts";

const RATES = [0.005, 0.02, 0.05, 0.1];

/** Plain concatenation, `uni-ce` and `arm`, each at four rates. */
export const learningRate: GridPlugin = defineGrid({
  name: "learning-rate",
  question: "What is left of the gains over concatenation on av-digits when each method has its own learning rate?",
  seeds: [0, 1, 2],
  cells: RATES.flatMap((learningRate) => {
    const setting = { training: { learningRate } };
    return [
      plain(`concat, rate ${learningRate}`, setting),
      uniCe(`uni-ce, rate ${learningRate}`, setting),
      armWith(`arm, rate ${learningRate}`, {}, setting),
    ];
  }),
});
