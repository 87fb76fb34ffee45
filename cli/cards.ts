/**
 * Cells on graphics cards: a process for each card, as drivers and runtimes take one thread of a process.
 *
 * @module
 */
import type { EnginePlugin } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { outcomesOf } from "../experiments/outcomes.ts";
import type { GridPlan } from "../experiments/plan.ts";
import type { CellOutcome } from "../experiments/run_grid.ts";

/** Cards of an engine: their numbers. */
export type Cards = readonly number[];

/**
 * Reads `0,1,3`.
 *
 * @param text As typed; `undefined` stands for the card that the runtime prefers.
 * @returns `null` if the engine needs none.
 * @throws {Refusal} If the engine uses no cards, cannot choose among them, or a number is none or stands twice.
 */
export function parseCards(text: readonly string[], engine: EnginePlugin): Cards | null {
  const { cards, name } = engine;
  if (text.length === 0) return cards === undefined ? null : [0];
  const what = `use --devices ${text.join(",")}`;
  if (cards === undefined) {
    throw new Refusal({
      what,
      must: "the engine must run on cards",
      found: `"${name}" does not`,
      hint: "take --engine onnx:cuda, onnx:webgpu or tfjs-node-gpu, or --workers for processors",
    });
  }
  const bad = text.find((one) => !/^\d{1,3}$/.test(one));
  if (bad !== undefined) {
    throw new Refusal({
      what,
      must: "devices must be numbers of cards",
      found: `found "${bad}"`,
      hint: "write 0,1 for the first two",
    });
  }
  const numbers = text.map(Number);
  if (cards.variables.length === 0 && (numbers.length > 1 || numbers[0] !== 0)) {
    throw new Refusal({
      what,
      must: `the engine must be told which card to take`,
      found: `the runtime of "${name}" takes the one that it prefers`,
      hint: "leave --devices out, and start a --shard wherever a process sees another card; or take --engine onnx:cuda",
    });
  }
  return numbers;
}

/** Workers of one process on a card: one. @throws {Refusal} If more are asked for. */
export function checkWorkers(workers: number | undefined, engine: EnginePlugin): number {
  if (workers === undefined || workers === 1) return 1;
  throw new Refusal({
    what: `use --workers ${workers} with engine "${engine.name}"`,
    must: "a process must have one worker on a card",
    found: "drivers and runtimes take one thread of a process",
    hint: "--devices 0,1 trains with a process for each card",
  });
}

/** What is run on cards. */
export interface CardOptions {
  readonly runs: string;
  /** Words that train the plan in one process with one worker. */
  readonly command: readonly string[];
  readonly cards: Cards;
  readonly engine: EnginePlugin;
  readonly signal: AbortSignal;
  /** A line that the process of a card said. */
  readonly onLine: (card: number, line: string) => void;
}

/** Trains a plan with one process for each card; they share its cells as they become free. */
export async function runOnCards(plan: GridPlan, options: CardOptions): Promise<CellOutcome[]> {
  const ends = await Promise.all(options.cards.map((card) => onCard(card, options)));
  const broken = ends.filter((end) => end !== null);
  return await outcomesOf(plan.cells, options.runs, () => broken.length === 0 ? null : broken.join("; "));
}

/** Exit codes of a bench that ended by itself: well, with failed cells, or stopped with checkpoints. */
const ordinary = [0, 1, 75, 130];

/** Runs one process to its end; what it died of, if it did. */
async function onCard(card: number, { command, engine, signal, onLine }: CardOptions): Promise<string | null> {
  const [program, ...args] = command;
  const env = Object.fromEntries((engine.cards?.variables ?? []).map((name) => [name, String(card)]));
  const child = new Deno.Command(program, {
    args,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    // A Ctrl-C of the terminal comes to this process, which passes it on once.
    detached: true,
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  let rest = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(card, line);
  }
  if (rest !== "") onLine(card, rest);
  const { code, signal: killed } = await child.status;
  signal.removeEventListener("abort", stop);
  return ordinary.includes(code) ? null : `the process of card ${card} ended with ${killed ?? code}`;
}
