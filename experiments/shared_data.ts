/**
 * Loaded datasets for several threads: arrays that all of them see, so that what was loaded to plan a grid is not loaded
 * again by each of its workers.
 *
 * @module
 */
import type { Dataset, Split } from "../core/kinds/mod.ts";
import { mapByModality, modalitiesOf } from "../core/modality.ts";
import type { PartConfig } from "../core/record.ts";

/** What is trained on of a dataset, as plain data that threads share. */
export type SharedDataset = Omit<Dataset, "preview" | "reads" | "splits"> & {
  readonly splits: Readonly<Record<keyof Dataset["splits"], Omit<Split, "rows">>>;
};

/** Bytes of datasets that are kept for workers; of what comes on top each worker loads its own. */
const MOST_BYTES = 2 ** 30;

/** What a dataset of a run is known by. */
export function datasetKey({ name, options, fingerprint }: PartConfig & { readonly fingerprint: string }): string {
  return JSON.stringify([name, options, fingerprint]);
}

type Values = Float32Array | Int32Array | Uint8Array;

const arraysOf = ({ labels, inputs, present }: Split): Values[] => [
  labels,
  ...modalitiesOf(inputs).map((name) => inputs[name]),
  ...present === undefined ? [] : [present],
];

/** A copy that other threads see. */
function shared<A extends Values>(values: A): A {
  const memory = new SharedArrayBuffer(values.byteLength);
  const copy = new (values.constructor as new (memory: SharedArrayBuffer) => A)(memory);
  copy.set(values);
  return copy;
}

function shareSplit({ size, labels, inputs, groups, present }: Split): Omit<Split, "rows"> {
  return {
    size,
    labels: shared(labels),
    inputs: mapByModality(inputs, (values) => shared(values)),
    groups,
    ...present === undefined ? {} : { present: shared(present) },
  };
}

/** The datasets of a plan, for its workers. */
export class SharedData {
  readonly #kept: Map<string, { whole: Dataset } | { share: SharedDataset }> = new Map();
  #bytes = 0;

  /** Keeps a dataset, if there is room and its inputs are in memory: what is read by index each thread opens itself. */
  keep(config: PartConfig, dataset: Dataset): void {
    const splits = Object.values(dataset.splits);
    const key = datasetKey({ ...config, fingerprint: dataset.fingerprint });
    if (this.#kept.has(key) || splits.some(({ rows }) => rows !== undefined)) return;
    const bytes = splits.flatMap(arraysOf).reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (this.#bytes + bytes > MOST_BYTES) return;
    this.#bytes += bytes;
    this.#kept.set(key, { whole: dataset });
  }

  /** The dataset of a run's configuration; `null` where a worker loads it itself. */
  of(config: PartConfig & { readonly fingerprint: string }): SharedDataset | null {
    const key = datasetKey(config);
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    if ("share" in kept) return kept.share;
    const { preview: _preview, reads: _reads, splits: { train, validation, test }, ...rest } = kept.whole;
    const share = {
      ...rest,
      splits: { train: shareSplit(train), validation: shareSplit(validation), test: shareSplit(test) },
    };
    // The copy takes the place of the original, which is garbage now.
    this.#kept.set(key, { share });
    return share;
  }
}
