/**
 * A plan on the disk, written once, for processes that train parts of it: `<runs>/.plans/<name>-<digest>.jsonl`, a line for
 * the whole and a line for each run.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../core/canonical.ts";
import type { Experiment, RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { isFile, makeFolder, readBytes, StoreError, writeAtomic } from "../store/files.ts";
import { runId } from "../store/run_id.ts";
import { parseStored } from "../store/schemas.ts";
import { VERSION } from "../version.ts";
import type { AskedCell, GridCell, GridPlan } from "./plan.ts";
import { requestOf } from "./teachers.ts";

/** The folder of plans within a runs folder; what tasks print lies beside them. */
export const plansFolder = ".plans";

/** What is asked, beside the cells. */
export interface PlanHead extends Pick<Experiment, "name" | "question" | "command" | "reference" | "budget"> {
  readonly seeds: readonly number[];
  /** Modules that registered plugins. */
  readonly plugins: readonly string[];
}

/** A plan as it is read. */
export interface StoredPlan {
  readonly head: PlanHead;
  readonly plan: GridPlan;
}

const text = z.string();
const headSchema = z.looseObject({
  format: z.literal(1),
  version: text,
  engine: text,
  name: text,
  question: text.nullable(),
  command: text,
  reference: text,
  budget: text,
  seeds: z.array(z.number().int()).min(1),
  plugins: z.array(text),
});
const lineSchema = z.looseObject({
  index: z.number().int().min(0),
  label: text,
  seed: z.number().int(),
  config: z.unknown(),
  lessons: z.array(text),
  pupil: z.object({ index: z.number().int(), label: text, seed: z.number().int() }).nullable(),
});

/** A plan of tens of thousands of runs stays below this. */
const maxBytes = 256 * 1024 * 1024;

/**
 * Writes a plan, unless it is there: its name says its content.
 *
 * @returns Its path.
 * @throws {Refusal} If cells of it cannot be run.
 * @throws {StoreError} If it cannot be written.
 */
export async function writePlan(runs: string, plan: GridPlan, head: PlanHead): Promise<string> {
  const [failed] = plan.failed;
  if (failed !== undefined) {
    throw new Refusal({
      what: `write a plan with "${failed.cell.request.label}", seed ${failed.cell.seed}`,
      must: "all its cells must be ready to run",
      found: failed.message,
    });
  }
  // Seeds and labels are said in each line, so that a line is enough to train its run.
  const lines = [
    { format: 1, version: VERSION, engine: plan.engine, ...head },
    ...[...plan.cells, ...plan.teachers].map(({ index, request, seed, config, id, pupil }) => ({
      index,
      label: request.label,
      seed,
      config,
      lessons: plan.lessons.get(id) ?? [],
      pupil: pupil === undefined ? null : { index: pupil.index, label: pupil.request.label, seed: pupil.seed },
    })),
  ];
  const content = lines.map((line) => canonicalJson(line)).join("\n") + "\n";
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 8);
  const folder = join(runs, plansFolder);
  await makeFolder(folder);
  const path = join(folder, `${head.name}-${digest}.jsonl`);
  if (!await isFile(path)) await writeAtomic(path, content, true);
  return path;
}

/**
 * Reads a plan.
 *
 * @throws {StoreError} If it is missing or damaged.
 * @throws {Refusal} If another version of armlab wrote it.
 */
export async function readPlan(path: string): Promise<StoredPlan> {
  const bytes = await readBytes(path, maxBytes);
  if (bytes === null) {
    throw new StoreError("missing", path, {
      what: `read plan "${path}"`,
      must: "it must exist",
      found: "nothing is there",
      hint: "bench with --launch or --shard writes one and says where",
    });
  }
  const [first, ...rest] = new TextDecoder().decode(bytes).trimEnd().split("\n");
  const { version, engine, format: _, ...head } = parseLine(headSchema, first, path, 1);
  if (version !== VERSION) {
    throw new Refusal({
      what: `use plan "${path}"`,
      must: `this version of armlab, ${VERSION}, must have written it`,
      found: `found ${version}`,
      hint: "plan it again with this version",
    });
  }
  return { head, plan: { ...planOf(rest, path), engine } };
}

function parseLine<T>(schema: z.ZodType<T>, line: string, path: string, number: number): T {
  const where = `line ${number} of "${path}"`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw damaged(path, where, "it must be JSON");
  }
  const result = schema.safeParse(value);
  if (!result.success) throw damaged(path, where, "it must be of a plan");
  return result.data;
}

function damaged(path: string, where: string, must: string): StoreError {
  return new StoreError("corrupt", path, {
    what: `read ${where}`,
    must,
    found: "it is not",
    hint: "remove the file and plan again",
  });
}

/** The cells of a plan. */
function planOf(lines: readonly string[], path: string): Omit<GridPlan, "engine"> {
  const lessons = new Map<string, readonly string[]>();
  const [cells, teachers]: [GridCell[], GridCell[]] = [[], []];
  for (const [at, line] of lines.entries()) {
    const { index, label, seed, config: raw, lessons: own, pupil } = parseLine(lineSchema, line, path, at + 2);
    const config: RunConfig = parseStored("config", JSON.stringify(raw), path, `line ${at + 2} of "${path}"`);
    const id = runId(config);
    if (own.length > 0) lessons.set(id, own);
    const cell: GridCell = { index, request: { ...requestOf(config), label }, seed, config, id };
    if (pupil === null) cells.push(cell);
    else teachers.push({ ...cell, pupil: pupilOf(pupil, cell) });
  }
  const taught = new Set([...lessons.values()].flat());
  return { cells, teachers, taught, lessons, failed: [], unfit: [], notes: [], bytes: null };
}

/** A cell by its name alone: what asked for a teacher. */
function pupilOf({ index, label, seed }: { index: number; label: string; seed: number }, teacher: GridCell): AskedCell {
  return { index, request: { ...teacher.request, label }, seed };
}
