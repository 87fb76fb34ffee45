/**
 * How the neurons of two trained copies of a part are brought into correspondence: a part says how its layers connect, a
 * merge says what to do with them.
 *
 * @module
 */

/** A coupling of neurons: of `from` of the second model with `to` of the first, both uniformly weighted. */
export interface Transport {
  readonly from: number;
  readonly to: number;
  /** Row-major [from, to]; rows sum to 1 / from, columns to 1 / to. */
  readonly values: Float64Array;
}

/** A layer of one or more kernels that add up. */
export interface AlignedLayer {
  /**
   * Full names of kernels [..., in, out], each with the transport of its inputs. A kernel whose inputs are that many times
   * several (positions of a window or a map, row-major before the channels) takes the transport at each of them.
   */
  readonly inputs: readonly (readonly [kernel: string, incoming: Transport])[];
  /** Full name of a bias that belongs to the outputs. */
  readonly bias?: string;
  /** Outputs are so many layers' beside each other, aligned one by one. @default {1} */
  readonly parts?: number;
  /** Whether outputs have a meaning of their own (classes) and keep their places. @default {false} */
  readonly fixed?: boolean;
}

/** What a part is given to say how it is aligned. */
export interface Alignment {
  /** Aligns a layer's outputs by its weights and merges it; one transport of outputs per part. */
  layer(layer: AlignedLayer): Transport[];
  /** Aligns the last axis of tensors by themselves, without merging them: positions. */
  columns(names: readonly string[]): Transport;
  /** Merges tensors whose last axis is aligned already: norms, biases, tokens, running statistics. */
  follow(names: readonly string[], transport: Transport): void;
  /** Where two streams are added: the mean of their transports. */
  average(a: Transport, b: Transport): Transport;
  /** Each neuron with its own: what inputs have. */
  identity(size: number): Transport;
}
