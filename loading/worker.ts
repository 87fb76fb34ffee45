/**
 * Reads, decodes and augments batches in a thread that runs ahead of training.
 *
 * @module
 */
import type { RowsElsewhere, RowsReader } from "../core/kinds/mod.ts";
import type { ModalityInfo } from "../core/kinds/mod.ts";
import { use } from "../core/options.ts";
import type { PartConfig } from "../core/record.ts";
import { Refusal, type RefusalParts } from "../core/refusal.ts";
import { Augmenter } from "../augment/augmenter.ts";
import { builtinAugmentations } from "../augment/mod.ts";
import { type Drawing, fill, type Source } from "./fill.ts";

/** One modality of a split, for another thread. */
export interface SourcePlace {
  readonly rows: RowsElsewhere;
  readonly width: number;
  /** Whether each sample has it; all have it without. */
  readonly present?: Uint8Array;
}

/** Augmentations by name, with their options, and what they need to know. */
export interface AugmentOrder {
  readonly parts: readonly PartConfig[];
  readonly seed: number;
  readonly infos: Readonly<Record<string, ModalityInfo>>;
  readonly size: number;
}

/** What a thread is asked. */
export type ReaderRequest =
  | { readonly type: "augment"; readonly order: AugmentOrder }
  | { readonly type: "open"; readonly split: number; readonly sources: Readonly<Record<string, SourcePlace>> }
  | {
    readonly type: "fill";
    readonly id: number;
    readonly split: number;
    readonly items: Int32Array;
    /** Absent where nothing is augmented. */
    readonly epoch?: number;
    /** Arrays of the batch, in memory that both threads see. */
    readonly into: Readonly<Record<string, Float32Array | Int32Array>>;
    /** [1], in such memory too: 1 once nobody wants the batch any more. A message could come only after it. */
    readonly givenUp: Int32Array;
  };

/** What it answers. */
export type ReaderReply =
  | { readonly id: number; readonly failure?: undefined }
  | { readonly id: number; readonly failure: { readonly refusal?: RefusalParts; readonly stack: string } };

/** The part of a thread's global scope that is used. */
interface ReaderScope {
  onmessage: ((event: MessageEvent<ReaderRequest>) => void) | null;
  postMessage(message: ReaderReply): void;
}
const scope = self as unknown as ReaderScope;

const splits = new Map<number, Readonly<Record<string, Promise<Source>>>>();
let augmenter: Augmenter | null = null;

async function opened({ rows, width, present }: SourcePlace): Promise<Source> {
  const module = await import(rows.module) as { openRows(given: unknown): Promise<RowsReader> };
  const reader = await module.openRows(rows.given);
  return {
    width,
    copy: (sample, into, at) => reader.copy(sample, into, at),
    has: (sample) => present === undefined || present[sample] === 1,
  };
}

async function filled(
  { split, items, epoch, into, givenUp }: Extract<ReaderRequest, { type: "fill" }>,
): Promise<void> {
  if (Atomics.load(givenUp, 0) === 1) return;
  const drawing: Drawing | null = epoch === undefined || augmenter === null ? null : { augmenter, epoch };
  const sources = splits.get(split)!;
  for (const [modality, values] of Object.entries(into)) {
    await fill(modality, await sources[modality], items, values, drawing);
  }
}

// Batches are made one after another: each takes the machine that it needs, and the first asked is the first done.
let last: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }: MessageEvent<ReaderRequest>) => {
  if (data.type === "augment") {
    const { parts, seed, infos, size } = data.order;
    const bound = parts.map(({ name, options }) => {
      return use(builtinAugmentations.find((plugin) => plugin.name === name)!, options);
    });
    augmenter = new Augmenter({ parts: bound, seed }, infos, size);
    return;
  }
  if (data.type === "open") {
    const places = Object.entries(data.sources);
    const sources = Object.fromEntries(places.map(([modality, place]) => [modality, opened(place)]));
    // Whoever asks for a batch is told.
    for (const source of Object.values(sources)) source.catch(() => {});
    splits.set(data.split, sources);
    return;
  }
  const { id } = data;
  last = last.then(() => filled(data)).then(
    () => scope.postMessage({ id }),
    (error) => {
      const stack = error instanceof Error ? error.stack ?? error.message : String(error);
      if (!(error instanceof Refusal)) return scope.postMessage({ id, failure: { stack } });
      const { what, must, found, hint } = error;
      scope.postMessage({ id, failure: { refusal: { what, must, found, hint }, stack } });
    },
  );
};
