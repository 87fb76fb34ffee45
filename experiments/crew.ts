/**
 * Workers of a grid: threads that run cells one after another, watched from outside, as a thread may end without a word.
 *
 * @module
 */
import { join } from "node:path";
import { checkPlain, removeIfPresent } from "../store/files.ts";
import { checkLock, type RunsLock } from "../store/lock.ts";
import { openRun } from "../store/run_folder.ts";
import { failureOf } from "./failure.ts";
import { CheckpointKeeper } from "./keeper.ts";
import type { GridCell } from "./plan.ts";
import type { CheckpointInterval } from "../training/mod.ts";
import type { CellEvent } from "./run_cell.ts";
import type { WorkerReply, WorkerRequest } from "./worker.ts";

/** What a crew works for. */
export interface CrewOptions {
  readonly runs: string;
  readonly plugins: readonly string[];
  readonly lock: RunsLock;
  readonly signal?: AbortSignal;
  /** How often cells keep a checkpoint within epochs. */
  readonly checkpointEvery?: CheckpointInterval;
  /** Keeps pooled features of the test split. */
  readonly keepFeatures?: boolean;
  /** Keeps the accuracy on test after each epoch. */
  readonly keepTestCurve?: boolean;
  readonly command: (cell: GridCell) => string;
  /** The next cell, if there is one. */
  readonly next: () => GridCell | undefined;
  /** Is told what happens, the last word on each cell among it. */
  readonly onEvent: (cell: GridCell, event: CellEvent) => void;
}

/** How often a worker is looked after. */
const watchMs = 500;

/** What is said of a worker that is gone. */
export const silentEnd =
  "its worker ended without a word: a part called Deno.exit or self.close, or the memory was used up";

/** Runs cells in so many workers until there are none left. */
export async function runCrew(count: number, options: CrewOptions): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, slot) => {
      let cell = options.next();
      // A worker serves cells until one of them breaks it (an error outside a cell's own handling); then a new one does.
      while (cell !== undefined) cell = await serve(cell, slot, options);
    }),
  );
}

/** Whether an event is the last word on its cell. */
function isLast({ type }: CellEvent): boolean {
  return type === "finished" || type === "failed" || type === "interrupted";
}

/** Keeps the failure of a cell whose worker cannot any more; what is said of it otherwise. */
async function keepFailure(cell: GridCell, message: string, { runs, lock, command }: CrewOptions): Promise<string> {
  try {
    checkLock(lock.mark);
    const folder = openRun(runs, cell.id);
    const keeper = new CheckpointKeeper(folder, cell.config, () => {}, () => checkLock(lock.mark));
    await folder.fail({
      message,
      epoch: null,
      step: null,
      term: null,
      checkpointEpoch: (await keeper.standing()).epoch,
      command: command(cell),
      at: new Date().toISOString(),
    });
    return message;
  } catch (error) {
    return `${message} (and the failure could not be kept: ${failureOf(error)})`;
  }
}

/** A file that a worker holds locked while it lives. */
async function lifeline(runs: string, slot: number): Promise<{ path: string; file: Deno.FsFile }> {
  const path = join(runs, `.worker-${slot}`);
  await checkPlain(path, "lock");
  return { path, file: await Deno.open(path, { read: true, write: true, create: true }) };
}

/** Runs cells in one worker until there are none left or the worker breaks; returns the next cell then, if any. */
async function serve(first: GridCell, slot: number, options: CrewOptions): Promise<GridCell | undefined> {
  let life: { path: string; file: Deno.FsFile };
  try {
    checkLock(options.lock.mark);
    life = await lifeline(options.runs, slot);
  } catch (error) {
    options.onEvent(first, { type: "failed", message: failureOf(error) });
    return options.next();
  }
  const { promise, resolve } = Promise.withResolvers<GridCell | undefined>();
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const send = (request: WorkerRequest) => worker.postMessage(request);
  const stop = () => send({ type: "stop" });
  let cell: GridCell = first;
  let over = false;
  let watch: ReturnType<typeof setInterval> | undefined;
  const end = (following: GridCell | undefined) => {
    over = true;
    clearInterval(watch);
    options.signal?.removeEventListener("abort", stop);
    worker.terminate();
    resolve(following);
  };
  /** The worker is lost, and the cell with it. */
  const lose = async (message: string) => {
    if (over) return;
    over = true;
    const said = await keepFailure(cell, message, options);
    options.onEvent(cell, { type: "failed", message: said });
    end(options.next());
  };
  const { checkpointEvery, keepFeatures, keepTestCurve, command } = options;
  const run = () =>
    send({
      type: "run",
      cell: cell.index,
      config: cell.config,
      command: command(cell),
      checkpointEvery,
      keepFeatures,
      keepTestCurve,
    });
  options.signal?.addEventListener("abort", stop);
  worker.onerror = (event) => {
    event.preventDefault();
    lose(`The worker broke: ${event.message.split("\n")[0]}`);
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
    if (over) return;
    switch (data.type) {
      case "held":
        watch = setInterval(async () => {
          if (over || !await life.file.tryLock(true)) return;
          // Its last messages may still be on their way.
          setTimeout(() => lose(silentEnd), watchMs);
        }, watchMs);
        break;
      case "ready":
        run();
        break;
      case "broken":
        lose(data.message);
        break;
      case "event": {
        options.onEvent(cell, data.event);
        if (!isLast(data.event)) break;
        const following = options.next();
        const spent = data.event.type === "failed" && data.event.spent;
        if (following === undefined || spent) return end(following);
        cell = following;
        run();
        break;
      }
    }
  };
  send({ type: "start", runs: options.runs, plugins: options.plugins, lock: options.lock.mark, life: life.path });
  const following = await promise;
  life.file.close();
  // Where the runs folder is gone, so is the file.
  await removeIfPresent(life.path);
  return following;
}
