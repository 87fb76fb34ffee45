/**
 * What do the field's balancing methods add to plain unimodal losses?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { ARM_SEEDS, cell, plain, uniCe } from "./arm_shared.ts";

type Options = Readonly<Record<string, unknown>>;

/** A method on concatenation. */
const on = (method: string, options: Options = {}, fusion = "concat") =>
  cell(fusion === "concat" ? method : `${method} (${fusion})`, [[method, options]], { fusion });

/**
 * Every method with its defaults, on concatenation or on the fusion that it needs, in alphabetical order. Where a default
 * counts epochs of a longer training than this one's twelve, the option is scaled and the line says so.
 */
const METHODS = [
  on("arm"),
  on("greedy", {}, "mmtm"),
  on("modality-valuation"),
  on("ogm"),
  on("ogm-ge"),
  on("sample-valuation"),
  on("umt"),
];

/** Every balancing method beside plain concatenation and beside cross-entropy on every modality's own readout. */
export const imbalance: GridPlugin = defineGrid({
  name: "imbalance",
  question: "What do balancing methods add to concatenation, and to plain unimodal losses, at equal samples drawn?",
  seeds: ARM_SEEDS,
  cells: [
    plain(),
    uniCe(),
    ...METHODS,
    plain("mmtm", { fusion: "mmtm" }),
    ...["audio", "image"].map((modality) => ({ ...plain(`${modality} alone`), modalities: [modality] })),
  ],
});
