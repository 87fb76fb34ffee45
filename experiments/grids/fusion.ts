/**
 * Which fusion is best, and does ARM help each of them?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { armWith, plain } from "./arm_shared.ts";

const FUSIONS = [
  "concat",
  "sum",
  "decision",
  "film",
  "gated",
  "bigated",
  "mmtm",
  "centralnet",
  "dynmm",
  "pmf",
  "transfusion",
  "cross-attention",
  "mbt",
  "lmf",
  "tfn",
  "multiplicative",
];

/** Every fusion there is, plain and with ARM. */
export const fusion: GridPlugin = defineGrid({
  name: "fusion",
  question: "Which fusion does best on av-digits at equal samples drawn, and does ARM help each of them?",
  seeds: [0, 1, 2],
  cells: FUSIONS.flatMap((name) => [
    plain(name, { fusion: name }),
    armWith(`${name} arm`, {}, { fusion: name }),
  ]),
});
