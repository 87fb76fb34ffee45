/**
 * The command line of armlab.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { CACHE_VARIABLE, userCacheFolder } from "../engines/cache_folder.ts";
import { VERSION } from "../version.ts";
import { benchCommand } from "./bench.ts";
import { checkCommand } from "./check.ts";
import { type Command, runCommand } from "./command.ts";

export type { Command } from "./command.ts";
import { dataCommand } from "./data.ts";
import { describeCommand } from "./describe.ts";
import { doctorCommand } from "./doctor.ts";
import { exportCommand } from "./export.ts";
import { exportResultsCommand } from "./export_results.ts";
import { listCommand } from "./list.ts";
import { mergeCommand } from "./merge.ts";
import { printableLine } from "./printable.ts";
import { probeCommand } from "./probe.ts";
import { reportCommand } from "./report.ts";
import { reproduceCommand } from "./reproduce.ts";
import { tuneCommand } from "./tune.ts";
import { valueCommand } from "./value.ts";
import { viewCommand } from "./view.ts";

/** Commands in the order in which help lists them. */
export const commands: readonly Command[] = [
  benchCommand,
  tuneCommand,
  viewCommand,
  valueCommand,
  dataCommand,
  probeCommand,
  exportResultsCommand,
  reportCommand,
  reproduceCommand,
  listCommand,
  describeCommand,
  checkCommand,
  doctorCommand,
  exportCommand,
  mergeCommand,
];

/** Compiled graphs are kept in the user's cache folder, unless the environment names another or says `off`. */
function keepGraphs(): void {
  if (Deno.env.get(CACHE_VARIABLE) !== undefined) return;
  const folder = userCacheFolder();
  if (folder !== null) Deno.env.set(CACHE_VARIABLE, folder);
}

/** Runs a command; returns the exit code. Every expected error becomes one line on standard error. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const width = Math.max(...commands.map((command) => command.name.length));
    console.log([
      `armlab ${VERSION}: balanced multimodal training, compared honestly`,
      "",
      "Usage: armlab <command> [options]   (armlab <command> --help)",
      "",
      ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.about}`),
    ].join("\n"));
    return name === undefined ? 2 : 0;
  }
  if (name === "--version") {
    console.log(VERSION);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = commands.map((other) => other.name);
    const refusal = new Refusal({
      what: `find command ${JSON.stringify(name.slice(0, 80))}`,
      found: `commands are ${names.join(", ")}`,
      hint: didYouMean(name, names),
    });
    console.error(printableLine(refusal.message));
    return 2;
  }
  keepGraphs();
  return await runCommand(command, rest, `armlab ${name}`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
