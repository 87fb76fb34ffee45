/**
 * Noise from a fed key: the hash of `core/noise.ts` in ONNX's integer operators.
 *
 * @module
 */
import { mixMultipliers, streamWords } from "../../../core/noise.ts";
import type { Builder } from "../builder.ts";
import { sizeOf, type Value } from "../ir.ts";
import type { Rules } from "./rule.ts";

/** The low 32 bits of x, in 64. */
function low(b: Builder, x: Value): Value {
  return b.op("BitwiseAnd", [x, b.scalar(0xffffffff, "uint64")]);
}

/** x ^ (x >> bits). */
function fold(b: Builder, x: Value, bits: number): Value {
  const shifted = b.op("BitShift", [x, b.scalar(bits, "uint64")], { direction: "RIGHT" });
  return b.op("BitwiseXor", [x, shifted]);
}

/**
 * x times a 32-bit constant modulo 2^32. ONNX Runtime multiplies signed integers only; the bits of a product are the
 * same, so the casts around it change none of the low 32.
 */
function times(b: Builder, x: Value, factor: number): Value {
  const product = b.op("Mul", [b.cast(x, "int64"), b.scalar(factor, "int64")]);
  return low(b, b.cast(product, "uint64"));
}

/** lowbias32 of 32-bit words kept in 64 bits. */
function mix(b: Builder, x: Value): Value {
  const first = times(b, fold(b, x, 16), mixMultipliers[0]);
  return fold(b, times(b, fold(b, first, 15), mixMultipliers[1]), 16);
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
      const word = (index: number, part: number) => {
        const own = low(b, b.cast(b.cast(b.slice(key, [index], [1]), "int64"), "uint64"));
        return b.op("BitwiseXor", [own, b.constant([part], [1], "uint64")]);
      };
      const [first, second] = [word(0, s), word(1, t)];
      const half = Math.ceil(count / 2);
      const drawn = kind === "uniform" ? count : 2 * half;
      const counter = b.iota(drawn, "uint64");
      const inner = mix(b, b.op("BitwiseXor", [counter, first]));
      const words = mix(b, b.op("BitwiseXor", [inner, second]));
      const top = b.op("BitShift", [words, b.scalar(9, "uint64")], { direction: "RIGHT" });
      const uniform = b.op("Mul", [
        b.op("Add", [b.cast(b.cast(top, "int64"), "float32"), b.scalar(0.5)]),
        b.scalar(1 / 0x800000),
      ]);
      if (kind === "uniform") return b.reshape(uniform, shape);
      const log = b.op("Log", [b.slice(uniform, [0], [half])]);
      const radius = b.op("Sqrt", [b.op("Mul", [log, b.scalar(-2)])]);
      const angle = b.op("Mul", [b.slice(uniform, [half], [half]), b.scalar(2 * Math.PI)]);
      const cosines = b.op("Mul", [radius, b.op("Cos", [angle])]);
      const sines = b.op("Mul", [radius, b.op("Sin", [angle])]);
      const both = b.op("Concat", [cosines, b.slice(sines, [0], [count - half])], { axis: 0 });
      return b.reshape(both, shape);
    },
    note: "uniforms equal those of eager engines exactly, normals up to rounding",
  },
};
