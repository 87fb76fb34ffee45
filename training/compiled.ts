/**
 * Programs compiled once for an engine.
 *
 * @module
 */
import type { CompiledProgram, Engine, Program } from "../core/program.ts";

/** A program and its compiled form. */
export interface Compiled<P extends Program> {
  readonly program: P;
  readonly compiled: CompiledProgram;
}

/** Compiled programs by key, and the time that compiling took. */
export class CompiledPrograms {
  readonly #engine: Engine;
  readonly #entries: Map<string, Compiled<Program>> = new Map();
  #seconds = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Seconds spent in building and compiling so far. */
  get seconds(): number {
    return this.#seconds;
  }

  /** The program of a key, compiled at its first use. A key stands for one type of program. */
  async get<P extends Program>(key: string, make: () => P): Promise<Compiled<P>> {
    const present = this.#entries.get(key);
    if (present !== undefined) return present as Compiled<P>;
    const started = performance.now();
    const program = make();
    const entry = { program, compiled: await this.#engine.compile(program) };
    this.#seconds += (performance.now() - started) / 1000;
    this.#entries.set(key, entry);
    return entry;
  }

  /** Frees all programs. */
  dispose(): void {
    for (const { compiled } of this.#entries.values()) compiled.dispose();
    this.#entries.clear();
  }
}
