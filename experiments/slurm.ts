/**
 * Slurm from the outside: its commands, what they print, and how a job array is described to it.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";

/** A task of a job array that Slurm still knows as its own: waiting, running or about to end. */
export interface QueuedTask {
  /** Number of the array. */
  readonly job: string;
  /** Number within the array. */
  readonly task: number;
  /** Slurm's word: `PENDING`, `RUNNING`, …. */
  readonly state: string;
  /** Why it waits. */
  readonly reason: string;
}

/** What is submitted. */
export interface Submission {
  readonly name: string;
  /** Tasks of the array. */
  readonly tasks: readonly number[];
  /** Tasks at once; all that there is room for if absent. */
  readonly width?: number;
  readonly cpus: number;
  /** Where a task's output goes; `%A` and `%a` stand for array and task. */
  readonly output: string;
  /** Options passed on as they are: `partition=gpu`, `exclusive`. */
  readonly options: readonly string[];
  readonly script: string;
}

/** Commands of Slurm, and whatever stands in for them. */
export interface Slurm {
  /** Submits an array; returns its number. @throws {Refusal} If Slurm does not take it. */
  submit(submission: Submission): Promise<string>;
  /** The user's tasks of that name that have not ended. @throws {Refusal} If Slurm does not answer. */
  queue(name: string): Promise<QueuedTask[]>;
  /** Tasks of one array at most. @throws {Refusal} If Slurm does not answer. */
  arrayLimit(): Promise<number>;
}

/** Options of sbatch that armlab gives itself. */
const own = ["array", "a", "job-name", "J", "parsable", "output", "o", "error", "e", "open-mode", "wrap", "requeue"];

/** Checks what a user passes on to sbatch. @throws {Refusal} If armlab gives it itself, or it is none. */
export function checkOption(text: string): string {
  const option = text.replace(/^--/, "");
  const name = option.split("=", 1)[0];
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new Refusal({
      what: `use --sbatch ${JSON.stringify(text.slice(0, 80))}`,
      must: "it must be a long option of sbatch with its value",
      hint: "write partition=gpu, gpus=1 or time=01:00:00",
    });
  }
  if (!own.includes(name)) return option;
  throw new Refusal({
    what: `use --sbatch ${name}`,
    must: "it must be an option that armlab leaves to you",
    found: `armlab gives --${name} itself`,
    hint: name === "array" ? "--array-width says how many run at once" : undefined,
  });
}

/** Numbers as an array option has them: `0-3,7`. @param tasks Rising. */
export function ranges(tasks: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < tasks.length;) {
    let end = at;
    while (end + 1 < tasks.length && tasks[end + 1] === tasks[end] + 1) end++;
    parts.push(end === at ? `${tasks[at]}` : `${tasks[at]}-${tasks[end]}`);
    at = end + 1;
  }
  return parts.join(",");
}

/** Arguments of sbatch; the script comes by standard input. */
export function sbatchArguments({ name, tasks, width, cpus, output, options }: Submission): string[] {
  const given = (wanted: string) => options.some((option) => option.split("=", 1)[0] === wanted);
  return [
    "--parsable",
    `--job-name=${name}`,
    `--array=${ranges(tasks)}${width === undefined ? "" : `%${width}`}`,
    `--output=${output}`,
    "--open-mode=append",
    "--requeue",
    ...given("cpus-per-task") ? [] : [`--cpus-per-task=${cpus}`],
    // A minute before the time limit, to the program itself: it keeps a checkpoint and has itself queued again.
    ...given("signal") ? [] : ["--signal=B:USR2@60"],
    ...options.map((option) => `--${option}`),
  ];
}

/** Runs a command of Slurm. */
async function run(command: string, args: readonly string[], input?: string, signal?: AbortSignal): Promise<string> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, {
      args: [...args],
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      signal,
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Refusal({
      what: "use --launch slurm",
      must: "Slurm's commands must be there",
      found: `there is no ${command}`,
      hint: "run it where jobs are submitted from, or leave --launch out to train on this machine",
    });
  }
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Refusal({
    what: `have ${command} do its work`,
    must: "it must end well",
    found: `it ended with ${code}: ${new TextDecoder().decode(stderr).trim().split("\n")[0]}`,
  });
}

/** For how long a question is asked again, and the pause: a controller that is busy or comes back refuses for a moment. */
const [PATIENCE_MS, PAUSE_MS] = [10_000, 1000];

/** Runs a command of Slurm that changes nothing, again where it fails. */
async function ask(command: string, args: readonly string[]): Promise<string> {
  const started = performance.now();
  for (;;) {
    try {
      return await run(command, args);
    } catch (error) {
      if (
        performance.now() - started > PATIENCE_MS || !(error instanceof Refusal) ||
        error.found?.startsWith("there is no")
      ) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Reads what squeue prints with `--format=%F|%K|%T|%r`. */
export function parseQueue(text: string): QueuedTask[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [job, task, state, reason = ""] = line.split("|");
    return { job, task: Number(task), state, reason };
  });
}

/** Tasks that Slurm knows of several launches, of whoever submitted them. */
export interface SlurmTasks {
  readonly tasks: readonly QueuedTask[];
  /** Why Slurm did not answer, where it did not. */
  readonly problem: string | null;
}

/** Asks Slurm once for the tasks of arrays of these names. @param limitMs Where it does not answer. */
export async function tasksOf(names: readonly string[], limitMs: number = PATIENCE_MS): Promise<SlurmTasks> {
  try {
    const asked = ["--noheader", "--array", `--name=${names.join(",")}`, "--format=%F|%K|%T|%r"];
    const text = await run("squeue", asked, undefined, AbortSignal.timeout(limitMs));
    return { tasks: parseQueue(text), problem: null };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { tasks: [], problem: error.found ?? error.message };
  }
}

/** The Slurm of this machine. */
export const slurm: Slurm = {
  async submit(submission) {
    // Of a federation it says the cluster, too.
    return (await run("sbatch", sbatchArguments(submission), submission.script)).trim().split(";")[0];
  },
  async queue(name) {
    return parseQueue(
      await ask("squeue", ["--noheader", "--array", "--me", `--name=${name}`, "--format=%F|%K|%T|%r"]),
    );
  },
  async arrayLimit() {
    const found = /^MaxArraySize\s*=\s*(\d+)/m.exec(await ask("scontrol", ["show", "config"]));
    // Slurm's own default.
    return found === null ? 1001 : Number(found[1]);
  },
};

/**
 * Has Slurm queue the job again that this process runs in.
 *
 * @returns Which; `null` outside of any.
 * @throws {Refusal} If Slurm does not do it.
 */
export async function requeueThis(): Promise<string | null> {
  const { env } = Deno;
  const array = env.get("SLURM_ARRAY_JOB_ID");
  const job = array === undefined ? env.get("SLURM_JOB_ID") : `${array}_${env.get("SLURM_ARRAY_TASK_ID")}`;
  if (job === undefined) return null;
  await run("scontrol", ["requeue", job]);
  return job;
}
