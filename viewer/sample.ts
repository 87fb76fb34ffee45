/**
 * One sample as a run predicts it, with its previews.
 *
 * @module
 */
import type { Preview } from "../core/kinds/mod.ts";
import type { ByModality } from "../core/modality.ts";
import { PluginError } from "../core/plugin_error.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import type { Chart } from "./charts.ts";
import type { Configuration, KnownRun, Model } from "./configurations.ts";
import { sampleCharts } from "./followed.ts";
import type { SampleSource } from "../experiments/previews.ts";
import { plainSamples, type SamplesQuery } from "./query.ts";
import { followedBy, rowsOf, type SampleRow, samplesOf } from "./samples.ts";
import type { RunStore } from "./store.ts";
import { fixed } from "./numbers.ts";
import { cell, type Table } from "./table.ts";

/** Previews of a sample, or why there are none. */
export interface Shown {
  readonly previews: ByModality<readonly Preview[]>;
  readonly reason: string | null;
  /** Whether they are still to come. */
  readonly later: boolean;
}

/** What the page of one sample shows. */
export interface SampleView {
  readonly run: KnownRun;
  readonly configuration: Configuration;
  readonly split: SamplesQuery["split"];
  readonly classes: readonly string[];
  readonly row: SampleRow;
  readonly shown: Shown;
  readonly charts: readonly Chart[];
}

/** Previews of a sample; what keeps them away is said, and keeps nothing else away. */
async function previewsOf(
  source: SampleSource,
  config: RunConfig,
  split: SamplesQuery["split"],
  sample: number,
): Promise<Shown> {
  try {
    return { previews: await source.preview(config, split, sample), reason: null, later: false };
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof PluginError)) throw error;
    return { previews: {}, reason: error.message, later: false };
  }
}

/** Milliseconds that a page waits for previews: before the first of a dataset its data is loaded, which takes longer. */
export const usualPreviewMs = 1500;

/**
 * Previews of a sample, as far as they come in time: a page stands without them, and asks again.
 *
 * @param waitMs Milliseconds to wait for them.
 */
export async function shownOf(
  source: SampleSource | null,
  config: RunConfig,
  split: SamplesQuery["split"],
  sample: number,
  waitMs: number = usualPreviewMs,
): Promise<Shown> {
  if (source === null) return { previews: {}, reason: null, later: false };
  const asked = previewsOf(source, config, split, sample);
  const late = Promise.withResolvers<Shown>();
  const timer = setTimeout(() => late.resolve({ previews: {}, reason: null, later: true }), waitMs);
  // What goes wrong after that is said to whoever asks again.
  asked.catch(() => {});
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks a sample up; `null` if there is no such run, or it kept no predictions of such a sample. */
export async function sampleViewOf(
  store: RunStore,
  model: Model,
  source: SampleSource | null,
  id: string,
  split: SamplesQuery["split"],
  sample: number,
  waitMs?: number,
): Promise<SampleView | null> {
  const all = await samplesOf(store, model, { ...plainSamples, run: id, split });
  const { predictions } = all === null ? { predictions: null } : await store.predictions(id, split);
  if (all === null || predictions === null) return null;
  const followed = split === "validation" ? followedBy(store, id) : new Set<number>();
  const row = rowsOf(predictions, null, followed).find((own) => own.id === sample);
  if (row === undefined) return null;
  const { run, configuration, classes } = all;
  return {
    run,
    configuration,
    split,
    classes,
    row,
    shown: await shownOf(source, run.config, split, sample, waitMs),
    charts: split === "validation" ? sampleCharts(store.valuation(id).records, sample) : [],
  };
}

/** What each readout says of a sample. */
export function readoutTable({ row, classes, run, configuration, split }: SampleView): Table {
  const phi = new Map(row.phi);
  return {
    title: `Sample ${row.id} of ${split} by ${configuration.label}, seed ${run.config.seed}`,
    columns: [
      { title: "Readout", align: "left" },
      { title: "Predicted", align: "left" },
      { title: "p of the true class", align: "right" },
      { title: "φ", align: "right" },
    ],
    rows: row.readouts.map(({ name, predicted, probability, right }) => {
      const own = phi.get(name);
      return [
        cell(name === "fused" ? "fused" : `${name} readout`),
        { text: `${classes[predicted]}${right ? "" : ", wrong"}`, raw: [classes[predicted]], strong: right },
        cell(probability, probability === null ? "–" : fixed(probability, 4)),
        cell(own ?? null, own === undefined ? "–" : fixed(own, 4)),
      ];
    }),
    notes: ["φ: raw contribution of the modality to this sample (ARM Eq. 11), with the tested parameters."],
  };
}
