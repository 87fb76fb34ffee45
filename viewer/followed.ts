/**
 * The samples that a run followed, over its epochs (ARM, AAAI 2025, Figs. 8 and 9).
 *
 * @module
 */
import type { ValuationRecord } from "../core/record.ts";
import { type FieldChart, type LineChart, slug } from "./charts.ts";

/** Epochs drawn at most, evenly spaced: more columns than pixels show nothing. */
const maxColumns = 200;

function thinned(records: readonly ValuationRecord[]): readonly ValuationRecord[] {
  const stride = Math.ceil(records.length / maxColumns);
  return stride <= 1 ? records : records.filter((_, i) => i % stride === 0 || i === records.length - 1);
}

/** Records of the same samples as the last one: anybody may have written the file. */
function consistent(records: readonly ValuationRecord[]): readonly ValuationRecord[] {
  const last = records.at(-1);
  if (last === undefined) return [];
  const names = Object.keys(last.phi).sort().join();
  const same = ({ ids, phi, fused, solo }: ValuationRecord) =>
    ids.length === last.ids.length && ids.every((id, n) => id === last.ids[n]) && fused.length === ids.length &&
    Object.keys(phi).sort().join() === names && Object.keys(solo).sort().join() === names &&
    [...Object.values(phi), ...Object.values(solo)].every((values) => values.length === ids.length);
  return records.filter(same);
}

/** The contribution of each modality to each followed sample over the epochs, ordered by that of the first at the end. */
export function followedCharts(all: readonly ValuationRecord[]): FieldChart[] {
  const records = thinned(consistent(all));
  const last = records.at(-1);
  if (last === undefined || last.ids.length === 0) return [];
  const modalities = Object.keys(last.phi).sort();
  const order = last.ids.map((_, n) => n).sort((a, b) => last.phi[modalities[0]][b] - last.phi[modalities[0]][a]);
  return modalities.map((modality): FieldChart => ({
    kind: "field",
    id: `followed-${slug(modality)}`,
    title: `φ of ${modality}, sample by sample`,
    about:
      `Raw contribution φ^CMI to ${last.ids.length} samples of validation, the same in all runs on these data, in ` +
      `the order of that of ${modalities[0]} after the last epoch`,
    xTitle: "Epoch",
    x: records.map(({ epoch }) => String(epoch + 1)),
    yTitle: "Sample",
    y: order.map((n) => String(last.ids[n])),
    values: order.map((n) => records.map(({ phi }) => phi[modality][n])),
  }));
}

/** Contributions and probabilities of one followed sample over the epochs; none if it is not followed. */
export function sampleCharts(all: readonly ValuationRecord[], sample: number): LineChart[] {
  const records = consistent(all);
  const n = records.at(-1)?.ids.indexOf(sample) ?? -1;
  if (n === -1) return [];
  const x = records.map(({ epoch }) => epoch + 1);
  const modalities = Object.keys(records[0].phi).sort();
  return [
    {
      kind: "lines",
      id: "contributions",
      title: "Contributions over epochs",
      about: "Raw contribution φ^CMI of each modality to this sample after each epoch",
      xTitle: "Epoch",
      percent: false,
      series: modalities.map((name) => ({ name, x, y: records.map(({ phi }) => phi[name][n]) })),
    },
    {
      kind: "lines",
      id: "probabilities",
      title: "Probability of the true class over epochs",
      about: "By the fused prediction and by each modality's own readout",
      xTitle: "Epoch",
      percent: true,
      series: [
        { name: "fused", x, y: records.map(({ fused }) => fused[n]) },
        ...modalities.map((name) => ({ name: `${name} readout`, x, y: records.map(({ solo }) => solo[name][n]) })),
      ],
    },
  ];
}
