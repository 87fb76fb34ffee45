/**
 * Runs mutants in copies of the tree.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import type { Mutant } from "../mutant.ts";
import { changed, placeOf } from "./change.ts";
import { idOf, Kept } from "./kept.ts";
import { fileOrder, Notices, type OrderOf } from "./order.ts";
import { digest, digestsOf, type Reach, reachesOf } from "./reach.ts";
import type { Fate, Outcome, TestName } from "./tally.ts";
import { type Found, TestFile } from "./test_file.ts";

/** What a run of mutants is told. */
export interface MutantRun {
  /** The tree. */
  readonly root: string;
  readonly mutants: readonly Mutant[];
  /** Copies of the tree that are worked in at once. */
  readonly workers: number;
  /** What earlier runs found. @default {nothing} */
  readonly kept?: Kept;
  /** Tries again what is kept. @default false */
  readonly anew?: boolean;
  /** What a test may take under a mutant, beside ten times what it took when it passed. @default 30000 */
  readonly spareMs?: number;
  /** Ends the run; what is known by then is returned. */
  readonly signal?: AbortSignal;
  /** Is told how many must be tried, before the first is. */
  readonly onStart?: (count: number) => void;
  /** Is told each outcome as it comes. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** Files of a tree that git keeps or would keep. */
async function filesOf(root: string): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { code, stdout, stderr } = await new Deno.Command("git", { args, cwd: root }).output();
  if (code !== 0) throw new Error(`git ls-files failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).split("\0").filter((file) => file !== "");
}

/** Copies a tree, so that what somebody edits meanwhile is not touched and does not disturb. Returns its files. */
async function copyTree(root: string, files: readonly string[], to: string): Promise<string[]> {
  const copied: string[] = [];
  for (const file of files) {
    const source = join(root, file);
    const info = await Deno.lstat(source).catch(() => null); // deleted since git saw it
    if (info === null || !info.isFile) continue;
    await Deno.mkdir(join(to, dirname(file)), { recursive: true });
    await Deno.copyFile(source, join(to, file));
    copied.push(file);
  }
  return copied;
}

/** Test files that are named, or stand in a folder that is. */
function testFilesOf(tests: readonly string[], files: readonly string[]): string[] {
  const isTest = (file: string) => /_test\.tsx?$/.test(file);
  return tests.flatMap((test) => {
    const found = files.filter((file) => file === test || (file.startsWith(`${test}/`) && isTest(file)));
    if (found.length > 0) return found;
    throw new Refusal({
      what: `try mutants under ${test}`,
      must: "it must be a test file or hold some",
      found: "none",
    });
  });
}

/** A mutant with what its trial needs. */
interface Task {
  readonly mutant: Mutant;
  readonly id: string;
  readonly key: string;
  /** Test files that reach its file. */
  readonly tests: readonly string[];
  readonly order: OrderOf;
}

/** What all workers share. */
interface Shared {
  readonly reaches: ReadonlyMap<string, Reach>;
  readonly keys: ReadonlyMap<string, string>;
  readonly kept: Kept;
  readonly notices: Notices;
  readonly spareMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs mutants, each in a copy of the tree: of its test files those that reach its file, tests that are likely to notice
 * first, until one fails.
 *
 * @returns Their outcomes, in order; those that are known where the signal ended it.
 * @throws {Refusal} If a fragment is not there, or tests fail without any change.
 */
export async function runMutants(run: MutantRun): Promise<Outcome[]> {
  const { root, mutants, workers, kept = Kept.inMemory(), spareMs = 30_000, signal } = run;
  const files = await filesOf(root);
  const folders: string[] = [];
  try {
    for (let worker = 0; worker < Math.max(1, workers); worker++) {
      folders.push(await Deno.realPath(await Deno.makeTempDir({ prefix: "armlab-mutants-" })));
    }
    const copied = await copyTree(root, files, folders[0]);
    for (const folder of folders.slice(1)) await copyTree(root, copied, folder);
    const sets = mutants.map(({ tests }) => testFilesOf(tests, copied));
    const reaches = await reachesOf(folders[0], copied, [...new Set(sets.flat())]);
    const keys = await digestsOf(folders[0], reaches);
    const shared = { reaches, keys, kept, notices: new Notices(), spareMs, signal };
    for (const { file, line, by } of kept.all()) if (by !== null) shared.notices.add(file, line, by);
    const tasks: Task[] = [];
    for (const [index, mutant] of mutants.entries()) {
      tasks.push(await taskOf(mutant, sets[index], folders[0], shared));
    }
    return await tryAll(tasks, folders, shared, run);
  } finally {
    for (const folder of folders) await Deno.remove(folder, { recursive: true });
  }
}

/** What a mutant's trial needs. */
async function taskOf(mutant: Mutant, set: readonly string[], folder: string, shared: Shared): Promise<Task> {
  const { kept, keys, reaches, notices } = shared;
  const text = await Deno.readTextFile(join(folder, mutant.file));
  changed(text, mutant);
  const id = await idOf(mutant);
  const order = { file: mutant.file, place: placeOf(text, mutant), notices, before: kept.mutant(id)?.by ?? null };
  const tests = fileOrder(set, reaches, order);
  const key = await digest([id, ...tests.map((test) => keys.get(test)!).sort()].join("\n"));
  return { mutant, id, key, tests, order };
}

/** Tries what is not kept, in all folders at once. */
async function tryAll(
  tasks: readonly Task[],
  folders: readonly string[],
  shared: Shared,
  { anew, onStart, onOutcome, signal }: MutantRun,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const open: number[] = [];
  for (const [index, { mutant, id, key }] of tasks.entries()) {
    const known = shared.kept.mutant(id);
    if (anew || known?.key !== key) open.push(index);
    else outcomes[index] = { mutant, fate: known.fate, by: known.by, kept: true };
  }
  onStart?.(open.length);
  for (const outcome of outcomes) if (outcome !== undefined) onOutcome?.(outcome);
  const known = new Map<string, TestFile>();
  await inTurns(folders, open, signal, async (folder, index) => {
    const task = tasks[index];
    const found = await tryMutant(folder, task, known, shared);
    if (found === null) return;
    outcomes[index] = { mutant: task.mutant, ...found, kept: false };
    const { file, place } = task.order;
    if (found.by !== null) shared.notices.add(file, place.line, found.by);
    await shared.kept.add({ kind: "mutant", mutant: task.id, key: task.key, file, line: place.line, ...found });
    onOutcome?.(outcomes[index]);
  });
  for (const test of known.values()) await test.keep();
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** Works on items, one at a time in each folder. */
async function inTurns<T>(
  folders: readonly string[],
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (folder: string, item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(folders.map(async (folder) => {
    while (next < items.length && !signal?.aborted) await work(folder, items[next++]);
  }));
}

/** Tries a mutant. Returns `null` where the signal ended it. */
async function tryMutant(
  folder: string,
  { mutant, tests, order }: Task,
  known: Map<string, TestFile>,
  { signal, reaches, keys, kept, spareMs }: Shared,
): Promise<{ fate: Fate; by: TestName | null } | null> {
  const path = join(folder, mutant.file);
  const text = await Deno.readTextFile(path);
  const change = changed(text, mutant);
  for (const name of fileOrder(tests, reaches, order)) {
    if (!known.has(name)) known.set(name, new TestFile(name, keys.get(name)!, kept, spareMs));
    const test = known.get(name)!;
    if (!await test.list(folder, signal)) return null;
    while (true) {
      let found: Found;
      try {
        await Deno.writeTextFile(path, change);
        found = await test.underMutant(folder, order, signal);
      } finally {
        await Deno.writeTextFile(path, text);
      }
      const { fate, by } = found;
      if (fate === "stopped") return null;
      if (fate === "alive") break;
      const unchanged = fate === "unreadable" ? "passes" : await test.passesUnchanged(folder, found, signal);
      if (unchanged === "stopped") return null;
      if (unchanged === "passes") return { fate, by: by === null ? null : { file: name, name: by } };
    }
  }
  return { fate: "alive", by: null };
}
