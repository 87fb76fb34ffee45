/**
 * The runs behind the paper's figures, whose values are not known: what can be compared is what the text says of them.
 *
 * @module
 */
import type { GridPlugin } from "../../../core/kinds/mod.ts";
import { KS } from "./data.ts";
import { paperArm, paperGrid, type PaperRow, plainFusion, row } from "./table.ts";

const concat = plainFusion("Concat", "concat");
const greedy = row("Greedy", "greedy", {}, "mmtm");
const sampleValuation = row("Sample-valuation", "sample-valuation");
const arm = paperArm("ARM");

const UNKNOWN = "Values of the figure are not known.";

function figure(number: number, question: string, look: string, rows: readonly PaperRow[]): GridPlugin {
  return paperGrid({
    name: `fig${number}`,
    question: `${question} (Fig. ${number})?`,
    source: `Fig. ${number}`,
    data: [KS],
    rows,
    columns: [],
    notes: [UNKNOWN, look],
  });
}

/** All of them, in the order of the paper; Fig. 2 is a drawing. */
export const figures: readonly GridPlugin[] = [
  figure(
    1,
    "Does the dominant modality lose in joint training",
    "Look at the accuracy of the dominant modality's own readout over epochs, beside Concat's.",
    [
      concat,
      greedy,
      row("AGM", "agm"),
      sampleValuation,
      arm,
    ],
  ),
  figure(3, "How does the gap between contributions go on", "Look at the contribution gap over epochs.", [
    concat,
    greedy,
    sampleValuation,
    arm,
  ]),
  figure(4, "Does the joint contribution rise", "Look at the joint contribution over epochs, beside Concat's.", [
    concat,
    greedy,
    row("MLA", "mla", {}, "decision"),
    sampleValuation,
    arm,
  ]),
  figure(5, "Do ARM's loss terms fall", "Look at the loss terms over epochs.", [
    arm,
    paperArm("ARM without L_phiMI", { lambda1: 0 }),
    paperArm("ARM without L_phiCMI", { lambda2: 0 }),
  ]),
  figure(6, "Which classes does ARM help beside AMID", "Look at the recall of each class.", [
    concat,
    row("AMID", "amid"),
    arm,
  ]),
  figure(7, "Does ARM make features of other fusions separable", "Look at the features of two runs side by side.", [
    plainFusion("MMTM", "mmtm"),
    paperArm("MMTM-ARM", {}, "mmtm"),
    plainFusion("CentralNet", "centralnet"),
    paperArm("CentralNet-ARM", {}, "centralnet"),
  ]),
  figure(
    8,
    "Which samples does one modality decide",
    "Look at single samples with the contributions of their modalities.",
    [
      concat,
      arm,
    ],
  ),
  figure(9, "How do contributions of single samples go on", "Look at single samples over epochs.", [
    greedy,
    sampleValuation,
    arm,
  ]),
];
