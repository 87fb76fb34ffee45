/** Noise from a key: the generator against an implementation of its definition by big integers, and its moments. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { drawNoise, multinomial, noise } from "../../tensor/noise.ts";
import { values } from "../helpers/tensors.ts";

await tf.setBackend("cpu");

const WORD = 1n << 32n;
const word = (x: number) => BigInt.asUintN(32, BigInt(x));

/** lowbias32 as it is published: x ^= x >> 16; x *= 0x7feb352d; x ^= x >> 15; x *= 0x846ca68b; x ^= x >> 16. */
function mix(x: bigint): bigint {
  x = ((x ^ (x >> 16n)) * 0x7feb352dn) % WORD;
  x = ((x ^ (x >> 15n)) * 0x846ca68bn) % WORD;
  return x ^ (x >> 16n);
}

/** The definition in the module's documentation. */
function uniform(key: readonly [number, number], stream: number, i: number): number {
  const [s, t] = [mix(BigInt(2 * stream + 1)), mix(BigInt(2 * stream + 2))];
  const drawn = mix(mix(BigInt(i) ^ s ^ word(key[0])) ^ t ^ word(key[1]));
  return (Number(drawn >> 9n) + 0.5) / 2 ** 23;
}

const key: readonly [number, number] = [-5, 123456789];

Deno.test("drawNoise() gives the uniforms of its definition", () => {
  for (const stream of [0, 3, 0x7ffffffe]) {
    assertEquals(
      [...drawNoise(key, stream, "uniform", 9)],
      Array.from({ length: 9 }, (_, i) => uniform(key, stream, i)),
    );
  }
});

Deno.test("drawNoise() gives normals in pairs by Box and Muller, an odd number too", () => {
  for (const count of [1, 7, 8]) {
    const half = Math.ceil(count / 2);
    const right = Array.from({ length: count }, (_, i) => {
      const j = i % half;
      const radius = Math.sqrt(-2 * Math.log(uniform(key, 2, j)));
      const angle = 2 * Math.PI * uniform(key, 2, half + j);
      return Math.fround(radius * (i < half ? Math.cos(angle) : Math.sin(angle)));
    });
    assertEquals([...drawNoise(key, 2, "normal", count)], right);
  }
});

Deno.test("drawNoise() has the moments of its distributions, and streams are independent", () => {
  const n = 40_000;
  const [a, b] = [drawNoise([1, 2], 0, "normal", n), drawNoise([1, 2], 1, "normal", n)];
  const mean = (f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i)).reduce((x, y) => x + y, 0) / n;
  assertAlmostEquals(mean((i) => a[i]), 0, 5 / Math.sqrt(n));
  assertAlmostEquals(mean((i) => a[i] ** 2), 1, 5 * Math.sqrt(2 / n));
  assertAlmostEquals(mean((i) => a[i] * b[i]), 0, 5 / Math.sqrt(n));
  assertAlmostEquals(mean((i) => a[i] * a[(i + n / 2) % n]), 0, 5 / Math.sqrt(n));
  const u = drawNoise([1, 2], 0, "uniform", n);
  assert(u.every((value) => value > 0 && value < 1));
});

Deno.test("noise() is the kernel of those numbers in a shape, and refuses wrong keys and streams", () => {
  tf.tidy(() => {
    const words = tf.tensor1d([...key], "int32");
    assertEquals(values(noise(words, 3, [2, 3], "uniform")), [...drawNoise(key, 3, "uniform", 6)]);
    for (const stream of [-1, 0.5, 0x7fffffff, NaN]) {
      assertThrows(() => noise(words, stream, [2], "uniform"), Refusal, "an integer in 0..2^31 - 2: found");
    }
    assertEquals(noise(words, 0x7ffffffe, [2], "uniform").size, 2);
    assertThrows(() => noise(tf.tensor1d([1, 2]), 0, [2], "uniform"), Refusal, "found float32 [2]");
    assertThrows(() => noise(tf.tensor1d([1, 2, 3], "int32"), 0, [2], "uniform"), Refusal, "found int32 [3]");
    assertThrows(() => noise(tf.tensor2d([[1], [2]], [2, 1], "int32"), 0, [2], "uniform"), Refusal, "int32 [2, 1]");
  });
});

Deno.test("multinomial() inverts the cumulative distribution", () => {
  tf.tidy(() => {
    const words = tf.tensor1d([...key], "int32");
    const p = [0.2, 0.5, 0.3];
    const drawn = values(multinomial(words, 4, tf.log(tf.tensor2d([p])), 200));
    const right = Array.from(drawNoise(key, 4, "uniform", 200), (u) => u < 0.2 ? 0 : u < 0.7 ? 1 : 2);
    assertEquals(drawn, right);
    assertThrows(() => multinomial(words, 0, tf.zeros([2, 0]), 1), Refusal, "[batch, classes]: found [2, 0]");
    assertThrows(() => multinomial(words, 0, tf.zeros([2]), 1), Refusal, "[batch, classes]: found [2]");
  });
});
