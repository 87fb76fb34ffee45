/**
 * Whether tests notice when something is broken: every change of a kept list is made in a copy of the tree, and the tests
 * of its own room must fail.
 *
 *     deno task mutants                      every room
 *     deno task mutants tensor nn            two rooms
 *     deno task mutants tensor --only noise  those whose file or fragment holds a text
 *     deno task mutants tensor --alive       those that were not noticed when last tried, or never tried
 *     deno task mutants tensor --anew        also what is known and unchanged since
 *     deno task mutants --list               whether every fragment still occurs once, without running anything
 *
 * A room's list is `tools/mutants/<room>.ts`. A change that no test could notice, as it changes no behaviour, is marked
 * with the reason; it runs too, and a test that notices it refutes the mark. Fails where less than 90 % of the others are
 * noticed.
 *
 * Of a mutant's test files those run that can reach its file; of these, first what noticed it before, then what noticed
 * neighbours, names the changed function or is quick, until a test fails. Outcomes are kept by the content of the mutant
 * and of all that its tests reach (`--keep FILE`, else in the cache folder): what is stopped goes on, and what has not
 * changed is not run again.
 *
 * @module
 */
import { join } from "node:path";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../cli/command.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { cacheFolder } from "../formats/cache_folder.ts";
import type { Mutant } from "./mutant.ts";
import { changed, described } from "./mutation/change.ts";
import { idOf, Kept } from "./mutation/kept.ts";
import { runMutants } from "./mutation/run.ts";
import { type Outcome, passes, tally } from "./mutation/tally.ts";

const lists = new URL("./mutants/", import.meta.url);

/** Rooms that have a list. */
async function rooms(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(lists)) if (isFile) names.push(name.replace(/\.ts$/, ""));
  return names.sort();
}

/**
 * The list of a room.
 *
 * @throws {Refusal} If it names tests of another room.
 */
async function listOf(room: string): Promise<readonly Mutant[]> {
  const { default: list } = await import(new URL(`${room}.ts`, lists).href) as { default: readonly Mutant[] };
  for (const { file, from, tests } of list) {
    const foreign = tests.filter((test) => test !== `tests/${room}` && !test.startsWith(`tests/${room}/`));
    if (foreign.length === 0 && tests.length > 0) continue;
    throw new Refusal({
      what: `try "${from}" of ${file}`,
      must: `its tests must be of its own room, under tests/${room}`,
      found: tests.join(", ") || "none",
    });
  }
  return list;
}

/** What is wrong with fragments that do not occur once. */
async function staleOf(mutants: readonly Mutant[]): Promise<string[]> {
  const stale: string[] = [];
  for (const mutant of mutants) {
    try {
      changed(await Deno.readTextFile(mutant.file), mutant);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      stale.push(error.message);
    }
  }
  return stale;
}

/** What is said of an outcome, on one line. */
function lineOf({ mutant, fate, by, kept }: Outcome, text: string): string {
  const mark = mutant.equivalent === undefined ? "" : ` (equivalent: ${mutant.equivalent})`;
  const test = by === null ? "" : `; ${by.file}: ${by.name}`;
  return `${fate.padEnd(10)} ${described(text, mutant)}${mark}${test}${kept ? " (kept)" : ""}`;
}

/** "3 min" or "40 s". */
function roughly(ms: number): string {
  return ms < 90_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** How mutants are run. */
interface Told {
  readonly workers: number;
  readonly kept: Kept;
  readonly anew: boolean;
  readonly signal: AbortSignal;
}

/** Runs mutants of a room and says each outcome. Returns whether its tests notice enough. */
async function runRoom(room: string, mutants: readonly Mutant[], told: Told): Promise<boolean> {
  const texts = new Map<string, string>();
  for (const { file } of mutants) texts.set(file, await Deno.readTextFile(file));
  let wanted = 0;
  let done = 0;
  const started = performance.now();
  const outcomes = await runMutants({
    ...told,
    root: ".",
    mutants,
    onStart: (count) => {
      wanted = count;
      console.log(`${room}: ${mutants.length} mutants, ${count} of them to be tried`);
    },
    onOutcome: (outcome) => {
      const line = lineOf(outcome, texts.get(outcome.mutant.file)!);
      if (outcome.kept) return console.log(line);
      done++;
      const left = (performance.now() - started) / done * (wanted - done);
      console.log(`${done}/${wanted} ${line}${done < wanted ? ` [${roughly(left)} left]` : ""}`);
    },
  });
  const counts = tally(outcomes);
  const { killed, alive, equivalent, refuted, unreadable } = counts;
  const share = killed + alive === 0 ? "" : ` (${(100 * killed / (killed + alive)).toFixed(1)} %)`;
  console.log(
    `${room}: ${killed} killed, ${alive} alive${share}, ${equivalent} equivalent` +
      (refuted === 0 ? "" : `, ${refuted} marked as equivalent but noticed`) +
      (unreadable === 0 ? "" : `, ${unreadable} no program`),
  );
  if (outcomes.length < mutants.length) {
    console.log(`${mutants.length - outcomes.length} of ${room} were not tried; the same command goes on from here`);
  }
  return passes(counts);
}

/** Those that were not noticed when last tried, or never tried. */
async function aliveOf(mutants: readonly Mutant[], kept: Kept): Promise<Mutant[]> {
  const alive: Mutant[] = [];
  for (const mutant of mutants) {
    const known = kept.mutant(await idOf(mutant));
    if (known === null || known.fate === "alive" || known.fate === "unreadable") alive.push(mutant);
  }
  return alive;
}

/** Says which fragments of a room are stale. Returns whether none is. */
async function listed(room: string, mutants: readonly Mutant[]): Promise<boolean> {
  const stale = await staleOf(mutants);
  for (const message of stale) console.error(message);
  console.log(`${room}: ${mutants.length} mutants, ${stale.length} of them stale`);
  return stale.length === 0;
}

/** A signal that Ctrl-C or the end of a job gives; a second one ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const name of signals) {
    const stop = () => {
      Deno.removeSignalListener(name, stop);
      controller.abort();
    };
    Deno.addSignalListener(name, stop);
  }
  return controller.signal;
}

const flags = {
  only: { type: "text", value: "TEXT", about: "those whose file or fragment holds a text" },
  alive: { type: "boolean", about: "those that were not noticed when last tried, or never tried" },
  anew: { type: "boolean", about: "also what is known and unchanged since" },
  list: { type: "boolean", about: "whether every fragment still occurs once, without running anything" },
  workers: { type: "text", value: "N", about: "tests at once (default: half of the cores)" },
  keep: { type: "text", value: "FILE", about: "where outcomes are kept (default: in the cache folder)" },
  help: { type: "boolean", about: "show this help" },
} as const satisfies Record<string, Flag>;

const command: Command = {
  name: "mutants",
  about: "Makes every change of the kept lists in a copy of the tree, and sees whether the tests of its room fail.",
  async run(args) {
    const { text, boolean, positional } = parseFlags(this.name, flags, args, { most: Infinity, about: "rooms" });
    if (boolean.help) {
      console.log(helpOf("deno task mutants [ROOM ...] [options]", this.about, flags, [
        "deno task mutants tensor nn",
        "deno task mutants tensor --only noise",
      ]));
      return 0;
    }
    const known = await rooms();
    const strange = positional.find((room) => !known.includes(room));
    if (strange !== undefined) {
      throw new Refusal({
        what: `find mutants of room "${strange}"`,
        found: `rooms with a list are ${known.join(", ")}`,
        hint: didYouMean(strange, known),
      });
    }
    const half = Math.max(1, Math.floor(navigator.hardwareConcurrency / 2));
    const workers = parseInteger("--workers", text.workers ?? String(half), 1);
    const kept = boolean.list
      ? Kept.inMemory()
      : await Kept.open(text.keep ?? join(cacheFolder("mutants"), "outcomes.jsonl"));
    const signal = interruption();
    let good = true;
    for (const room of positional.length === 0 ? known : positional) {
      const only = text.only ?? "";
      const chosen = (await listOf(room)).filter(({ file, from }) => file.includes(only) || from.includes(only));
      const mutants = boolean.alive ? await aliveOf(chosen, kept) : chosen;
      const passed = boolean.list
        ? await listed(room, mutants)
        : await runRoom(room, mutants, { workers, kept, anew: boolean.anew, signal });
      if (signal.aborted) return 130;
      good &&= passed;
    }
    return good ? 0 : 1;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
