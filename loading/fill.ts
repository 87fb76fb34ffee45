/**
 * Batches filled with the rows of samples, augmented where training draws them.
 *
 * @module
 */
import type { Rows } from "../core/kinds/mod.ts";
import type { Augmenter } from "../augment/augmenter.ts";

/** Inputs of one modality, in memory or read by index. */
export interface Source {
  readonly width: number;
  readonly copy: Rows["copy"];
  /** Whether a sample has the modality. */
  has(sample: number): boolean;
}

type Values = Float32Array | Int32Array;

/** What is done to a batch. */
export interface Drawing {
  readonly augmenter: Augmenter;
  readonly epoch: number;
}

/** Mixes the rows of a batch with those of their partners. */
async function mix(
  modality: string,
  source: Source,
  items: Int32Array,
  into: Values,
  { augmenter, epoch }: Drawing,
): Promise<void> {
  const { width } = source;
  const partners = new Float32Array(items.length * width);
  const mixtures = Array.from(items, (item) => augmenter.mixture(modality, epoch, item));
  const there = mixtures.map((own, i) => own !== null && source.has(own.partner) && source.has(items[i]));
  await Promise.all(mixtures.map((own, i) => there[i] ? source.copy(own!.partner, partners, i * width) : undefined));
  mixtures.forEach((own, i) => {
    if (!there[i]) return;
    const other = partners.subarray(i * width, (i + 1) * width);
    augmenter.apply(modality, other, epoch, own!.partner);
    const { share } = own!;
    for (let k = 0; k < width; k++) into[i * width + k] = share * into[i * width + k] + (1 - share) * other[k];
  });
}

/**
 * Fills a batch's array of a modality; rows behind the last item become copies of the first.
 *
 * @param drawing What changes the samples. @default nothing
 */
export async function fill(
  modality: string,
  source: Source,
  items: Int32Array,
  into: Values,
  drawing: Drawing | null = null,
): Promise<void> {
  const { width } = source;
  const pending: Promise<void>[] = [];
  for (let i = 0; i < items.length; i++) {
    const copied = source.copy(items[i], into, i * width);
    if (copied !== undefined) pending.push(copied);
  }
  if (pending.length > 0) await Promise.all(pending);
  if (drawing !== null) {
    const { augmenter, epoch } = drawing;
    for (let i = 0; i < items.length; i++) {
      if (source.has(items[i])) augmenter.apply(modality, into.subarray(i * width, (i + 1) * width), epoch, items[i]);
    }
    if (augmenter.mixes) await mix(modality, source, items, into, drawing);
  }
  for (let at = items.length * width; at < into.length; at += width) into.copyWithin(at, 0, width);
}
