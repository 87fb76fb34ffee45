/**
 * One run of a test file, its tests in an order of ours.
 *
 * @module
 */
import { join } from "node:path";
import { TextLineStream } from "../benchmarks/lines.ts";
import { OWN_FOLDER } from "./reach.ts";

/** A test and how long it took when it passed last, in milliseconds; `null` is not known yet. */
export interface Timed {
  readonly name: string;
  readonly ms: number | null;
}

/** How a run of a test file ended. */
export interface Trial {
  readonly end: "passed" | "failed" | "late" | "unreadable" | "stopped";
  /** The test that failed or did not end; `null` where the file failed outside of its tests. */
  readonly by: string | null;
  /** Tests that passed, in order. */
  readonly passed: readonly { readonly name: string; readonly ms: number }[];
  readonly text: string;
}

/** What a run of a test file is told. */
export interface TrialRun {
  /** Copy of the tree. */
  readonly folder: string;
  readonly test: string;
  /** Names of its tests in the order wanted; others come last, as they stand. */
  readonly order: readonly string[];
  /** Which run: all, those of the order alone, or none, which says their names. @default "all" */
  readonly which?: "all" | "order" | "none";
  /** How long a test may take, in milliseconds; `null` asks for the time until the first one begins. */
  readonly limitOf: (name: string | null) => number;
  readonly signal?: AbortSignal;
}

/** Where the entry writes why a test file could not be loaded: its reporter does not say it. */
const FAILURE = "failure.txt";

/** A module that registers the tests of a file in an order. */
function entryOf({ test, order, which }: TrialRun): string {
  return `// Written by tools/mutation/trial.ts.
const rank = new Map(${JSON.stringify(order)}.map((name, index) => [name, index]));
const register = Deno.test;
let found = [];
const nameOf = ([first, second]) => typeof first === "string" ? first : first.name || second?.name || first.fn?.name;
Deno.test = Object.assign((...args) => void found.push({ args, name: nameOf(args) }), register);
await import("../${test}").catch((error) => {
  Deno.writeTextFileSync(new URL("${FAILURE}", import.meta.url), \`\${error?.name}: \${error?.message}\`);
  throw error;
});
Deno.test = register;
const place = ({ name }) => rank.get(name) ?? rank.size;
${which === "order" ? "found = found.filter(({ name }) => rank.has(name));" : ""}
${which === "none" ? "found = found.map(({ name }) => ({ name, args: [name, () => {}] }));" : ""}
for (const { args } of found.sort((a, b) => place(a) - place(b))) register(...args);
`;
}

/** A name as TAP writes it. */
const unescaped = (name: string): string => name.replace(/ # (SKIP|TODO).*$/, "").replace(/\\([\\#])/g, "$1");

/** Runs the tests of a file until the first that fails or takes too long. */
export async function runTestFile(run: TrialRun): Promise<Trial> {
  const { folder, order, limitOf, signal } = run;
  const entry = join(folder, OWN_FOLDER, "entry_test.js");
  await Deno.mkdir(join(folder, OWN_FOLDER), { recursive: true });
  await Deno.writeTextFile(entry, entryOf(run));
  const failure = join(folder, OWN_FOLDER, FAILURE);
  await Deno.writeTextFile(failure, "");
  const grouped = Deno.build.os !== "windows";
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--fail-fast", "--reporter=tap", entry],
    cwd: folder,
    env: { NO_COLOR: "1", ARMLAB_CACHE: "off" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: grouped, // what a test started ends with it
  }).spawn();
  const passed: { name: string; ms: number }[] = [];
  let by: string | null = null;
  let end: "late" | "stopped" | null = null;
  const stop = (why: "late" | "stopped") => {
    end ??= why;
    killAll(child, grouped);
  };
  const onAbort = () => stop("stopped");
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  let timer = setTimeout(() => stop("late"), limitOf(null));
  const errors = new Response(child.stderr).text();
  const lines: string[] = [];
  let last = performance.now();
  let loaded = false;
  for await (const line of child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    lines.push(line);
    const result = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (/^# \.\//.test(line)) loaded = true;
    else if (result === null) continue;
    else if (result[1] !== undefined) by ??= unescaped(result[2]);
    else passed.push({ name: unescaped(result[2]), ms: Math.round(performance.now() - last) });
    last = performance.now();
    clearTimeout(timer);
    timer = setTimeout(() => stop("late"), limitOf(order[passed.length] ?? ""));
  }
  const { code } = await child.status;
  clearTimeout(timer);
  signal?.removeEventListener("abort", onAbort);
  if (grouped) killAll(child, grouped); // what outlived its test
  const unloaded = await Deno.readTextFile(failure);
  const text = [...lines, unloaded, await errors].join("\n");
  if (end === "late") return { end, by: loaded ? order[passed.length] ?? null : null, passed, text };
  if (end === "stopped") return { end, by, passed, text };
  if (code === 0) return { end: "passed", by, passed, text };
  return { end: /^(TypeError: )?SyntaxError/.test(unloaded) ? "unreadable" : "failed", by, passed, text };
}

/** Ends a process, and on systems that know groups, whatever it started. */
function killAll(child: Deno.ChildProcess, grouped: boolean): void {
  try {
    if (grouped) Deno.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error; // else they have ended
  }
}
