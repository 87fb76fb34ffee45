/**
 * Fusions: all modalities' features to logits. Symbols: B batch, d width, C classes.
 *
 * @module
 */
import { badResult, type PluginError } from "../plugin_error.ts";
import { complete, defineKind, guardAtOnce, type Kind, type Typed } from "./kind.ts";
import type * as tf from "@tensorflow/tfjs";
import type { ByModality } from "../modality.ts";
import type { RawOptions } from "../options.ts";
import type { Scope } from "../scope.ts";
import type { About } from "./about.ts";
import type { Alignment, Transport } from "./alignment.ts";
import type { Features } from "./encoder.ts";

/** What every part of a model knows of the task. */
export interface ModelContext {
  /** Sorted names. */
  readonly modalities: readonly string[];
  /** Number of classes C. */
  readonly classes: number;
}

/** Which modalities of a sample take part: one column [B, 1] of 0 and 1 per modality, or `null` if all of all. */
export type Keep = ByModality<tf.Tensor2D> | null;

/** Masks that keep the same modalities of every sample, with these. */
const fixedMasks: WeakMap<object, readonly string[]> = new WeakMap();

/** A mask whose columns are all ones or all zeros, marked as such. */
export function fixedKeep(columns: ByModality<tf.Tensor2D>, kept: readonly string[]): Keep {
  fixedMasks.set(columns, kept);
  return columns;
}

/**
 * The modalities that a mask keeps of every sample, while it drops all others of every sample; `null` where that differs
 * from sample to sample or is not known. A fusion may leave uncomputed what such a mask drops.
 */
export function keptOfAll(keep: Keep): readonly string[] | null {
  return keep === null ? null : fixedMasks.get(keep) ?? null;
}

/** How a dropped modality's feature is filled. */
export type KeepFill = "zero" | "mean";

/** What a fusion makes of all features. */
export interface FusionOutput {
  /** Fused feature f_y, [B, d]. */
  readonly fused: tf.Tensor2D;
  /** [B, C]. */
  readonly logits: tf.Tensor2D;
  /** Logits of heads that belong to one modality each, if the fusion has such heads: [B, C]. */
  readonly own?: ByModality<tf.Tensor2D>;
  /** The modalities' parts of the fused feature, if it is their sum: `solo` may use them, so that gradients meet there. */
  readonly parts?: ByModality<tf.Tensor2D>;
  /** Whatever else the fusion's own loss reads, by a name of its own. Methods pass it on. */
  readonly details?: Readonly<Record<string, tf.Tensor2D>>;
}

/** Each modality's part in the fused feature and its own readout. */
export interface Solo {
  /** Bias-free solo image z_u in fused space, [B, d]. */
  readonly parts: ByModality<tf.Tensor2D>;
  /** Bias-free fused feature, [B, d]: what `parts` are compared with. */
  readonly fused: tf.Tensor2D;
  /** Unimodal logits, [B, C]. */
  readonly logits: ByModality<tf.Tensor2D>;
}

/** How a fusion's unimodal readout is defined; named beside every per-modality number. */
export type SoloMode = "split" | "own" | "ablate-zero" | "ablate-mean";

/** What a fusion needs of its encoders. */
export interface FusionNeeds {
  /** How many of the deepest stages it wants to see and gate. @default {0} */
  readonly stages?: number;
  /** Whether it needs token sequences. @default {false} */
  readonly tokens?: boolean;
  /**
   * Whether it looks at tokens where an encoder gives them, and does with the pooled feature otherwise: a kept mean cannot
   * stand in for tokens, so that `ablate-mean` masks the others out.
   *
   * @default {false}
   */
  readonly tokensIfAny?: boolean;
  /**
   * How many of the deepest layers of transformers it runs itself, given as `Features.layers`; tokens are then those
   * before these layers. @default {0}
   */
  readonly layers?: number;
  /** Whether all pooled widths must be equal. @default {false} */
  readonly equalWidths?: boolean;
}

/** A fusion with its head. All functions are pure and may be called several times in one pass. */
export interface Fusion {
  readonly needs: FusionNeeds;
  /** What `solo` does, or `"ablate-mean"`/`"ablate-zero"` where the harness derives it from keep masks. */
  readonly soloMode: SoloMode;
  /** Whether the logits are made of `own` alone, by heads of one modality each. @default {false} */
  readonly late?: boolean;
  /**
   * Called between the encoders' stages, once per level, shallow to deep: may change the maps.
   *
   * @param level 0 .. needs.stages - 1; the last is the deepest stage.
   */
  gate?(level: number, maps: ByModality<tf.Tensor>, keep: Keep, scope: Scope): ByModality<tf.Tensor>;
  /**
   * Multiplicative channel gates [B, c_u] of each modality's map, applied by the harness before `gate`. Apart from `gate`,
   * so that a method can look at gates and replace them.
   */
  channelGates?(level: number, maps: ByModality<tf.Tensor>, keep: Keep, scope: Scope): ByModality<tf.Tensor2D>;
  /**
   * The modalities into which a parameter carries information from other modalities: what a balancing method treats as
   * the path around a modality's own encoder. Empty for parameters that carry none.
   *
   * @param param Full parameter name.
   */
  bypass?(param: string): readonly string[];
  /**
   * Features to logits. Parameters live in `scope.group("fusion")`, `scope.group("head")` and
   * `scope.group("head:<modality>")`.
   *
   * @param keep Modalities dropped here must not influence the output; the fusion says how it fills them.
   * @param means Mean pooled feature [1, d_u] of each modality over the training set, for `keepFill: "mean"`.
   */
  forward(
    features: ByModality<Features>,
    keep: Keep,
    scope: Scope,
    means: ByModality<tf.Tensor2D>,
  ): FusionOutput;
  /**
   * Exact unimodal parts and readouts. Without it, the harness uses one-hot keep masks according to `soloMode`.
   *
   * @param output What `forward` gave for the same features with all modalities kept, if it ran.
   */
  solo?(features: ByModality<Features>, scope: Scope, output?: FusionOutput): Solo;
  /**
   * Kernels K_u [d_u, C] of a fusion that is linear in its pooled features: l = sum_u f_u K_u + c.
   */
  kernels?(features: ByModality<Features>, scope: Scope): ByModality<tf.Tensor2D>;
  /**
   * Aligns and merges the parameters of two trained copies.
   *
   * @param features Transports of the pooled features.
   */
  align?(alignment: Alignment, features: ByModality<Transport>): void;
  /**
   * The fusion's own training loss, where it is not cross-entropy on `logits`: per-sample terms [B] by key.
   * The sum of all keys is minimised. A head of a modality that a sample lacks must have loss 0 there.
   */
  loss?(output: FusionOutput, labels: tf.Tensor1D, scope: Scope, keep: Keep): Record<string, tf.Tensor1D>;
}

/** A registered fusion. */
export interface FusionPlugin extends About {
  readonly kind: "fusion";
  /**
   * Whether other names for the same modalities change nothing. False where one is treated apart, or where one parameter
   * holds parts of all in sorted order.
   *
   * @default {true}
   */
  readonly symmetric?: boolean;
  /** Builds the fusion. @throws {Refusal} If it cannot serve these modalities. */
  create(options: RawOptions, context: ModelContext): Fusion;
}

const soloModes: Readonly<Record<SoloMode, true>> = {
  split: true,
  own: true,
  "ablate-zero": true,
  "ablate-mean": true,
};

/** A defect of what a hook gives, as the hook's own. */
function badOutput(owner: string, found: string): PluginError {
  return badResult(owner, "forward", new TypeError(`it must give { fused: [B, d], logits: [B, C] }: ${found}`));
}

/** What `create` gave, looked at: what it says, and what its `forward` gives. @throws {PluginError} */
function sound(made: Fusion, part: About, owner: string, [, context]: readonly unknown[]): Fusion {
  const fusion = guardAtOnce(made, part, owner) as Fusion;
  if (typeof fusion.needs !== "object" || fusion.needs === null) {
    throw badResult(
      owner,
      "create",
      new TypeError(`it must give needs, an object ({} for pooled features alone): found ${fusion.needs}`),
    );
  }
  if (typeof fusion.forward !== "function") {
    throw badResult(owner, "create", new TypeError("it must give a function forward: it has none"));
  }
  if (!Object.hasOwn(soloModes, String(fusion.soloMode))) {
    const known = Object.keys(soloModes).join(", ");
    throw badResult(
      owner,
      "create",
      new TypeError(`it must give soloMode, one of ${known}: found ${JSON.stringify(fusion.soloMode)}`),
    );
  }
  const { forward } = fusion;
  const { classes } = context as ModelContext;
  const checked: Fusion["forward"] = (features, ...rest) => {
    const output: unknown = forward(features, ...rest);
    if (typeof output !== "object" || output === null) throw badOutput(owner, `found ${output}`);
    const [batch] = Object.values(features)[0].pooled.shape;
    for (const [name, width] of [["fused", "d"], ["logits", classes]] as const) {
      const { shape } = (output as FusionOutput)[name] ?? {};
      if (shape === undefined) throw badOutput(owner, `${name} is ${(output as FusionOutput)[name]}`);
      if (shape.length === 2 && shape[0] === batch && (width === "d" || shape[1] === width)) continue;
      throw badOutput(owner, `${name} is [${shape.join(", ")}] and must be [${batch}, ${width}]`);
    }
    return output as FusionOutput;
  };
  return Object.defineProperty(fusion, "forward", { value: checked, enumerable: true, writable: true });
}

/** The kind of fusions. */
export const fusionKind: Kind<FusionPlugin> = defineKind<FusionPlugin>({
  name: "fusion",
  plural: "fusions",
  about: "all modalities' features to logits",
  functions: { create: { at: 0, then: sound } },
});

/** Defines a fusion; `create` receives resolved options. */
export function defineFusion<O extends object>(
  plugin: Typed<FusionPlugin, O, "create"> & { create(options: O, context: ModelContext): Fusion },
): FusionPlugin {
  return complete(fusionKind, plugin);
}
