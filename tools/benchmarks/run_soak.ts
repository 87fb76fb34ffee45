/**
 * Whether a long run stays as it began: memory, open files and step time of one cell over hundreds of thousands of steps, with
 * its epochs, checkpoints and records. `deno task soak:run`; ends with 1 if something grew.
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
import { openFiles, spentBy } from "./spent.ts";

const flags: Readonly<Record<string, Flag>> = {
  steps: { type: "text", value: "N", about: "training steps (default: 200000)" },
  json: { type: "boolean", about: "print JSON lines" },
  help: { type: "boolean", about: "show this help" },
};

/** Steps of an epoch: as many as an ordinary set has. */
const EPOCH = 500;
const BATCH = 8;

/** Looks over the whole run: four in a tenth of it. */
const LOOKS = 40;
const TENTH = LOOKS / 10;

/** What is looked at, after garbage was collected. */
export interface Look {
  readonly steps: number;
  /** Milliseconds of a step since the last look, evaluation and checkpoints included. */
  readonly wallMs: number;
  /** The same of processor time, which other work on the machine changes less; `null` where the system does not tell. */
  readonly processorMs: number | null;
  readonly residentMiB: number;
  /** What JavaScript holds. */
  readonly heapMiB: number;
  /** What V8 has taken from the system for it. */
  readonly heapTakenMiB: number;
  /** `null` where the system does not tell. */
  readonly descriptors: number | null;
}

/** A figure at the beginning and at the end, and whether the end is as it may be. */
export interface Verdict {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly most: number;
  readonly flat: boolean;
}

const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const least = (values: readonly number[]) => Math.min(...values);

/**
 * Compares the last tenth of a run with its first, whose first look is left out: caches fill and code is compiled.
 *
 * Memory by medians; step time by the least of each, as whatever else the machine does only adds to it.
 */
export function verdicts(looks: readonly Look[]): Verdict[] {
  const [begin, end] = [looks.slice(1, TENTH), looks.slice(-TENTH)];
  const judge = (
    name: string,
    of: (look: Look) => number | null,
    summary: (values: readonly number[]) => number,
    most: (first: number) => number,
  ): Verdict[] => {
    const [first, last] = [begin, end].map((part) => part.map(of).filter((value) => value !== null));
    if (first.length === 0 || last.length === 0) return [];
    const [before, after] = [summary(first), summary(last)];
    return [{ name, first: before, last: after, most: most(before), flat: after <= most(before) }];
  };
  return [
    ...judge("JavaScript, MiB", ({ heapMiB }) => heapMiB, middle, (first) => first + 2),
    ...judge("resident memory, MiB", ({ residentMiB }) => residentMiB, middle, (first) => 1.1 * first),
    ...judge("descriptors", (look) => look.descriptors, middle, (first) => first),
    ...judge("processor ms a step", ({ processorMs, wallMs }) => processorMs ?? wallMs, least, (first) => 1.25 * first),
  ];
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
    const steps = parseInteger("--steps", text.steps ?? "200000", LOOKS * EPOCH, 100_000_000);
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
      let [since, spent, taken] = [performance.now(), spentBy("self"), 0];
      const runner = new CellRunner(library, runs);
      await runner.run(config, {
        command: "",
        checkpointEvery: { steps: 2000 },
        onEvent(event) {
          if (event.type === "failed") throw new Error(event.message);
          if (event.type !== "epoch" || (event.epoch + 1) % Math.max(1, Math.floor(epochs / LOOKS)) !== 0) return;
          const [at, used] = [performance.now(), spentBy("self")];
          const done = (event.epoch + 1) * EPOCH;
          const each = 1000 / (done - taken);
          gc();
          const { rss, heapUsed, heapTotal } = Deno.memoryUsage();
          const look: Look = {
            steps: done,
            wallMs: (at - since) / 1000 * each,
            processorMs: used === null || spent === null ? null : (used - spent) * each,
            residentMiB: rss / 2 ** 20,
            heapMiB: heapUsed / 2 ** 20,
            heapTakenMiB: heapTotal / 2 ** 20,
            descriptors: openFiles(),
          };
          looks.push(look);
          [since, spent, taken] = [performance.now(), spentBy("self"), done];
          console.log(boolean.json ? JSON.stringify(look) : lineOf(look));
        },
      });
      await runner.dispose();
      const bytes = Object.fromEntries(
        ["metrics.jsonl", "valuation.jsonl", "log.txt"].map((
          name,
        ) => [name, Deno.statSync(`${runs}/${id}/${name}`).size]),
      );
      const found = verdicts(looks);
      const flat = found.every((own) => own.flat);
      if (boolean.json) console.log(JSON.stringify({ verdicts: found, flat, bytes }));
      else {
        for (const { name, first, last, most, flat } of found) {
          console.log(
            `${name.padEnd(22)} ${first.toFixed(3)} in the first tenth, ${last.toFixed(3)} in the last, at most ` +
              `${most.toFixed(3)}: ${flat ? "flat" : "NOT FLAT"}`,
          );
        }
        console.log(Object.entries(bytes).map(([name, size]) => `${name} ${size} bytes`).join(", "));
      }
      return flat ? 0 : 1;
    } finally {
      await Deno.remove(runs, { recursive: true });
    }
  },
};

function lineOf({ steps, wallMs, processorMs, residentMiB, heapMiB, heapTakenMiB, descriptors }: Look): string {
  return `${String(steps).padStart(8)} steps  ${wallMs.toFixed(3)} ms/step (processor ${
    processorMs?.toFixed(3) ?? "?"
  })  ` +
    `${residentMiB.toFixed(1)} MiB resident  ${heapMiB.toFixed(2)} of ${heapTakenMiB.toFixed(1)} MiB JavaScript  ` +
    `${descriptors ?? "?"} descriptors`;
}

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
