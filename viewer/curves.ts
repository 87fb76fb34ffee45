/**
 * Curves over epochs: of one run, and over the seeds of a configuration.
 *
 * @module
 */
import type { EpochRecord } from "../core/record.ts";
import { interval } from "../experiments/statistics.ts";

/** Values of one measure over a run's epochs; `null` where an epoch has none. */
export type Curve = readonly (number | null)[];

/** A curve over seeds. */
export interface Band {
  /** Epoch or samples drawn. */
  readonly x: readonly number[];
  readonly mean: Curve;
  /** Ends of the 95 % confidence interval; `null` with one seed. */
  readonly low: Curve;
  readonly high: Curve;
  readonly seeds: number;
}

/** Something measured every epoch. */
export interface EpochMeasure {
  readonly key: string;
  readonly title: string;
  readonly percent: boolean;
  /** What no value can be below. */
  readonly least?: number;
  of(record: EpochRecord): number | null;
}

/** Classes whose recall is a measure of its own at most, from the first. */
const maxClasses = 40;

/** Measures that the given epochs have. */
export function epochMeasures(records: readonly EpochRecord[]): EpochMeasure[] {
  const terms = new Set<string>();
  const modalities = new Set<string>();
  const scalars = new Map<string, [string, string]>();
  let classes = 0;
  for (const { loss, validation, methods } of records) {
    classes = Math.min(maxClasses, Math.max(classes, validation.recall.length));
    for (const term of Object.keys(loss)) terms.add(term);
    for (const modality of Object.keys(validation.perModality)) modalities.add(modality);
    for (const [method, report] of Object.entries(methods)) {
      for (const [name, value] of Object.entries(report)) {
        if (typeof value === "number") scalars.set(`method.${method}.${name}`, [method, name]);
      }
    }
  }
  const measure = (key: string, title: string, percent: boolean, of: EpochMeasure["of"], least?: number) => ({
    key,
    title,
    percent,
    of,
    least,
  });
  const each = [...modalities].sort();
  const own = ({ validation }: EpochRecord, modality: string) =>
    Object.hasOwn(validation.perModality, modality) ? validation.perModality[modality] : null;
  return [
    measure("validation.accuracy", "Validation accuracy", true, ({ validation }) => validation.accuracy),
    ...each.map((modality) =>
      measure(
        `validation.accuracy:${modality}`,
        `Validation accuracy, ${modality} readout`,
        true,
        (record) => own(record, modality)?.accuracy ?? null,
      )
    ),
    measure("train.accuracy", "Training accuracy", true, ({ trainAccuracy }) => trainAccuracy),
    measure("validation.loss", "Validation loss", false, ({ validation }) => validation.loss, 0),
    measure("validation.macroF1", "Validation macro F1", true, ({ validation }) => validation.macroF1),
    ...[...terms].sort((a, b) => Number(b === "total") - Number(a === "total") || (a < b ? -1 : 1)).map((term) =>
      measure(
        `loss.${term}`,
        term === "total" ? "Training loss, total" : `Training loss, ${term}`,
        false,
        ({ loss }) => Object.hasOwn(loss, term) ? loss[term] : null,
      )
    ),
    ...each.map((modality) =>
      measure(`phi:${modality}`, `φ of ${modality}`, false, (record) => own(record, modality)?.phi ?? null)
    ),
    ...each.map((modality) =>
      measure(`nmi:${modality}`, `NMI of ${modality}`, false, (record) => own(record, modality)?.nmi ?? null, 0)
    ),
    // One modality has nobody to differ from.
    measure("gap", "Contribution gap", false, ({ validation }) => {
      return Object.keys(validation.perModality).length < 2 ? null : validation.contributionGap;
    }, 0),
    measure("joint", "Joint contribution", false, ({ validation }) => validation.jointContribution),
    ...Array.from(
      { length: classes },
      (_, c) =>
        measure(`recall:${c}`, `Validation recall, class ${c}`, true, ({ validation }) => validation.recall[c] ?? null),
    ),
    measure("learningRate", "Learning rate", false, ({ learningRate }) => learningRate, 0),
    measure("clipped", "Share of clipped steps", true, ({ clipped }) => clipped),
    measure("samplesDrawn", "Samples drawn", false, ({ samplesDrawn }) => samplesDrawn, 0),
    ...[...scalars].sort(([a], [b]) => a < b ? -1 : 1).map(([key, [method, name]]) =>
      measure(key, `${method}: ${name}`, false, ({ methods }) => {
        const report = Object.hasOwn(methods, method) ? methods[method] : {};
        const value = Object.hasOwn(report, name) ? report[name] : null;
        return typeof value === "number" ? value : null;
      })
    ),
  ];
}

/** The curve of a measure. */
export function curveOf(records: readonly EpochRecord[], measure: EpochMeasure): Curve {
  return records.map((record) => measure.of(record));
}

/**
 * Exponential moving average s_t = w s_{t-1} + (1 - w) x_t from 0, divided by 1 - w^t, so that the start is not pulled to 0.
 *
 * @param weight In [0, 1); 0 leaves the curve as it is. Epochs without a value stay without.
 */
export function smoothed(curve: Curve, weight: number): Curve {
  if (weight === 0) return curve;
  let sum = 0;
  let scale = 0;
  return curve.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    scale = weight * scale + (1 - weight);
    return sum / scale;
  });
}

/**
 * Mean and 95 % interval over seeds, at the epochs that every seed has.
 *
 * @param runs Epochs of each seed; at least one.
 * @param weight Of the smoothing, which is done for each seed before the mean is taken.
 */
export function bandOf(
  runs: readonly (readonly EpochRecord[])[],
  measure: EpochMeasure,
  weight: number,
  x: "epoch" | "samples",
): Band {
  const byEpoch = runs.map((records) => {
    const curve = smoothed(curveOf(records, measure), weight);
    return new Map(records.map((record, i) => [record.epoch, { value: curve[i], samples: record.samplesDrawn }]));
  });
  const shared = runs[0].map(({ epoch }) => epoch).filter((epoch) => byEpoch.every((run) => run.has(epoch)));
  const points = shared.map((epoch) => {
    const own = byEpoch.map((run) => run.get(epoch)!);
    const values = own.flatMap(({ value }) => value !== null && Number.isFinite(value) ? [value] : []);
    const over = values.length === runs.length ? interval(values) : null;
    return {
      x: x === "epoch" ? epoch + 1 : own.reduce((sum, { samples }) => sum + samples, 0) / runs.length,
      mean: over?.mean ?? null,
      half: over?.ci95 ?? null,
    };
  });
  const ends = (sign: number) =>
    points.map(({ mean, half }) => mean === null || half === null ? null : mean + sign * half);
  return {
    x: points.map((point) => point.x),
    mean: points.map(({ mean }) => mean),
    low: ends(-1),
    high: ends(1),
    seeds: runs.length,
  };
}
