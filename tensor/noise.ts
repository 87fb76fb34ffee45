/**
 * Noise inside a program, made from a key that the host feeds.
 *
 * A tfjs kernel of our own, so that eager backends and the compiled engine draw the same numbers. The generator has no
 * state: element `i` of a draw is a hash of (key, stream, i). With mix = lowbias32 (Wellons 2018), ^ = exclusive or, all
 * arithmetic modulo 2^32 and k0, k1 the key's words:
 *
 *     s = mix(2 stream + 1),  t = mix(2 stream + 2)
 *     word(i) = mix(mix(i ^ s ^ k0) ^ t ^ k1)
 *     uniform(i) = (floor(word(i) / 2^9) + 1/2) / 2^23            in (0, 1), both ends open, exact in float32
 *
 * Normals come in pairs (Box-Muller): for n values and h = ceil(n / 2), with r = sqrt(-2 ln uniform(j)) and
 * a = 2 pi uniform(h + j), value j is r cos a and value h + j is r sin a.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Refusal } from "../core/refusal.ts";
import type { NoiseKind } from "../core/scope.ts";

/** Name of the tfjs kernel. */
export const noiseKernel = "ArmlabNoise";

/** Attributes of the kernel. */
export interface NoiseAttributes {
  /** Which of the independent streams of a key; an integer in 0..2^31 - 2. */
  readonly stream: number;
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** Distribution: uniform on (0, 1), or standard normal. */
  readonly kind: NoiseKind;
}

/** Multipliers of lowbias32; the shifts are 16, 15, 16. */
export const mixMultipliers: readonly [number, number] = [0x7feb352d, 0x846ca68b];

/** lowbias32: a bijection of 32-bit words in which each input bit flips each output bit with probability 1/2. */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), mixMultipliers[0]);
  x = Math.imul(x ^ (x >>> 15), mixMultipliers[1]);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The two words s and t that stand for a stream. */
export function streamWords(stream: number): [number, number] {
  if (!Number.isInteger(stream) || stream < 0 || stream > 0x7ffffffe) {
    throw new Refusal({
      what: "draw noise",
      must: "the stream must be an integer in 0..2^31 - 2",
      found: `found ${stream}`,
    });
  }
  return [mix(2 * stream + 1), mix(2 * stream + 2)];
}

/**
 * The values of a draw, on the host.
 *
 * @param key Two 32-bit words.
 * @param count Number of values.
 * @throws {Refusal} If the stream is not an integer in 0..2^31 - 2.
 */
export function drawNoise(key: ArrayLike<number>, stream: number, kind: NoiseKind, count: number): Float32Array {
  const [s, t] = streamWords(stream);
  const first = s ^ key[0];
  const second = t ^ key[1];
  const uniform = (i: number): number => ((mix(mix(i ^ first) ^ second) >>> 9) + 0.5) / 0x800000;
  const values = new Float32Array(count);
  if (kind === "uniform") {
    for (let i = 0; i < count; i++) values[i] = uniform(i);
    return values;
  }
  const half = Math.ceil(count / 2);
  for (let j = 0; j < half; j++) {
    const radius = Math.sqrt(-2 * Math.log(uniform(j)));
    const angle = 2 * Math.PI * uniform(half + j);
    values[j] = radius * Math.cos(angle);
    if (half + j < count) values[half + j] = radius * Math.sin(angle);
  }
  return values;
}

/** What the kernel needs of an eager backend. */
interface WritingBackend {
  readSync(dataId: object): ArrayLike<number>;
  write(values: Float32Array, shape: number[], dtype: "float32"): object;
}

/** Registers the kernel for an eager tfjs backend; again is no error. */
export function registerNoise(backendName: string): void {
  if (tf.getKernel(noiseKernel, backendName) !== undefined) return;
  tf.registerKernel({
    kernelName: noiseKernel,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { stream, shape, kind } = attrs as unknown as NoiseAttributes;
      const device = backend as WritingBackend;
      const extents = [...shape];
      const key = device.readSync((inputs as { key: tf.TensorInfo }).key.dataId);
      const values = drawNoise(key, stream, kind, tf.util.sizeFromShape(extents));
      return { dataId: device.write(values, extents, "float32"), shape: extents, dtype: "float32" };
    },
  });
}

/**
 * Draws noise from a key.
 *
 * @param key int32 tensor [2]; see `Random.key`. A value of the program, so the noise differs whenever the key does.
 * @param stream Integer in 0..2^31 - 2. Streams of one key are independent of each other.
 * @param shape Shape of the result.
 * @param kind `"uniform"` on (0, 1), or `"normal"`: mean 0, variance 1.
 * @returns A float32 tensor. It does not depend on the engine (normals up to rounding) and carries no gradient.
 * @throws {Refusal} If the key is not an int32 tensor of shape [2].
 * @throws {Refusal} If the stream is out of range.
 */
export function noise(key: tf.Tensor, stream: number, shape: readonly number[], kind: NoiseKind): tf.Tensor {
  if (key.dtype !== "int32" || key.shape.length !== 1 || key.shape[0] !== 2) {
    throw new Refusal({
      what: "draw noise",
      must: "the key must be an int32 tensor of shape [2]",
      found: `found ${key.dtype} [${key.shape.join(", ")}]`,
    });
  }
  streamWords(stream);
  registerNoise(tf.getBackend());
  const attributes: NoiseAttributes = { stream, shape, kind };
  return tf.engine().runKernel(
    noiseKernel,
    { key },
    attributes as unknown as tf.NamedAttrMap,
  ) as tf.Tensor;
}

/**
 * Draws classes from a key, by inverting the cumulative distribution.
 *
 * @param key See `noise`.
 * @param stream See `noise`.
 * @param logits Log-probabilities up to a constant per row, float32 [batch, classes].
 * @param samples Draws per row, with replacement.
 * @returns int32 [batch, samples] with values in 0..classes - 1. It carries no gradient.
 * @throws {Refusal} If the logits are not a matrix with at least one class, or the key is none.
 */
export function multinomial(key: tf.Tensor, stream: number, logits: tf.Tensor, samples: number): tf.Tensor {
  const [batch, classes] = logits.shape;
  if (logits.rank !== 2 || classes === 0) {
    throw new Refusal({
      what: "draw classes",
      must: "the logits must have the shape [batch, classes]",
      found: `found [${logits.shape.join(", ")}]`,
    });
  }
  const uniform = noise(key, stream, [batch, samples, 1], "uniform");
  // The last class takes what is left: rounding must not leave a gap below 1.
  const bounds = tf.slice(tf.cumsum(tf.softmax(logits), 1), [0, 0], [batch, classes - 1]);
  const passed = tf.greaterEqual(uniform, tf.reshape(bounds, [batch, 1, classes - 1]));
  return tf.sum(tf.cast(passed, "int32"), 2);
}
