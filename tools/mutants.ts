/**
 * Whether tests notice when something is broken: every change of a kept list is made in a copy of the tree, and the tests
 * of its own room must fail.
 *
 *     deno task mutants                      every room
 *     deno task mutants tensor nn            two rooms
 *     deno task mutants tensor --only noise  those whose file or fragment holds a text
 *     deno task mutants --list               whether every fragment still occurs once, without running anything
 *
 * A room's list is `tools/mutants/<room>.ts`. A change that no test could notice, as it changes no behaviour, is marked
 * with the reason; it runs too, and a test that notices it refutes the mark. Fails where less than 90 % of the others are
 * noticed.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { dirname, join } from "node:path";
import { Refusal } from "../core/refusal.ts";
import type { Mutant } from "./mutant.ts";

/** What became of a mutant. `late` is killed too: its tests did not end in time. */
export type Fate = "killed" | "late" | "alive" | "unreadable";

/** A mutant and what became of it. */
export interface Outcome {
  readonly mutant: Mutant;
  readonly fate: Fate;
}

/** Share of those that are not equivalent that must be noticed. */
const LEAST_KILLED = 0.9;

/**
 * The text with a mutant's change.
 *
 * @throws {Refusal} If its fragment does not occur exactly once.
 */
export function changed(text: string, { file, from, to }: Mutant): string {
  const count = [...text.matchAll(new RegExp(patternOf(from), "g"))].length;
  if (count !== 1) {
    throw new Refusal({
      what: `change "${from}" of ${file}`,
      must: "it must occur once",
      found: `it occurs ${count} times`,
      hint: "mend the list under tools/mutants",
    });
  }
  return text.replace(new RegExp(patternOf(from)), () => to);
}

/** A fragment as an expression: what the formatter does to its blanks does not matter. */
function patternOf(fragment: string): string {
  return fragment.split(/\s+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+");
}

/** Where a fragment stands, and what it becomes, on one line. */
export function described(text: string, { file, from, to }: Mutant): string {
  const line = text.slice(0, text.search(new RegExp(patternOf(from)))).split("\n").length;
  const short = (part: string) => JSON.stringify(part.replace(/\s+/g, " "));
  return `${file}:${line}: ${short(from)} becomes ${short(to)}`;
}

/** Counts over outcomes. */
export interface Tally {
  readonly killed: number;
  readonly alive: number;
  readonly equivalent: number;
  /** Marked as equivalent, yet a test noticed. */
  readonly refuted: number;
  /** The change is no program. */
  readonly unreadable: number;
}

/** Counts outcomes. */
export function tally(outcomes: readonly Outcome[]): Tally {
  const count = (holds: (outcome: Outcome) => boolean) => outcomes.filter(holds).length;
  const noticed = ({ fate }: Outcome) => fate === "killed" || fate === "late";
  const marked = ({ mutant }: Outcome) => mutant.equivalent !== undefined;
  return {
    killed: count((outcome) => noticed(outcome) && !marked(outcome)),
    alive: count((outcome) => outcome.fate === "alive" && !marked(outcome)),
    equivalent: count((outcome) => outcome.fate === "alive" && marked(outcome)),
    refuted: count((outcome) => noticed(outcome) && marked(outcome)),
    unreadable: count(({ fate }) => fate === "unreadable"),
  };
}

/** Whether a room's tests notice enough. */
export function passes({ killed, alive, refuted, unreadable }: Tally): boolean {
  return refuted === 0 && unreadable === 0 && killed >= LEAST_KILLED * (killed + alive);
}

/** Files of a tree that git keeps or would keep. */
async function filesOf(root: string): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { code, stdout, stderr } = await new Deno.Command("git", { args, cwd: root }).output();
  if (code !== 0) throw new Error(`git ls-files failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).split("\0").filter((file) => file !== "");
}

/** Copies a tree, so that what somebody edits meanwhile is not touched and does not disturb. */
async function copyTree(root: string, files: readonly string[], to: string): Promise<void> {
  for (const file of files) {
    const source = join(root, file);
    const info = await Deno.lstat(source).catch(() => null); // deleted since git saw it
    if (info === null || !info.isFile) continue;
    await Deno.mkdir(join(to, dirname(file)), { recursive: true });
    await Deno.copyFile(source, join(to, file));
  }
}

/** How a run of tests ended. */
interface TestRun {
  readonly end: "passed" | "failed" | "late" | "unreadable";
  readonly ms: number;
  readonly text: string;
}

/** Runs test files in a folder, at most so long. */
async function runTests(folder: string, tests: readonly string[], limitMs: number): Promise<TestRun> {
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--fail-fast", ...tests],
    cwd: folder,
    env: { NO_COLOR: "1", ARMLAB_CACHE: "off" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, limitMs);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const ms = performance.now() - started;
  if (late) return { end: "late", ms, text };
  if (code === 0) return { end: "passed", ms, text };
  return { end: /^error: (?:\(in promise\) )?SyntaxError/m.test(text) ? "unreadable" : "failed", ms, text };
}

/** What a run of mutants is told. */
export interface MutantRun {
  /** The tree. */
  readonly root: string;
  readonly mutants: readonly Mutant[];
  /** Copies of the tree that are worked in at once. */
  readonly workers: number;
  /** Is told each outcome as it comes. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/**
 * Runs mutants, each in a copy of the tree.
 *
 * @returns Their outcomes, in order.
 * @throws {Refusal} If a fragment is not there, or tests fail without any change.
 */
export async function runMutants({ root, mutants, workers, onOutcome }: MutantRun): Promise<Outcome[]> {
  for (const mutant of mutants) changed(await Deno.readTextFile(join(root, mutant.file)), mutant);
  const files = await filesOf(root);
  const folders = await Promise.all(
    Array.from({ length: Math.max(1, workers) }, () => Deno.makeTempDir({ prefix: "armlab-mutants-" })),
  );
  try {
    for (const folder of folders) await copyTree(root, files, folder);
    const limits = await limitsOf(folders[0], mutants);
    const outcomes: Outcome[] = [];
    let next = 0;
    await Promise.all(folders.map(async (folder) => {
      while (next < mutants.length) {
        const index = next++;
        const outcome = await tryMutant(folder, mutants[index], limits.get(mutants[index].tests.join())!);
        outcomes[index] = outcome;
        onOutcome?.(outcome);
      }
    }));
    return outcomes;
  } finally {
    for (const folder of folders) await Deno.remove(folder, { recursive: true });
  }
}

/** How long each set of tests may take: five times what it takes without any change, and a minute. */
async function limitsOf(folder: string, mutants: readonly Mutant[]): Promise<Map<string, number>> {
  const limits = new Map<string, number>();
  for (const { tests } of mutants) {
    if (limits.has(tests.join())) continue;
    const { end, ms, text } = await runTests(folder, tests, 600_000);
    if (end !== "passed") {
      throw new Refusal({
        what: `try mutants under ${tests.join(", ")}`,
        must: "these tests must pass without any change",
        found: `${end === "late" ? "no end within ten minutes" : "they fail"}\n${text}`,
      });
    }
    limits.set(tests.join(), 60_000 + 5 * ms);
  }
  return limits;
}

async function tryMutant(folder: string, mutant: Mutant, limitMs: number): Promise<Outcome> {
  const path = join(folder, mutant.file);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, changed(text, mutant));
  try {
    const { end } = await runTests(folder, mutant.tests, limitMs);
    const fate: Fate = end === "passed" ? "alive" : end === "failed" ? "killed" : end;
    return { mutant, fate };
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

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

async function main(args: string[]): Promise<boolean> {
  const given = parseArgs(args, { string: ["only", "workers"], boolean: ["list"] });
  const known = await rooms();
  const wanted = given._.length === 0 ? known : given._.map(String);
  for (const room of wanted) {
    if (!known.includes(room)) {
      throw new Refusal({ what: `find mutants of room "${room}"`, found: `rooms with a list are ${known.join(", ")}` });
    }
  }
  const workers = Number(given.workers ?? Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)));
  if (!Number.isInteger(workers) || workers < 1) {
    throw new Refusal({ what: "use --workers", must: "it must be an integer >= 1", found: given.workers });
  }
  let good = true;
  for (const room of wanted) {
    const only = given.only ?? "";
    const mutants = (await listOf(room)).filter(({ file, from }) => file.includes(only) || from.includes(only));
    if (given.list) {
      const stale = await staleOf(mutants);
      for (const message of stale) console.error(message);
      console.log(`${room}: ${mutants.length} mutants, ${stale.length} of them stale`);
      if (stale.length > 0) good = false;
      continue;
    }
    const texts = new Map<string, string>();
    for (const { file } of mutants) texts.set(file, await Deno.readTextFile(file));
    const outcomes = await runMutants({
      root: ".",
      mutants,
      workers,
      onOutcome: ({ mutant, fate }) => {
        const mark = mutant.equivalent === undefined ? "" : ` (equivalent: ${mutant.equivalent})`;
        console.log(`${fate.padEnd(10)} ${described(texts.get(mutant.file)!, mutant)}${mark}`);
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
    if (!passes(counts)) good = false;
  }
  return good;
}

if (import.meta.main) {
  try {
    if (!await main(Deno.args)) Deno.exitCode = 1;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
}
