/**
 * Samples of a set decoded in threads, in their order, a few at a time.
 *
 * @module
 */
import type { ByModality } from "../../core/modality.ts";
import { Refusal } from "../../core/refusal.ts";
import { type SampleArrays, sampleReader, type SetForm } from "./forms.ts";
import type { DecodeReply, DecodeRequest } from "./worker.ts";

/** A sample that was decoded, or why it cannot be. */
export type Decoded = { readonly arrays: SampleArrays } | { readonly broken: Refusal };

/** How samples are decoded. */
export interface DecodeOptions {
  /** Threads; 0 decodes in this one. */
  readonly readers: number;
  /** Samples that are under way in each thread. @default {4} */
  readonly depth?: number;
}

/** Reads one sample, wherever that is done. */
interface Crew {
  decode(files: ByModality<string>): Promise<Decoded>;
  dispose(): void | Promise<void>;
}

function ownCrew(root: string, forms: ByModality<SetForm>): Crew {
  const reader = sampleReader(root, forms);
  return {
    decode: async (files) => {
      try {
        return { arrays: await reader.read(files) };
      } catch (error) {
        if (error instanceof Refusal) return { broken: error };
        throw error;
      }
    },
    dispose: () => reader.close(),
  };
}

interface Waiting {
  resolve(decoded: Decoded): void;
  reject(error: Error): void;
}

function threadCrew(root: string, forms: ByModality<SetForm>, readers: number): Crew {
  const waiting = new Map<number, Waiting & { readonly thread: number }>();
  const load = new Array<number>(readers).fill(0);
  let next = 0;
  const workers = load.map(() => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<DecodeReply>) => {
      const { resolve, reject, thread } = waiting.get(data.id)!;
      waiting.delete(data.id);
      load[thread]--;
      if ("arrays" in data) resolve({ arrays: data.arrays });
      else if ("refusal" in data) resolve({ broken: new Refusal(data.refusal) });
      else reject(new Error(`A decoding thread failed: ${data.stack}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of waiting.values()) reject(new Error(`A decoding thread broke: ${event.message}`));
      waiting.clear();
    };
    worker.postMessage({ type: "open", root, forms } satisfies DecodeRequest);
    return worker;
  });
  return {
    decode: (files) => {
      const thread = load.indexOf(Math.min(...load));
      load[thread]++;
      const id = next++;
      const { promise, resolve, reject } = Promise.withResolvers<Decoded>();
      waiting.set(id, { resolve, reject, thread });
      workers[thread].postMessage({ type: "decode", id, files } satisfies DecodeRequest);
      return promise;
    },
    dispose: () => workers.forEach((worker) => worker.terminate()),
  };
}

/**
 * Decodes samples one after another, ahead of whoever takes them; a few are in memory.
 *
 * @param files Of each sample, by modality; "" where it has none.
 */
export async function* decodeSamples(
  root: string,
  forms: ByModality<SetForm>,
  files: readonly ByModality<string>[],
  { readers, depth = 4 }: DecodeOptions,
): AsyncGenerator<Decoded> {
  const crew = readers === 0 ? ownCrew(root, forms) : threadCrew(root, forms, readers);
  const ahead: Promise<Decoded>[] = [];
  let begun = 0;
  try {
    for (let taken = 0; taken < files.length; taken++) {
      while (begun < files.length && ahead.length < depth * Math.max(1, readers)) {
        const own = crew.decode(files[begun++]);
        // Whoever takes it is told.
        own.catch(() => {});
        ahead.push(own);
      }
      yield await ahead.shift()!;
    }
  } finally {
    await crew.dispose();
  }
}
