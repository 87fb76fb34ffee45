/**
 * What a run's kept predictions show: which classes are confused, and how far confidence can be believed.
 *
 * @module
 */
import {
  type Calibration,
  calibrationOf,
  confidenceOf,
  type Confusion,
  confusionOf,
  rightOf,
} from "../experiments/calibration.ts";
import { Refusal } from "../core/refusal.ts";
import type { RunDetails } from "../store/index.ts";
import type { LineChart } from "./charts.ts";
import type { RunStore } from "./store.ts";
import { cell, type Table } from "./table.ts";

/** What predictions of the test split show. */
export interface Evidence {
  /** Names of the classes. */
  readonly classes: readonly string[];
  readonly confusion: Confusion;
  /** Of the fused prediction, then of each modality's own readout, by name. */
  readonly calibrations: readonly (readonly [string, Calibration])[];
}

/** The evidence of a run, or why there is none. */
export interface EvidenceReport {
  readonly evidence: Evidence | null;
  readonly reason: string | null;
}

/** Classes of which all pairs are shown; of more, the pairs that are confused most. */
const maxClasses = 40;
/** Confused pairs shown at most. */
const maxPairs = 40;

/** Reads what a finished run predicted for its test split. */
export async function evidenceOf(store: RunStore, run: RunDetails): Promise<EvidenceReport> {
  const { summary } = run;
  if (summary === null) return { evidence: null, reason: null };
  const { predictions, reason } = await store.predictions(run.id, "test");
  if (predictions === null) {
    return { evidence: null, reason: reason ?? "This run kept no predictions: an older version wrote it." };
  }
  const count = summary.classes?.length ?? summary.test.recall.length;
  try {
    const solo = Object.entries(predictions.solo ?? {}).map(([modality, probabilities]) => {
      const { confidence, right } = confidenceOf(probabilities, predictions.labels);
      return [`${modality} readout`, calibrationOf(confidence, right)] as const;
    });
    return {
      evidence: {
        classes: Array.from({ length: count }, (_, i) => summary.classes?.[i] || String(i)),
        confusion: confusionOf(predictions, count),
        calibrations: [["fused", calibrationOf(predictions.confidence, rightOf(predictions))], ...solo],
      },
      reason: null,
    };
  } catch (error) {
    // Anybody may have written the file: its classes need not be those of the summary.
    if (!(error instanceof Refusal)) throw error;
    return { evidence: null, reason: error.message };
  }
}

/** Counts of true and predicted classes; of many classes the pairs that are confused most. */
export function confusionTable(evidence: Evidence, title: string): Table {
  const { classes, confusion } = evidence;
  if (classes.length > maxClasses) return pairTable(evidence, title);
  return {
    title: `Confusion of ${title}`,
    columns: [
      { title: "True class", align: "left" },
      ...classes.map((name) => ({ title: name, align: "right" as const })),
    ],
    rows: confusion.map((row, truth) => [
      cell(classes[truth]),
      ...row.map((count, predicted) => ({
        text: count === 0 ? "" : String(count),
        raw: [count],
        strong: truth === predicted,
      })),
    ]),
    notes: ["Test samples; a row for each true class, a column for each predicted one."],
  };
}

function pairTable({ classes, confusion }: Evidence, title: string): Table {
  const pairs = confusion.flatMap((row, truth) =>
    row.flatMap((count, predicted) => truth === predicted || count === 0 ? [] : [{ truth, predicted, count }])
  ).sort((a, b) => b.count - a.count);
  return {
    title: `Confusion of ${title}`,
    columns: [
      { title: "True class", align: "left" },
      { title: "Predicted class", align: "left" },
      { title: "Samples", align: "right" },
    ],
    rows: pairs.slice(0, maxPairs).map(({ truth, predicted, count }) => [
      cell(classes[truth]),
      cell(classes[predicted]),
      cell(count),
    ]),
    notes: [`The ${Math.min(maxPairs, pairs.length)} pairs of ${classes.length} classes that are confused most.`],
  };
}

/** Confidence and accuracy by bins, for each readout. */
export function calibrationTable({ calibrations }: Evidence, title: string): Table {
  return {
    title: `Calibration of ${title}`,
    columns: [
      { title: "Readout", align: "left" },
      { title: "ECE %", align: "right", raw: ["ece"] },
      { title: "Samples", align: "right" },
      { title: "Confidence %", align: "right", raw: ["confidence"] },
      { title: "Accuracy %", align: "right", raw: ["accuracy"] },
    ],
    rows: calibrations.flatMap(([name, { ece, bins }]) =>
      bins.map(({ count, confidence, accuracy }) => [
        cell(name),
        cell(ece, (100 * ece).toFixed(2)),
        cell(count),
        cell(confidence, (100 * confidence).toFixed(1)),
        cell(accuracy, (100 * accuracy).toFixed(1)),
      ])
    ),
    notes: [
      "Test samples by their confidence in 15 bins of equal width; ECE: mean over samples of |accuracy − confidence| of " +
      "their bins.",
    ],
  };
}

/** Accuracy over confidence: on the diagonal confidence can be believed. */
export function reliabilityChart({ calibrations }: Evidence): LineChart {
  return {
    kind: "lines",
    id: "reliability",
    title: "Calibration",
    about: `Accuracy over confidence on test; ECE ${
      calibrations.map(([name, { ece }]) => `${name} ${(100 * ece).toFixed(1)} %`).join(", ")
    }`,
    xTitle: "Confidence %",
    percent: true,
    series: [
      { name: "as sure as right", x: [0, 100], y: [0, 1] },
      ...calibrations.map(([name, { bins }]) => ({
        name,
        x: bins.map(({ confidence }) => 100 * confidence),
        y: bins.map(({ accuracy }) => accuracy),
      })),
    ],
  };
}
