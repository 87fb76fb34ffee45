/** Programs with which engines are compared. */
import * as tf from "@tensorflow/tfjs";
import { record } from "../../tensor/autodiff.ts";
import { float32, int32, type NamedHostTensors, type NamedTensors, type Program } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import type { Scope } from "../../core/scope.ts";
import {
  batchNorm,
  bindScope,
  conv2d,
  createOptimizer,
  dropout,
  embedding,
  initialise,
  layerNorm,
  linear,
  maxPool,
} from "../../nn/mod.ts";

/** One step of momentum SGD on a small linear classifier. */
export const linearStep: Program = {
  name: "step",
  state: {
    w: { shape: [4, 3], dtype: "float32" },
    v: { shape: [4, 3], dtype: "float32" },
    unused: { shape: [2], dtype: "float32" },
  },
  inputs: { x: { shape: [5, 4], dtype: "float32" }, y: { shape: [5], dtype: "int32" } },
  apply({ w, v }, { x, y }) {
    const pass = record(() => {
      const target = tf.oneHot(y as tf.Tensor1D, 3, 1, 0, "float32");
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)), target), 1)));
    });
    const [gradient] = pass.gradients(pass.value, [w]);
    pass.dispose();
    const velocity = tf.add(tf.mul(v, 0.9), gradient!);
    return { state: { w: tf.sub(w, tf.mul(velocity, 0.1)), v: velocity }, outputs: { loss: pass.value } };
  },
};

/** Its start. */
export const linearStart = (): NamedHostTensors => ({
  w: float32(Array.from({ length: 12 }, (_, i) => Math.sin(i)), [4, 3]),
  v: float32(new Float32Array(12), [4, 3]),
  unused: float32([7, 8], [2]),
});

/** One of its batches. */
export const linearBatch = (phase = 0): NamedHostTensors => ({
  x: float32(Array.from({ length: 20 }, (_, i) => Math.cos(i + phase)), [5, 4]),
  y: int32([0, 2, 1, 1, 0], [5]),
});

/** Samples of a batch, classes, height and width of the images, words of the vocabulary. */
const [B, C, H, W, V] = [7, 3, 9, 8, 11];

/** Convolutions (plain and strided), batch and layer normalisation, pooling, dropout and an embedding. */
function network(scope: Scope, image: tf.Tensor, words: tf.Tensor): tf.Tensor2D {
  let x = conv2d(scope.in("conv1"), image, { channels: 4, kernel: 3, stride: 1, bias: false });
  x = maxPool(tf.relu(batchNorm(scope.in("norm1"), x)), { window: 2 });
  x = tf.relu(conv2d(scope.in("conv2"), x, { channels: 6, kernel: 3, stride: 2, padding: 1 }));
  const seen = dropout(scope.in("drop"), tf.reshape(x, [B, -1]), 0.3);
  const read = tf.mean(embedding(scope.in("words"), words, { size: V, width: 5 }), 1);
  const joined = layerNorm(scope.in("norm2"), tf.concat([seen, read], 1));
  return linear(scope.in("out"), joined, { width: C }) as tf.Tensor2D;
}

/** A batch of the network. */
export function networkBatch(step: number): NamedHostTensors {
  const random = new Random(5).split("batch", step);
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  const below = (length: number, limit: number) =>
    Int32Array.from({ length }, () => Math.floor(random.uniform() * limit));
  return {
    image: float32(normals(B * H * W * 2), [B, H, W, 2]),
    words: int32(below(B * 4, V), [B, 4]),
    labels: int32(below(B, C), [B]),
    // The last row is padding.
    weights: float32(Array.from({ length: B }, (_, row) => row === B - 1 ? 0 : 1), [B]),
    key: int32([step, 77], [2]),
  };
}

/**
 * One training step of the network: forward, backward, update by an optimiser, new buffers.
 *
 * @param abstract Runs a function for its shapes, as `Engine.abstract` does.
 */
export function networkStep(
  optimizerName: "sgd" | "adamw",
  abstract: (run: () => void) => void,
): { program: Program; start: NamedHostTensors } {
  const optimizer = createOptimizer(optimizerName, { momentum: 0.9, weightDecay: 0.01 });
  const made = initialise(
    (scope) => {
      network(scope.group("net"), tf.zeros([B, H, W, 2]), tf.zeros([B, 4], "int32"));
    },
    { random: new Random(3), controls: {}, abstract },
  );
  const start: NamedHostTensors = { step: float32([0], []) };
  for (const [name, value] of Object.entries(made.params)) {
    start[`param:${name}`] = value;
    for (const slot of optimizer.slots) {
      start[`slot:${slot}/${name}`] = float32(new Float32Array(value.data.length), value.shape);
    }
  }
  for (const [name, value] of Object.entries(made.buffers)) start[`buffer:${name}`] = value;
  const names = Object.keys(made.params);
  const under = (prefix: string, tensors: Readonly<NamedTensors>): NamedTensors =>
    Object.fromEntries(
      Object.entries(tensors).filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  const specs = (values: NamedHostTensors) =>
    Object.fromEntries(Object.entries(values).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  const program: Program = {
    name: `network/${optimizerName}`,
    state: specs(start),
    inputs: specs(networkBatch(0)),
    apply(given, { image, words, labels, weights, key }) {
      const params = under("param:", given);
      const bound = bindScope({
        params,
        buffers: under("buffer:", given),
        controls: {},
        key: key as tf.Tensor1D,
        mode: "train",
        weights: weights as tf.Tensor1D,
      });
      const pass = record(() => {
        const logits = network(bound.scope.group("net"), image, words);
        const target = tf.oneHot(labels as tf.Tensor1D, C, 1, 0, "float32");
        const each = tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), target), 1));
        return { loss: tf.div(tf.sum(tf.mul(each, weights)), tf.sum(weights)), logits };
      });
      const gradients = pass.gradients(pass.value.loss, names.map((name) => params[name]));
      pass.dispose();
      const step = tf.add(given["step"], 1) as tf.Scalar;
      const state: NamedTensors = { step };
      names.forEach((name, index) => {
        const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, given[`slot:${slot}/${name}`]]));
        const updated = optimizer.apply(params[name], gradients[index]!, slots, {
          learningRate: tf.scalar(0.05),
          step,
        });
        state[`param:${name}`] = updated.param;
        for (const slot of optimizer.slots) state[`slot:${slot}/${name}`] = updated.slots[slot];
      });
      for (const [name, value] of Object.entries(bound.updates())) state[`buffer:${name}`] = value;
      return { state, outputs: { loss: pass.value.loss, logits: pass.value.logits } };
    },
  };
  return { program, start };
}
