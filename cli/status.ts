/**
 * `armlab status`: how grids stand, on this machine or on others that share the folder of runs.
 *
 * @module
 */
import { resolve } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { type CellStatus, type GridStatus, gridStatus, type SlurmStatus } from "../experiments/status.ts";
import { listExperiments } from "../store/experiments.ts";
import { isFolder } from "../store/files.ts";
import { liveContext } from "../store/inspect.ts";
import { kernelId, Watch } from "../store/members.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { printableLine } from "./printable.ts";
import { duration } from "./progress.ts";

const flags: Readonly<Record<string, Flag>> = {
  runs: { type: "text", value: "DIR", about: "folder of runs, where a name stands alone (default: runs)" },
  all: { type: "boolean", about: "a line for every cell, not only for those that run or failed" },
  json: { type: "boolean", about: "print one JSON object per grid" },
  help: { type: "boolean", about: "show this help" },
};

/** `armlab status`. */
export const statusCommand: Command = {
  name: "status",
  about: "how grids stand: planned, queued, running, finished, failed, on all machines that share a runs folder",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("status", flags, args, { most: 1, about: "a folder of runs or the name of a grid" });
    if (parsed.boolean.help) {
      console.log(
        helpOf("armlab status [RUNS|NAME] [options]", "Say how grids stand.", flags, [
          "armlab status                    every grid in runs/",
          "armlab status quick              one of them",
          "armlab status /shared/runs       every grid in another folder",
          "armlab status --json             for programs",
        ]),
      );
      return 0;
    }
    const [word] = parsed.positional;
    const named = word !== undefined && await isFolder(resolve(word));
    if (named && parsed.text.runs !== undefined) {
      throw new Refusal({ what: `use folder "${word}" beside --runs`, must: "there must be one folder of runs" });
    }
    const runs = resolve(named ? word : parsed.text.runs ?? "runs");
    if (!await isFolder(runs)) {
      throw new Refusal({
        what: `say how grids in "${runs}" stand`,
        must: "it must be a folder of runs",
        found: "there is no such folder",
        hint: "a bench makes it; name another with --runs",
      });
    }
    const only = named ? undefined : word;
    const grids = await gridStatus(runs, await lookedAt(runs), only);
    if (only !== undefined && grids.length === 0) throw noGrid(only, runs);
    if (parsed.boolean.json) { for (const grid of grids) console.log(JSON.stringify(grid)); }
    else console.log(statusLines(grids, parsed.boolean.all, runs).map(printableLine).join("\n"));
    return grids.some(({ counts }) => counts.failed + counts.broken > 0) ? 1 : 0;
  },
};

function noGrid(name: string, runs: string): Refusal {
  const names = listExperiments(runs).experiments.map((experiment) => experiment.name);
  return new Refusal({
    what: `find grid ${JSON.stringify(name.slice(0, 80))}`,
    must: `a bench in "${runs}" must have asked it`,
    found: names.length === 0 ? "there is none" : `grids are ${names.slice(0, 20).join(", ")}`,
    hint: didYouMean(name, names),
  });
}

/** Longer than two beats of a heart. */
const secondLookMs = 11_000;

/**
 * Who is alive. A process on another machine is seen to live only if it changes between two looks: where there is one, it is
 * looked at again.
 */
async function lookedAt(runs: string) {
  const watch = new Watch(runs, kernelId(), undefined, secondLookMs - 500);
  const first = await liveContext(runs, watch);
  const own = kernelId();
  if ([...first.held.values()].every(({ info }) => info !== null && info.kernel === own)) return first;
  await new Promise((resolve) => setTimeout(resolve, secondLookMs));
  return await liveContext(runs, watch);
}

/** Grids in words. */
export function statusLines(grids: readonly GridStatus[], all: boolean, runs: string): string[] {
  if (grids.length === 0) return [`No bench has asked anything in ${runs}.`];
  return grids.flatMap((grid) => {
    const { name, planned, counts, secondsLeft, cells, slurm } = grid;
    const words = Object.entries(counts).filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
    const left = secondsLeft === null || secondsLeft === 0 ? "" : `; about ${duration(secondsLeft)} left`;
    return [
      `${name}: ${planned} planned: ${words.join(", ")}${left}`,
      ...cells.filter(({ state }) => all || !["queued", "finished", "stopped"].includes(state)).map(cellLine),
      ...slurm === undefined ? [] : slurmLines(slurm),
      ...idleLines(grid),
    ];
  });
}

/** What Slurm has of a grid, or why that is not known. */
function slurmLines({ names, waiting, running, reason, problem }: SlurmStatus): string[] {
  if (problem !== null) {
    return [
      `  launched on Slurm, which is not heard from here: ${problem}; where it is: squeue --name=${names.join(",")}`,
    ];
  }
  if (waiting + running === 0) return [];
  const tasks = (count: number, one: string, more: string) => `${count} task${count === 1 ? ` ${one}` : `s ${more}`}`;
  return [
    "  " + [
      ...waiting === 0 ? [] : [`${tasks(waiting, "waits", "wait")} in Slurm's queue (${reason})`],
      ...running === 0 ? [] : [`${tasks(running, "runs", "run")} there`],
    ].join(", "),
  ];
}

/** That nobody works on what is open, and the command that does. */
function idleLines({ counts, command, slurm }: GridStatus): string[] {
  if (counts.queued + counts.stopped === 0 || counts.running > 0) return [];
  if (slurm !== undefined && slurm.problem === null && slurm.waiting + slurm.running > 0) return [];
  const who = slurm === undefined
    ? "nobody works on it"
    : slurm.problem === null
    ? "nobody works on it, and Slurm has no task of it"
    : "no process works on it";
  return [`  ${who}; go on with: ${command}`];
}

function cellLine({ label, seed, state, epoch, epochs, secondsLeft, by, cause, command }: CellStatus): string {
  const where = by === null ? "" : ` (process ${by.pid} on ${by.host})`;
  const epochText = state !== "running"
    ? ""
    // Between its last epoch and its end a run is tested.
    : epochs !== null && epoch >= epochs
    ? `, tested after ${epoch} epochs`
    : `, epoch ${epoch + 1}${epochs === null ? "" : ` of ${epochs}`}`;
  const left = secondsLeft === null ? "" : `, ${duration(secondsLeft)} left`;
  const why = cause === null ? "" : `: ${cause}`;
  const again = command === null || command === "" ? "" : `; run it again: ${command}`;
  return `  ${state.padEnd(8)}  ${label}, seed ${seed}${epochText}${left}${where}${why}${again}`;
}
