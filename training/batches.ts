/**
 * Host batches of fixed size.
 *
 * @module
 */
import * as names from "../core/names.ts";
import type { Dataset, Split } from "../core/kinds/mod.ts";
import { type HostTensor, type NamedHostTensors, sizeOf } from "../core/program.ts";

/** Whether samples of a dataset lack modalities. */
export function lacksSome({ splits }: Pick<Dataset, "splits">): boolean {
  return Object.values(splits).some(({ present }) => present !== undefined);
}

/** Reusable arrays for one batch size; a filled batch is valid until the next is filled. */
export class Batches {
  readonly size: number;
  readonly #inputs: Record<string, { array: Float32Array | Int32Array; row: number; tensor: HostTensor }> = {};
  readonly #present: Float32Array | null;
  readonly #labels: Int32Array;
  readonly #weights: Float32Array;

  /** @param size Rows of a batch. */
  constructor(dataset: Pick<Dataset, "modalities" | "splits">, modalities: readonly string[], size: number) {
    this.size = size;
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

  /**
   * Gathers up to `size` samples, and which modalities each has, where some are lacking in the dataset. A short batch is
   * padded with copies of its first sample at weight 0.
   *
   * @param items Sample indices of the batch, 1 .. size of them.
   */
  inputs(split: Split, items: Int32Array): NamedHostTensors {
    const feeds: NamedHostTensors = {};
    if (this.#present !== null) {
      const m = Object.keys(this.#inputs).length;
      const { present } = split;
      for (let i = 0; i < this.size; i++) {
        const index = items[i < items.length ? i : 0];
        for (let u = 0; u < m; u++) this.#present[i * m + u] = present?.[index * m + u] ?? 1;
      }
      feeds["present"] = { data: this.#present, shape: [this.size, m], dtype: "float32" };
    }
    for (const [modality, { array, row, tensor }] of Object.entries(this.#inputs)) {
      const source = Object.hasOwn(split.inputs, modality) ? split.inputs[modality] : null;
      for (let i = 0; i < this.size; i++) {
        const index = items[i < items.length ? i : 0];
        if (source === null) split.rows![modality].copy(index, array, i * row);
        else array.set(source.subarray(index * row, (index + 1) * row), i * row);
      }
      feeds[names.input.of(modality)] = tensor;
    }
    return feeds;
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
