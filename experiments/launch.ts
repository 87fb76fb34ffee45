/**
 * A grid on Slurm: one array of tasks over its cells, followed until every cell is finished or failed for good.
 *
 * What is true is on the disk: cells that are finished, that a living process holds, that failed. Slurm is only asked which
 * tasks it still knows. So a launch may be broken off and started again, and two launches of one grid do no harm.
 *
 * @module
 */
import { basename, join } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { inspectRun, liveContext } from "../store/inspect.ts";
import { Watch } from "../store/members.ts";
import { keepLaunched, launchFolder } from "./launched.ts";
import { outcomesOf } from "./outcomes.ts";
import type { GridCell, GridPlan } from "./plan.ts";
import type { CellOutcome } from "./run_grid.ts";
import { inOrder } from "./shard.ts";
import type { QueuedTask, Slurm } from "./slurm.ts";

/** How a grid is launched. */
export interface LaunchOptions {
  readonly runs: string;
  readonly seeds: readonly number[];
  /** The plan's file. */
  readonly planFile: string;
  /** Words of the command that trains a part of it: `--shard` is added. */
  readonly command: readonly string[];
  /** Tasks of the array at most. @default one for each cell, up to the cluster's limit */
  readonly tasks?: number;
  /** Tasks at once. */
  readonly width?: number;
  /** Processors of a task. */
  readonly cpus: number;
  /** Passed on to sbatch. */
  readonly options: readonly string[];
  /** Times that a task is submitted again without getting on. @default {5} */
  readonly retries?: number;
  /** Milliseconds between two looks. @default {3000} */
  readonly lookMs?: number;
  /** Stops following; tasks go on. */
  readonly signal?: AbortSignal;
  readonly onNews?: (news: LaunchNews) => void;
}

/** What happens. */
export type LaunchNews =
  | { readonly type: "submitted"; readonly job: string; readonly tasks: number; readonly again: boolean }
  /** Slurm did not take a further array; it is asked again. */
  | { readonly type: "refused"; readonly message: string }
  /** Counts of cells, of tasks that wait, and why the first of them does. */
  | {
    readonly type: "counts";
    readonly finished: number;
    readonly running: number;
    readonly failed: number;
    readonly total: number;
    readonly waiting: number;
    readonly reason: string | null;
  };

/** What the disk says of a cell. */
type Standing =
  | { readonly state: "finished" | "held" | "open"; readonly got: number }
  | { readonly state: "failed"; readonly got: number; readonly at: string };

/** A part of the grid that one task trains. */
interface Part {
  readonly cells: readonly GridCell[];
  /** How far its cells had come when it was last submitted; -1 before. */
  got: number;
  /** Submissions since then. */
  tries: number;
}

/** Launches a plan and follows it. @throws {Refusal} If Slurm does not do what it is asked. */
export async function launch(plan: GridPlan, slurm: Slurm, options: LaunchOptions): Promise<CellOutcome[]> {
  return await new Launch(plan, slurm, options, await partsOf(plan, slurm, options)).follow();
}

async function partsOf(plan: GridPlan, slurm: Slurm, { tasks, seeds }: LaunchOptions): Promise<Part[]> {
  const count = Math.min(tasks ?? Infinity, plan.cells.length, await slurm.arrayLimit());
  const ordered = inOrder(plan.cells, seeds);
  return Array.from({ length: count }, (_, task) => ({
    cells: ordered.filter((_, place) => place % count === task),
    got: -1,
    tries: 0,
  }));
}

class Launch {
  readonly #plan: GridPlan;
  readonly #slurm: Slurm;
  readonly #options: LaunchOptions;
  readonly #parts: readonly Part[];
  readonly #watch: Watch;
  /** When cells failed that were given another try, by id. */
  readonly #forgiven: Map<string, string> = new Map();
  /** Cells that are looked at no more. */
  readonly #finished: Set<string> = new Set();
  readonly #name: string;
  #told = "";
  /** Submissions that Slurm took. */
  #taken = 0;
  /** Those in a row that it did not take. */
  #refused = 0;

  constructor(plan: GridPlan, slurm: Slurm, options: LaunchOptions, parts: readonly Part[]) {
    this.#plan = plan;
    this.#slurm = slurm;
    this.#options = options;
    this.#parts = parts;
    this.#watch = new Watch(options.runs);
    // The plan's name ends in its digest; tasks of another number of parts are others.
    this.#name = `armlab-${basename(options.planFile, ".jsonl")}-${parts.length}`;
  }

  async follow(): Promise<CellOutcome[]> {
    const { signal, lookMs = 3000 } = this.#options;
    for (;;) {
      // Slurm first: a task that ends between the two looks is seen by what it left.
      const queued = await this.#slurm.queue(this.#name);
      const standing = await this.#look();
      this.#tell(standing, queued);
      const lost = await this.#submit(standing, queued);
      if (signal?.aborted || this.#isOver(standing, queued, lost)) return await this.#outcomes(lost);
      await pause(lookMs, signal);
    }
  }

  async #look(): Promise<Map<string, Standing>> {
    const context = await liveContext(this.#options.runs, this.#watch);
    return new Map(this.#plan.cells.map(({ id }): [string, Standing] => {
      if (this.#finished.has(id)) return [id, { state: "finished", got: Infinity }];
      if (context.held.has(id)) return [id, { state: "held", got: 0 }];
      const report = inspectRun(this.#options.runs, id, context);
      const got = report.epochs + (report.progress?.samplesDrawn ?? 0);
      if (report.state === "finished") {
        this.#finished.add(id);
        return [id, { state: "finished", got: Infinity }];
      }
      if (report.state !== "failed") return [id, { state: "open", got }];
      return [id, { state: "failed", got, at: report.failure!.at }];
    }));
  }

  /** Whether a cell failed for good: a second time, or as often as it was tried before this launch looked. */
  #isFailed(id: string, standing: Standing): boolean {
    return standing.state === "failed" && this.#forgiven.has(id) && this.#forgiven.get(id) !== standing.at;
  }

  /** Whether a cell is still to be trained and nobody does. */
  #isOpen(id: string, standing: Standing): boolean {
    return standing.state === "open" || (standing.state === "failed" && !this.#isFailed(id, standing));
  }

  /** Submits parts with open cells that Slurm does not know of; returns those that were tried too often. */
  async #submit(standing: ReadonlyMap<string, Standing>, queued: readonly QueuedTask[]): Promise<Set<Part>> {
    const { retries = 5, signal } = this.#options;
    const known = new Set(queued.map(({ task }) => task));
    const [wanted, lost]: [number[], Set<Part>] = [[], new Set()];
    const marks: (() => void)[] = [];
    let again = false;
    for (const [task, part] of this.#parts.entries()) {
      if (known.has(task)) continue;
      const open = part.cells.filter(({ id }) => this.#isOpen(id, standing.get(id)!));
      if (open.length === 0) continue;
      const got = part.cells.reduce((sum, { id }) => sum + Math.min(1e12, standing.get(id)!.got), 0);
      if (got > part.got) part.tries = 0;
      if (part.tries > retries) {
        lost.add(part);
        continue;
      }
      again ||= part.got >= 0;
      wanted.push(task);
      marks.push(() => {
        [part.got, part.tries] = [got, part.tries + 1];
        for (const { id } of open) {
          const own = standing.get(id)!;
          if (own.state === "failed") this.#forgiven.set(id, own.at);
        }
      });
    }
    if (wanted.length === 0 || signal?.aborted) return lost;
    const job = await this.#take(wanted);
    if (job === null) return lost;
    for (const mark of marks) mark();
    this.#options.onNews?.({ type: "submitted", job, tasks: wanted.length, again });
    return lost;
  }

  /**
   * Submits tasks; `null` if Slurm did not take them now. The first array says whether its options are right; later a
   * controller may be busy, and what it took although it did not say so stands in the next look's queue.
   *
   * @throws {Refusal} If it does not take the first, or too many in a row.
   */
  async #take(tasks: readonly number[]): Promise<string | null> {
    const { runs, planFile, command, options, retries = 5 } = this.#options;
    const logs = launchFolder(planFile);
    await keepLaunched(planFile, this.#name);
    const submission = {
      name: this.#name,
      tasks,
      width: this.#options.width,
      cpus: this.#options.cpus,
      output: join(logs, "%a.log"),
      options,
      script: scriptOf([...command, "--runs", runs, "--plan", planFile], this.#parts.length),
    };
    try {
      const job = await this.#slurm.submit(submission);
      [this.#taken, this.#refused] = [this.#taken + 1, 0];
      return job;
    } catch (error) {
      if (!(error instanceof Refusal) || this.#taken === 0 || ++this.#refused > retries) throw error;
      this.#options.onNews?.({ type: "refused", message: error.message });
      return null;
    }
  }

  #isOver(
    standing: ReadonlyMap<string, Standing>,
    queued: readonly QueuedTask[],
    lost: ReadonlySet<Part>,
  ): boolean {
    const known = new Set(queued.map(({ task }) => task));
    return this.#parts.every((part, task) =>
      lost.has(part) ||
      part.cells.every(({ id }) => {
        const own = standing.get(id)!;
        return own.state === "finished" || (this.#isFailed(id, own) && !known.has(task));
      })
    );
  }

  #tell(standing: ReadonlyMap<string, Standing>, queued: readonly QueuedTask[]): void {
    const all = [...standing];
    const waiting = queued.filter(({ state }) => state === "PENDING");
    const news = {
      type: "counts" as const,
      finished: all.filter(([, { state }]) => state === "finished").length,
      running: all.filter(([, { state }]) => state === "held").length,
      failed: all.filter(([id, own]) => this.#isFailed(id, own)).length,
      total: all.length,
      waiting: waiting.length,
      reason: waiting[0]?.reason ?? null,
    };
    const text = JSON.stringify(news);
    if (text !== this.#told) this.#options.onNews?.(news);
    this.#told = text;
  }

  async #outcomes(lost: ReadonlySet<Part>): Promise<CellOutcome[]> {
    const reasons = new Map<string, string>();
    for (const [task, part] of this.#parts.entries()) {
      if (!lost.has(part)) continue;
      const log = join(launchFolder(this.#options.planFile), `${task}.log`);
      const reason = `its task ended ${part.tries} times without getting on; see ${log}`;
      for (const { id } of part.cells) reasons.set(id, reason);
    }
    return await outcomesOf(this.#plan.cells, this.#options.runs, ({ id }) => reasons.get(id) ?? null);
  }
}

/** What a task runs: the program takes the place of the shell, so that signals reach it once. */
function scriptOf(command: readonly string[], parts: number): string {
  return [
    "#!/bin/sh",
    'echo "task $SLURM_ARRAY_TASK_ID of job $SLURM_ARRAY_JOB_ID on $(hostname), restart ${SLURM_RESTART_COUNT:-0}"',
    `exec ${command.map(quoted).join(" ")} --requeue --shard $((SLURM_ARRAY_TASK_ID + 1))/${parts}`,
    "",
  ].join("\n");
}

/** A word as a shell reads it. */
export function quoted(word: string): string {
  if (word.includes("\0")) throw new Refusal({ what: "write a script", must: "its words must hold no zero byte" });
  return /^[\w./:=,+@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Waits; an abort ends it. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
