/**
 * Estimators: vectors to normalised (conditional) mutual information. Symbols: N rows, n observations each, m modalities.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { ByModality } from "../modality.ts";
import type { RawOptions } from "../options.ts";
import type { About } from "./about.ts";
import { badResult } from "../plugin_error.ts";
import { complete, defineKind, guardAtOnce, type Kind, type Typed } from "./kind.ts";

/** Information between every part and the fused feature, and between them given every other part. */
export interface Information {
  /** NMI(f_y; z_u), [N, m] in sorted order of modalities. */
  readonly nmi: tf.Tensor2D;
  /** NCMI(f_y; z_j | z_i) at [N, i, j]; 0 on the diagonal. */
  readonly ncmi: tf.Tensor3D;
  /** I(f_y; z_u) in nats, not normalised, [N, m]. */
  readonly mi: tf.Tensor2D;
  /** I(f_y; z_j | z_i) in nats at [N, i, j]. */
  readonly cmi: tf.Tensor3D;
}

/** Normalised information on the host, row-major. */
export interface HostInformation {
  /** [N, m]. */
  readonly nmi: Float32Array;
  /** [N, m, m]. */
  readonly ncmi: Float32Array;
}

/** Which pairs do not belong together: the fused feature of one place with the parts of a place before. */
export interface Mismatch {
  /** What is shifted: rows, or the observations of one row. */
  readonly axis: "rows" | "observations";
  /** Steps between the two places. */
  readonly by: number;
  /** How many pairs. */
  readonly count: number;
  /** Weights of mismatched observations [1, count]; `null` where the matched ones have none. */
  readonly share: tf.Tensor2D | null;
}

/** An estimator with its options chosen. It has `information`, `onHost`, or both. */
export interface Estimator {
  /** What it chose by itself: `{ bins: 4 }`. */
  readonly settings?: Readonly<Record<string, number | string>>;
  /**
   * Information of each row's observations; traced, so that it may stand in a training step.
   *
   * @param vectors [N, 1 + m, n]: the fused feature, then the parts; observation k of one belongs to k of the others.
   * @param share Weights of observations [1, n], or `null` if all count alike; those of weight 0 must change nothing.
   */
  information?(vectors: tf.Tensor3D, share: tf.Tensor2D | null): Information;
  /**
   * The same, and of mismatched vectors below it; for estimators that judge both at once. Without it they are judged in turn.
   */
  withMismatched?(vectors: tf.Tensor3D, share: tf.Tensor2D | null, mismatch: Mismatch | null): Information;
  /**
   * Information of samples on the host, where it cannot be traced.
   *
   * @param parts [N, n] each, row-major.
   * @param fused [N, n].
   * @param width n.
   */
  onHost?(parts: ByModality<ArrayLike<number>>, fused: ArrayLike<number>, width: number): HostInformation;
}

/** What an estimator is built for. */
export interface EstimatorContext {
  /** d, the width of the fused feature. */
  readonly coordinates: number;
}

/** What an estimator promises, for contracts. */
export interface EstimatorPromises {
  /** Whether NMI and NCMI lie in [0, 1]. @default {true} */
  readonly bounded?: boolean;
  /** Whether I(x; y) = I(y; x). @default {true} */
  readonly symmetric?: boolean;
  /** Whether other units of the observations change nothing. @default {true} */
  readonly scaleFree?: boolean;
  /** Whether values have a gradient that is theirs (which finite differences give), another one, or none. @default {"none"} */
  readonly gradient?: "exact" | "surrogate" | "none";
}

/** A registered estimator. */
export interface EstimatorPlugin extends About {
  readonly kind: "estimator";
  /** Which observations a value rests on where its caller says nothing. @default {"sample"} */
  readonly granularity?: "sample" | "batch";
  /** What it promises with some options. */
  promises?(options: RawOptions): EstimatorPromises;
  /** What is doubtful with so many observations, in one sentence, or `null`. */
  warning?(options: RawOptions, context: EstimatorContext, observations: number): string | null;
  /** Builds it. @throws {Refusal} If options contradict each other. */
  create(options: RawOptions, context: EstimatorContext): Estimator;
}

/** What `create` gave, whose information is looked at: NMI and NCMI of every row and part. @throws {PluginError} */
function sound(made: Estimator, part: About, owner: string): Estimator {
  const estimator = guardAtOnce(made, part, owner) as Estimator;
  const { information } = estimator;
  if (information === undefined) return estimator;
  const checked: NonNullable<Estimator["information"]> = (vectors, share) => {
    const found = information(vectors, share);
    const [rows, all] = vectors.shape;
    const wanted = { nmi: [rows, all - 1], ncmi: [rows, all - 1, all - 1] };
    for (const [name, shape] of Object.entries(wanted)) {
      const own = found?.[name as keyof typeof wanted]?.shape;
      if (own?.join() === shape.join()) continue;
      const is = own === undefined ? "missing" : `[${own.join(", ")}]`;
      throw badResult(owner, "information", new TypeError(`${name} is ${is} and must be [${shape.join(", ")}]`));
    }
    return found;
  };
  return Object.defineProperty(estimator, "information", { value: checked, enumerable: true, writable: true });
}

/** The kind of estimators. */
export const estimatorKind: Kind<EstimatorPlugin> = defineKind<EstimatorPlugin>({
  name: "estimator",
  plural: "estimators",
  about: "how (conditional) mutual information is estimated",
  functions: {
    promises: { at: 0, otherwise: () => ({}) },
    warning: { at: 0, otherwise: () => null },
    create: { at: 0, then: sound },
  },
});

/** Defines an estimator; its functions receive resolved options. */
export function defineEstimator<O extends object>(
  plugin: Typed<EstimatorPlugin, O, "create" | "promises" | "warning"> & {
    promises?(options: O): EstimatorPromises;
    warning?(options: O, context: EstimatorContext, observations: number): string | null;
    create(options: O, context: EstimatorContext): Estimator;
  },
): EstimatorPlugin {
  return complete(estimatorKind, plugin);
}
