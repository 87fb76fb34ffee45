/**
 * Augmentations: what is changed at random in the samples that training draws.
 *
 * @module
 */
import type { RawOptions } from "../options.ts";
import type { Random } from "../random.ts";
import type { About } from "./about.ts";
import type { ModalityInfo } from "./dataset.ts";
import { complete, defineKind, guardHooks, type Kind, type Typed } from "./kind.ts";

/** An augmentation with its options chosen, for inputs of one shape. A function of its arguments alone. */
export interface Augmentation {
  /**
   * Changes the values of one sample in place.
   *
   * @param values Row-major, of the modality's shape, as the model sees them.
   * @param random The stream of this sample, epoch, modality and augmentation.
   */
  apply?(values: Float32Array | Int32Array, random: Random): void;
  /**
   * Weight of the sample itself beside another one of training, 0..1, the same for all of its modalities.
   *
   * @param random The stream of this sample, epoch and augmentation.
   */
  share?(random: Random): number;
}

/** A registered augmentation. Its option `modality` names what it is for. */
export interface AugmentationPlugin extends About {
  readonly kind: "augmentation";
  /** Whether it is for every modality that it takes, where none is named. @default {false} */
  readonly everywhere?: boolean;
  /** Why it does not take an input, or `null`. */
  refuses(info: ModalityInfo, options: RawOptions): string | null;
  /** Builds it for an input. */
  create(options: RawOptions, info: ModalityInfo): Augmentation;
}

/** The kind of augmentations. */
export const augmentationKind: Kind<AugmentationPlugin> = defineKind<AugmentationPlugin>({
  name: "augmentation",
  plural: "augmentations",
  about: "what is changed at random in the samples that training draws",
  functions: { refuses: { at: 1 }, create: { at: 0, then: guardHooks } },
  describe: ({ name, everywhere = false }) => [
    everywhere ? `Used by --augment ${name}` : `Used by --augment MODALITY=${name}`,
  ],
});

/** Defines an augmentation; `refuses` and `create` receive resolved options. */
export function defineAugmentation<O extends { readonly modality: string }>(
  plugin: Typed<AugmentationPlugin, O, "refuses" | "create"> & {
    refuses(info: ModalityInfo, options: O): string | null;
    create(options: O, info: ModalityInfo): Augmentation;
  },
): AugmentationPlugin {
  return complete(augmentationKind, plugin);
}
