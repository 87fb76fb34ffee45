/**
 * How long commands take to start: `list` and `--help` as a whole, a bench until its first line and until its first training
 * step has been taken. `deno task bench:start`.
 *
 * Processor time stands beside wall time: on a machine that does other work the former says what an idle one would take.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import { spentBy, spentByEnded } from "./spent.ts";

const flags: Readonly<Record<string, Flag>> = {
  turns: { type: "text", value: "N", about: "times that each is started, after one that is not counted (default: 5)" },
  json: { type: "boolean", about: "print JSON lines" },
  help: { type: "boolean", about: "show this help" },
};

/** What is started. */
const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const bench = ["bench", "--method", "none", "--seeds", "1", "--workers", "1", "--checkpoint-every", "1"];

/** Times until something, in seconds. */
interface Taken {
  readonly wall: number;
  /** Of all threads; `null` where the system does not tell. */
  readonly processor: number | null;
}

function startCommand(args: readonly string[], output: "null" | "piped"): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, ...args],
    stdin: "null",
    stdout: "null",
    stderr: output,
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** Starts a command and waits for its end. */
async function whole(args: readonly string[]): Promise<Taken> {
  const [started, before] = [performance.now(), spentByEnded()];
  const { code } = await startCommand(args, "null").status;
  const [wall, after] = [(performance.now() - started) / 1000, spentByEnded()];
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
  return { wall, processor: before === null || after === null ? null : after - before };
}

/** Whether a run has kept a checkpoint, which it does after its first step. */
function hasStepped(runs: string): boolean {
  return [...Deno.readDirSync(runs)].some(({ name, isDirectory }) => {
    if (!isDirectory || !/^[0-9a-f]{16}$/.test(name)) return false;
    return [...Deno.readDirSync(join(runs, name))].some((file) => file.name === "checkpoint.safetensors");
  });
}

/** Starts a bench, until its first line and its first step; it is ended then. */
async function first(): Promise<{ line: Taken; step: Taken }> {
  const runs = await Deno.makeTempDir({ prefix: "armlab-start-" });
  const started = performance.now();
  const child = startCommand([...bench, "--runs", runs], "piped");
  const now = (): Taken => ({ wall: (performance.now() - started) / 1000, processor: spentBy(child.pid) });
  let line: Taken | null = null;
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      line ??= now();
      said += text;
    }
  })();
  try {
    let ended = false;
    child.status.then(() => ended = true);
    while (!hasStepped(runs)) {
      if (ended) throw new Error(`The bench ended before its first step: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const step = now();
    if (line === null) throw new Error("The bench took a step and had said nothing");
    return { line, step };
  } finally {
    stop(child);
    await child.status;
    await reading;
    await Deno.remove(runs, { recursive: true });
  }
}

/** Ends a process that may have ended. */
function stop(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

export const command: Command = {
  name: "bench:start",
  about: "Times the start of commands, wall and processor.",
  async run(args) {
    const { text, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task bench:start [options]", this.about, flags, ["deno task bench:start --turns 9"]));
      return 0;
    }
    const turns = parseInteger("--turns", text.turns ?? "5", 1, 1000);
    const found = new Map<string, Taken[]>();
    for (let turn = 0; turn <= turns; turn++) {
      const own: [string, Taken][] = [["--help", await whole(["--help"])], ["list", await whole(["list"])]];
      const { line, step } = await first();
      own.push(["bench: first line", line], ["bench: first training step", step]);
      // The first fills caches.
      if (turn > 0) { for (const [name, taken] of own) found.set(name, [...found.get(name) ?? [], taken]); }
    }
    for (const [name, taken] of found) {
      const wall = median(taken.map((one) => one.wall));
      const known = taken.map(({ processor }) => processor).filter((seconds) => seconds !== null);
      const processor = known.length < taken.length ? null : median(known);
      const least = Math.min(...taken.map((one) => one.wall));
      console.log(
        boolean.json
          ? JSON.stringify({ name, turns, wall, leastWall: least, processor })
          : `${name.padEnd(28)} ${wall.toFixed(2)} s wall (at least ${least.toFixed(2)})` +
            (processor === null ? "" : `, ${processor.toFixed(2)} s processor`),
      );
    }
    if (!boolean.json) {
      const [load] = Deno.loadavg();
      console.log(`medians of ${turns}; ${navigator.hardwareConcurrency} cores, load ${load.toFixed(1)}`);
    }
    return 0;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
