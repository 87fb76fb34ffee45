/**
 * How a layer gets its parameters, buffers, controls and noise.
 *
 * A layer, an encoder and a fusion are plain functions of `(scope, x)`. Initialising is running them once with an
 * initialising scope, so no shape is written twice; training runs them with a scope over the traced state.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { Random } from "./random.ts";

/** Training or evaluation; decides dropout, batch statistics and what methods do. */
export type Mode = "train" | "eval";

/** Makes the initial values of a parameter on the host. */
export type Initializer = (shape: readonly number[], random: Random) => Float32Array;

/** Kinds of in-graph noise. */
export type NoiseKind = "uniform" | "normal";

/**
 * Access to named tensors.
 *
 * A full name is `<group>/<path>/<name>`, e.g. `encoder:audio/block1/conv/kernel`. The group is what methods select by:
 * `encoder:<modality>`, `fusion`, `head`, `head:<modality>`, `aux:<name>`.
 */
export interface Scope {
  /** Training or evaluation. */
  readonly mode: Mode;
  /** Full path of this scope, without trailing slash. */
  readonly path: string;
  /** A scope one level down. */
  in(name: string): Scope;
  /** The root scope of a parameter group, whatever this scope's path. */
  group(name: string): Scope;
  /** The same scope in another mode; `"eval"` updates no buffers. */
  as(mode: Mode): Scope;
  /**
   * A trainable tensor (float32). The same name gives the same tensor.
   *
   * @throws {Refusal} If the name was used with another shape.
   */
  param(name: string, shape: readonly number[], init: Initializer): tf.Tensor;
  /** A float32 tensor that is carried from step to step but not trained. */
  buffer(name: string, shape: readonly number[], init: Initializer): tf.Tensor;
  /** Sets the value that a buffer of this scope has after the step. In `"eval"` mode this does nothing. */
  update(name: string, value: tf.Tensor): void;
  /**
   * A value that the host feeds at each step: `"epoch"`, `"learningRate"`, or one that a method declared.
   *
   * @throws {Refusal} If no such control is declared; the message lists those that are.
   */
  control(name: string): tf.Tensor;
  /** Fresh noise at each step, fixed by (seed, step, this scope's path, how many were drawn in it before). */
  random(kind: NoiseKind, shape: readonly number[]): tf.Tensor;
  /** Sample weights [B] of the batch, 0 for padding; `null` in evaluation and where nothing is padded. */
  weights(): tf.Tensor1D | null;
}

/** The group of a full parameter name. */
export function groupOf(fullName: string): string {
  const slash = fullName.indexOf("/");
  return slash === -1 ? fullName : fullName.slice(0, slash);
}
