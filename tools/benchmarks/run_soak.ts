/**
 * Whether a long run stays as it began: memory, open files and step time of one cell over hundreds of thousands of steps, with
 * its epochs, checkpoints and records. `deno task soak:run`.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import { part } from "../../experiments/config.ts";
import { planGrid } from "../../experiments/plan.ts";
import { CellRunner } from "../../experiments/run_cell.ts";
import { createLibrary } from "../../library.ts";
import { prepareRuns } from "../../store/run_folder.ts";

const flags: Readonly<Record<string, Flag>> = {
  steps: { type: "text", value: "N", about: "training steps (default: 200000)" },
  json: { type: "boolean", about: "print JSON lines" },
  help: { type: "boolean", about: "show this help" },
};

/** Steps of an epoch: as many as an ordinary set has. */
const EPOCH = 500;
const BATCH = 8;

/** What is looked at. */
interface Look {
  readonly steps: number;
  /** Milliseconds of a step since the last look, evaluation and checkpoints included. */
  readonly stepMs: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
  /** `null` where the system does not tell. */
  readonly descriptors: number | null;
}

function descriptors(): number | null {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

export const command: Command = {
  name: "soak:run",
  about: "Trains one small cell for very long and watches the process.",
  async run(args) {
    const { text, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task soak:run [options]", this.about, flags, ["deno task soak:run --steps 200000"]));
      return 0;
    }
    const steps = parseInteger("--steps", text.steps ?? "200000", 10 * EPOCH, 100_000_000);
    const { gc } = globalThis as { gc?: () => void };
    if (gc === undefined) {
      throw new Refusal({
        what: "watch memory",
        must: "Deno must run with --v8-flags=--expose-gc",
        found: "it does not",
        hint: "deno task soak:run does it",
      });
    }
    const epochs = Math.round(steps / EPOCH);
    const runs = await Deno.makeTempDir({ prefix: "armlab-soak-" });
    const library = createLibrary();
    try {
      const { cells: [{ config, id }] } = await planGrid({
        library,
        runs,
        seeds: [0],
        cells: [{
          label: "soak",
          dataset: part("synthetic", { samples: EPOCH * BATCH, width: 4 }),
          encoder: part("mlp", { width: 8 }),
          fusion: part("concat"),
          methods: [],
          training: { epochs, batchSize: BATCH },
        }],
      });
      await prepareRuns(runs);
      const looks: Look[] = [];
      let [since, taken] = [performance.now(), 0];
      const runner = new CellRunner(library, runs);
      await runner.run(config, {
        command: "",
        checkpointEvery: { steps: 2000 },
        onEvent(event) {
          if (event.type === "failed") throw new Error(event.message);
          if (event.type !== "epoch" || (event.epoch + 1) % Math.max(1, Math.floor(epochs / 20)) !== 0) return;
          const at = performance.now();
          const done = (event.epoch + 1) * EPOCH;
          const stepMs = (at - since) / (done - taken);
          gc();
          const { rss, heapUsed } = Deno.memoryUsage();
          const look = {
            steps: done,
            stepMs,
            residentMiB: rss / 2 ** 20,
            heapMiB: heapUsed / 2 ** 20,
            descriptors: descriptors(),
          };
          looks.push(look);
          [since, taken] = [performance.now(), done];
          console.log(boolean.json ? JSON.stringify(look) : lineOf(look));
        },
      });
      await runner.dispose();
      const sizes = ["metrics.jsonl", "log.txt"].map((name) => [name, Deno.statSync(`${runs}/${id}/${name}`).size]);
      const [first, last] = [looks[1], looks[looks.length - 1]];
      const growth = {
        residentMiB: last.residentMiB - first.residentMiB,
        heapMiB: last.heapMiB - first.heapMiB,
        descriptors: (last.descriptors ?? 0) - (first.descriptors ?? 0),
        stepTime: last.stepMs / first.stepMs,
        bytes: Object.fromEntries(sizes),
      };
      if (boolean.json) console.log(JSON.stringify({ growth }));
      else {
        console.log(
          `from step ${first.steps} to ${last.steps}: ${growth.residentMiB.toFixed(1)} MiB resident, ` +
            `${growth.heapMiB.toFixed(2)} MiB of JavaScript, ${growth.descriptors} descriptors, step time x ` +
            `${growth.stepTime.toFixed(2)}; ${sizes.map(([name, bytes]) => `${name} ${bytes} bytes`).join(", ")}`,
        );
      }
      return 0;
    } finally {
      await Deno.remove(runs, { recursive: true });
    }
  },
};

function lineOf({ steps, stepMs, residentMiB, heapMiB, descriptors }: Look): string {
  return `${String(steps).padStart(8)} steps  ${stepMs.toFixed(3)} ms/step  ${residentMiB.toFixed(1)} MiB resident  ` +
    `${heapMiB.toFixed(2)} MiB of JavaScript  ${descriptors ?? "?"} descriptors`;
}

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
