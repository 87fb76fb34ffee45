/**
 * A grid on a real Slurm that is started here, and that is treated badly while it works: `deno task test:slurm`, where Slurm is
 * installed. Skipped elsewhere.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../core/random.ts";
import { type Ended, ended, inFolder, runsIn, start } from "../helpers/cli.ts";

const wanted = Deno.env.get("ARMLAB_TEST_SLURM") === "1";
const script = fileURLToPath(new URL("../../tools/slurm_local.sh", import.meta.url));

/** 60 cells of a second each at most. */
const grid = [
  ...["--dataset", "synthetic", "--set", "dataset.samples=200", "--encoder", "mlp", "--fusion", "concat,sum"],
  ...["--compare", "none,uni-ce,ogm-ge", "--seeds", "10", "--epochs", "3"],
];
const cells = 60;

async function sh(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** A cluster of one node in a folder, for the time of a function. */
async function onCluster(folder: string, run: (cluster: string) => Promise<void>): Promise<void> {
  const cluster = join(folder, "cluster");
  Deno.env.set("SLURM_CPUS", "3");
  // Fewer tasks than cells: each trains several.
  Deno.env.set("SLURM_MAX_ARRAY", "16");
  try {
    Deno.env.set("SLURM_CONF", (await sh(script, "start", cluster)).trim());
    await run(cluster);
  } finally {
    await sh(script, "stop", cluster);
    Deno.env.delete("SLURM_CONF");
  }
}

/** Digests of what must be equal, by run and file. */
async function results(runs: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const names = ["config.json", "metrics.jsonl", "summary.json", "model.safetensors"];
  for (const id of runsIn(runs)) {
    for (const file of [...names, "predictions-validation.safetensors", "predictions-test.safetensors"]) {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(runs, id, file)));
      files[`${id}/${file}`] = new Uint8Array(digest).toHex();
    }
  }
  return files;
}

/** Asks Slurm, again where a busy controller does not answer. */
async function ask(command: string, ...args: string[]): Promise<string> {
  for (let left = 5;; left--) {
    try {
      return await sh(command, ...args);
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** Tasks of all arrays: `[array, task, state, reason]`. */
async function tasks(): Promise<string[][]> {
  const text = await ask("squeue", "--noheader", "--array", "--format=%F|%K|%T|%r");
  return text.trim().split("\n").filter((line) => line !== "").map((line) => line.split("|"));
}

/** Milliseconds without anything done after which all of it stands still. */
const stillMs = 300_000;
/** Milliseconds that it may take; as long as it likes where nobody says. */
const mostMs = 1000 * Number(Deno.env.get("ARMLAB_TEST_SLURM_SECONDS") ?? Infinity);

/** What is done: finished cells, and with them all that a cell does on the way there. */
function done(...folders: string[]): { finished: number; all: number } {
  let [finished, all] = [0, 0];
  for (const folder of folders.filter((folder) => existsSync(folder))) {
    for (const id of runsIn(folder)) {
      all++;
      if (existsSync(join(folder, id, "summary.json"))) finished++;
      if (existsSync(join(folder, id, "metrics.jsonl"))) {
        all += Deno.readTextFileSync(join(folder, id, "metrics.jsonl")).split("\n").length;
      }
    }
  }
  return { finished, all: all + finished };
}

/**
 * Waits for work, for as long as something is done: whether a machine is slow or what runs on it stands still is told by that
 * alone.
 *
 * @returns Whether it is over; if not, its time is up, and it goes on.
 * @throws {Error} If nothing has been done for five minutes.
 */
async function goesOn(work: Promise<unknown>, folders: readonly string[]): Promise<boolean> {
  let over = false;
  const ending = work.finally(() => over = true);
  ending.catch(() => {}); // it is waited for below
  const began = performance.now();
  let [most, since] = [0, began];
  while (!over) {
    await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 1000))]);
    const { finished, all } = done(...folders);
    const now = performance.now();
    if (all > most) {
      [most, since] = [all, now];
      if (now - began > mostMs) {
        console.log(`skipped: slurm, as ${finished} of ${2 * cells} cells were finished in its time, and others go on`);
        return false;
      }
    }
    if (now - since > stillMs) {
      throw new Error(
        `Nothing has been done for ${stillMs / 60_000} min, with ${finished} of ${2 * cells} cells finished:
${await ask("squeue")}${await ask("sinfo", "--long")}`,
      );
    }
  }
  await ending;
  return true;
}

/** Waits until something holds; a limit only says that it never will. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  while (!await holds()) {
    if (performance.now() - started > stillMs) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** The node's daemon crashes, and comes back at once or when Slurm has given the node up. */
async function crash(cluster: string, seenDown: boolean): Promise<string> {
  await sh(script, "kill", cluster);
  if (seenDown) {
    await until("the node's end", async () => /^down/.test(await ask("sinfo", "--noheader", "--format=%T")));
  }
  await sh(script, "node", cluster);
  return `slurmd was killed and came back${seenDown ? " after the node was given up" : ""}`;
}

/** Has tasks begin that were queued again: by itself Slurm waits two minutes. */
async function hurry(): Promise<void> {
  for (const [job, task, , reason] of (await tasks()).filter(([, , state]) => state === "PENDING")) {
    if (reason !== "BeginTime") continue;
    try {
      await sh("scontrol", "update", `jobid=${job}_${task}`, "starttime=now");
    } catch (error) {
      console.log(`  ${(error as Error).message.trim()} (it had just begun)`);
    }
  }
}

/** What happens first, in order; then the others over and over. */
const mishaps = ["cancel", "requeue", "crash", "signal", "cancel", "given up"] as const;
const others = ["requeue", "signal", "cancel"] as const;

/** One thing that happens to clusters; what it was, or `null` if nothing runs that it could happen to. */
async function mishap(cluster: string, random: Random, round: number): Promise<string | null> {
  const running = (await tasks()).filter(([, , state]) => state === "RUNNING");
  if (running.length === 0) return null;
  const kind = mishaps[round] ?? others[round % others.length];
  if (kind === "crash" || kind === "given up") return await crash(cluster, kind === "given up");
  const [job, task] = running[random.integer(running.length)];
  try {
    switch (kind) {
      case "cancel":
        await sh("scancel", `${job}_${task}`);
        return `scancel ${job}_${task}`;
      case "requeue":
        await sh("scontrol", "requeue", `${job}_${task}`);
        return `requeue ${job}_${task}`;
      case "signal":
        await sh("scancel", "--batch", "--signal=USR1", `${job}_${task}`);
        return `USR1 to ${job}_${task}, as before a time limit`;
    }
  } catch (error) {
    return `${(error as Error).message.trim()} (it had just ended)`;
  }
}

/** What a test has started and not ended yet. */
class Started {
  readonly #running = new Set<Deno.ChildProcess>();
  readonly begin = (...args: string[]): Promise<Ended> => {
    const child = start(...args);
    this.#running.add(child);
    return ended(child).finally(() => this.#running.delete(child));
  };
  /** Ends all of it. */
  end(): void {
    for (const child of this.#running) {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has just ended
      }
    }
  }
}

/** Two launches of a grid on a cluster that is treated badly, and what they must leave. */
async function launched(
  folder: string,
  runs: string,
  cluster: string,
  begin: Started["begin"],
  signal: AbortSignal,
): Promise<void> {
  const local = begin("bench", ...grid, "--runs", join(folder, "local"), "--workers", "1", "--json");
  const options = ["--runs", runs, "--launch", "slurm", "--sbatch", "time=1", "--sbatch", "signal=B:USR1@30"];
  const launch = (name: string, ...more: string[]) => begin("bench", ...grid, ...options, "--name", name, ...more);
  const launches: Promise<Ended>[] = [launch("one", "--array-width", "2"), launch("two")];
  let over = false;
  const all = Promise.all(launches).finally(() => over = true);
  const random = new Random(Date.now() >>> 0);
  let status: Promise<Ended> | null = null;
  for (let round = 0; !over && !signal.aborted;) {
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 1000))]);
    if (over || signal.aborted) break;
    await hurry();
    const what = round < 15 ? await mishap(cluster, random, round) : null;
    if (what !== null) console.log(`  ${what}`);
    if (what !== null) round++;
    if (runsIn(runs).length > 8) status ??= begin("status", runs, "--all");
  }
  if (signal.aborted) return;
  const shown = await status;
  assertStringIncludes(shown?.out ?? "", `one: ${cells} planned: `);
  console.log(shown!.out.split("\n").filter((line) => !/^ {2}(queued|finished)/.test(line)).join("\n"));
  for (const { code, out, err } of await all) {
    console.log(err);
    assertEquals(code, 0, err);
    assertStringIncludes(out, "points over");
  }
  assertEquals((await local).code, 0);
  assertEquals(runsIn(runs).length, cells);
  assertEquals(await results(runs), await results(join(folder, "local")));
  let resumed = 0;
  for (const id of runsIn(runs)) {
    const log = await Deno.readTextFile(join(runs, id, "log.txt"));
    assertEquals(log.match(/finished after/g)?.length, 1, log);
    if (log.includes("resumed from its checkpoint")) resumed++;
  }
  let again = 0;
  for (const plan of Deno.readDirSync(join(runs, ".plans"))) {
    if (!plan.isDirectory) continue;
    for (const { name } of Deno.readDirSync(join(runs, ".plans", plan.name))) {
      const said = Deno.readTextFileSync(join(runs, ".plans", plan.name, name));
      again += said.match(/Slurm has queued job/g)?.length ?? 0;
    }
  }
  console.log(
    `  ${cells} cells finished once, ${resumed} of them after a checkpoint; ${again} times a task had itself ` +
      "queued again before its time limit; bytes equal to a local run",
  );
  // What is finished is not submitted again.
  const last = await launch("one");
  assertEquals(last.code, 0, last.err);
  assert(!last.err.includes("submitted"), last.err);
}

Deno.test({
  name: "Slurm: 60 cells through cancelled, requeued and timed-out tasks, a killed slurmd and a second launch at once",
  ignore: !wanted,
  fn: () =>
    inFolder((folder) =>
      onCluster(folder, async (cluster) => {
        const runs = join(folder, "runs");
        await Deno.mkdir(runs);
        const [started, stop] = [new Started(), new AbortController()];
        const work = launched(folder, runs, cluster, started.begin, stop.signal);
        try {
          await goesOn(work, [runs, join(folder, "local")]);
        } finally {
          // Where it is over these do nothing.
          stop.abort();
          started.end();
          await work.catch(() => {});
        }
      })
    ),
});
