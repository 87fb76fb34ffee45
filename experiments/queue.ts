/**
 * Cells that wait for a worker, where other processes may work on the same ones.
 *
 * @module
 */
import { type ClaimMark, claimRun, type Holder, isClaim, releaseClaim } from "../store/claims.ts";
import { StoreError } from "../store/files.ts";
import { inspectRun, nobody } from "../store/inspect.ts";
import type { Member, Watch } from "../store/members.ts";
import { openRun } from "../store/run_folder.ts";
import { testCurve } from "../store/test_curve.ts";
import { failureOf } from "./failure.ts";
import { type Finished, finishedRun } from "./finished.ts";
import type { GridCell } from "./plan.ts";

/** A cell that this process trains. */
export interface Claimed {
  readonly cell: GridCell;
  readonly claim: ClaimMark;
}

/** What runs keep beside their results. */
export interface Keeps {
  readonly features: boolean;
  readonly testCurve: boolean;
}

/** What a queue needs to know. */
export interface QueueOptions {
  readonly member: Member;
  readonly watch: Watch;
  /** Whether to wait for cells that other processes train; else they are left to those. */
  readonly wait: boolean;
  /** What finished cells must have kept: else they are taken up once more. */
  readonly keeps: Keeps;
  /** Whether nothing more is begun. */
  readonly over: () => boolean;
  /** A cell is finished; by this process or by another. */
  readonly onFinished: (cell: GridCell, finished: Finished) => void;
  readonly onFailed: (cell: GridCell, message: string) => void;
  /** Another process trains a cell. Told once of each. */
  readonly onElsewhere: (cell: GridCell, holder: Holder) => void;
  /** Milliseconds between two looks at what others train. @default {1000} */
  readonly lookMs?: number;
}

/** Cells in order; those that others train come last. */
export class CellQueue {
  readonly #waiting: GridCell[];
  readonly #elsewhere: GridCell[] = [];
  readonly #told: Set<string> = new Set();
  readonly #options: QueueOptions;

  /** @param cells In order. */
  constructor(cells: readonly GridCell[], options: QueueOptions) {
    this.#waiting = [...cells];
    this.#options = options;
  }

  /** Cells that others trained when this process stopped waiting for them. */
  get elsewhere(): readonly GridCell[] {
    return this.#elsewhere;
  }

  /** The next cell for this process to train; `undefined` if there is none. */
  async next(): Promise<Claimed | undefined> {
    const { over, wait, lookMs = 1000 } = this.#options;
    while (!over()) {
      const cell = this.#waiting.shift();
      if (cell !== undefined) {
        const claimed = await this.#take(cell);
        if (claimed !== null) return claimed;
        continue;
      }
      if (!wait || this.#elsewhere.length === 0) return undefined;
      await pause(lookMs, over);
      // Others of this process may have taken it meanwhile.
      this.#waiting.push(...this.#elsewhere.splice(0));
    }
    return undefined;
  }

  /** Claims a cell; `null` if it is finished, failed, or another's. */
  async #take(cell: GridCell): Promise<Claimed | null> {
    const { member, watch, keeps, onFinished, onFailed, onElsewhere } = this.#options;
    try {
      const before = await whole(cell, member.runs, keeps);
      if (before !== null) {
        onFinished(cell, before);
        return null;
      }
      const found = await claimRun(member, cell.id, watch);
      if (isClaim(found)) return await this.#claimed(cell, found);
      this.#elsewhere.push(cell);
      if (!this.#told.has(cell.id)) {
        this.#told.add(cell.id);
        onElsewhere(cell, found);
      }
    } catch (error) {
      onFailed(cell, failureOf(error));
    }
    return null;
  }

  /** What a cell is that was just claimed: whoever held it before may have ended it. */
  async #claimed(cell: GridCell, claim: ClaimMark): Promise<Claimed | null> {
    const { member: { runs }, onFailed } = this.#options;
    if (this.#told.has(cell.id)) {
      const { state, reason } = inspectRun(runs, cell.id, nobody);
      if (state === "failed") {
        await releaseClaim(claim, false);
        onFailed(cell, `${reason} (trained by another process)`);
        return null;
      }
    }
    return { cell, claim };
  }
}

/** A finished run; `null` where a worker has something to do: where it is not, or is damaged, or lacks what it must have kept. */
async function whole(cell: GridCell, runs: string, keeps: Keeps): Promise<Finished | null> {
  const folder = openRun(runs, cell.id);
  try {
    const found = await finishedRun(folder, cell.config);
    if (found === null) return null;
    if (keeps.features && !await folder.hasFeatures()) return null;
    return keeps.testCurve && testCurve(folder).length < found.summary.epochs ? null : found;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

/** Waits, and looks now and then whether to go on waiting. */
async function pause(ms: number, over: () => boolean): Promise<void> {
  for (let waited = 0; waited < ms && !over(); waited += 100) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(100, ms - waited)));
  }
}
