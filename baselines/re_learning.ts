/**
 * Diagnosing and re-learning.
 *
 * @module
 */
import { at, byModality, mapByModality } from "../core/modality.ts";
import { defineMethod, type Host, type MethodPlugin, type OpenSplit } from "../core/kinds/mod.ts";
import type { Random } from "../core/random.ts";

/** Options of `re-learning`. */
export interface ReLearningOptions {
  readonly every: number;
  readonly times: number;
  readonly lambda: number;
  readonly momentum: "kept" | "reset";
}

/** Each column of a table [N, d] moved and scaled to -1..1; a constant one to 0. */
export function scaledColumns(values: Float32Array, width: number): Float32Array {
  const scaled = new Float32Array(values.length);
  for (let k = 0; k < width; k++) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = k; i < values.length; i += width) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    if (high === low) continue;
    for (let i = k; i < values.length; i += width) scaled[i] = 2 * (values[i] - low) / (high - low) - 1;
  }
  return scaled;
}

/** Repetitions after which k-means stops, whether or not it has settled. */
const MOST_ROUNDS = 100;

/** The nearest centre of every row; of equally near ones the first. */
function nearest(rows: Float32Array, width: number, centres: Float64Array): Int32Array {
  const clusters = centres.length / width;
  return Int32Array.from({ length: rows.length / width }, (_, n) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < clusters; c++) {
      let distance = 0;
      for (let k = 0; k < width; k++) distance += (rows[n * width + k] - centres[c * width + k]) ** 2;
      if (distance < least) [best, least] = [c, distance];
    }
    return best;
  });
}

/**
 * Clusters of rows by Lloyd's algorithm from chosen rows, until no row changes its cluster. An empty cluster keeps its centre.
 *
 * @param rows [N, width], row-major.
 * @param starts Indices of the rows that are the first centres.
 * @returns The cluster of every row.
 */
export function kMeans(rows: Float32Array, width: number, starts: ArrayLike<number>): Int32Array {
  const centres = new Float64Array(starts.length * width);
  for (let c = 0; c < starts.length; c++) {
    for (let k = 0; k < width; k++) centres[c * width + k] = rows[starts[c] * width + k];
  }
  let assigned = nearest(rows, width, centres);
  for (let round = 1; round < MOST_ROUNDS; round++) {
    const sums = new Float64Array(centres.length);
    const counts = new Float64Array(starts.length);
    assigned.forEach((c, n) => {
      counts[c]++;
      for (let k = 0; k < width; k++) sums[c * width + k] += rows[n * width + k];
    });
    counts.forEach((count, c) => {
      if (count === 0) return;
      for (let k = 0; k < width; k++) centres[c * width + k] = sums[c * width + k] / count;
    });
    const next = nearest(rows, width, centres);
    if (next.every((c, n) => c === assigned[n])) break;
    assigned = next;
  }
  return assigned;
}

/** Share of rows whose label is the most frequent one of their cluster. */
export function purity(assigned: Int32Array, labels: Int32Array, classes: number): number {
  const counts = new Map<number, Int32Array>();
  assigned.forEach((cluster, n) => {
    if (!counts.has(cluster)) counts.set(cluster, new Int32Array(classes));
    counts.get(cluster)![labels[n]]++;
  });
  return [...counts.values()].reduce((sum, own) => sum + Math.max(...own), 0) / assigned.length;
}

/** Purity of the clusters of every modality's features on a split, with as many clusters as classes. */
async function purities(host: Host, split: OpenSplit, random: Random): Promise<Record<string, number>> {
  const labels = host.labels(split);
  const { pooled } = await host.pass(split);
  return byModality(host.modalities, (modality) => {
    const width = pooled[modality].length / labels.length;
    const having = Int32Array.from(labels.keys()).filter((n) => host.has(split, n, modality));
    const rows = new Float32Array(having.length * width);
    having.forEach((n, k) => rows.set(pooled[modality].subarray(n * width, (n + 1) * width), k * width));
    const starts = random.split(split, modality).permutation(having.length).subarray(0, host.classes);
    const clusters = kMeans(scaledColumns(rows, width), width, starts);
    return purity(clusters, having.map((n) => labels[n]), host.classes);
  });
}

/**
 * How far each encoder is set back to its start: tanh(lambda |purity on train - purity on validation|).
 *
 * A modality whose features separate the classes much better where it was trained is over-trained; one that has learnt
 * nothing has no gap, and is left alone too.
 */
export function setbacks(
  train: Readonly<Record<string, number>>,
  validation: Readonly<Record<string, number>>,
  lambda: number,
): Record<string, number> {
  return mapByModality(train, (own, modality) => Math.tanh(lambda * Math.abs(own - at(validation, modality))));
}

/**
 * Sets every encoder back towards its start by how much better its features cluster by class on training samples than on
 * validation samples.
 *
 * Every tensor that is trained moves; running statistics and heads do not. It happens before an epoch begins, so that the
 * parameters that are selected are those that were measured. Validation takes part in control, as it does in selection.
 */
export const reLearning: MethodPlugin = defineMethod<ReLearningOptions>({
  name: "re-learning",
  tiny: { every: 1 },
  about: "re-initialises encoders softly, by how much better their features cluster on training than on validation",
  formula: `every E epochs, R times:  w_u = tanh(lambda |purity_train - purity_validation|)
    theta_u <- w_u theta_u^start + (1 - w_u) theta_u;  purity: k-means with C clusters, majority label`,
  source: 'Wei et al., "Diagnosing and Re-learning for Balanced Multimodal Learning", ECCV 2024',
  options: {
    every: {
      type: "integer",
      default: 20,
      min: 1,
      tune: [3, 10, 20],
      about: "epochs between two re-initialisations",
      source: "released code, of 90 epochs; BalanceBenchmark has 15",
    },
    times: {
      type: "integer",
      default: 3,
      min: 0,
      tune: [1, 2, 3],
      about: "how many re-initialisations there are",
      source: "released code; BalanceBenchmark has 2",
    },
    lambda: {
      type: "number",
      default: 3,
      min: 0,
      tune: [1, 3, 10],
      about: "strength: w = tanh(lambda gap)",
      source: "released code",
    },
    momentum: {
      type: "choice",
      choices: ["kept", "reset"],
      default: "kept",
      about: "whether the optimiser's state of encoders is cleared with it",
      source: "the released code keeps it",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  create: ({ every, times, lambda, momentum }, { modalities }) => {
    const due = (epoch: number) => epoch > 0 && epoch % every === 0 && epoch / every <= times;
    let weights: Record<string, number> = {};
    return {
      name: "re-learning",
      declares: { passesKeep: true },
      async beforeEpoch(host) {
        weights = {};
        if (!due(host.epoch)) return;
        const random = host.random.split("re-learning");
        const validation = await purities(host, "validation", random);
        weights = setbacks(await purities(host, "train", random), validation, lambda);
        for (const modality of modalities) {
          const groups = [`encoder:${modality}`];
          const [now, start] = [await host.params(groups), host.startParams(groups)];
          const w = weights[modality];
          await host.setParams(mapByModality(now, (own, full) => own.map((x, i) => w * start[full][i] + (1 - w) * x)));
        }
      },
      plan: (host, base) =>
        momentum === "kept" || !due(host.epoch)
          ? base
          : base.map((segment, index) => index > 0 ? segment : { ...segment, resetOptimizer: ["encoder:*"] }),
      report: () => mapByModality(weights, (weight) => weight),
    };
  },
});
