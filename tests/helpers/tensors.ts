/** Small helpers of tests: reproducible values and comparison of lists. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";

await tf.setBackend("cpu");

/** sin(1.7 i + phase) scaled: values that a reference script can compute too. */
export function wave(shape: readonly number[], scale = 1, phase = 0): tf.Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tf.tensor(Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase) * scale), [...shape], "float32");
}

/** Values of a tensor. */
export function values(tensor: tf.Tensor | null): number[] {
  return [...tensor!.dataSync()];
}

/** Every entry within a tolerance, absolute or relative to 1; NaN and infinities are met by themselves alone. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const bound = tolerance * Math.max(1, Math.abs(expected[i]));
    const both = Number.isNaN(actual[i]) && Number.isNaN(expected[i]);
    assert(
      both || actual[i] === expected[i] ||
        (Number.isFinite(expected[i]) && Math.abs(actual[i] - expected[i]) <= bound),
      `entry ${i}: ${actual[i]} is not ${expected[i]} within ${bound}`,
    );
  }
}

/** A reference file of tests/golden. */
export function golden<T>(name: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(`../golden/${name}.json`, import.meta.url))) as T;
}
