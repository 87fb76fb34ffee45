/**
 * Folders of runs from several machines as one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { canonicalJson } from "../core/canonical.ts";
import type { Experiment, ExperimentRow } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { claimRun, isClaim, releaseClaim } from "./claims.ts";
import { listExperiments, writeExperiment } from "./experiments.ts";
import { isFolder, readBytes, removeTree, renameFolder, StoreError, storeErrorOf } from "./files.ts";
import { inspectRun, liveContext, runNames, type RunReport } from "./inspect.ts";
import { joinRuns, type Member, Watch } from "./members.ts";
import { runFiles } from "./run_files.ts";

/** What became of runs. */
export interface United {
  /** Copied, finished or not. */
  readonly copied: readonly string[];
  /** The same in both, to the byte. */
  readonly equal: readonly string[];
  /** Left out, with why. */
  readonly left: readonly { readonly id: string; readonly why: string }[];
  /** Names of experiments that were written. */
  readonly experiments: readonly string[];
}

/** What makes two finished runs one: their results, and not when and where they were made. */
const results = ["metrics", "summary", "model", "predictions-validation", "predictions-test"] as const;

/** Files of a run hold less. */
const maxBytes = 16 * 1024 * 1024 * 1024;

/** A run that is to be copied. */
interface Copy {
  readonly from: string;
  readonly id: string;
}

/**
 * Unites folders of runs: what is in `from` is copied into `into`, which is made if it is missing. All is looked at before
 * anything is written.
 *
 * @throws {Refusal} If two folders contradict each other: another result of the same run, another configuration under one
 * label of one experiment.
 * @throws {StoreError} If something cannot be read or written.
 */
export async function uniteRuns(from: readonly string[], into: string): Promise<United> {
  await using member = await joinRuns(into);
  const watch = new Watch(into);
  const [copies, equal, left]: [Map<string, Copy>, Set<string>, United["left"][number][]] = [new Map(), new Set(), []];
  const contradictions: string[] = [];
  for (const folder of from) {
    const context = await liveContext(folder);
    for (const id of runNames(folder)) {
      const report = inspectRun(folder, id, context);
      const why = whyNot(report);
      if (why !== null) {
        left.push({ id, why });
        continue;
      }
      const there = copies.get(id)?.from ?? (await isFolder(join(into, id)) ? into : null);
      if (there === null) {
        copies.set(id, { from: folder, id });
        continue;
      }
      const other = inspectRun(there, id, await liveContext(there));
      const verdict = await compared(report, folder, other, there);
      if (verdict === "equal") equal.add(id);
      else if (verdict === "further") copies.set(id, { from: folder, id });
      else if (verdict !== "behind") contradictions.push(verdict);
    }
  }
  const experiments = unitedExperiments([into, ...from], contradictions);
  if (contradictions.length > 0) throw contradicted(contradictions);
  for (const copy of copies.values()) await take(copy, into, member, watch);
  for (const experiment of experiments) await writeExperiment(into, experiment);
  return { copied: [...copies.keys()], equal: [...equal], left, experiments: experiments.map(({ name }) => name) };
}

/** Why a run is not taken. */
function whyNot({ state, reason, older }: RunReport): string | null {
  if (state === "broken") return reason ?? "it is broken";
  if (state === "running") return "it is still being trained";
  return older ? "an older version of armlab wrote it" : null;
}

/** What a run is beside the one of its name: equal, further on, behind, or how it contradicts it. */
async function compared(own: RunReport, folder: string, other: RunReport, there: string): Promise<string> {
  if (own.state !== "finished") return other.state === "finished" || other.epochs >= own.epochs ? "behind" : "further";
  if (other.state !== "finished") return "further";
  for (const kind of results) {
    const [a, b] = [
      await digest(join(folder, own.id, runFiles[kind])),
      await digest(join(there, own.id, runFiles[kind])),
    ];
    if (a === b) continue;
    const made = ({ timing }: RunReport) => timing?.processor ?? "a processor that it does not name";
    return `run ${own.id} has another ${runFiles[kind]} in "${folder}" (${made(own)}) than in "${there}" (${
      made(other)
    })`;
  }
  return "equal";
}

async function digest(path: string): Promise<string | null> {
  const bytes = await readBytes(path, maxBytes);
  return bytes === null ? null : createHash("sha256").update(bytes).digest("hex");
}

/** Contradictions told at most. */
const maxTold = 10;

function contradicted(all: readonly string[]): Refusal {
  const more = all.length > maxTold ? `; and ${all.length - maxTold} more` : "";
  return new Refusal({
    what: "unite these folders",
    must: "they must not contradict each other",
    found: all.slice(0, maxTold).join("; ") + more,
    hint: "different processors round differently: remove the run from one of them",
  });
}

/** Copies a run as a whole, over one that is behind it. */
async function take({ from, id }: Copy, into: string, member: Member, watch: Watch): Promise<void> {
  const claim = await claimRun(member, id, watch);
  if (!isClaim(claim)) {
    throw new StoreError("locked", join(into, id), {
      what: `take run ${id} into "${into}"`,
      must: "nobody may train it",
      found: `process ${claim.info?.pid ?? "unknown"} on ${claim.info?.host ?? "another machine"} does`,
      hint: "wait until it ends",
    });
  }
  const begun = join(into, `.${id}.tmp`);
  try {
    await removeTree(begun);
    await Deno.mkdir(begun);
    for (const file of Object.values(runFiles)) {
      const bytes = await readBytes(join(from, id, file), maxBytes);
      if (bytes !== null) await Deno.writeFile(join(begun, file), bytes);
    }
    await removeTree(join(into, id));
    await renameFolder(begun, join(into, id));
  } catch (error) {
    throw storeErrorOf(error, "copy run into", join(into, id));
  } finally {
    await releaseClaim(claim, true);
  }
}

/** Experiments of all folders, those of one name as one. */
function unitedExperiments(folders: readonly string[], contradictions: string[]): Experiment[] {
  const found = new Map<string, Experiment>();
  for (const folder of folders) {
    for (const experiment of listOf(folder)) {
      const known = found.get(experiment.name);
      found.set(experiment.name, known === undefined ? experiment : united(known, experiment, folder, contradictions));
    }
  }
  return [...found.values()];
}

/** Experiments of a folder; none of one that does not exist yet. */
function listOf(folder: string): readonly Experiment[] {
  return listExperiments(folder).experiments;
}

function united(known: Experiment, own: Experiment, folder: string, contradictions: string[]): Experiment {
  const rows = new Map(known.rows.map((row) => [row.label, row]));
  for (const row of own.rows) {
    const other = rows.get(row.label);
    if (other === undefined) rows.set(row.label, row);
    else if (other.configuration === row.configuration) rows.set(row.label, withSeeds(other, row));
    else {
      contradictions.push(
        `"${row.label}" of experiment "${own.name}" is another configuration in "${folder}" (${row.configuration}) ` +
          `than elsewhere (${other.configuration})`,
      );
    }
  }
  const seeds = [...new Set([...known.seeds, ...own.seeds])].sort((a, b) => a - b);
  const plugins = [...new Set([...known.plugins, ...own.plugins])];
  const united = { ...known, rows: [...rows.values()], seeds, plugins };
  return canonicalJson(united) === canonicalJson(known) ? known : united;
}

function withSeeds(row: ExperimentRow, more: ExperimentRow): ExperimentRow {
  const runs = new Map([...row.runs, ...more.runs].map((run) => [run.seed, run]));
  return { ...row, runs: [...runs.values()].sort((a, b) => a.seed - b.seed) };
}
