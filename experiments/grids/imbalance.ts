/**
 * What do the field's balancing methods add to plain unimodal losses?
 *
 * @module
 */
import { type CellRequest, defineGrid, type GridPlugin } from "../../core/kinds/mod.ts";
import { addingCell, type AddingSetting, ON_ICONS, ON_MOJI } from "./adding.ts";
import { ARM_SEEDS, cell, plain, uniCe } from "./arm_shared.ts";

type Options = Readonly<Record<string, unknown>>;

/** A method on concatenation. */
const on = (method: string, options: Options = {}, fusion = "concat") =>
  cell(fusion === "concat" ? method : `${method} (${fusion})`, [[method, options]], { fusion });

/**
 * Every method with its defaults, on concatenation or on the fusion that it needs, in alphabetical order. Where a default
 * counts epochs of a longer training than these grids' twelve and fifteen, the option is scaled and the line says so.
 */
const METHODS = [
  on("agm"),
  on("amco"),
  on("amid"),
  on("arl", { warmup: 1 }), // released: from epoch 6 on
  on("arm"),
  on("cggm"),
  on("cml"),
  on("data-remixing", { warmup: 2 }), // released: 10 of 60 epochs
  on("dgl"),
  on("g-blending"),
  on("g2d", { end: 5 }), // released: the first half of 300 epochs
  on("greedy", {}, "mmtm"),
  on("info-reg"),
  on("lfm", { schedule: "stretched" }), // released: a schedule of 200 epochs
  on("mbsd"),
  on("mcr"),
  on("midas", { warmup: 1 }), // of 70 epochs; the paper does not say how many
  on("mla", {}, "decision"),
  on("mlb"),
  on("mmcosine"),
  on("mmpareto"),
  on("modality-valuation"),
  on("mslr"),
  on("ogm"),
  on("ogm-ge"),
  on("opm", { warmup: 1 }), // released: from epoch 5 on
  on("pdf", {}, "decision"),
  on("pmr"),
  on("qmf", {}, "decision"),
  on("re-learning", { every: 3 }), // released: every 20 of 90 epochs, three times
  on("recon-boost", { boost: 1, rectify: 1 }), // released: 4 and 4 epochs, of some hundreds
  on("sample-valuation"),
  on("umt"),
  on("unimodal-ensemble", {}, "decision"),
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
    plain("decision", { fusion: "decision" }),
    plain("mmtm", { fusion: "mmtm" }),
    ...["audio", "image"].map((modality) => ({ ...plain(`${modality} only`), modalities: [modality] })),
  ],
});

/** The same methods on an embedded set of three modalities, in the setting of its `-adding` grid. */
function onThree(setting: AddingSetting): GridPlugin {
  const { dataset, modalities, seeds } = setting;
  const request = ({ label, methods, fusion }: CellRequest): CellRequest => ({
    ...addingCell(setting, label),
    methods,
    fusion,
  });
  return defineGrid({
    name: `imbalance-${dataset}`,
    question: `What do balancing methods add to concatenation, and to plain unimodal losses, on ${dataset}?`,
    seeds,
    cells: [
      plain(),
      uniCe(),
      // Channel gates need maps, which encoders of counts have not.
      ...METHODS.filter(({ fusion }) => fusion.name !== "mmtm"),
      plain("decision", { fusion: "decision" }),
    ].map(request).concat(modalities.map((own) => addingCell(setting, `${own} only`, [own]))),
  });
}

/** Every balancing method on emoji. */
export const mojiImbalance: GridPlugin = onThree(ON_MOJI);
/** Every balancing method on icons. */
export const iconImbalance: GridPlugin = onThree(ON_ICONS);

/** Which data, with what encoders and training: those of the grids above; `null` is av-digits. */
const EMBEDDED: readonly (AddingSetting | null)[] = [null, ON_ICONS, ON_MOJI];

/** A method on a set, or `null` where its fusion needs maps that the set's encoders do not give. */
function onEmbedded(setting: AddingSetting | null, request: CellRequest): CellRequest | null {
  const { label, methods, fusion } = request;
  const data = setting === null ? "av-digits" : setting.dataset;
  const place = { label: `${label}, ${data}`, across: { subject: label, data } };
  if (setting === null) return { ...request, ...place };
  return fusion.name === "mmtm" ? null : { ...addingCell(setting, label), methods, fusion, ...place };
}

/** Every balancing method on every embedded set, beside cross-entropy on every modality's own readout. */
export const embeddedImbalance: GridPlugin = defineGrid({
  name: "imbalance-embedded",
  question: "Which balancing method adds anything to plain unimodal losses, over all embedded data sets?",
  seeds: ARM_SEEDS,
  cells: EMBEDDED.flatMap((setting) =>
    [uniCe(), plain(), ...METHODS, plain("decision", { fusion: "decision" })].flatMap((request) =>
      onEmbedded(setting, request) ?? []
    )
  ),
});
