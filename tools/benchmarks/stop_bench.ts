/**
 * How long a bench takes from a signal to its end, with a checkpoint, and whether the same command then goes on to the same
 * bytes. `deno task bench:stop`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { type Command, type Flag, helpOf, parseChoice, parseFlags, runCommand } from "../../cli/command.ts";
import { spentBy, spentByEnded } from "./spent.ts";

/** Models whose steps are short and long. */
const models: Readonly<Record<string, readonly string[]>> = {
  digits: [],
  vit: ["--encoder", "image=vit,audio=vit", "--set", "training.batchSize=16"],
  resnet18: ["--encoder", "resnet18", "--set", "training.batchSize=16"],
};

const flags: Readonly<Record<string, Flag>> = {
  model: { type: "list", value: "NAME,...", about: `models (default: ${Object.keys(models).join()})` },
  resume: { type: "boolean", about: "go on to the end, train once more without a stop, and compare the bytes" },
  json: { type: "boolean", about: "print JSON lines" },
  help: { type: "boolean", about: "show this help" },
};

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const compared = ["metrics.jsonl", "summary.json", "model.safetensors", "predictions-test.safetensors"];

function start(model: string, runs: string, ...more: string[]): Deno.ChildProcess {
  const args = ["bench", "--set", "dataset.size=mini", "--method", "none", "--seeds", "1", "--epochs", "1"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, ...args, "--workers", "1", "--runs", runs, ...models[model], ...more],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** The folder of the one run; `null` before there is one. */
function runIn(runs: string): string | null {
  const found = [...Deno.readDirSync(runs)].find(({ name }) => /^[0-9a-f]{16}$/.test(name));
  return found === undefined ? null : join(runs, found.name);
}

/** Whether a file is there. */
function has(folder: string | null, name: string): boolean {
  return folder !== null && [...Deno.readDirSync(folder)].some((entry) => entry.name === name);
}

/** A bench that was stopped while it trained. */
interface Stopped {
  readonly model: string;
  readonly signal: Deno.Signal;
  /** From the signal to the end of the process, in seconds, with the processor time of it. */
  readonly wall: number;
  readonly processor: number | null;
  readonly code: number;
  readonly checkpointBytes: number;
}

async function stopped(model: string, signal: Deno.Signal, runs: string): Promise<Stopped> {
  const ended = spentByEnded();
  const child = start(model, runs, "--checkpoint-every", "2");
  let over = false;
  child.status.then(() => over = true);
  while (!has(runIn(runs), "checkpoint.safetensors")) {
    if (over) throw new Error(`The bench of ${model} ended before its second step`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [began, spent] = [performance.now(), spentBy(child.pid)];
  child.kill(signal);
  const { code } = await child.status;
  const [wall, all] = [(performance.now() - began) / 1000, spentByEnded()];
  return {
    model,
    signal,
    wall,
    processor: spent === null || all === null || ended === null ? null : all - ended - spent,
    code,
    checkpointBytes: Deno.statSync(join(runIn(runs)!, "checkpoint.safetensors")).size,
  };
}

/** Whether the stopped run goes on to what one leaves that was never stopped. */
async function resumes(model: string, runs: string): Promise<boolean> {
  const whole = await Deno.makeTempDir({ prefix: "armlab-stop-" });
  try {
    for (const folder of [runs, whole]) {
      const { code } = await start(model, folder).status;
      if (code !== 0) throw new Error(`The bench of ${model} ended with ${code}`);
    }
    return compared.every((name) => {
      const [one, other] = [runs, whole].map((folder) => Deno.readFileSync(join(runIn(folder)!, name)));
      return one.length === other.length && one.every((byte, at) => byte === other[at]);
    });
  } finally {
    await Deno.remove(whole, { recursive: true });
  }
}

export const command: Command = {
  name: "bench:stop",
  about: "Times a bench from a signal to its end with a checkpoint.",
  async run(args) {
    const { list, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(
        helpOf("deno task bench:stop [options]", this.about, flags, ["deno task bench:stop --model digits --resume"]),
      );
      return 0;
    }
    const names = list.model.map((name) => parseChoice("--model", name, Object.keys(models)));
    let sound = true;
    for (const model of names.length === 0 ? Object.keys(models) : names) {
      for (const signal of ["SIGTERM", "SIGUSR1"] as const) {
        const runs = await Deno.makeTempDir({ prefix: "armlab-stop-" });
        try {
          const found = await stopped(model, signal, runs);
          const equal = boolean.resume ? await resumes(model, runs) : null;
          sound &&= found.code === 75 && equal !== false;
          const { wall, processor, code, checkpointBytes } = found;
          console.log(
            boolean.json
              ? JSON.stringify({ ...found, equal })
              : `${model.padEnd(9)} ${signal}: ended with ${code} after ${wall.toFixed(2)} s` +
                (processor === null ? "" : ` (${processor.toFixed(2)} s processor)`) +
                `, checkpoint of ${(checkpointBytes / 2 ** 20).toFixed(1)} MiB` +
                (equal === null ? "" : `; gone on with: ${equal ? "the bytes of an unbroken run" : "OTHER BYTES"}`),
          );
        } finally {
          await Deno.remove(runs, { recursive: true });
        }
      }
    }
    if (!boolean.json) {
      const [load] = Deno.loadavg();
      console.log(`${navigator.hardwareConcurrency} cores, load ${load.toFixed(1)}`);
    }
    return sound ? 0 : 1;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
