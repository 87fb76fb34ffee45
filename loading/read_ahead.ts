/**
 * Threads that read, decode and augment the batches which come next, while a step runs.
 *
 * What a batch holds is a function of its samples, the epoch and the seed; so neither the number of threads nor what ran
 * before changes a bit of it.
 *
 * @module
 */
import { at } from "../core/modality.ts";
import type { Dataset, Split } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import type { AugmentPlan } from "../augment/augmenter.ts";
import { builtinAugmentations } from "../augment/mod.ts";
import type { ReaderReply, ReaderRequest, SourcePlace } from "./worker.ts";

/** A batch that is asked for. */
export interface Wanted {
  /** Where its samples are. */
  readonly split: Split;
  /** Indices of samples. */
  readonly items: Int32Array;
  /** The epoch of training that draws it; `null` where nothing is augmented. */
  readonly epoch: number | null;
}

/** Arrays of a batch by modality, [B, ...shape]. */
export type BatchArrays = Readonly<Record<string, Float32Array | Int32Array>>;

/** Batches that each thread holds ready: a disk now and then takes as long for one as several steps do. */
const DEPTH = 8;

/** Batches that each thread holds ready however large they are: one that is trained on, one that is read. */
const LEAST_DEPTH = 2;

/** Bytes of the batches that are held ready in all. */
const MOST_BYTES = 256 * 2 ** 20;

/** Batches that are held ready: as many as are of use and fit, the one that is trained on among them. */
export function batchesAhead(bytes: number, threads: number): number {
  return threads * Math.max(LEAST_DEPTH, Math.min(DEPTH, Math.floor(MOST_BYTES / bytes / threads)));
}

/** A thread, and what it has to do. */
interface Thread {
  readonly worker: Worker;
  readonly opened: Set<number>;
  tasks: number;
}

/** A batch under way. */
interface Task {
  readonly arrays: BatchArrays;
  readonly ready: Promise<void>;
  /** [1], seen by its thread: 1 once nobody wants it any more. */
  readonly givenUp: Int32Array;
}

/** Whether threads know the augmentations of a plan: those of plugins are not loaded there. */
function knownToThreads({ parts }: AugmentPlan): boolean {
  return parts.every(({ plugin }) => builtinAugmentations.includes(plugin));
}

/** Names of the modalities that other threads can read. */
export function readElsewhere({ splits: { train } }: Pick<Dataset, "splits">, modalities: readonly string[]): string[] {
  return modalities.filter((modality) => {
    return Object.hasOwn(train.rows ?? {}, modality) && train.rows![modality].elsewhere !== undefined;
  });
}

/** Threads that run ahead. */
export class ReadAhead {
  /** Milliseconds for which batches were waited for. */
  waitMs = 0;
  /** Whether the threads augment what they read. */
  readonly augments: boolean;
  /** The modalities that they read. */
  readonly modalities: readonly string[];
  readonly #dataset: Pick<Dataset, "modalities" | "splits">;
  readonly #all: readonly string[];
  readonly #size: number;
  readonly #threads: readonly Thread[];
  readonly #most: number;
  readonly #splits = new Map<Split, number>();
  readonly #tasks = new Map<string, Task>();
  readonly #free: BatchArrays[] = [];
  readonly #answers = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #next = 0;
  #failure: Error | null = null;

  /**
   * Starts the threads that a dataset asks for, if there is anything for them to read.
   *
   * @param modalities Modalities of the run, sorted.
   * @param size Rows of a batch.
   */
  constructor(
    dataset: Pick<Dataset, "modalities" | "splits" | "readers">,
    modalities: readonly string[],
    size: number,
    augment: AugmentPlan | null = null,
  ) {
    this.#dataset = dataset;
    this.#all = modalities;
    this.#size = size;
    this.modalities = readElsewhere(dataset, modalities);
    this.augments = augment !== null && knownToThreads(augment);
    const { readers = 1, splits: { train } } = dataset;
    this.#threads = Array.from({ length: this.modalities.length === 0 ? 0 : readers }, () => this.#thread());
    const values = this.modalities.reduce((sum, modality) => sum + sizeOf(at(dataset.modalities, modality).shape), 0);
    this.#most = batchesAhead(4 * size * values, this.#threads.length);
    if (!this.augments) return;
    const { parts, seed } = augment!;
    const infos = Object.fromEntries(modalities.map((modality) => [modality, dataset.modalities[modality]]));
    const order = { parts: parts.map(({ name, options }) => ({ name, options })), seed, infos, size: train.size };
    for (const { worker } of this.#threads) worker.postMessage({ type: "augment", order } satisfies ReaderRequest);
  }

  /** Whether there are threads. */
  get running(): boolean {
    return this.#threads.length > 0;
  }

  /** Says which batches come next, the first first; others that were announced and not taken are given up. */
  announce(batches: readonly Wanted[]): void {
    if (!this.running) return;
    const keys = new Map(batches.slice(0, this.#most).map((batch) => [this.#key(batch), batch]));
    for (const [key, task] of this.#tasks) {
      if (keys.has(key)) continue;
      this.#tasks.delete(key);
      Atomics.store(task.givenUp, 0, 1);
      this.#release(task);
    }
    for (const [key, batch] of keys) if (!this.#tasks.has(key)) this.#begin(key, batch);
  }

  /**
   * A batch, for which is waited if need be.
   *
   * @returns Arrays by modality, [B, ...shape], to be given back by `release`.
   * @throws {Refusal} If something cannot be read any more.
   */
  async take(batch: Wanted): Promise<{ readonly arrays: BatchArrays; readonly release: () => void }> {
    const key = this.#key(batch);
    const task = this.#tasks.get(key) ?? this.#begin(key, batch);
    this.#tasks.delete(key);
    const started = performance.now();
    await task.ready;
    this.waitMs += performance.now() - started;
    return { arrays: task.arrays, release: () => this.#free.push(task.arrays) };
  }

  /** Ends the threads. */
  dispose(): void {
    for (const { worker } of this.#threads) worker.terminate();
    this.#tasks.clear();
  }

  #thread(): Thread {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const thread: Thread = { worker, opened: new Set(), tasks: 0 };
    worker.onmessage = ({ data }: MessageEvent<ReaderReply>) => {
      const answer = this.#answers.get(data.id)!;
      this.#answers.delete(data.id);
      thread.tasks--;
      if (data.failure === undefined) return answer.resolve();
      const { refusal, stack } = data.failure;
      answer.reject(refusal === undefined ? new Error(`A reading thread failed: ${stack}`) : new Refusal(refusal));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = new Error(`A reading thread broke: ${event.message.split("\n")[0]}`);
      for (const { reject } of this.#answers.values()) reject(this.#failure);
      this.#answers.clear();
    };
    return thread;
  }

  #key({ split, items, epoch }: Wanted): string {
    let number = this.#splits.get(split);
    if (number === undefined) this.#splits.set(split, number = this.#splits.size);
    return `${number}/${epoch}/${items.join()}`;
  }

  #begin(key: string, { split, items, epoch }: Wanted): Task {
    const arrays = this.#free.pop() ?? this.#newArrays();
    const thread = this.#threads.reduce((least, other) => other.tasks < least.tasks ? other : least);
    const number = this.#splits.get(split)!;
    if (!thread.opened.has(number)) this.#open(thread, number, split);
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Whoever takes the batch is told; a batch that is given up tells nobody.
    promise.catch(() => {});
    if (this.#failure !== null) reject(this.#failure);
    this.#answers.set(id, { resolve, reject });
    thread.tasks++;
    const drawn = epoch === null || !this.augments ? {} : { epoch };
    const givenUp = new Int32Array(new SharedArrayBuffer(4));
    thread.worker.postMessage(
      {
        type: "fill",
        id,
        split: number,
        items: items.slice(),
        ...drawn,
        into: arrays,
        givenUp,
      } satisfies ReaderRequest,
    );
    const task: Task = { arrays, ready: promise, givenUp };
    this.#tasks.set(key, task);
    return task;
  }

  #open(thread: Thread, number: number, split: Split): void {
    const m = this.#all.length;
    const sources = Object.fromEntries(this.modalities.map((modality): [string, SourcePlace] => {
      const { width, elsewhere } = split.rows![modality];
      const u = this.#all.indexOf(modality);
      const { present } = split;
      const own = present === undefined
        ? {}
        : { present: Uint8Array.from({ length: split.size }, (_, n) => present[n * m + u]) };
      return [modality, { rows: elsewhere!, width, ...own }];
    }));
    thread.worker.postMessage({ type: "open", split: number, sources } satisfies ReaderRequest);
    thread.opened.add(number);
  }

  /** Arrays of a batch in memory that threads share. */
  #newArrays(): BatchArrays {
    return Object.fromEntries(this.modalities.map((modality) => {
      const { shape, dtype } = at(this.#dataset.modalities, modality);
      const memory = new SharedArrayBuffer(4 * this.#size * sizeOf(shape));
      return [modality, dtype === "int32" ? new Int32Array(memory) : new Float32Array(memory)];
    }));
  }

  /** Takes the arrays of a batch that nobody wants back, once they are not written to any more. */
  #release({ arrays, ready }: Task): void {
    const free = () => {
      this.#free.push(arrays);
    };
    ready.then(free, free);
  }
}
