/**
 * Live progress of a grid on a terminal; plain lines where standard error is no terminal.
 *
 * @module
 */
import type { GridCell, GridEvent } from "../experiments/run_grid.ts";

interface Running {
  readonly cell: GridCell;
  epochs: number;
  epoch: number;
  drawn: number;
  /** Samples that were drawn before this process took the cell up. */
  before: number;
  budget: number;
  startedAt: number;
  validation: number | null;
}

/** Draws progress to standard error, at most ten times a second. */
export class ProgressView {
  readonly #quiet: boolean;
  readonly #terminal: boolean;
  readonly #running = new Map<number, Running>();
  #cells: readonly GridCell[] = [];
  #ended = 0;
  #reused = 0;
  #failed = 0;
  #lines = 0;
  #drawnAt = 0;
  #startedAt = performance.now();
  #done = 0;
  readonly #budgets = new Map<number, number>();

  /** @param options.quiet Say nothing but errors and stops. */
  constructor(options: { readonly quiet: boolean }) {
    this.#quiet = options.quiet;
    this.#terminal = Deno.stderr.isTerminal();
  }

  /** Prints a line above the live display. */
  say(text: string): void {
    this.#erase();
    console.error(text);
  }

  /** Takes an event in. */
  show(event: GridEvent): void {
    if (event.type === "planned") {
      this.#cells = event.cells;
      this.#startedAt = performance.now();
      if (!this.#quiet) {
        const seeds = new Set(event.cells.map(({ seed }) => seed)).size;
        this.say(
          `${event.cells.length} runs (${event.cells.length / seeds} configurations x ${seeds} seeds), ` +
            `${event.workers} at once, engine ${event.engine}`,
        );
      }
      return;
    }
    const { cell, event: what } = event;
    const running = this.#running.get(cell.index);
    const name = `${cell.request.label}, seed ${cell.seed}`;
    switch (what.type) {
      case "started":
        this.#running.set(cell.index, {
          cell,
          epochs: what.epochs,
          epoch: 0,
          drawn: what.samplesDrawn,
          before: what.samplesDrawn,
          budget: what.samplesBudget,
          startedAt: performance.now(),
          validation: null,
        });
        this.#budgets.set(cell.index, what.samplesBudget);
        if (what.samplesDrawn > 0 && !this.#quiet) this.say(`  resumed   ${name} at ${what.samplesDrawn} samples`);
        break;
      case "step":
        if (running !== undefined) {
          running.epoch = what.epoch;
          running.drawn = what.samplesDrawn;
        }
        break;
      case "epoch":
        if (running !== undefined) {
          running.validation = what.validationAccuracy;
          if (!this.#terminal && !this.#quiet) {
            this.say(`  ${name}: epoch ${what.epoch + 1}, validation ${(100 * what.validationAccuracy).toFixed(1)} %`);
          }
        }
        break;
      case "finished": {
        this.#ended++;
        if (what.reused) this.#reused++;
        else if (running !== undefined) this.#done += running.budget - running.before;
        this.#running.delete(cell.index);
        const accuracy = `validation ${(100 * what.summary.validation.accuracy).toFixed(1)} %`;
        if (!this.#quiet) {
          const how = what.reused ? "kept from an earlier run" : `${what.timing.seconds.toFixed(1)} s`;
          this.say(`  finished  ${name}: ${accuracy}, ${how} [${this.#ended}/${this.#cells.length}]`);
        }
        break;
      }
      case "failed":
        this.#ended++;
        this.#failed++;
        this.#running.delete(cell.index);
        this.say(`  FAILED    ${name}: ${what.message}`);
        break;
      case "interrupted":
        this.#running.delete(cell.index);
        break;
    }
    if (!this.#quiet && this.#terminal && performance.now() - this.#drawnAt > 100) this.#draw();
  }

  /** Removes the live display. */
  end(): void {
    this.#erase();
  }

  #draw(): void {
    this.#erase();
    this.#drawnAt = performance.now();
    const now = performance.now();
    const lines = [...this.#running.values()].map((run) => {
      const rate = (run.drawn - run.before) / Math.max(1e-3, (now - run.startedAt) / 1000);
      const left = rate > 0 ? (run.budget - run.drawn) / rate : Infinity;
      const share = run.drawn / run.budget;
      const bar = "#".repeat(Math.round(20 * share)).padEnd(20, ".");
      const validation = run.validation === null ? "" : `  val ${(100 * run.validation).toFixed(1)} %`;
      return `  ${bar} ${run.cell.request.label}, seed ${run.cell.seed}: epoch ${run.epoch + 1}, ` +
        `${Math.round(rate)} samples/s, ${duration(left)} left${validation}`;
    });
    const drawn = this.#done + [...this.#running.values()].reduce((sum, run) => sum + run.drawn - run.before, 0);
    const rate = drawn / Math.max(1e-3, (now - this.#startedAt) / 1000);
    const typical = Math.max(0, ...this.#budgets.values());
    const waiting = this.#cells.length - this.#ended - this.#running.size;
    const left = waiting * typical + [...this.#running.values()].reduce((sum, run) => sum + run.budget - run.drawn, 0);
    const eta = rate > 0 ? `, ${duration(left / rate)} left` : "";
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : "";
    lines.push(`  ${this.#ended}/${this.#cells.length} runs${failed}, ${Math.round(rate)} samples/s in all${eta}`);
    const { columns } = Deno.consoleSize();
    const text = lines.map((line) => line.slice(0, columns - 1)).join("\n");
    Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
    this.#lines = lines.length;
  }

  #erase(): void {
    if (this.#lines === 0) return;
    Deno.stderr.writeSync(new TextEncoder().encode(`\x1b[${this.#lines}A\x1b[0J`));
    this.#lines = 0;
  }
}

/** A time span in words: "42 s", "3 min 05 s", "1 h 20 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole % 3600 / 60)).padStart(2, "0")} min`;
}
