/**
 * An index of a runs folder in SQLite, for lists that are sorted and filtered while runs go on.
 *
 * Derived from the run folders alone, by each reader in its own memory.
 *
 * @module
 */
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { modalitiesOf } from "../core/modality.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import type { RunConfig, RunFailure, RunProgress, RunSummary, RunTiming } from "../core/record.ts";
import { inspectRun, liveContext, runNames, type RunReport, type RunStatus } from "./inspect.ts";
import { Watch } from "./members.ts";
import { runFiles } from "./run_files.ts";
import { configurationId } from "./run_id.ts";

const schema = `
create table runs (
  id text primary key,
  stamp text not null,
  state text not null,
  reason text,
  older integer not null,
  configuration text,
  seed integer,
  dataset text,
  fusion text,
  methods text,
  encoders text,
  modalities text,
  engine text,
  epochs integer not null,
  epochsPlanned integer,
  testAccuracy real,
  testMacroF1 real,
  validationAccuracy real,
  contributionGap real,
  jointContribution real,
  samplesDrawn integer,
  parameters integer,
  seconds real,
  startedAt text,
  finishedAt text,
  config text,
  summary text,
  timing text,
  progress text,
  failure text
) strict, without rowid;
create index runs_by_configuration on runs (configuration, seed);
`;

/** A run as the index lists it. What it does not know is `null`. */
export interface RunRow {
  readonly id: string;
  readonly state: RunStatus;
  readonly reason: string | null;
  /** 1 if an older version of armlab wrote it, else 0. */
  readonly older: number;
  /** Shared by the seeds of one configuration. */
  readonly configuration: string | null;
  readonly seed: number | null;
  readonly dataset: string | null;
  readonly fusion: string | null;
  /** Names joined by `+`; `"none"` for plain training. */
  readonly methods: string | null;
  /** `modality:encoder`, sorted by modality, joined by a comma. */
  readonly encoders: string | null;
  /** Sorted, joined by a comma. */
  readonly modalities: string | null;
  readonly engine: string | null;
  /** On disk. */
  readonly epochs: number;
  readonly epochsPlanned: number | null;
  readonly testAccuracy: number | null;
  readonly testMacroF1: number | null;
  /** At the tested epoch; of a run that is not finished, at its last. */
  readonly validationAccuracy: number | null;
  /** On the test split. */
  readonly contributionGap: number | null;
  /** On the test split. */
  readonly jointContribution: number | null;
  readonly samplesDrawn: number | null;
  readonly parameters: number | null;
  readonly seconds: number | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** A run with all that its folder tells but epochs. */
export interface RunDetails extends RunRow {
  readonly config: RunConfig | null;
  readonly summary: RunSummary | null;
  readonly timing: RunTiming | null;
  readonly progress: RunProgress | null;
  readonly failure: RunFailure | null;
}

/** Which runs to list: those that have all the given values; a list stands for any of its values. */
export type RunFilter = {
  readonly [K in "id" | "state" | "configuration" | "dataset" | "fusion" | "methods" | "engine"]?:
    | RunRow[K]
    | readonly RunRow[K][];
};

/** Order of a list of runs. */
export interface RunOrder {
  readonly by: keyof RunRow;
  /** @default {false} */
  readonly descending?: boolean;
}

/** All seeds of one configuration. */
export interface ConfigurationRow {
  readonly id: string;
  /** The configuration of its first run, without the seed. */
  readonly config: Omit<RunConfig, "seed">;
  /** By seed. */
  readonly runs: readonly RunRow[];
}

/** What a refresh did. */
export interface RefreshResult {
  /** Folders that were read, as they are new or changed. */
  readonly read: number;
  /** Runs that are gone. */
  readonly removed: number;
  /** Runs in all. */
  readonly total: number;
}

const listed = [
  "id",
  "state",
  "reason",
  "older",
  "configuration",
  "seed",
  "dataset",
  "fusion",
  "methods",
  "encoders",
  "modalities",
  "engine",
  "epochs",
  "epochsPlanned",
  "testAccuracy",
  "testMacroF1",
  "validationAccuracy",
  "contributionGap",
  "jointContribution",
  "samplesDrawn",
  "parameters",
  "seconds",
  "startedAt",
  "finishedAt",
] as const satisfies readonly (keyof RunRow)[];

const filters = [
  "id",
  "state",
  "configuration",
  "dataset",
  "fusion",
  "methods",
  "engine",
] as const satisfies readonly (keyof RunFilter)[];

const documents = ["config", "summary", "timing", "progress", "failure"] as const;

type StoredRow = RunRow & { stamp: string } & { [K in typeof documents[number]]: string | null };

function rowOf(report: RunReport, stamp: string): StoredRow {
  const { config, summary, timing, progress, failure, lastEpoch } = report;
  const json = (value: unknown) => value === null ? null : JSON.stringify(value);
  return {
    id: report.id,
    stamp,
    state: report.state,
    reason: report.reason,
    older: report.older ? 1 : 0,
    configuration: config === null ? null : configurationId(config),
    seed: config?.seed ?? null,
    dataset: config?.dataset.name ?? null,
    fusion: config?.fusion.name ?? null,
    methods: config === null ? null : config.methods.map(({ name }) => name).join("+") || "none",
    encoders: config === null
      ? null
      : modalitiesOf(config.encoders).map((modality) => `${modality}:${config.encoders[modality].name}`).join(","),
    modalities: config === null ? null : config.modalities.join(","),
    engine: config?.engine.name ?? null,
    epochs: report.epochs,
    epochsPlanned: config?.training.epochs ?? null,
    testAccuracy: summary?.test.accuracy ?? null,
    testMacroF1: summary?.test.macroF1 ?? null,
    validationAccuracy: summary?.validation.accuracy ?? lastEpoch?.validation.accuracy ?? null,
    contributionGap: summary?.test.contributionGap ?? null,
    jointContribution: summary?.test.jointContribution ?? null,
    samplesDrawn: summary?.samplesDrawn ?? lastEpoch?.samplesDrawn ?? null,
    parameters: summary?.parameters ?? null,
    seconds: timing?.seconds ?? null,
    startedAt: timing?.startedAt ?? null,
    finishedAt: timing?.finishedAt ?? null,
    config: json(config),
    summary: json(summary),
    timing: json(timing),
    progress: json(progress),
    failure: json(failure),
  };
}

/** Size and time of each file that the index depends on: a change of any makes the row stale. */
function stampOf(runsDir: string, name: string): string {
  const files = [
    runFiles.config,
    runFiles.metrics,
    runFiles.progress,
    runFiles.failure,
    runFiles.summary,
    runFiles.timing,
  ];
  return files.map((file) => {
    try {
      const info = Deno.lstatSync(join(runsDir, name, file));
      return `${info.size}@${info.mtime?.getTime() ?? 0}`;
    } catch (error) {
      // Absence is part of the stamp; whatever else is wrong, inspecting the folder will say.
      return error instanceof Error ? error.name : "unknown";
    }
  }).join();
}

/** An open index. */
export class RunIndex implements Disposable {
  readonly #runsDir: string;
  readonly #database: DatabaseSync;
  readonly #watch: Watch;

  /** Use `openIndex`. */
  constructor(runsDir: string, database: DatabaseSync) {
    this.#runsDir = runsDir;
    this.#database = database;
    this.#watch = new Watch(runsDir);
  }

  /**
   * Brings the index up to date: reads folders that are new or changed, forgets those that are gone.
   *
   * @throws {StoreError} If the runs folder cannot be read.
   */
  async refresh(): Promise<RefreshResult> {
    const context = await liveContext(this.#runsDir, this.#watch);
    const present = new Map(
      (this.#database.prepare("select id, stamp, state from runs").all() as unknown as {
        id: string;
        stamp: string;
        state: RunStatus;
      }[]).map((row) => [row.id, row]),
    );
    const names = runNames(this.#runsDir);
    const fresh: StoredRow[] = [];
    for (const name of names) {
      const stamp = stampOf(this.#runsDir, name);
      const known = present.get(name);
      present.delete(name);
      // Whether a run is running depends on who holds the lock, which no file of the run tells.
      const lasting = known !== undefined && known.state !== "running" && known.state !== "interrupted";
      if (known?.stamp === stamp && lasting) continue;
      fresh.push(rowOf(inspectRun(this.#runsDir, name, context), stamp));
    }
    if (fresh.length > 0 || present.size > 0) {
      const columns = ["stamp", ...listed, ...documents];
      const insert = this.#database.prepare(
        `insert or replace into runs (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
      );
      const remove = this.#database.prepare("delete from runs where id = ?");
      this.#database.exec("begin immediate");
      try {
        for (const row of fresh) {
          insert.run(...columns.map((column) => row[column as keyof StoredRow] as SQLInputValue));
        }
        for (const id of present.keys()) remove.run(id);
        this.#database.exec("commit");
      } catch (error) {
        this.#database.exec("rollback");
        throw error;
      }
    }
    return { read: fresh.length, removed: present.size, total: names.length };
  }

  /** Runs that fit a filter; without an order, by configuration and seed. */
  runs(filter: RunFilter = {}, order?: RunOrder): RunRow[] {
    const { where, values } = conditions(filter);
    const by = order === undefined
      ? "configuration, seed, id"
      : `${columnOf(order.by)} is null, ${columnOf(order.by)} ${order.descending === true ? "desc" : "asc"}, id`;
    return this.#database.prepare(`select ${listed.join(", ")} from runs ${where} order by ${by}`)
      .all(...values) as unknown as RunRow[];
  }

  /** One run with its documents, or `null`. */
  run(id: string): RunDetails | null {
    const row = this.#database.prepare(`select ${[...listed, ...documents].join(", ")} from runs where id = ?`)
      .get(id) as unknown as StoredRow | undefined;
    if (row === undefined) return null;
    const parsed = Object.fromEntries(
      documents.map((name) => [name, row[name] === null ? null : JSON.parse(row[name] as string)]),
    );
    return { ...row, ...parsed } as unknown as RunDetails;
  }

  /** What a run's details depend on, by run: two equal texts mean that nothing has changed since. */
  stamps(): Map<string, string> {
    const rows = this.#database.prepare("select id, state, stamp from runs").all() as unknown as Pick<
      StoredRow,
      "id" | "state" | "stamp"
    >[];
    return new Map(rows.map(({ id, state, stamp }) => [id, `${state} ${stamp}`]));
  }

  /** Configurations with their seeds. Broken folders have none and are left out. */
  configurations(filter: RunFilter = {}): ConfigurationRow[] {
    const groups = new Map<string, RunRow[]>();
    for (const row of this.runs(filter)) {
      if (row.configuration === null) continue;
      groups.set(row.configuration, [...groups.get(row.configuration) ?? [], row]);
    }
    const config = this.#database.prepare("select config from runs where id = ?");
    return [...groups].map(([id, runs]) => {
      const { config: text } = config.get(runs[0].id) as { config: string };
      const { seed: _seed, ...rest } = JSON.parse(text) as RunConfig;
      return { id, config: rest, runs };
    });
  }

  /** Closes the database. */
  close(): void {
    this.#database.close();
  }
  /** See `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A column that may be sorted by. @throws {Refusal} If it is none. */
function columnOf(name: string): string {
  const column = listed.find((candidate) => candidate === name);
  if (column !== undefined) return column;
  throw new Refusal({
    what: `sort runs by ${JSON.stringify(name)}`,
    found: `columns are ${listed.join(", ")}`,
    hint: didYouMean(name, listed),
  });
}

function conditions(filter: RunFilter): { where: string; values: SQLInputValue[] } {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  for (const [name, wanted] of Object.entries(filter)) {
    const column = filters.find((candidate) => candidate === name);
    if (column === undefined) {
      throw new Refusal({
        what: `filter runs by ${JSON.stringify(name)}`,
        found: `filters are ${filters.join(", ")}`,
        hint: didYouMean(name, filters),
      });
    }
    const list = Array.isArray(wanted) ? wanted : [wanted];
    parts.push(`(${list.map((value) => value === null ? `${column} is null` : `${column} = ?`).join(" or ") || "0"})`);
    values.push(...list.filter((value) => value !== null));
  }
  return { where: parts.length === 0 ? "" : `where ${parts.join(" and ")}`, values };
}

/**
 * Opens an index of a runs folder, in this process's memory: a database that several machines write to over a network is
 * lost sooner or later, and what it holds is read from a thousand runs in a second.
 */
export function openIndex(runsDir: string): RunIndex {
  const database = new DatabaseSync(":memory:");
  database.exec(schema);
  return new RunIndex(runsDir, database);
}
