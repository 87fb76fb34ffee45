/**
 * Linear probes: how much of a task a linear map reads from features that are not trained for it. Symbols: N rows, d width,
 * C classes.
 *
 * @module
 */
import type { Random } from "../../core/random.ts";
import { accuracy } from "./classification.ts";

/** Features [N, d], row-major, with their labels [N]. */
export interface ProbeData {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

/** How a probe is trained. */
export interface ProbeOptions {
  readonly classes: number;
  /** @default {40} */
  readonly epochs?: number;
  /** @default {64} */
  readonly batchSize?: number;
  /** Start of a cosine to 0. @default {0.1} */
  readonly learningRate?: number;
  /** @default {0.9} */
  readonly momentum?: number;
  /** L2. @default {1e-4} */
  readonly weightDecay?: number;
}

/** A trained probe. */
export interface LinearProbe {
  /** The epoch whose parameters it has, from 0. */
  readonly epoch: number;
  readonly validationAccuracy: number;
  /** Kernel [d, C], row-major, on standardised features. */
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
  /** Class of every row. */
  predict(features: Float32Array): Int32Array;
}

/** Mean and standard deviation of each column; 1 for one that is constant. */
function moments(features: Float32Array, width: number): { mean: Float64Array; std: Float64Array } {
  const size = features.length / width;
  const [mean, std] = [new Float64Array(width), new Float64Array(width)];
  features.forEach((value, i) => mean[i % width] += value / size);
  features.forEach((value, i) => std[i % width] += (value - mean[i % width]) ** 2 / size);
  return { mean, std: std.map((variance) => variance > 0 ? Math.sqrt(variance) : 1) };
}

/**
 * Trains softmax regression by momentum SGD on standardised features, from zero, and keeps the epoch that is best on
 * validation; of equal ones the earliest.
 *
 * @param random Orders the rows.
 */
export function linearProbe(
  train: ProbeData,
  validation: ProbeData,
  options: ProbeOptions,
  random: Random,
): LinearProbe {
  const { classes, epochs = 40, batchSize = 64, learningRate = 0.1, momentum = 0.9, weightDecay = 1e-4 } = options;
  const size = train.labels.length;
  const width = train.features.length / size;
  const { mean, std } = moments(train.features, width);
  const standardised = (features: Float32Array) =>
    Float64Array.from(features, (value, i) => (value - mean[i % width]) / std[i % width]);
  const x = standardised(train.features);
  const held = standardised(validation.features);
  const parameters = (width + 1) * classes;
  const [weights, velocity, gradient] = [0, 1, 2].map(() => new Float64Array(parameters));
  const logits = new Float64Array(classes);

  /** Logits of a row; the bias stands behind the kernel. */
  const score = (rows: Float64Array, n: number, from: Float64Array) => {
    for (let c = 0; c < classes; c++) logits[c] = from[width * classes + c];
    for (let k = 0; k < width; k++) {
      const value = rows[n * width + k];
      for (let c = 0; c < classes; c++) logits[c] += value * from[k * classes + c];
    }
  };
  const classify = (rows: Float64Array, from: Float64Array) =>
    Int32Array.from({ length: rows.length / width }, (_, n) => {
      score(rows, n, from);
      return logits.indexOf(Math.max(...logits));
    });
  /** Adds the gradient of a row's cross-entropy. */
  const addGradient = (n: number, share: number) => {
    score(x, n, weights);
    const top = Math.max(...logits);
    let total = 0;
    for (let c = 0; c < classes; c++) total += logits[c] = Math.exp(logits[c] - top);
    for (let c = 0; c < classes; c++) logits[c] = share * (logits[c] / total - (c === train.labels[n] ? 1 : 0));
    for (let k = 0; k < width; k++) {
      const value = x[n * width + k];
      for (let c = 0; c < classes; c++) gradient[k * classes + c] += value * logits[c];
    }
    for (let c = 0; c < classes; c++) gradient[width * classes + c] += logits[c];
  };

  let best = { epoch: -1, accuracy: -1, weights };
  const batches = Math.ceil(size / batchSize);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = random.split("probe", epoch).permutation(size);
    for (let batch = 0; batch < batches; batch++) {
      const rows = order.subarray(batch * batchSize, (batch + 1) * batchSize);
      gradient.fill(0);
      for (const n of rows) addGradient(n, 1 / rows.length);
      const rate = learningRate / 2 * (1 + Math.cos(Math.PI * (epoch * batches + batch) / (epochs * batches)));
      for (let i = 0; i < parameters; i++) {
        velocity[i] = momentum * velocity[i] + gradient[i] + weightDecay * weights[i];
        weights[i] -= rate * velocity[i];
      }
    }
    const found = accuracy(classify(held, weights), validation.labels);
    if (found > best.accuracy) best = { epoch, accuracy: found, weights: weights.slice() };
  }
  return {
    epoch: best.epoch,
    validationAccuracy: best.accuracy,
    kernel: best.weights.slice(0, width * classes),
    bias: best.weights.slice(width * classes),
    predict: (features) => classify(standardised(features), best.weights),
  };
}
