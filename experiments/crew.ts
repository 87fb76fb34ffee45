/**
 * Workers of a grid: threads that run cells one after another, watched from outside, as a thread may end without a word.
 *
 * @module
 */
import { checkClaim, releaseClaim } from "../store/claims.ts";
import { removeIfPresent } from "../store/files.ts";
import { openRun } from "../store/run_folder.ts";
import { failureOf } from "./failure.ts";
import { CheckpointKeeper } from "./keeper.ts";
import type { GridCell } from "./plan.ts";
import type { Claimed } from "./queue.ts";
import type { CheckpointInterval } from "../training/mod.ts";
import type { CellEvent } from "./run_cell.ts";
import { datasetKey, type SharedDataset } from "./shared_data.ts";
import type { WorkerReply, WorkerRequest } from "./worker.ts";

/** What a crew works for. */
export interface CrewOptions {
  readonly runs: string;
  readonly plugins: readonly string[];
  readonly signal?: AbortSignal;
  /** How often cells keep a checkpoint within epochs. */
  readonly checkpointEvery?: CheckpointInterval;
  /** Keeps pooled features of the test split. */
  readonly keepFeatures?: boolean;
  /** Keeps the accuracy on test after each epoch. */
  readonly keepTestCurve?: boolean;
  readonly command: (cell: GridCell) => string;
  /** The dataset of a cell, if it is loaded already. */
  readonly data?: (cell: GridCell) => SharedDataset | null;
  /** The next cell, if there is one. */
  readonly next: () => Promise<Claimed | undefined>;
  /** Is told what happens, the last word on each cell among it. */
  readonly onEvent: (cell: GridCell, event: CellEvent) => void;
}

/** How often a worker is looked after. */
const watchMs = 500;

/** What is said of a worker that is gone. */
export const silentEnd =
  "its worker ended without a word: a part called Deno.exit or self.close, or the memory was used up";

const startWorker = () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

/** Workers that have started and wait for their first cell. */
const warm: Worker[] = [];

/** Starts a worker ahead: it loads its modules while the grid is planned. Disposing ends it, if no crew has taken it. */
export function warmWorker(): Disposable {
  const worker = startWorker();
  warm.push(worker);
  return {
    [Symbol.dispose]() {
      const at = warm.indexOf(worker);
      if (at === -1) return;
      warm.splice(at, 1);
      worker.terminate();
    },
  };
}

/** Runs cells in so many workers until there are none left. */
export async function runCrew(count: number, options: CrewOptions): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      let cell = await options.next();
      // A worker serves cells until one of them breaks it (an error outside a cell's own handling); then a new one does.
      while (cell !== undefined) cell = await serve(cell, options);
    }),
  );
}

/** Whether an event is the last word on its cell. */
function isLast({ type }: CellEvent): boolean {
  return type === "finished" || type === "failed" || type === "interrupted";
}

/** Keeps the failure of a cell whose worker cannot any more; what is said of it otherwise. */
async function keepFailure({ cell, claim }: Claimed, message: string, { runs, command }: CrewOptions): Promise<string> {
  try {
    checkClaim(claim);
    const folder = openRun(runs, cell.id);
    const keeper = new CheckpointKeeper(folder, cell.config, () => {}, () => checkClaim(claim));
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

/** A file that a worker holds locked while it lives: on this machine, whatever locks the runs folder knows. */
async function lifeline(): Promise<{ path: string; file: Deno.FsFile }> {
  const path = await Deno.makeTempFile({ prefix: "armlab-worker-" });
  return { path, file: await Deno.open(path, { read: true, write: true }) };
}

/** Gives a run back. @returns What went wrong, if something did. */
async function giveBack({ claim }: Claimed, finished: boolean): Promise<string | null> {
  try {
    await releaseClaim(claim, finished);
    return null;
  } catch (error) {
    return failureOf(error);
  }
}

/** Runs cells in one worker until there are none left or the worker breaks; returns the next cell then, if any. */
async function serve(first: Claimed, options: CrewOptions): Promise<Claimed | undefined> {
  let life: { path: string; file: Deno.FsFile };
  try {
    checkClaim(first.claim);
    life = await lifeline();
  } catch (error) {
    options.onEvent(first.cell, { type: "failed", message: failureOf(error) });
    await giveBack(first, false);
    return options.next();
  }
  const { promise, resolve } = Promise.withResolvers<Claimed | undefined>();
  const worker = warm.pop() ?? startWorker();
  const send = (request: WorkerRequest) => worker.postMessage(request);
  const stop = () => send({ type: "stop" });
  let own = first;
  let over = false;
  let watch: ReturnType<typeof setInterval> | undefined;
  const end = (following: Claimed | undefined) => {
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
    const said = await keepFailure(own, message, options);
    options.onEvent(own.cell, { type: "failed", message: said });
    await giveBack(own, false);
    end(await options.next());
  };
  const { checkpointEvery, keepFeatures, keepTestCurve, command } = options;
  /** The dataset that the worker has: neighbouring cells share it. */
  let has = "";
  const run = ({ cell, claim }: Claimed) => {
    const key = datasetKey(cell.config.dataset);
    const data = key === has ? null : options.data?.(cell) ?? null;
    has = key;
    send({
      type: "run",
      cell: cell.index,
      config: cell.config,
      claim,
      command: command(cell),
      ...data === null ? {} : { data },
      checkpointEvery,
      keepFeatures,
      keepTestCurve,
    });
  };
  /** The cell has ended: its run is given back before the next is taken. */
  const follow = async (finished: boolean, spent: boolean) => {
    const trouble = await giveBack(own, finished);
    if (trouble !== null) options.onEvent(own.cell, { type: "note", text: trouble });
    const following = await options.next();
    if (over) return;
    if (following === undefined || spent) return end(following);
    own = following;
    run(own);
  };
  options.signal?.addEventListener("abort", stop);
  worker.onerror = (event) => {
    event.preventDefault();
    lose(`The worker broke: ${event.message.split("\n")[0]}`);
  };
  worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
    if (over) return;
    switch (data.type) {
      case "held":
        // Open on both sides, it needs no name any more: so whoever kills this process leaves nothing behind.
        if (Deno.build.os !== "windows") removeIfPresent(life.path).catch((error) => lose(failureOf(error)));
        watch = setInterval(async () => {
          if (over || !await life.file.tryLock(true)) return;
          // Its last messages may still be on their way.
          setTimeout(() => lose(silentEnd), watchMs);
        }, watchMs);
        break;
      case "ready":
        run(own);
        break;
      case "broken":
        lose(data.message);
        break;
      case "event": {
        options.onEvent(own.cell, data.event);
        if (isLast(data.event)) {
          const spent = data.event.type === "failed" && data.event.spent === true;
          follow(data.event.type === "finished", spent);
        }
        break;
      }
    }
  };
  send({ type: "start", runs: options.runs, plugins: options.plugins, life: life.path });
  const following = await promise;
  life.file.close();
  await removeIfPresent(life.path);
  return following;
}
