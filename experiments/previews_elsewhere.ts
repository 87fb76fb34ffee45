/**
 * Previews of samples from a worker: loading a dataset takes seconds, in which pages must not stand still.
 *
 * @module
 */
import type { Preview, SplitName } from "../core/kinds/mod.ts";
import type { ByModality } from "../core/modality.ts";
import { PluginError } from "../core/plugin_error.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal, type RefusalParts } from "../core/refusal.ts";
import type { SampleSource } from "./previews.ts";

/** What the worker is asked. */
export type PreviewRequest =
  | { readonly type: "start"; readonly plugins: readonly string[] }
  | {
    readonly type: "preview";
    readonly id: number;
    readonly config: RunConfig;
    readonly split: SplitName;
    readonly sample: number;
  };

/** What it answers. */
export type PreviewReply =
  | { readonly id: number; readonly previews: ByModality<readonly Preview[]> }
  | { readonly id: number; readonly refused: RefusalParts }
  | { readonly id: number; readonly broken: { readonly plugin: string; readonly hook: string; readonly text: string } }
  | { readonly id: number; readonly failed: string };

/** Previews from a worker, which is to be stopped. */
export interface ElsewhereSource extends SampleSource {
  /** Ends the worker; what it was asked is refused. */
  stop(): void;
}

interface Waiting {
  readonly resolve: (previews: ByModality<readonly Preview[]>) => void;
  readonly reject: (error: Error) => void;
}

/** Previews by a worker that starts with the first of them. @param plugins Modules that hold datasets. */
export function samplesElsewhere(plugins: readonly string[]): ElsewhereSource {
  let worker: Worker | null = null;
  let asked = 0;
  const waiting = new Map<number, Waiting>();
  const failAll = (error: Error) => {
    worker?.terminate();
    worker = null;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const started = (): Worker => {
    if (worker !== null) return worker;
    worker = new Worker(new URL("./preview_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<PreviewReply>) => {
      const own = waiting.get(data.id);
      waiting.delete(data.id);
      if (own === undefined) return;
      if ("previews" in data) own.resolve(data.previews);
      else own.reject(errorOf(data));
    };
    // The next one starts another.
    worker.onerror = (event) => {
      event.preventDefault();
      failAll(new Error(event.message));
    };
    worker.postMessage({ type: "start", plugins } satisfies PreviewRequest);
    return worker;
  };
  return {
    preview(config, split, sample) {
      const id = asked++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        started().postMessage({ type: "preview", id, config, split, sample } satisfies PreviewRequest);
      });
    },
    stop: () =>
      failAll(new Refusal({ what: "show samples", must: "the viewer must run", found: "it is being stopped" })),
  };
}

/** What the worker's error was. */
function errorOf(reply: Exclude<PreviewReply, { previews: unknown }>): Error {
  if ("refused" in reply) return new Refusal(reply.refused);
  if ("failed" in reply) return new Error(reply.failed);
  const { plugin, hook, text } = reply.broken;
  const error = new PluginError(plugin, hook, null);
  // Its place is in the text that the worker made.
  error.message = text;
  return error;
}
