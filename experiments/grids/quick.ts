/**
 * Does ARM beat plain fusion and its first rivals on av-digits, at an equal number of samples drawn?
 *
 * @module
 */
import { part } from "../config.ts";
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";

/** The grid behind `deno task bench` with no argument. */
export const quick: GridPlugin = defineGrid({
  name: "quick",
  question: "Does ARM beat plain fusion and its first rivals on av-digits at equal samples drawn?",
  seeds: [0, 1, 2],
  cells: [
    ...["concat", "sum"].map((fusion) => ({ label: fusion, fusion: part(fusion), methods: [] })),
    ...["ogm-ge", "uni-ce", "arm"].map((method) => ({
      label: method,
      fusion: part("concat"),
      methods: [part(method)],
    })),
    ...["audio", "image"].map((modality) => ({
      label: `${modality} only`,
      modalities: [modality],
      fusion: part("concat"),
      methods: [],
    })),
  ].map((cell) => ({ ...cell, dataset: part("av-digits"), encoder: part("cnn"), training: {} })),
});
