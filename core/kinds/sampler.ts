/**
 * Samplers: which samples an epoch draws, and with which modalities. Symbols: N training samples, m modalities.
 *
 * @module
 */
import type { RawOptions } from "../options.ts";
import type { Random } from "../random.ts";
import type { About } from "./about.ts";
import type { ModelContext } from "./fusion.ts";
import type { Segment } from "./host.ts";
import { complete, defineKind, guardAtOnce, type Kind, type Typed } from "./kind.ts";

/** What a sampler may ask to be measured. */
export type SamplerNeed = "joint" | "contributions";

/** What is known when an epoch is planned. */
export interface SamplerInputs {
  /** Class indices of the training split, [N]. */
  readonly labels: Int32Array;
  /** This epoch's stream of the sampler. */
  readonly random: Random;
  /** phi(X): joint contribution of each training sample, as measured in the epoch before, [N]; for need `"joint"`. */
  readonly joint?: ArrayLike<number>;
  /** Contributions of every modality to some samples; for need `"contributions"`. */
  readonly valued?: {
    /** Training samples that were valued; may repeat. */
    readonly items: Int32Array;
    /** [items, m], row-major. */
    readonly contributions: ArrayLike<number>;
  };
}

/** A sampler with its options chosen. */
export interface Sampler {
  /**
   * The plan of an epoch. A function of its arguments alone, so that a resumed run plans the same. Every item is drawn from
   * the budget, copies included.
   */
  plan(base: readonly Segment[], inputs: SamplerInputs): readonly Segment[];
}

/** A registered sampler. */
export interface SamplerPlugin extends About {
  readonly kind: "sampler";
  /** What it asks to be measured. @default nothing */
  readonly needs?: SamplerNeed;
  /** Whether its plans carry keep masks. @default {false} */
  readonly keep?: boolean;
  /** Whether it passes the base plan through, so that a method with it re-samples nothing. @default {false} */
  readonly idle?: boolean;
  /** Builds it. @throws {Refusal} If its options contradict each other. */
  create(options: RawOptions, context: ModelContext): Sampler;
}

/** The kind of samplers. */
export const samplerKind: Kind<SamplerPlugin> = defineKind<SamplerPlugin>({
  name: "sampler",
  plural: "samplers",
  about: "which samples an epoch draws, and with which modalities",
  functions: { create: { at: 0, then: (made: object, part, owner) => guardAtOnce(made, part, owner) } },
  describe: ({ needs, keep = false }) => [
    `Needs: ${
      needs === undefined
        ? "nothing measured"
        : needs === "joint"
        ? "the joint contribution of every sample"
        : "contributions of every modality"
    }`,
    ...keep ? ["Drops modalities from samples"] : [],
  ],
});

/** Defines a sampler; `create` receives resolved options. */
export function defineSampler<O extends object>(
  plugin: Typed<SamplerPlugin, O, "create"> & { create(options: O, context: ModelContext): Sampler },
): SamplerPlugin {
  return complete(samplerKind, plugin);
}
