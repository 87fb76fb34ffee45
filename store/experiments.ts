/**
 * What benches asked: `<runs>/experiments/<name>.json`, a file for each experiment.
 *
 * @module
 */
import { join } from "node:path";
import { Refusal } from "../core/refusal.ts";
import type { Experiment } from "../core/record.ts";
import { makeFolder, readTextSync, StoreError, storeErrorOf, writeAtomic } from "./files.ts";
import { canonicalJson } from "../core/canonical.ts";
import { experimentName, parseStored } from "./schemas.ts";

/** Its name in a runs folder; no run is called so. */
export const experimentsFolder = "experiments";

/** Tens of thousands of planned runs stay below this: a trial of a tuning takes some 800 bytes. */
const maxBytes = 32 * 1024 * 1024;
/** Experiments read of one folder at most. */
const maxExperiments = 500;

/** What of an experiment says what is asked, and not when and by which of several processes. */
function essence({ command: _, writtenAt: __, ...rest }: Experiment): string {
  return canonicalJson(rest);
}

/** Whether an experiment of that name asks the same. */
function isKept(path: string, experiment: Experiment): boolean {
  try {
    const text = readTextSync(path, maxBytes);
    return text !== null && essence(parseStored("experiment", text, path)) === essence(experiment);
  } catch (error) {
    if (error instanceof StoreError) return false; // what is damaged is written anew
    throw error;
  }
}

/** Checks the name of an experiment. @throws {Refusal} If it cannot be that of a file. */
export function checkExperimentName(name: string): void {
  if (experimentName.test(name)) return;
  throw new Refusal({
    what: "keep an experiment",
    must: "its name must be 1 to 100 letters, digits and . _ = + - and begin with a letter or digit",
    found: `found ${JSON.stringify(name.slice(0, 120))}`,
  });
}

/**
 * Keeps what a bench asks; one of that name is replaced as a whole, unless it asks the same.
 *
 * @throws {Refusal} If its name cannot be that of a file.
 * @throws {StoreError} If it cannot be written.
 */
export async function writeExperiment(runsDir: string, experiment: Experiment): Promise<void> {
  checkExperimentName(experiment.name);
  const folder = join(runsDir, experimentsFolder);
  await makeFolder(folder);
  const path = join(folder, `${experiment.name}.json`);
  if (!isKept(path, experiment)) await writeAtomic(path, `${canonicalJson(experiment, 2)}\n`, true);
}

/** Experiments of a runs folder. */
export interface ExperimentList {
  /** By name. */
  readonly experiments: readonly Experiment[];
  /** What is wrong with files that are none, a sentence each. */
  readonly problems: readonly string[];
}

/** Path, size and time of each file: equal texts mean that nothing has changed. */
export function experimentStamp(runsDir: string): string {
  return names(runsDir).map((name) => {
    try {
      const info = Deno.lstatSync(join(runsDir, experimentsFolder, name));
      return `${name} ${info.size}@${info.mtime?.getTime() ?? 0}`;
    } catch (error) {
      // Removed since the folder was listed: its absence is part of the stamp.
      if (error instanceof Deno.errors.NotFound) return name;
      throw storeErrorOf(error, "read", runsDir);
    }
  }).join();
}

/** Reads all experiments; does not throw for what is in their files. @throws {StoreError} If the folder cannot be read. */
export function listExperiments(runsDir: string): ExperimentList {
  const experiments: Experiment[] = [];
  const problems: string[] = [];
  for (const file of names(runsDir)) {
    const path = join(runsDir, experimentsFolder, file);
    try {
      const text = readTextSync(path, maxBytes);
      if (text === null) continue;
      const experiment = parseStored("experiment", text, path);
      if (`${experiment.name}.json` === file) experiments.push(experiment);
      else problems.push(`Cannot read "${path}" as its file must have the name of the experiment: it has another`);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      problems.push(error.message);
    }
  }
  return { experiments, problems };
}

/** Names of the files, sorted; none where there is no folder of experiments. */
function names(runsDir: string): string[] {
  const folder = join(runsDir, experimentsFolder);
  try {
    // A link may lead anywhere: it is not followed.
    if (!Deno.lstatSync(folder).isDirectory) return [];
    return [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(".json") && experimentName.test(name)).sort().slice(0, maxExperiments);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw storeErrorOf(error, "read", folder);
  }
}
