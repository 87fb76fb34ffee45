/**
 * Which grids were launched on Slurm, and under which names: a file beside what their tasks print, written before the first
 * array is submitted. Whoever shares the folder of runs can ask Slurm by that name.
 *
 * @module
 */
import { basename, join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../core/canonical.ts";
import { isFile, makeFolder, readTextSync, storeErrorOf, writeAtomic } from "../store/files.ts";
import { plansFolder } from "./plan_file.ts";

const schema = z.looseObject({
  format: z.literal(1),
  scheduler: z.literal("slurm"),
  grid: z.string(),
  name: z.string(),
});

/** A launch of a grid. */
export interface Launched {
  /** The grid's name. */
  readonly grid: string;
  /** The name that its arrays have in Slurm. */
  readonly name: string;
}

/** The folder of a plan's launches: what its tasks print lies there, too. */
export function launchFolder(planFile: string): string {
  return planFile.replace(/\.jsonl$/, "");
}

/**
 * Keeps that a plan is launched under a name; two launches of one name keep the same.
 *
 * @param planFile `<name of the grid>-<digest>.jsonl`.
 * @throws {StoreError} If it cannot be written.
 */
export async function keepLaunched(planFile: string, name: string): Promise<void> {
  const folder = launchFolder(planFile);
  await makeFolder(folder);
  const path = join(folder, `${name}.json`);
  const grid = basename(folder).replace(/-[0-9a-f]+$/, "");
  if (!await isFile(path)) await writeAtomic(path, `${canonicalJson({ format: 1, scheduler: "slurm", grid, name })}\n`);
}

/** Launches of a folder of runs, by name. A file that is no launch is none. @throws {StoreError} If it cannot be read. */
export function launchesOf(runs: string): Launched[] {
  const plans = join(runs, plansFolder);
  const found = namesIn(plans, true).flatMap((plan) =>
    namesIn(join(plans, plan), false).filter((file) => file.endsWith(".json")).map((file) => {
      const text = readTextSync(join(plans, plan, file), 65_536);
      const parsed = text === null ? null : schema.safeParse(parseOrNull(text));
      return parsed?.success ? { grid: parsed.data.grid, name: parsed.data.name } : null;
    })
  );
  return found.filter((own) => own !== null).sort((a, b) => a.name < b.name ? -1 : 1);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // half a file of somebody else: what is not of a launch is none
  }
}

function namesIn(folder: string, folders: boolean): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter((entry) => folders ? entry.isDirectory : entry.isFile)
      .map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw storeErrorOf(error, "read", folder);
  }
}
