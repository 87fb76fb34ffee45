/**
 * A set that was prepared earlier, beside the numbers of the published one.
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { SetPlugin, SplitName } from "../../core/kinds/mod.ts";
import type { Registry } from "../../core/registry.ts";
import { Refusal } from "../../core/refusal.ts";
import { parseTable } from "../../formats/csv.ts";
import { bytesOfFile } from "../files/media_files.ts";
import { splitNames } from "../files/splits.ts";
import type { Finding } from "../views.ts";
import { countsOf, differingText } from "./findings.ts";

/** What preparing a set wrote beside its arrays. */
const REPORT = "report.json";
const reports = z.object({
  set: z.string(),
  official: z.string().nullable(),
  missing: z.array(z.unknown()),
  silent: z.array(z.unknown()).default([]),
  broken: z.array(z.unknown()),
});

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** The report of a folder; `null` where no set was prepared in it. @throws {Refusal} If it is not one of ours. */
async function reportOf(folder: string): Promise<z.infer<typeof reports> | null> {
  if (!await isThere(join(folder, REPORT)) || !await isThere(join(folder, "samples.csv"))) return null;
  const refuse = (found: string) =>
    new Refusal({ what: `read "${join(folder, REPORT)}"`, must: "it must be what data prepare writes", found });
  const text = new TextDecoder().decode(await bytesOfFile(folder, REPORT));
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse("it is no JSON");
    throw error;
  }
  const { success, data, error } = reports.safeParse(given);
  if (!success) throw refuse(z.prettifyError(error).split("\n")[0]);
  return data;
}

/**
 * How a prepared set's numbers compare with the official ones, and what preparing left out.
 *
 * @param folder The folder that `prepare` wrote; of any other nothing is found.
 * @throws {Refusal} If its report is broken.
 */
export async function preparedFindings(folder: string, sets: Registry<SetPlugin>): Promise<Finding[]> {
  const report = await reportOf(folder);
  if (report === null) return [];
  const tell = (about: string): Finding => ({ serious: false, about });
  const found: Finding[] = [];
  if (report.missing.length > 0) {
    found.push(tell(`${report.missing.length} samples were left out as they lacked files`));
  }
  if (report.silent.length > 0) {
    found.push(tell(`${report.silent.length} samples were left out as their film has no sound`));
  }
  if (report.broken.length > 0) found.push(tell(`${report.broken.length} samples were left out as they were broken`));
  if (report.official === null) return found;
  if (!sets.has(report.set) || !Object.hasOwn(sets.get(report.set).official, report.official)) {
    return [...found, tell(`its numbers are not compared: no set "${report.set}" with them is registered`)];
  }
  const set = sets.get(report.set);
  const official = { name: report.official, ...set.official[report.official] };
  const samples = await samplesOf(folder);
  const { differing } = countsOf({ classes: set.classes, official }, samples);
  return differing.length === 0 ? found : [...found, tell(differingText(official, differing))];
}

/** Labels and splits of the samples that are written. */
async function samplesOf(folder: string): Promise<{ readonly label: string; readonly split: SplitName | null }[]> {
  const { columns } = parseTable(await bytesOfFile(folder, "samples.csv"), "samples.csv");
  const [labels, splits] = ["label", "split"].map((name) => columns.get(name));
  if (labels === undefined || splits === undefined) {
    throw new Refusal({
      what: `read "${join(folder, "samples.csv")}"`,
      must: "it must have the columns label and split",
      found: `it has ${[...columns.keys()].join(", ")}`,
    });
  }
  return labels.map((label, n) => ({ label, split: splitNames.find((name) => name === splits[n]) ?? null }));
}
