/**
 * Epochs that can be taken up again in the middle.
 *
 * What happens in an epoch is ordinary code that waits for answers: hooks of methods for passes and nested training, the
 * epoch itself for its steps. Where such code stands cannot be saved, but it can be run again: as all that it learns comes
 * from the run, it does the same again if it is given the same answers. So every answer of an epoch is written down, with
 * what it changed; a checkpoint holds them, and a resumed run repeats the epoch with these answers instead of computing
 * them, up to the call in which it was stopped. A call that trains goes on from the batch where it was.
 *
 * @module
 */
import { InterruptedError } from "./errors.ts";
import type { SavedCounters } from "./run_state.ts";
import type { Done, PlanProgress } from "./trainer.ts";

/** What hooks see without asking: counters, controls, the table, and what methods keep to themselves. */
export interface Surroundings {
  readonly counters: SavedCounters;
  /** By column. */
  readonly tables: Readonly<Record<string, Float32Array>>;
  /** What `save` gave, by method: of all as an epoch begins, later of those that act after steps. */
  readonly methods: Readonly<Record<string, unknown>>;
}

/** A call and its answer. */
export interface Call {
  readonly name: string;
  readonly answer: unknown;
  /** What the call left behind, if it trained. */
  readonly after: Surroundings | null;
}

/** An epoch under way, as a checkpoint holds it. */
export interface SavedEpoch {
  /** As it began. */
  readonly start: Surroundings;
  /** Answered calls, in order. */
  readonly calls: readonly Call[];
  /** How far the call under way has come, if it trains. */
  readonly done: Done | null;
  /** As the checkpoint was taken. */
  readonly now: Surroundings;
}

/** What a journal asks of the run. */
export interface Notes {
  /** Copies the surroundings. */
  read(when: "start" | "later"): Surroundings;
  /** Puts them back. */
  write(saved: Surroundings): void;
}

/**
 * Called wherever an epoch can be stopped, with the epoch as a checkpoint holds it; `null` where it cannot be taken up. May
 * throw to stop.
 */
export type Pause = (saved: () => SavedEpoch | null) => void | Promise<void>;

/** The calls of one epoch, in order: answered anew, or from a checkpoint. */
export class Journal {
  readonly #notes: Notes;
  readonly #pause: Pause;
  readonly #start: Surroundings;
  readonly #calls: (Call | null)[] = [];
  readonly #saved: SavedEpoch | null;

  /** @param saved The epoch is repeated up to where it was stopped. */
  constructor(notes: Notes, pause: Pause, saved: SavedEpoch | null = null) {
    this.#notes = notes;
    this.#pause = pause;
    this.#saved = saved;
    if (saved !== null) notes.write(saved.start);
    this.#start = saved?.start ?? notes.read("start");
  }

  /**
   * Answers a call that trains nothing.
   *
   * @throws {RangeError} If a repeated epoch asks for something else than the first time.
   */
  answer<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.#call(name, false, async (from) => {
      if (from !== null) throw unfaithful(this.#calls.length, "a training", name);
      const pause = () => this.#pause(() => this.#saving(null));
      await pause();
      try {
        return await run();
      } catch (error) {
        // Stopped in the middle of a pass, which changes nothing: it can be taken up before it.
        if (error instanceof InterruptedError) await pause();
        throw error;
      }
    });
  }

  /** Answers a call that trains. */
  train<T>(name: string, run: (options: PlanProgress) => Promise<T>): Promise<T> {
    const pause = (done: () => Done) => this.#pause(() => this.#saving(done()));
    return this.#call(name, true, (from) => run({ from: from ?? undefined, pause }));
  }

  async #call<T>(name: string, trains: boolean, run: (from: Done | null) => Promise<T>): Promise<T> {
    const index = this.#calls.length;
    const repeated = this.#saved?.calls[index];
    if (repeated !== undefined) {
      if (repeated.name !== name) throw unfaithful(index + 1, `"${repeated.name}"`, name);
      this.#calls.push(repeated);
      if (repeated.after !== null) this.#notes.write(repeated.after);
      return structuredClone(repeated.answer) as T;
    }
    this.#calls.push(null);
    let from: Done | null = null;
    if (this.#saved !== null && index === this.#saved.calls.length) {
      from = this.#saved.done;
      this.#notes.write(this.#saved.now);
    }
    const answer = await run(from);
    // Whoever asked may change what it was given.
    const after = trains ? this.#notes.read("later") : null;
    this.#calls[index] = { name, answer: structuredClone(answer), after };
    return answer;
  }

  /** The epoch as a checkpoint holds it, or `null` while several calls wait at once. */
  #saving(done: Done | null): SavedEpoch | null {
    const answered = this.#calls.slice(0, -1);
    if (this.#calls.at(-1) !== null || answered.includes(null)) return null;
    return { start: this.#start, calls: answered as Call[], done, now: this.#notes.read("later") };
  }
}

/** A repeated epoch that asks for something else. */
function unfaithful(call: number, before: string, now: string): RangeError {
  return new RangeError(
    `Cannot resume in the middle of an epoch as its hooks must ask the host for the same again: call ${call} was ` +
      `${before} and is "${now}" now; what they decide by must come from the host, save() or options`,
  );
}
