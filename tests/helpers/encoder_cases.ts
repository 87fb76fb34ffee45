/** Encoders, options and inputs of tests/golden/encoder_steps.py. */
import type { EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import { type HostTensor, int32, sizeOf } from "../../core/program.ts";
import type { Library } from "../../core/library.ts";
import { channelsLast, hostNoise } from "./encoder.ts";

/** An encoder with an input. */
export interface EncoderCase {
  readonly plugin: EncoderPlugin;
  readonly options: Readonly<Record<string, unknown>>;
  readonly info: ModalityInfo;
  readonly input: HostTensor;
}

/** The weights of the reference: a name of PyTorch's, its shape there, and its place among the sorted names. */
export function weightOf(name: string, shape: readonly number[], place: number): HostTensor {
  if (shape.length > 1) return hostNoise(shape, Math.sqrt(3 / sizeOf(shape.slice(1))), place);
  // Small branches: else so many normalisations of few numbers magnify rounding.
  if (name.endsWith("bn3.weight")) return hostNoise(shape, 0.05, place, 0.2);
  return name.endsWith("running_var") || name.endsWith("weight")
    ? hostNoise(shape, 0.3, place, 1)
    : hostNoise(shape, 0.2, place);
}

/** All of them by the reference's names. */
export function encoderCases(library: Library): Record<string, EncoderCase> {
  const photo = channelsLast(hostNoise([4, 3, 64, 64], 1, 0.1));
  const map = channelsLast(hostNoise([3, 2, 8, 12], 1, 0.1));
  const steps = hostNoise([3, 7, 3], 1, 0.1);
  const vector = hostNoise([3, 5], 1, 0.1);
  const ids = int32([3, 7, 1, 9, 10, 2, 4, 3, 3, 0, 0, 0, 5, 6, 0, 0, 0, 0], [3, 6]);
  const one = (name: string, input: HostTensor, options: Record<string, unknown>): EncoderCase => ({
    plugin: library.of("encoder").get(name),
    options,
    info: { shape: input.shape.slice(1), dtype: input.dtype as "float32" | "int32", about: "noise", vocabulary: 11 },
    input,
  });
  const vit = { patch: 4, width: 12, depth: 2, heads: 3, mlpRatio: 2 };
  const text = { vocabulary: 11, positions: 8, width: 12, depth: 2, heads: 2, hidden: 20, dropout: 0 };
  return {
    mlp: one("mlp", vector, { hidden: [7, 6], width: 4 }),
    linear: one("linear", vector, { width: 4 }),
    cnn: one("cnn", map, { channels: [3, 4], width: 5, norm: "batch" }),
    resnet18: one("resnet18", photo, { width: 4 }),
    resnet34: one("resnet34", photo, { width: 4 }),
    resnet50: one("resnet50", photo, { width: 4 }),
    vit: one("vit", map, vit),
    "vit-mean": one("vit", map, { ...vit, pooling: "mean" }),
    bert: one("bert", ids, text),
    distilbert: one("distilbert", ids, { ...text, pooling: "cls" }),
    gru: one("gru", steps, { width: 5 }),
    lstm: one("lstm", steps, { width: 5 }),
    transformer: one("transformer", steps, { width: 12, depth: 2, heads: 3, mlpRatio: 2 }),
  };
}
