/**
 * Host batches of fixed size.
 *
 * @module
 */
import type { ByModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { Dataset, Split } from "../core/kinds/mod.ts";
import { type HostTensor, type NamedHostTensors, sizeOf } from "../core/program.ts";
import type { Augmenter } from "../augment/augmenter.ts";
import { fill, type Source } from "../loading/fill.ts";
import type { ReadAhead } from "../loading/read_ahead.ts";

/** Whether samples of a dataset lack modalities. */
export function lacksSome({ splits }: Pick<Dataset, "splits">): boolean {
  return Object.values(splits).some(({ present }) => present !== undefined);
}

/** Groups of a split's samples by number [N], or `null` where every sample is a group of its own. */
export function groupNumbers({ groups, size }: Pick<Split, "groups" | "size">): Int32Array | null {
  const numbers = new Map<string, number>();
  for (const group of groups) if (!numbers.has(group)) numbers.set(group, numbers.size);
  return numbers.size === size ? null : Int32Array.from(groups, (group) => numbers.get(group)!);
}

/** What batches are made with besides memory. */
export interface BatchesOptions {
  /** Threads that read what is not in memory. @default it is read here */
  readonly ahead?: ReadAhead;
  /** What changes the samples that training draws. @default nothing */
  readonly augmenter?: Augmenter;
  /** What stands for inputs of zeros, where that is not zeros. @default nothing */
  readonly blank?: ByModality<HostTensor>;
}

/** Reusable arrays for one batch size; a filled batch is valid until the next is filled. */
export class Batches {
  readonly size: number;
  /** Milliseconds for which batches were read, decoded or waited for. */
  waitMs = 0;
  readonly #inputs: Record<string, { array: Float32Array | Int32Array; row: number; tensor: HostTensor }> = {};
  readonly #modalities: readonly string[];
  readonly #present: Float32Array | null;
  readonly #labels: Int32Array;
  readonly #weights: Float32Array;
  readonly #ahead: ReadAhead | null;
  readonly #augmenter: Augmenter | null;
  #held: { readonly split: Split; readonly items: Int32Array; readonly epoch: number | null } | null = null;

  readonly #constant: NamedHostTensors;

  /** @param size Rows of a batch. */
  constructor(
    dataset: Pick<Dataset, "modalities" | "splits">,
    modalities: readonly string[],
    size: number,
    { ahead, augmenter, blank = {} }: BatchesOptions = {},
  ) {
    this.size = size;
    this.#modalities = modalities;
    this.#ahead = ahead?.running === true ? ahead : null;
    this.#augmenter = augmenter ?? null;
    this.#constant = names.blank.over(blank);
    this.#present = lacksSome(dataset) ? new Float32Array(size * modalities.length) : null;
    for (const modality of modalities) {
      const { shape, dtype } = dataset.modalities[modality];
      const row = sizeOf(shape);
      const array = dtype === "int32" ? new Int32Array(size * row) : new Float32Array(size * row);
      this.#inputs[modality] = { array, row, tensor: { data: array, shape: [size, ...shape], dtype } };
    }
    this.#labels = new Int32Array(size);
    this.#weights = new Float32Array(size);
  }

  /** Says which batches of a split come next, so that threads may begin with them. */
  announce(split: Split, batches: readonly Int32Array[], epoch: number | null = null): void {
    this.#ahead?.announce(batches.map((items) => ({ split, items, epoch })));
  }

  /**
   * Gathers up to `size` samples, and which modalities each has, where some are lacking in the dataset. A short batch is
   * padded with copies of its first sample at weight 0.
   *
   * @param items Sample indices of the batch, 1 .. size of them.
   * @param epoch The epoch of training that draws them, whose augmentations they get. @default none
   */
  async inputs(split: Split, items: Int32Array, epoch: number | null = null): Promise<NamedHostTensors> {
    const feeds: NamedHostTensors = { ...this.#constant };
    if (this.#present !== null) {
      const m = this.#modalities.length;
      const { present } = split;
      for (let i = 0; i < this.size; i++) {
        const index = items[i < items.length ? i : 0];
        for (let u = 0; u < m; u++) this.#present[i * m + u] = present?.[index * m + u] ?? 1;
      }
      feeds["present"] = { data: this.#present, shape: [this.size, m], dtype: "float32" };
    }
    // Several programs may run on one batch.
    const held = this.#held?.split === split && this.#held.items === items && this.#held.epoch === epoch;
    if (!held) {
      const started = performance.now();
      this.#held = null;
      await this.#fill(split, items, epoch);
      this.#held = { split, items, epoch };
      this.waitMs += performance.now() - started;
    }
    for (const [modality, { tensor }] of Object.entries(this.#inputs)) feeds[names.input.of(modality)] = tensor;
    return feeds;
  }

  async #fill(split: Split, items: Int32Array, epoch: number | null): Promise<void> {
    const augmenter = epoch === null ? null : this.#augmenter;
    const ahead = this.#ahead;
    // Augmentations of plugins are not known to threads: then everything is read here.
    const elsewhere = ahead !== null && (augmenter === null || ahead.augments) ? ahead.modalities : [];
    if (elsewhere.length > 0) {
      const { arrays, release } = await ahead!.take({ split, items, epoch });
      for (const modality of elsewhere) this.#inputs[modality].array.set(arrays[modality] as Float32Array);
      release();
    }
    for (const [modality, { array, row }] of Object.entries(this.#inputs)) {
      if (elsewhere.includes(modality)) continue;
      const drawing = augmenter === null ? null : { augmenter, epoch: epoch! };
      await fill(modality, this.#source(split, modality, row), items, array, drawing);
    }
  }

  #source(split: Split, modality: string, width: number): Source {
    const m = this.#modalities.length;
    const u = this.#modalities.indexOf(modality);
    const has = ({ present }: Split, sample: number) => present === undefined || present[sample * m + u] === 1;
    if (!Object.hasOwn(split.inputs, modality)) {
      const rows = split.rows![modality];
      return { width, copy: (sample, into, at) => rows.copy(sample, into, at), has: (sample) => has(split, sample) };
    }
    const values = split.inputs[modality];
    return {
      width,
      copy: (sample, into, at) => into.set(values.subarray(sample * width, (sample + 1) * width), at),
      has: (sample) => has(split, sample),
    };
  }

  /** Labels and weights of the same items. */
  targets(split: Split, items: Int32Array): NamedHostTensors {
    for (let i = 0; i < this.size; i++) {
      this.#labels[i] = split.labels[items[i < items.length ? i : 0]];
      this.#weights[i] = i < items.length ? 1 : 0;
    }
    return {
      labels: { data: this.#labels, shape: [this.size], dtype: "int32" },
      weights: { data: this.#weights, shape: [this.size], dtype: "float32" },
    };
  }
}

/** Groups of a batch; padding gets the first item's. */
export function gatherGroups(groups: Int32Array, items: Int32Array, size: number): HostTensor {
  const data = Int32Array.from({ length: size }, (_, i) => groups[items[i < items.length ? i : 0]]);
  return { data, shape: [size], dtype: "int32" };
}

/** Rows of a table column for a batch; padding gets the first item's row. */
export function gatherRows(table: Float32Array, width: number, items: Int32Array, size: number): HostTensor {
  const data = new Float32Array(size * width);
  // Rows are a few numbers: a view of each would cost more than they do.
  for (let i = 0; i < size; i++) {
    const from = items[i < items.length ? i : 0] * width;
    for (let k = 0; k < width; k++) data[i * width + k] = table[from + k];
  }
  return { data, shape: [size, width], dtype: "float32" };
}

/**
 * Writes the rows of a batch back; of repeated samples the last one stays, padding writes nothing.
 *
 * @param added Whether rows are added to what is there: then all repetitions count.
 */
export function scatterRows(
  table: Float32Array,
  width: number,
  items: Int32Array,
  rows: HostTensor,
  added = false,
): void {
  const data = rows.data as Float32Array;
  for (let i = 0; i < items.length; i++) {
    for (let k = 0; k < width; k++) {
      const at = items[i] * width + k;
      table[at] = added ? table[at] + data[i * width + k] : data[i * width + k];
    }
  }
}

/** A mask [B, m] of a batch; without flags everything is kept. */
export function keepRows(
  keep: Uint8Array | undefined,
  from: number,
  count: number,
  size: number,
  m: number,
): HostTensor {
  const data = new Float32Array(size * m).fill(1);
  if (keep !== undefined) { for (let i = 0; i < count * m; i++) data[i] = keep[from * m + i]; }
  return { data, shape: [size, m], dtype: "float32" };
}
