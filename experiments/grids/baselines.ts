/**
 * Does ARM beat the balancing methods that it is compared with?
 *
 * @module
 */
import { defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { armWith, cell, plain } from "./arm_shared.ts";

/** What works on any fusion. */
const ANYWHERE = ["ogm", "ogm-ge", "sample-valuation", "modality-valuation", "uni-ce"];

/** A fusion plain, with every baseline that it takes and with ARM. */
const on = (fusion: string, methods: readonly string[]) => [
  plain(fusion, { fusion }),
  ...methods.map((method) => cell(`${fusion} ${method}`, [[method, {}]], { fusion })),
  armWith(`${fusion} arm`, {}, { fusion }),
];

/** Every baseline against ARM on concatenation and on MMTM; unimodal models for reference. */
export const baselines: GridPlugin = defineGrid({
  name: "baselines",
  question: "Does ARM beat its rivals on concatenation and on MMTM, on av-digits at equal samples drawn?",
  seeds: [0, 1, 2],
  cells: [
    ...on("concat", ANYWHERE),
    ...on("mmtm", [...ANYWHERE, "greedy"]),
    ...["audio", "image"].map((modality) => ({ ...plain(`${modality} only`), modalities: [modality] })),
  ],
});
