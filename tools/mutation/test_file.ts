/**
 * A test file under mutants: what is known of its tests, and when a failure counts.
 *
 * That a test fails under a mutant counts if it passes alone without, and fails alone with it. So tests may run in any
 * order, and none need run without a change but those that notice one. Where a test fails among others only, the file
 * runs as it stands, and must pass so without the change.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import type { Kept } from "./kept.ts";
import { type OrderOf, testOrder } from "./order.ts";
import type { Fate } from "./tally.ts";
import { runTestFile, type Trial, type TrialRun } from "./trial.ts";

/** What a file's tests say of a mutant. */
export interface Found {
  readonly fate: Fate | "stopped";
  /** The test that failed; `null` where the file failed outside of its tests. */
  readonly by: string | null;
  /** Whether the file was loaded. */
  readonly loaded: boolean;
}

/** How long a test file may take to load, in milliseconds. */
const LOADING_MS = 120_000;
/** How long a test may take under a mutant that has not passed yet; then it runs without, and may be given more. */
const UNKNOWN_MS = 60_000;
/** How long a test may take without a mutant. */
const LONGEST_MS = 600_000;

/** A test file. */
export class TestFile {
  readonly #file: string;
  readonly #key: string;
  readonly #kept: Kept;
  readonly #spareMs: number;
  readonly #times = new Map<string, number | null>();
  readonly #alone = new Set<string>();
  #whole = false;
  /** Whether its tests need others, and so run as they stand. */
  #ordered = false;
  #news = false;

  /**
   * @param key Digest of all that it reaches.
   * @param spareMs What a test may take beside ten times what it took when it passed.
   */
  constructor(file: string, key: string, kept: Kept, spareMs: number) {
    this.#file = file;
    this.#key = key;
    this.#kept = kept;
    this.#spareMs = spareMs;
  }

  /** Finds the names of its tests. Returns false where the signal ended it. */
  async list(folder: string, signal?: AbortSignal): Promise<boolean> {
    if (this.#times.size > 0) return true;
    const known = this.#kept.tests(this.#file, this.#key);
    if (known !== null) {
      for (const { name, ms } of known.tests) this.#times.set(name, ms);
      for (const name of known.alone) this.#alone.add(name);
      this.#whole = known.whole;
      this.#ordered = known.ordered;
      return true;
    }
    const trial = await this.#runUnchanged({ folder, order: [], which: "none", signal });
    if (trial.end === "stopped") return false;
    if (trial.end !== "passed") this.#refuse(trial);
    const before = this.#kept.lastTests(this.#file);
    const times = new Map(before?.tests.map(({ name, ms }) => [name, ms]));
    for (const { name } of trial.passed) this.#times.set(name, times.get(name) ?? null);
    this.#news = true;
    return true;
  }

  /** Runs its tests in a changed tree until one fails. */
  async underMutant(folder: string, order: OrderOf, signal?: AbortSignal): Promise<Found> {
    const tests = [...this.#times].map(([name, ms]) => ({ name, ms }));
    if (!this.#ordered) {
      const first = await this.#run({ folder, order: testOrder(this.#file, tests, order), signal });
      this.#learn(first);
      const found = foundIn(first);
      if (first.end !== "failed" || first.by === null || first.passed.length === 0) return found;
      const alone = await this.#run({ folder, order: [first.by], which: "order", signal });
      if (alone.end !== "passed") return foundIn(alone);
    }
    this.#ordered = true;
    const whole = await this.#run({ folder, order: [...this.#times.keys()], signal });
    this.#learn(whole);
    return foundIn(whole);
  }

  /**
   * Whether a failure is the mutant's: the test passes alone in the unchanged tree, or, where tests of the file need
   * others, the file does.
   *
   * @returns `again` where these tests turn out to need others or more time, so that the mutant is to be tried once more;
   * `stopped` where the signal ended it.
   * @throws {Refusal} If the file fails as it stands.
   */
  async passesUnchanged(folder: string, found: Found, signal?: AbortSignal): Promise<"passes" | "again" | "stopped"> {
    const { fate, by, loaded } = found;
    if (!loaded) return "passes"; // its names were listed
    const asItStands = by === null || this.#ordered;
    if (asItStands ? this.#whole : this.#alone.has(by)) return "passes";
    if (!asItStands) {
      const unknown = this.#times.get(by) === null;
      const alone = await this.#runUnchanged({ folder, order: [by], which: "order", signal });
      if (alone.end === "stopped") return "stopped";
      this.#learn(alone);
      if (alone.end === "passed") {
        this.#alone.add(by);
        await this.#tell();
        return fate === "late" && unknown && this.#limitOf(by) > UNKNOWN_MS ? "again" : "passes";
      }
      this.#ordered = true;
    }
    const whole = await this.#runUnchanged({ folder, order: [...this.#times.keys()], signal });
    if (whole.end === "stopped") return "stopped";
    if (whole.end !== "passed") this.#refuse(whole);
    this.#learn(whole);
    this.#whole = true;
    await this.#tell();
    return asItStands ? "passes" : "again";
  }

  async #tell(): Promise<void> {
    this.#news = true;
    await this.keep();
  }

  /** Writes down what is known. */
  async keep(): Promise<void> {
    if (!this.#news) return;
    this.#news = false;
    await this.#kept.add({
      kind: "tests",
      file: this.#file,
      key: this.#key,
      tests: [...this.#times].map(([name, ms]) => ({ name, ms })),
      alone: [...this.#alone],
      whole: this.#whole,
      ordered: this.#ordered,
    });
  }

  #run(run: Omit<TrialRun, "test" | "limitOf">): Promise<Trial> {
    return runTestFile({ ...run, test: this.#file, limitOf: (name) => this.#limitOf(name) });
  }

  #runUnchanged(run: Omit<TrialRun, "test" | "limitOf">): Promise<Trial> {
    return runTestFile({ ...run, test: this.#file, limitOf: () => LONGEST_MS });
  }

  #limitOf(name: string | null): number {
    if (name === null) return LOADING_MS;
    const ms = this.#times.get(name) ?? null;
    return ms === null ? UNKNOWN_MS : this.#spareMs + 10 * ms;
  }

  /** Takes down how long tests took. */
  #learn({ passed }: Trial): void {
    for (const { name, ms } of passed) {
      if (this.#times.get(name) === null) this.#news = true;
      this.#times.set(name, ms);
    }
  }

  #refuse({ end, text }: Trial): never {
    throw new Refusal({
      what: `try mutants under ${this.#file}`,
      must: "these tests must pass without any change",
      found: `${end === "late" ? "they do not end" : "they fail"}\n${text}`,
    });
  }
}

/** What a run says. */
function foundIn({ end, by, passed }: Trial): Found {
  const fate = end === "passed" ? "alive" : end === "failed" ? "killed" : end;
  return { fate, by, loaded: passed.length > 0 || by !== null };
}
