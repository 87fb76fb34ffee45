/**
 * Initial values of parameters, made on the host.
 *
 * Kernels are `[in, out]` (linear) or `[..spatial, in, out]` (convolution): fan-in is everything but the last axis,
 * fan-out the spatial extents times the last axis.
 *
 * @module
 */
import { sizeOf } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import type { Initializer } from "../core/scope.ts";
import { Refusal } from "../core/refusal.ts";

/** Fan-in and fan-out of a kernel. @throws {Refusal} If the shape has fewer than two axes. */
export function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) {
    throw new Refusal({
      what: "compute fans",
      must: "a kernel must have at least 2 axes",
      found: `found [${shape.join(", ")}]`,
    });
  }
  const spatial = sizeOf(shape.slice(0, -2));
  return { fanIn: spatial * shape[shape.length - 2], fanOut: spatial * shape[shape.length - 1] };
}

function draw(shape: readonly number[], next: () => number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, next);
}

/** All values equal. */
export function constant(value: number): Initializer {
  return (shape: readonly number[]) => new Float32Array(sizeOf(shape)).fill(value);
}

/** All 0. */
export const zeros: Initializer = constant(0);
/** All 1. */
export const ones: Initializer = constant(1);

/** Normal with mean 0. */
export function normal(std: number): Initializer {
  return (shape: readonly number[], random: Random) => draw(shape, () => std * random.normal());
}

/** Normal with mean 0, redrawn beyond two standard deviations. */
export function truncatedNormal(std: number): Initializer {
  return (shape: readonly number[], random: Random) =>
    draw(shape, () => {
      let value = random.normal();
      while (Math.abs(value) > 2) value = random.normal();
      return std * value;
    });
}

/** Uniform on [-bound, bound). */
export function uniform(bound: number): Initializer {
  return (shape: readonly number[], random: Random) => draw(shape, () => bound * (2 * random.uniform() - 1));
}

/** Normal with variance 2 / (fan-in + fan-out) (Glorot and Bengio, AISTATS 2010). */
export const xavierNormal: Initializer = (shape: readonly number[], random: Random): Float32Array => {
  const { fanIn, fanOut } = fans(shape);
  return normal(Math.sqrt(2 / (fanIn + fanOut)))(shape, random);
};

/** Uniform with variance 2 / (fan-in + fan-out) (Glorot and Bengio, AISTATS 2010). */
export const xavierUniform: Initializer = (shape: readonly number[], random: Random): Float32Array => {
  const { fanIn, fanOut } = fans(shape);
  return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, random);
};

/** Normal with variance 2 / fan, for ReLU (He et al., ICCV 2015). */
export function kaimingNormal(mode: "fanIn" | "fanOut" = "fanOut"): Initializer {
  return (shape: readonly number[], random: Random) => normal(Math.sqrt(2 / fans(shape)[mode]))(shape, random);
}

/** Uniform with variance 2 / fan, for ReLU (He et al., ICCV 2015). */
export function kaimingUniform(mode: "fanIn" | "fanOut" = "fanIn"): Initializer {
  return (shape: readonly number[], random: Random) => uniform(Math.sqrt(6 / fans(shape)[mode]))(shape, random);
}

/** Uniform on ±1/sqrt(fan-in): PyTorch's default for weights and biases of linear and convolution layers. */
export function fanInUniform(fanIn: number): Initializer {
  return uniform(1 / Math.sqrt(fanIn));
}
