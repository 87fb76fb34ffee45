/**
 * The augmentations of a run, on the samples that training draws.
 *
 * @module
 */
import { modalitiesOf } from "../core/modality.ts";
import type { Augmentation, AugmentationPlugin, ModalityInfo } from "../core/kinds/mod.ts";
import type { BoundPart } from "../core/options.ts";
import { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";

/** What is augmented, how. */
export interface AugmentPlan {
  readonly parts: readonly BoundPart<AugmentationPlugin>[];
  /** The run's. */
  readonly seed: number;
}

/** Another sample, and the weight of the first beside it. */
export interface Mixture {
  readonly partner: number;
  readonly share: number;
}

/** One augmentation of one modality; its place among all is part of its stream's name. */
interface Applied {
  readonly place: number;
  readonly own: Augmentation;
}

/** Which modalities an augmentation is for. @throws {Refusal} If it is for none. */
function modalitiesFor(
  { name, plugin, options }: BoundPart<AugmentationPlugin>,
  infos: Readonly<Record<string, ModalityInfo>>,
): string[] {
  const all = modalitiesOf(infos);
  const wanted = String(options["modality"] ?? "");
  const what = `augment by "${name}"`;
  if (wanted !== "") {
    if (!all.includes(wanted)) {
      throw new Refusal({
        what,
        must: "its modality must be there",
        found: `found "${wanted}"; there are ${all.join(", ")}`,
      });
    }
    const refusal = plugin.refuses(infos[wanted], options);
    if (refusal === null) return [wanted];
    throw new Refusal({ what: `${what} modality "${wanted}"`, found: refusal });
  }
  if (plugin.everywhere !== true) {
    throw new Refusal({
      what,
      must: "it must be said which modality it is for",
      found: `there are ${all.join(", ")}`,
      hint: `write it as ${all[0]}=${name}`,
    });
  }
  const fitting = all.filter((modality) => plugin.refuses(infos[modality], options) === null);
  if (fitting.length > 0) return fitting;
  throw new Refusal({ what, must: "it must take some modality", found: plugin.refuses(infos[all[0]], options)! });
}

/**
 * Augments samples: every draw is a function of the seed, the epoch, the sample and the modality, and of nothing that ran
 * before it.
 */
export class Augmenter {
  readonly #random: Random;
  readonly #size: number;
  readonly #changes: Readonly<Record<string, readonly Applied[]>>;
  readonly #mixing: readonly { readonly place: number; readonly own: Augmentation; readonly of: readonly string[] }[];

  /**
   * @param infos Inputs by modality.
   * @param size Samples of training.
   * @throws {Refusal} If an augmentation is for no modality, or does not take its inputs.
   */
  constructor({ parts, seed }: AugmentPlan, infos: Readonly<Record<string, ModalityInfo>>, size: number) {
    this.#random = new Random(seed).split("augment");
    this.#size = size;
    const changes: Record<string, Applied[]> = {};
    const mixing: { place: number; own: Augmentation; of: string[] }[] = [];
    for (const modality of modalitiesOf(infos)) changes[modality] = [];
    parts.forEach((part, place) => {
      const of = modalitiesFor(part, infos);
      for (const modality of of) {
        const own = part.plugin.create(part.options, infos[modality]);
        if (own.apply !== undefined) changes[modality].push({ place, own });
        else if (modality === of[0]) mixing.push({ place, own, of });
      }
    });
    this.#changes = changes;
    this.#mixing = mixing;
  }

  /** Whether samples are mixed with others. */
  get mixes(): boolean {
    return this.#mixing.length > 0;
  }

  /** Changes a sample's values of a modality in place. */
  apply(modality: string, values: Float32Array | Int32Array, epoch: number, sample: number): void {
    for (const { place, own } of this.#changes[modality]) {
      own.apply!(values, this.#random.split(epoch, sample, modality, place));
    }
  }

  /** What a sample is mixed with in a modality; `null` for nothing. Later ones hide earlier ones. */
  mixture(modality: string, epoch: number, sample: number): Mixture | null {
    const mixing = this.#mixing.findLast(({ of }) => of.includes(modality));
    if (mixing === undefined) return null;
    const random = this.#random.split(epoch, sample, mixing.place);
    const partner = random.integer(this.#size);
    return { partner, share: mixing.own.share!(random) };
  }
}
