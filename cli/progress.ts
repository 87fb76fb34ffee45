/**
 * Live progress of a grid on a terminal; plain lines where standard error is no terminal.
 *
 * @module
 */
import type { PlanEstimate } from "../experiments/estimate.ts";
import type { AskedCell } from "../experiments/plan.ts";
import type { GridEvent } from "../experiments/run_grid.ts";
import { printable, printableLine } from "./printable.ts";

interface Running {
  readonly cell: AskedCell;
  readonly startedAt: number;
  /** Samples that it had drawn before, where it was resumed. */
  readonly startedDrawn: number;
  epoch: number;
  drawn: number;
  budget: number;
  validation: number | null;
  /** When it first told where it was, and where that was: before, programs are compiled and data is loaded. */
  first: { readonly at: number; readonly drawn: number } | null;
}

/** Where progress is shown. */
export interface ProgressOutput {
  /** Whether it can be drawn over. */
  readonly terminal: boolean;
  write(text: string): void;
  /** Columns, now. */
  columns(): number;
  /** Milliseconds, from anywhere. */
  now(): number;
}

/** Standard error. */
export const standardError: ProgressOutput = {
  terminal: Deno.stderr.isTerminal(),
  write: (text) => {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  },
  columns: () => Deno.consoleSize().columns,
  now: () => performance.now(),
};

/** Milliseconds between two drawings. */
const drawMs = 100;

/** A speed is not told from less. */
const leastMs = 1000;

/** Rows that lines take on a terminal of so many columns: one that became narrower has broken them. */
export function rowsOf(lengths: readonly number[], columns: number): number {
  return lengths.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / Math.max(1, columns))), 0);
}

/** Draws progress to standard error, at most ten times a second. */
export class ProgressView {
  readonly #quiet: boolean;
  readonly #output: ProgressOutput;
  readonly #running = new Map<number, Running>();
  /** Runs in all. */
  #total = 0;
  #ended = 0;
  #failed = 0;
  #lengths: readonly number[] = [];
  #drawnAt = -Infinity;
  /** Runs at once. */
  #workers = 1;
  /** Of runs that ended, start and end included. */
  #past = { samples: 0, ms: 0 };
  /** The largest budget of a run. */
  #typical = 0;

  /** @param options.quiet Say nothing but errors and stops. */
  constructor(options: { readonly quiet: boolean }, output: ProgressOutput = standardError) {
    this.#quiet = options.quiet;
    this.#output = output;
  }

  /** Prints a line above the live display. */
  say(text: string): void {
    this.#erase();
    this.#output.write(`${printable(text)}\n`);
  }

  /** Prints a line, unless only errors are wanted. */
  tell(text: string): void {
    if (!this.#quiet) this.say(text);
  }

  /** Takes an event in. */
  show(event: GridEvent): void {
    if (event.type === "planned") return this.#plan(event);
    if (event.type === "note") return this.say(`  note      ${printableLine(event.text)}`);
    const { cell, event: what } = event;
    const running = this.#running.get(cell.index);
    const name = `${cell.request.label}, seed ${cell.seed}`;
    switch (what.type) {
      case "started":
        this.#running.set(cell.index, {
          cell,
          startedAt: this.#output.now(),
          startedDrawn: what.samplesDrawn,
          epoch: 0,
          drawn: what.samplesDrawn,
          budget: what.samplesBudget,
          validation: null,
          first: null,
        });
        this.#typical = Math.max(this.#typical, what.samplesBudget);
        if (what.samplesDrawn > 0) this.tell(`  resumed   ${name} at ${what.samplesDrawn} samples`);
        break;
      case "step":
        if (running !== undefined) {
          running.epoch = what.epoch;
          running.drawn = what.samplesDrawn;
          running.first ??= { at: this.#output.now(), drawn: what.samplesDrawn };
        }
        break;
      case "epoch":
        if (running !== undefined) running.validation = what.validationAccuracy;
        if (!this.#output.terminal) {
          this.tell(`  ${name}: epoch ${what.epoch + 1}, validation ${(100 * what.validationAccuracy).toFixed(1)} %`);
        }
        break;
      case "finished": {
        this.#leave(cell.index);
        const accuracy = `validation ${(100 * what.summary.validation.accuracy).toFixed(1)} %`;
        const how = what.reused ? "kept from an earlier run" : `${what.timing.seconds.toFixed(1)} s`;
        this.tell(`  finished  ${name}: ${accuracy}, ${how} [${this.#ended}/${this.#total}]`);
        break;
      }
      case "note":
        this.tell(`  note      ${name}: ${printableLine(what.text)}`);
        break;
      case "elsewhere":
        this.tell(`  elsewhere ${name}: trained by ${printableLine(what.by)}`);
        break;
      case "failed":
        this.#leave(cell.index);
        this.#failed++;
        this.say(`  FAILED    ${name}: ${printableLine(what.message)}`);
        break;
      case "interrupted":
        this.#running.delete(cell.index);
        break;
    }
    if (!this.#quiet && this.#output.terminal && this.#output.now() - this.#drawnAt > drawMs) this.#draw();
  }

  #plan({ plan, workers, freeBytes }: GridEvent & { type: "planned" }): void {
    const asked: readonly AskedCell[] = [...plan.cells, ...plan.failed.map(({ cell }) => cell)];
    this.#total = asked.length + plan.teachers.length;
    this.#workers = workers;
    const seeds = new Set(asked.map(({ seed }) => seed)).size;
    const labels = new Set(asked.map(({ request }) => request.label)).size;
    const count = (n: number, one: string) => `${n} ${one}${n === 1 ? "" : "s"}`;
    const taught = plan.teachers.length === 0 ? "" : ` and ${count(plan.teachers.length, "teacher")}`;
    // Trials of a study have its seed alone.
    const whole = labels * seeds === asked.length;
    const what = `${count(labels, "configuration")}${whole ? ` x ${count(seeds, "seed")}` : ""}`;
    this.tell(`${count(this.#total, "run")} (${what}${taught}), ${workers} at once, engine ${plan.engine}`);
    if (plan.bytes !== null && plan.bytes > SAID_BYTES) this.tell(`  disk      ${diskText(plan.bytes, freeBytes)}`);
    for (const { label, reason } of plan.unfit) this.tell(`  left out  ${label}: ${printableLine(reason)}`);
    for (const note of plan.notes) this.tell(`  note      ${printableLine(note)}`);
  }

  #leave(index: number): void {
    const running = this.#running.get(index);
    if (running !== undefined) {
      this.#past.samples += running.drawn - running.startedDrawn;
      this.#past.ms += this.#output.now() - running.startedAt;
    }
    this.#running.delete(index);
    this.#ended++;
  }

  /** Removes the live display. */
  end(): void {
    this.#erase();
  }

  /** Samples a second of a run since it first told where it was; `null` where that is too short. */
  #rateOf({ first, drawn }: Running): number | null {
    if (first === null) return null;
    const ms = this.#output.now() - first.at;
    return ms < leastMs || drawn <= first.drawn ? null : 1000 * (drawn - first.drawn) / ms;
  }

  /**
   * Samples a second of one run, over all that ended and all that run; `null` before one tells. Those that run without their
   * start, which is long beside a few steps; rows differ in what a sample costs, and those to come are taken for the mean.
   */
  #oneRate(): number | null {
    let { samples, ms } = this.#past;
    for (const run of this.#running.values()) {
      if (this.#rateOf(run) === null) continue;
      samples += run.drawn - run.first!.drawn;
      ms += this.#output.now() - run.first!.at;
    }
    return samples === 0 || ms === 0 ? null : 1000 * samples / ms;
  }

  /** The lines of the display as they are now. */
  lines(): string[] {
    const running = [...this.#running.values()];
    const lines = running.map((run) => {
      const rate = this.#rateOf(run);
      const bar = "#".repeat(Math.min(20, Math.round(20 * run.drawn / run.budget))).padEnd(20, ".");
      const speed = rate === null ? "starting" : `${Math.round(rate)} samples/s`;
      const left = rate === null ? "" : `, ${duration((run.budget - run.drawn) / rate)} left`;
      const validation = run.validation === null ? "" : `  val ${(100 * run.validation).toFixed(1)} %`;
      return `  ${bar} ${run.cell.request.label}, seed ${run.cell.seed}: epoch ${
        run.epoch + 1
      }, ${speed}${left}${validation}`;
    });
    const one = this.#oneRate();
    const all = one === null
      ? null
      : one * Math.max(running.length, Math.min(this.#workers, this.#total - this.#ended));
    const waiting = this.#total - this.#ended - running.length;
    const left = waiting * this.#typical + running.reduce((sum, run) => sum + Math.max(0, run.budget - run.drawn), 0);
    const eta = all === null || all === 0 ? "" : `, ${Math.round(all)} samples/s in all, ${duration(left / all)} left`;
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : "";
    lines.push(`  ${this.#ended}/${this.#total} runs${failed}${eta}`);
    return lines.map(printableLine);
  }

  #draw(): void {
    this.#erase();
    this.#drawnAt = this.#output.now();
    const columns = this.#output.columns();
    const lines = this.lines().map((line) => line.slice(0, Math.max(1, columns - 1)));
    this.#output.write(`${lines.join("\n")}\n`);
    this.#lengths = lines.map((line) => line.length);
  }

  #erase(): void {
    if (this.#lengths.length === 0) return;
    this.#output.write(`\x1b[${rowsOf(this.#lengths, this.#output.columns())}A\x1b[0J`);
    this.#lengths = [];
  }
}

/** Less than this is nobody's worry. */
const SAID_BYTES = 100e6;

/** What finished runs take on the disk, and whether there is room. */
function diskText(bytes: number, free: number | null): string {
  const size = (value: number) => value < 1e9 ? `${Math.round(value / 1e6)} MB` : `${(value / 1e9).toPrecision(3)} GB`;
  const room = free === null ? "" : `; ${size(free)} are free${free < bytes ? ", WHICH IS TOO LITTLE" : ""}`;
  return `about ${size(bytes)} when all runs are finished${room}`;
}

/** A time span in words: "42 s", "3 min 05 s", "1 h 20 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole % 3600 / 60)).padStart(2, "0")} min`;
}

/** How long a plan will take, in a sentence. */
export function estimateText({ left, seconds, basis }: PlanEstimate): string {
  if (left === 0) return "All runs are kept: nothing is left to train.";
  const time = seconds === null ? "a time that nothing tells yet" : `about ${duration(seconds)}`;
  return `${left} run${left === 1 ? "" : "s"} to make, ${time} (from ${basis}).`;
}
