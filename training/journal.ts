/**
 * Hooks that can be taken up again in the middle.
 *
 * A hook of a method is ordinary code that waits for the host: for passes, for nested training. Its local variables cannot
 * be saved, but it can be run again: as all that it learns comes from the host, it does the same again if the host gives
 * the same answers. So while a hook runs, every answer is written down with what it changed; a checkpoint holds them, and
 * a resumed run repeats the hook with these answers instead of computing them, up to the call in which it was stopped.
 *
 * @module
 */
import type { SavedCounters } from "./run_state.ts";
import type { Done } from "./trainer.ts";

/** What hooks see without asking the host: counters, controls, the table, and what methods keep to themselves. */
export interface Surroundings {
  readonly counters: SavedCounters;
  /** By column. */
  readonly tables: Readonly<Record<string, Float32Array>>;
  /** What `save` gave, by method: of all at a hook's beginning, later of those that act after steps. */
  readonly methods: Readonly<Record<string, unknown>>;
}

/** A call of the host and its answer. */
export interface Call {
  readonly name: string;
  readonly answer: unknown;
  /** What the call changed, if it trained. */
  readonly after: Surroundings | null;
}

/** A hook under way, as a checkpoint holds it. */
export interface SavedHook {
  /** As the hook began. */
  readonly start: Surroundings;
  /** Answered calls, in order. */
  readonly calls: readonly Call[];
  /** How far the call under way has come, if it trains. */
  readonly nested: Done | null;
  /** As the checkpoint was taken. */
  readonly now: Surroundings;
}

/** What a journal asks of the host. */
export interface Notes {
  /** Copies the surroundings. */
  read(when: "start" | "later"): Surroundings;
  /** Puts them back. */
  write(saved: Surroundings): void;
}

/** The calls of one hook, in order: answered anew, or from a checkpoint. */
export class Journal {
  readonly #notes: Notes;
  readonly #start: Surroundings;
  readonly #calls: (Call | null)[] = [];
  readonly #saved: SavedHook | null;
  #asked = 0;

  /** @param saved The hook is repeated up to where it was stopped. */
  constructor(notes: Notes, saved: SavedHook | null = null) {
    this.#notes = notes;
    this.#saved = saved;
    if (saved !== null) notes.write(saved.start);
    this.#start = saved?.start ?? notes.read("start");
  }

  /**
   * Answers a call.
   *
   * @param run Computes the answer. It gets how far it had come before the checkpoint, if it is a training.
   * @throws {RangeError} If a repeated hook asks for something else than the first time.
   */
  async answer<T>(name: string, run: (done: Done | null) => Promise<T>): Promise<T> {
    const index = this.#asked++;
    const repeated = this.#saved?.calls[index];
    if (repeated !== undefined) {
      if (repeated.name !== name) throw unfaithful(index, repeated.name, name);
      this.#calls[index] = repeated;
      if (repeated.after !== null) this.#notes.write(repeated.after);
      return structuredClone(repeated.answer) as T;
    }
    this.#calls[index] = null;
    let done: Done | null = null;
    if (this.#saved !== null && index === this.#saved.calls.length) {
      done = this.#saved.nested;
      if (done !== null && name !== "train") throw unfaithful(index, "train", name);
      this.#notes.write(this.#saved.now);
    }
    const answer = await run(done);
    // Hooks may change what they are given.
    this.#calls[index] = {
      name,
      answer: structuredClone(answer),
      after: name === "train" ? this.#notes.read("later") : null,
    };
    return answer;
  }

  /** The hook as a checkpoint holds it, or `null` if it waits for several calls at once. */
  saved(nested: Done | null): SavedHook | null {
    const calls = this.#calls.slice(0, -1);
    if (this.#calls.at(-1) !== null || calls.includes(null)) return null;
    return { start: this.#start, calls: calls as Call[], nested, now: this.#notes.read("later") };
  }
}

/** A repeated hook that asks for something else. */
function unfaithful(index: number, before: string, now: string): RangeError {
  return new RangeError(
    `Cannot resume in the middle of a hook as it must ask the host for the same again: call ${index + 1} was ` +
      `"${before}" and is "${now}" now; what it decides by must come from the host, save() or options`,
  );
}
