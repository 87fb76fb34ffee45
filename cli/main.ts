/**
 * The command line of armlab.
 *
 * Commands are loaded when they are asked for: help and the first line need nothing of them.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { CACHE_VARIABLE, userCacheFolder } from "../formats/cache_folder.ts";
import { VERSION } from "../version.ts";
import { type Command, runCommand } from "./command.ts";
import { printableLine } from "./printable.ts";

export type { Command } from "./command.ts";

/** A command that is loaded when it runs. */
function later(name: string, about: string, load: () => Promise<Command>): Command {
  return { name, about, run: async (args) => await (await load()).run(args) };
}

/** Commands in the order in which help lists them. */
export const commands: readonly Command[] = [
  later(
    "bench",
    "train configurations with several seeds and compare them",
    async () => (await import("./bench.ts")).benchCommand,
  ),
  later(
    "tune",
    "give every configuration as many trials, choose on validation, and compare again",
    async () => (await import("./tune.ts")).tuneCommand,
  ),
  later(
    "status",
    "how grids stand: planned, queued, running, finished, failed, on all machines that share a runs folder",
    async () => (await import("./status.ts")).statusCommand,
  ),
  later("view", "look at results in a browser", async () => (await import("./view.ts")).viewCommand),
  later(
    "value",
    "say what each modality contributes, from saved features and logits or a finished run",
    async () => (await import("./value.ts")).valueCommand,
  ),
  later(
    "data",
    "say what a dataset holds (info), what is doubtful in it (verify), show it (preview), decode its media once (prepare)",
    async () => (await import("./data.ts")).dataCommand,
  ),
  later(
    "probe",
    "train a linear probe on the features of every encoder of finished runs",
    async () => (await import("./probe.ts")).probeCommand,
  ),
  later(
    "robustness",
    "test finished runs on corrupted and missing modalities, without training",
    async () => (await import("./robustness.ts")).robustnessCommand,
  ),
  later(
    "export-results",
    "write tables and charts of results as CSV, Markdown, LaTeX, SVG, PNG or JSON",
    async () => (await import("./export_results.ts")).exportResultsCommand,
  ),
  later(
    "report",
    "an experiment as Markdown, CSV, LaTeX and one HTML page",
    async () => (await import("./report.ts")).reportCommand,
  ),
  later(
    "reproduce",
    "a table of the paper: measured beside printed",
    async () => (await import("./reproduce.ts")).reproduceCommand,
  ),
  later("list", "list the parts of every kind, engines and grids", async () => (await import("./list.ts")).listCommand),
  later(
    "describe",
    "formula, source, options and cost of a part; grids, training options, measures",
    async () => (await import("./describe.ts")).describeCommand,
  ),
  later(
    "check",
    "run the contract suite on somebody's plugin and say what it breaks",
    async () => (await import("./check.ts")).checkCommand,
  ),
  later(
    "doctor",
    "say what works here, what is missing and the command that gets it",
    async () => (await import("./doctor.ts")).doctorCommand,
  ),
  later(
    "export",
    "write the model of a finished run as ONNX or as weights for PyTorch",
    async () => (await import("./export.ts")).exportCommand,
  ),
  later(
    "merge",
    "merge two finished runs of one task into one model, by optimal transport or plainly",
    async () => (await import("./merge.ts")).mergeCommand,
  ),
  later(
    "merge-runs",
    "unite folders of runs from several machines; contradictions are refused",
    async () => (await import("./merge_runs.ts")).mergeRunsCommand,
  ),
];

/** Compiled graphs are kept in the user's cache folder, unless the environment names another or says `off`. */
function keepGraphs(): void {
  if (Deno.env.get(CACHE_VARIABLE) !== undefined) return;
  const folder = userCacheFolder();
  if (folder !== null) Deno.env.set(CACHE_VARIABLE, folder);
}

/** Without `--no-color`, which holds for what the runtime colours: armlab itself writes no colours. */
function plain(args: readonly string[]): readonly string[] {
  if (!args.includes("--no-color")) return args;
  Deno.env.set("NO_COLOR", "1");
  return args.filter((arg) => arg !== "--no-color");
}

/** Runs a command; returns the exit code. Every expected error becomes one line on standard error. */
export async function main(given: readonly string[]): Promise<number> {
  const [name, ...rest] = plain(given);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const width = Math.max(...commands.map((command) => command.name.length));
    console.log([
      `armlab ${VERSION}: balanced multimodal training, compared honestly`,
      "",
      "Usage: armlab <command> [options]   (armlab <command> --help; --no-color: no colours)",
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
  const begun: Command = {
    ...command,
    run: async (args) => {
      keepGraphs();
      // Loading what trains takes a second, and more on a busy machine: nobody should wonder meanwhile.
      if (Deno.stderr.isTerminal() && !args.includes("--json")) console.error(`armlab ${VERSION} ${name}`);
      return await command.run(args);
    },
  };
  return await runCommand(begun, rest, `armlab ${name}`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
