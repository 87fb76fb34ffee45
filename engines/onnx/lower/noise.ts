/**
 * Noise from a fed key: the hash of `core/noise.ts` in ONNX's integer operators.
 *
 * @module
 */
import { mixMultipliers, streamWords } from "../../../core/noise.ts";
import type { Builder } from "../builder.ts";
import { sizeOf, type Value } from "../ir.ts";
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

/** Rows of this family. */
export const noiseRules: Rules<"ArmlabNoise"> = {
  ArmlabNoise: {
    inputs: ["key"],
    infer: (_, { shape }) => ({ shape, dtype: "float32" }),
    lower: (b, [key], { stream, shape, kind }) => {
      const count = sizeOf(shape);
      if (count === 0) return b.filled(0, shape, "float32");
      const [s, t] = streamWords(stream);
      // A fold is linear, and one by 16 undoes itself: fold(fold(x) ^ y) = x ^ fold(y). Four of the six cost nothing.
      const word = (index: number, part: number) => {
        const own = b.cast(b.slice(key, [index], [1]), "uint32");
        return b.cast(fold(b, b.op("BitwiseXor", [own, b.constant([part], [1], "uint32")]), 16), "int32");
      };
      const half = Math.ceil(count / 2);
      const drawn = kind === "uniform" ? count : 2 * half;
      const counter = b.cast(fold(b, b.iota(drawn, "uint32"), 16), "int32");
      const inner = scramble(b, b.op("BitwiseXor", [counter, word(0, s)]));
      const outer = scramble(b, b.op("BitwiseXor", [inner, word(1, t)]));
      const words = fold(b, b.cast(outer, "uint32"), 16);
      const top = b.op("BitShift", [words, b.scalar(9, "uint32")], { direction: "RIGHT" });
      const halved = b.op("Add", [b.cast(top, "float32"), b.scalar(0.5)]);
      if (kind === "uniform") return b.reshape(b.op("Mul", [halved, b.scalar(1 / 0x800000)]), shape);
      const log = b.op("Log", [b.op("Mul", [b.slice(halved, [0], [half]), b.scalar(1 / 0x800000)])]);
      const radius = b.op("Sqrt", [b.op("Mul", [log, b.scalar(-2)])]);
      const angle = b.op("Mul", [b.slice(halved, [half], [half]), b.scalar(2 * Math.PI / 0x800000)]);
      const cosines = b.op("Mul", [radius, b.op("Cos", [angle])]);
      const sines = b.op("Mul", [radius, b.op("Sin", [angle])]);
      const both = b.op("Concat", [cosines, b.slice(sines, [0], [count - half])], { axis: 0 });
      return b.reshape(both, shape);
    },
    note: "uniforms equal those of eager engines exactly, normals up to rounding",
  },
};
