/** Kernels that are composed for WebAssembly equal tfjs's on its CPU backend. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "../helpers/properties.ts";
import { registerGradients } from "../../tensor/gradients.ts";
import { wasm } from "../../engines/mod.ts";
import { wasmKernels } from "../../engines/wasm_kernels.ts";
import { assertClose, wave } from "../helpers/tensors.ts";
import { Refusal } from "../../core/refusal.ts";

await (await wasm.create()).dispose();

/** Values and gradients by all arguments on one backend. */
function on(backend: string, run: (...x: tf.Tensor[]) => tf.Tensor, ...shapes: readonly number[][]): number[][] {
  void tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const found = tf.tidy(() => {
    const x = shapes.map((shape, i) => wave(shape, 1, i));
    const weighted = (...given: tf.Tensor[]) => {
      const y = run(...given);
      return tf.mul(y, wave(y.shape, 1, 9)).sum() as tf.Scalar;
    };
    const gradients = tf.grads(weighted)(x);
    return [run(...x), ...gradients].map((tensor) => [...tensor.shape, ...tensor.dataSync()]);
  });
  assertEquals(tf.memory().numTensors, before);
  return found;
}

function same(run: (...x: tf.Tensor[]) => tf.Tensor, ...shapes: readonly number[][]): void {
  const expected = on("cpu", run, ...shapes);
  on("wasm", run, ...shapes).forEach((values, i) => assertClose(values, expected[i], 2e-5));
}

/** Geometries of a window: extents of the image, the filter, stride and padding. */
const windows = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 3, max: 8 }),
  width: fc.integer({ min: 3, max: 8 }),
  channels: fc.integer({ min: 1, max: 3 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pad: fc.constantFrom<"same" | "valid" | 1>("same", "valid", 1),
})
  // tfjs computes output sizes of unequal extents wrongly where the padding is a number.
  .map((g) => g.pad === 1 ? { ...g, kernel: [2, 2] as const, stride: [g.stride[0], g.stride[0]] as const } : g)
  .map((g) => ({ ...g, kernel: [...g.kernel] as [number, number], stride: [...g.stride] as [number, number] }));
const rounding = (pad: "same" | "valid" | number) => typeof pad === "number" ? "floor" as const : undefined;
const image = (
  g: { batch: number; height: number; width: number; channels: number },
) => [g.batch, g.height, g.width, g.channels];

Deno.test("wasm: gradients of convolutions equal cpu's on random geometries", () => {
  fc.assert(
    fc.property(windows, fc.integer({ min: 1, max: 4 }), (g, out) => {
      same(
        (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, g.stride, g.pad, "NHWC", 1, rounding(g.pad)),
        image(g),
        [...g.kernel, g.channels, out],
      );
    }),
    { numRuns: 40, seed: 1 },
  );
});

Deno.test("wasm: gradients of depthwise convolutions equal cpu's on random geometries", () => {
  fc.assert(
    fc.property(windows, fc.integer({ min: 1, max: 2 }), (g, multiplier) => {
      // tfjs's depthwise kernels take equal strides only.
      const stride = g.stride[0];
      same(
        (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, g.pad, "NHWC", 1, rounding(g.pad)),
        image(g),
        [...g.kernel, g.channels, multiplier],
      );
    }),
    { numRuns: 40, seed: 2 },
  );
});

Deno.test("wasm: gradients of max pooling equal cpu's, of negative values and ties too", () => {
  fc.assert(
    fc.property(windows, fc.boolean(), (g, negative) => {
      same(
        (x) =>
          tf.maxPool(
            (negative ? tf.sub(x, 3) : tf.relu(x)) as tf.Tensor4D,
            g.kernel,
            g.stride,
            g.pad,
            rounding(g.pad),
          ),
        image(g),
      );
    }),
    { numRuns: 40, seed: 3 },
  );
});

Deno.test("wasm: sums by segment, one-hot floats, floor division and log1p equal cpu's", () => {
  const ids = tf.tensor1d([2, 0, 2, 1, 2], "int32");
  same((x) => tf.unsortedSegmentSum(x, ids, 4), [5, 3]);
  same((x) => tf.unsortedSegmentSum(x, ids, 3), [5]);
  same((x) => tf.gather(x, ids), [3, 2, 2]);
  same((x) => tf.log1p(tf.mul(x, 1e-4)), [9]);
  same((x) => tf.log1p(tf.mul(x, 0.5)), [9]);
  for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]]) {
    same(
      (a, b) => tf.matMul(a, b, transposeA, transposeB),
      transposeA ? [2, 4, 3] : [2, 3, 4],
      transposeB ? [2, 5, 4] : [2, 4, 5],
    );
  }
  same((a, b) => tf.matMul(a, b, true, false), [4, 3], [4, 5]);
  same((a, b) => tf.mul(tf.sum(tf.add(a, b)), 2), [0, 3], [3]);
  const both = (run: () => tf.Tensor) =>
    ["cpu", "wasm"].map((backend) => {
      void tf.setBackend(backend);
      const result = tf.tidy(run);
      return [result.dtype, ...result.shape, ...result.dataSync()];
    });
  for (
    const run of [
      () => tf.oneHot(tf.tensor1d([0, 2, 5], "int32"), 3, 1, 0, "float32"),
      () => tf.oneHot(tf.tensor2d([[0, 2]], [1, 2], "int32"), 3, 0.75, -0.5, "float32"),
      () => tf.oneHot(tf.tensor1d([1], "int32"), 2, 5, 3, "int32"),
      () => tf.einsum("bij,bjk->kbi", tf.ones([2, 3, 4]), tf.range(0, 24).reshape([2, 4, 3])),
      () => tf.einsum("i,j->ij", tf.tensor1d([1, 2]), tf.tensor1d([3, 4, 5])),
      () => tf.einsum("ij->", tf.tensor2d([[1, 2], [3, 4]])),
      () => tf.sum(tf.zeros([0, 3]), 0),
      () => tf.floorDiv(tf.tensor1d([-7, 7, 2.5]), tf.tensor1d([2, 2, 1])),
      () => tf.log1p(tf.tensor1d([0, -1, Infinity, 1e-9])),
      () => tf.unsortedSegmentSum(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor1d([7, 1], "int32"), 2),
      () => tf.cast(tf.tensor1d([0, 0.5, -256, 512]), "bool"),
      () => tf.cast(tf.tensor1d([0, 7, 256], "int32"), "bool"),
      () => tf.reverse(tf.tensor2d([1, 0, 1, 1, 0, 0], [2, 3], "bool"), 1),
      () => tf.where(tf.tensor1d([1, 0], "bool"), tf.tensor1d([1, 0], "bool"), tf.tensor1d([0, 1], "bool")),
    ]
  ) {
    const [expected, found] = both(run);
    assertEquals(found, expected);
  }
  assertEquals(wasmKernels.filter((name) => tf.getKernel(name, "wasm") === undefined), []);
});

Deno.test("wasm: paddings as numbers with unequal strides, and dilation, give cpu's values and gradients", () => {
  registerGradients();
  // The backend's own convolution writes behind its result where tfjs counts fewer windows than there are.
  const plain = (stride: [number, number], pad: number, rounding: "floor" | "ceil") => (x: tf.Tensor, w: tf.Tensor) =>
    tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, "NHWC", 1, rounding);
  for (let turn = 0; turn < 4; turn++) {
    same(plain([2, 1], 1, "floor"), [2, 6, 5, 3], [3, 3, 3, 4]);
    same(plain([1, 2], 1, "floor"), [2, 7, 6, 8], [3, 3, 8, 2]);
    same(plain([2, 2], 0, "ceil"), [2, 6, 6, 2], [3, 3, 2, 3]);
    same(
      (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], 1, "NHWC", 1, "floor"),
      [2, 6, 5, 3],
      [3, 3, 3, 2],
    );
  }
  for (const dilation of [2, [1, 2]] as const) {
    same(
      (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same", "NHWC", dilation as [number, number]),
      [2, 6, 5, 3],
      [3, 3, 3, 4],
    );
  }
});

Deno.test("wasm: kernels that stay wrong are refused", () => {
  void tf.setBackend("wasm");
  for (
    const run of [
      () => tf.maxPool3d(tf.zeros([1, 2, 2, 2, 1]) as tf.Tensor5D, 2, 2, "same"),
      () => tf.gather(tf.zeros([2, 3]), tf.zeros([2, 1], "int32"), 1, 1),
      () =>
        tf.conv3dTranspose(
          tf.zeros([1, 1, 1, 1, 1]) as tf.Tensor5D,
          tf.zeros([1, 1, 1, 1, 1]) as tf.Tensor5D,
          [1, 1, 1, 1, 1],
          1,
          "same",
        ),
    ]
  ) assertThrows(() => tf.tidy(run), Refusal, "on WebAssembly: its kernel ");
});
