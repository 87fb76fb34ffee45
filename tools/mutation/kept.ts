/**
 * What earlier runs found out: a line of JSON for each outcome and each test file, so that a run that is stopped goes on.
 *
 * @module
 */
import { dirname } from "node:path";
import { z } from "zod";
import type { Mutant } from "../mutant.ts";
import { digest } from "./reach.ts";

const entrySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("mutant"),
    /** Which mutant, whatever else the tree holds. */
    mutant: z.string(),
    /** The mutant with the contents of all that its tests reach. */
    key: z.string(),
    file: z.string(),
    line: z.number(),
    fate: z.enum(["killed", "late", "alive", "unreadable"]),
    by: z.object({ file: z.string(), name: z.string() }).nullable(),
  }),
  z.object({
    kind: z.literal("tests"),
    file: z.string(),
    /** Contents of all that it reaches. */
    key: z.string(),
    tests: z.array(z.object({ name: z.string(), ms: z.number().nullable() })),
    /** Tests that pass alone without any change. */
    alone: z.array(z.string()),
    /** Whether it passes as a whole, as it stands. */
    whole: z.boolean(),
    /** Whether its tests need others, and so run as they stand. */
    ordered: z.boolean().default(false),
  }),
]);

/** A line of the file. */
export type Entry = z.infer<typeof entrySchema>;
/** What became of a mutant. */
export type KeptMutant = Extract<Entry, { kind: "mutant" }>;
/** What a test file does without any change. */
export type KeptTests = Extract<Entry, { kind: "tests" }>;

/** Names a mutant by its file, fragments and tests. */
export function idOf({ file, from, to, tests }: Mutant): Promise<string> {
  return digest(JSON.stringify([file, from, to, tests]));
}

/** Outcomes on disk; the last of a mutant or a test file counts. Several processes may write to one file. */
export class Kept {
  readonly #path: string | null;
  readonly #mutants = new Map<string, KeptMutant>();
  readonly #tests = new Map<string, KeptTests>();

  private constructor(path: string | null) {
    this.#path = path;
  }

  /** Keeps nothing beyond its own life. */
  static inMemory(): Kept {
    return new Kept(null);
  }

  /** Reads a file, which need not exist. A line that is not whole was cut by the end of its process, and counts as none. */
  static async open(path: string): Promise<Kept> {
    const kept = new Kept(path);
    await Deno.mkdir(dirname(path), { recursive: true });
    const text = await Deno.readTextFile(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return "";
    });
    for (const line of text.split("\n")) {
      const entry = entryIn(line);
      if (entry !== null) kept.#take(entry);
    }
    if (text !== "" && !text.endsWith("\n")) await Deno.writeTextFile(path, "\n", { append: true });
    return kept;
  }

  /** The last outcome of a mutant, whatever its key. */
  mutant(id: string): KeptMutant | null {
    return this.#mutants.get(id) ?? null;
  }

  /** What a test file did, if what it reaches is as it was then. */
  tests(file: string, key: string): KeptTests | null {
    const found = this.#tests.get(file);
    return found?.key === key ? found : null;
  }

  /** What a test file did last, whatever it reaches. */
  lastTests(file: string): KeptTests | null {
    return this.#tests.get(file) ?? null;
  }

  /** All outcomes. */
  all(): IterableIterator<KeptMutant> {
    return this.#mutants.values();
  }

  /** Adds an entry, here and on disk. */
  async add(entry: Entry): Promise<void> {
    this.#take(entry);
    if (this.#path !== null) await Deno.writeTextFile(this.#path, `${JSON.stringify(entry)}\n`, { append: true });
  }

  #take(entry: Entry): void {
    if (entry.kind === "mutant") this.#mutants.set(entry.mutant, entry);
    else this.#tests.set(entry.file, entry);
  }
}

/** The entry that a line holds, or `null`. */
function entryIn(line: string): Entry | null {
  if (!line.endsWith("}")) return null;
  try {
    return entrySchema.safeParse(JSON.parse(line)).data ?? null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}
