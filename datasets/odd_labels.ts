/**
 * Hints at wrong labels: samples that look like another class.
 *
 * @module
 */
import { modalitiesOf } from "../core/modality.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { chunksOf } from "./rows.ts";
import type { Finding } from "./views.ts";

/** Samples of training that are compared with each other, their coordinates, and the neighbours that must agree. */
const COMPARED = { samples: 1000, coordinates: 256, neighbours: 5 } as const;
/** Samples that are named. */
const NAMED = 5;

/** Coordinates of some samples of training in a modality, at most so many, [n, width]. */
async function coordinates(
  { modalities, splits: { train } }: Dataset,
  modality: string,
  count: number,
): Promise<{ width: number; values: Float32Array }> {
  const info = modalities[modality];
  const whole = sizeOf(info.shape);
  const width = Math.min(whole, COMPARED.coordinates);
  const values = new Float32Array(count * width);
  for await (const { from, values: own } of chunksOf({ ...train, size: count }, modality, info)) {
    for (let n = 0; n * whole < own.length; n++) {
      for (let k = 0; k < width; k++) values[(from + n) * width + k] = own[n * whole + Math.floor(k * whole / width)];
    }
  }
  return { width, values };
}

/** The class of all nearest neighbours of each sample but itself; -1 where they differ. */
function neighboursClass(labels: Int32Array, width: number, values: Float32Array): Int32Array {
  const { neighbours } = COMPARED;
  return Int32Array.from(labels, (_, n) => {
    const nearest: { distance: number; label: number }[] = [];
    for (let other = 0; other < labels.length; other++) {
      if (other === n) continue;
      const limit = nearest.length < neighbours ? Infinity : nearest[neighbours - 1].distance;
      let distance = 0;
      for (let k = 0; k < width && distance < limit; k++) {
        distance += (values[n * width + k] - values[other * width + k]) ** 2;
      }
      if (distance >= limit) continue;
      nearest.push({ distance, label: labels[other] });
      nearest.sort((a, b) => a.distance - b.distance);
      nearest.length = Math.min(nearest.length, neighbours);
    }
    const [first] = nearest;
    return nearest.length === neighbours && nearest.every(({ label }) => label === first.label) ? first.label : -1;
  });
}

/** Samples whose nearest neighbours agree, in every modality of numbers, on one class that is not theirs. */
export async function oddLabels(dataset: Dataset): Promise<Finding[]> {
  const { modalities, classes, splits: { train } } = dataset;
  const names = modalitiesOf(modalities);
  const numeric = names.filter((name) => modalities[name].vocabulary === undefined);
  const labels = train.labels.subarray(0, COMPARED.samples);
  let others: Int32Array | null = null;
  for (const name of numeric) {
    const { width, values } = await coordinates(dataset, name, labels.length);
    const own = neighboursClass(labels, width, values);
    others = others === null ? own : others.map((label, n) => label === own[n] ? label : -1);
  }
  if (others === null) return [];
  const complete = (n: number) =>
    names.every((_, u) => train.present === undefined || train.present[n * names.length + u] === 1);
  const found = [...labels.keys()].filter((n) => complete(n) && others[n] !== -1 && others[n] !== labels[n]);
  if (found.length === 0) return [];
  const told = found.slice(0, NAMED).map((n) => `train ${n} (${classes[labels[n]]}, beside ${classes[others[n]]})`);
  return [{
    serious: false,
    about:
      `${found.length} of ${labels.length} samples of train look like another class in every modality of numbers: ` +
      `${told.join(", ")}${found.length > NAMED ? ", ..." : ""}; labels may be wrong`,
  }];
}
