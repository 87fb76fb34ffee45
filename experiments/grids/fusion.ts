/**
 * Which fusion is best, and does ARM help each of them?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { part } from "../config.ts";
import { armWith, plain } from "./arm_shared.ts";

/** Layers of a transformer over the places of a map: as wide as the grid's CNNs' last maps. */
const NARROW = { width: 32 };

/** Two thirds of what the other grids on av-digits draw, as there are so many fusions: the whole takes ten minutes. */
const TRAINING = { epochs: 8 };

const FUSIONS: readonly (string | [string, Readonly<Record<string, unknown>>])[] = [
  "concat",
  "sum",
  "decision",
  "film",
  "gated",
  "bigated",
  "mmtm",
  "centralnet",
  "dynmm",
  ["pmf", NARROW],
  ["transfusion", NARROW],
  ["cross-attention", NARROW],
  ["mbt", NARROW],
  "lmf",
  "tfn",
  "multiplicative",
];

/** Every fusion there is, plain and with ARM. */
export const fusion: GridPlugin = defineGrid({
  name: "fusion",
  question: "Which fusion does best on av-digits at equal samples drawn, and does ARM help each of them?",
  seeds: [0, 1, 2],
  cells: FUSIONS.flatMap((choice) => {
    const fusion = typeof choice === "string" ? part(choice) : part(...choice);
    const setting = { fusion, training: TRAINING };
    return [plain(fusion.name, setting), armWith(`${fusion.name} arm`, {}, setting)];
  }),
});
