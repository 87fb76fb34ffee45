/**
 * Which fusion is best, and does ARM help each of them?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { part } from "../config.ts";
import { armWith, plain } from "./arm_shared.ts";

/**
 * Layers of a transformer over the places of a map: as wide as the grid's CNNs' last maps. At their own default width a step
 * takes 20 (`pmf`) and 15 (`mbt`) times that of concatenation.
 */
const NARROW = { width: 32 };

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
  "transfusion",
  "cross-attention",
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
    return [plain(fusion.name, { fusion }), armWith(`${fusion.name} arm`, {}, { fusion })];
  }),
});
