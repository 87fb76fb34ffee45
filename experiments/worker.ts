/**
 * Runs cells one after another in a worker: the runtime blocks its thread while it computes.
 *
 * @module
 */
import { importPlugins } from "../core/plugins.ts";
import type { RunConfig } from "../core/record.ts";
import { createLibrary } from "../library.ts";
import type { ClaimMark } from "../store/claims.ts";
import type { CheckpointInterval } from "../training/mod.ts";
import { failureOf } from "./failure.ts";
import { Provenance } from "./provenance.ts";
import { type CellEvent, CellRunner } from "./run_cell.ts";
import type { SharedDataset } from "./shared_data.ts";

/** What the grid asks of a worker. */
export type WorkerRequest =
  | {
    readonly type: "start";
    readonly runs: string;
    readonly plugins: readonly string[];
    /** A file to hold locked for as long as the worker lives. */
    readonly life: string;
  }
  | {
    readonly type: "run";
    readonly cell: number;
    readonly config: RunConfig;
    readonly claim: ClaimMark;
    readonly command: string;
    /** The cell's dataset, if it is loaded already and the worker has it not. */
    readonly data?: SharedDataset;
    readonly checkpointEvery?: CheckpointInterval;
    readonly keepFeatures?: boolean;
    readonly keepTestCurve?: boolean;
  }
  | { readonly type: "stop" };

/** What a worker answers. */
export type WorkerReply =
  /** The file is locked: from now on its lock says whether the worker lives. */
  | { readonly type: "held" }
  | { readonly type: "ready" }
  | { readonly type: "broken"; readonly message: string }
  | { readonly type: "event"; readonly cell: number; readonly event: CellEvent };

/** The part of a worker's global scope that is used; the library that types it would change the globals of all files. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: WorkerReply): void;
}
const scope = self as unknown as WorkerScope;

const stop = new AbortController();
let runner: CellRunner | null = null;
const reply = (message: WorkerReply) => scope.postMessage(message);

scope.onmessage = async ({ data }: MessageEvent<WorkerRequest>) => {
  switch (data.type) {
    case "start": {
      try {
        // Never closed: the system frees the lock when the thread ends, however it ends.
        const life = await Deno.open(data.life, { read: true, write: true });
        await life.lock(true);
        reply({ type: "held" });
        const library = createLibrary();
        for (const specifier of data.plugins) await importPlugins(library, specifier);
        const provenance = await Provenance.of(library, data.plugins);
        runner = new CellRunner(library, data.runs, { provenance });
        reply({ type: "ready" });
      } catch (error) {
        reply({ type: "broken", message: failureOf(error) });
      }
      break;
    }
    case "run":
      await runner!.run(data.config, {
        claim: data.claim,
        command: data.command,
        data: data.data,
        signal: stop.signal,
        checkpointEvery: data.checkpointEvery,
        keepFeatures: data.keepFeatures,
        keepTestCurve: data.keepTestCurve,
        onEvent: (event) => reply({ type: "event", cell: data.cell, event }),
      });
      break;
    case "stop":
      stop.abort();
      break;
  }
};
