/**
 * Noise from a key: drawn by the host, or the hash of `tensor/noise.ts` in ONNX's integer operators.
 *
 * @module
 */
import { mixMultipliers, streamWords } from "../../../tensor/noise.ts";
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import type { Rules } from "./rule.ts";

/** x ^ (x >> bits) of uint32 words. */
function fold(b: Builder, x: Value, bits: number): Value {
  const shifted = b.op("BitShift", [x, b.scalar(bits, "uint32")], { direction: "RIGHT" });
  return b.op("BitwiseXor", [x, shifted]);
}

/**
 * What lowbias32 does between its two folds by 16, on words kept as int32: ONNX Runtime multiplies signed integers only,
 * and a product's low 32 bits are the same.
 */
function scramble(b: Builder, x: Value): Value {
  const times = (word: Value, factor: number) => b.op("Mul", [b.cast(word, "int32"), b.scalar(factor | 0, "int32")]);
  return times(fold(b, b.cast(times(x, mixMultipliers[0]), "uint32"), 15), mixMultipliers[1]);
}

/** Uniform numbers computed by the graph, [count]. */
function hashed(b: Builder, key: Value, stream: number, count: number): Value {
  const [s, t] = streamWords(stream);
  // A fold is linear, and one by 16 undoes itself: fold(fold(x) ^ y) = x ^ fold(y). Four of the six cost nothing.
  const word = (index: number, part: number) => {
    const own = b.cast(b.slice(key, [index], [1]), "uint32");
    return b.cast(fold(b, b.op("BitwiseXor", [own, b.constant([part], [1], "uint32")]), 16), "int32");
  };
  const counter = b.cast(fold(b, b.iota(count, "uint32"), 16), "int32");
  const inner = scramble(b, b.op("BitwiseXor", [counter, word(0, s)]));
  const outer = scramble(b, b.op("BitwiseXor", [inner, word(1, t)]));
  const words = fold(b, b.cast(outer, "uint32"), 16);
  const top = b.op("BitShift", [words, b.scalar(9, "uint32")], { direction: "RIGHT" });
  const halved = b.op("Add", [b.cast(top, "float32"), b.scalar(0.5)]);
  return b.op("Mul", [halved, b.scalar(1 / 0x800000)]);
}

/**
 * Uniform numbers in parts of the given sizes. From a key that is fed, the host draws them for the CPU: the runtime's
 * operators for bits go through numbers one by one. A key that the graph computes, and a graphics card, leave them to the
 * graph.
 */
function uniforms(b: Builder, key: Value, stream: number, sizes: readonly number[]): Value[] {
  const begins = sizes.map((_, part) => sizes.slice(0, part).reduce((sum, size) => sum + size, 0));
  if (b.target === "cpu" && key.node === null && key.data === null) {
    return sizes.map((size, part) => b.drawn(key, stream, begins[part], size));
  }
  const all = hashed(b, key, stream, sizes.reduce((sum, size) => sum + size, 0));
  return sizes.map((size, part) => b.slice(all, [begins[part]], [size]));
}

/** Rows of this family. */
export const noiseRules: Rules<"ArmlabNoise"> = {
  ArmlabNoise: {
    inputs: ["key"],
    infer: (_, { shape }) => ({ shape, dtype: "float32" }),
    lower: (b, [key], { stream, shape, kind }) => {
      const count = sizeOf(shape);
      if (count === 0) return b.filled(0, shape, "float32");
      if (kind === "uniform") return b.reshape(uniforms(b, key, stream, [count])[0], shape);
      const half = Math.ceil(count / 2);
      const [first, second] = uniforms(b, key, stream, [half, half]);
      const radius = b.op("Sqrt", [b.op("Mul", [b.op("Log", [first]), b.scalar(-2)])]);
      const angle = b.op("Mul", [second, b.scalar(2 * Math.PI)]);
      const cosines = b.op("Mul", [radius, b.op("Cos", [angle])]);
      const sines = b.op("Mul", [radius, b.op("Sin", [angle])]);
      const both = b.op("Concat", [cosines, b.slice(sines, [0], [count - half])], { axis: 0 });
      return b.reshape(both, shape);
    },
    note: "uniforms equal those of eager engines exactly, normals up to rounding",
  },
};
