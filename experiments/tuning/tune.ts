/**
 * Tuning at equal cost: every configuration gets as many trials, chosen on validation in each of several studies.
 *
 * @module
 */
import type { CellRequest } from "../../core/kinds/mod.ts";
import type { Library } from "../../core/library.ts";
import type { AcrossPlace, Experiment, SplitMetrics } from "../../core/record.ts";
import { collapseSeeds, type ConfigurationResult, type FinishedRun } from "../results.ts";
import { applySettings } from "../settings.ts";
import { type Versus, versusReference } from "../versus.ts";
import { searchSpace, settingsAt } from "./space.ts";

/** What is run to tune configurations. */
export interface TuningPlan {
  /** The configurations as given, then their trials. */
  readonly cells: readonly CellRequest[];
  /** The seeds of a cell: all studies for what is given, its own study for a trial. */
  readonly seedsOf: (request: CellRequest) => readonly number[];
  /** The label of the configuration that a cell is a trial of; `null` of what is given. */
  readonly trialOf: (request: CellRequest) => string | null;
  /** What is kept of it beside the runs. */
  readonly tuning: Tuning;
}

/** Which rows of an experiment are trials of which. */
export type Tuning = NonNullable<Experiment["tuning"]>;

/** How configurations are tuned. */
export interface TuningOptions {
  /** A study for each. */
  readonly seeds: readonly number[];
  readonly library: Library;
  /** Trials of a configuration in each study, beside what is given. */
  readonly trials: number;
  /** Settings that every configuration tries in every study, instead of quasi-random points: `trials` lists of them. */
  readonly values?: readonly (readonly string[])[];
  /** Options that somebody set for all configurations, as `--set` names them: they are not tuned. @default none */
  readonly fixed?: readonly string[];
  /** Trials that do not serve, by their labels: the next point is taken for each. @default none */
  readonly unfit?: ReadonlySet<string>;
}

/** Points of a study at the least: so many trials can be added to it, and those that were made stay what they were. */
const STUDY_POINTS = 64;

/**
 * Plans studies: one for each seed, in which every configuration is trained as it is and with the settings of `trials`
 * points. The points are the same for all configurations and others for each study; more trials have the points of fewer
 * among them. A trial is named by its point.
 *
 * @throws {Refusal} If there is nothing to tune in a configuration.
 */
export function planTuning(requests: readonly CellRequest[], options: TuningOptions): TuningPlan {
  const { seeds, trials, library, values, fixed, unfit = new Set() } = options;
  const studies = new Map<string, { readonly seed: number; readonly row: string }>();
  const cells: CellRequest[] = [...requests];
  const block = Math.max(STUDY_POINTS, 2 ** Math.ceil(Math.log2(trials)));
  const rows = requests.map((request): Tuning["rows"][number] => {
    const space = values === undefined ? searchSpace(request, library, fixed) : [];
    const most = values === undefined ? block : values.length;
    const own = seeds.flatMap((seed, study) => {
      const found: { label: string; study: number; settings: readonly string[] }[] = [];
      for (let point = 0; point < most && found.length < trials; point++) {
        const label = `${request.label}, study ${seed}, trial ${point + 1}`;
        if (unfit.has(label)) continue;
        found.push({
          label,
          study: seed,
          settings: values === undefined ? settingsAt(space, study * block + point) : values[point],
        });
      }
      return found;
    });
    const { across: _, ...bare } = request; // it stands there as given, and as tuned
    for (const { label, study, settings } of own) {
      const [set] = applySettings([bare], settings, library);
      studies.set(label, { seed: study, row: request.label });
      cells.push({ ...set, label });
    }
    const tuned = values === undefined ? space.map(({ key }) => key) : keysOf(values);
    return { label: request.label, tuned, trials: own };
  });
  return {
    cells,
    seedsOf: ({ label }) => studies.has(label) ? [studies.get(label)!.seed] : seeds,
    trialOf: ({ label }) => studies.get(label)?.row ?? null,
    tuning: { trials, rows },
  };
}

/** The options that settings name, each once. */
function keysOf(values: readonly (readonly string[])[]): string[] {
  return [...new Set(values.flat().map((text) => text.slice(0, text.indexOf("="))))];
}

/** How often trials that do not serve are replaced by further ones. */
const MOST_ROUNDS = 16;

/** Studies with the plan of their runs. */
export interface PlannedStudies<P> extends TuningPlan {
  readonly plan: P;
}

/**
 * Plans studies in which every configuration has as many trials that can be run and differ: points that cannot, or that are
 * tried already, are replaced by the next ones. Where there is none left (few values, all tried) it has fewer.
 *
 * @param plan Plans the cells, as `planGrid` does, and leaves out what does not fit.
 */
export async function planStudies<P extends { readonly unfit: readonly { readonly label: string }[] }>(
  requests: readonly CellRequest[],
  options: TuningOptions,
  plan: (studies: TuningPlan) => Promise<P>,
): Promise<PlannedStudies<P>> {
  const unfit = new Set<string>();
  for (let round = 0;; round++) {
    const studies = planTuning(requests, { ...options, unfit });
    const planned = await plan(studies);
    const rows = new Set(requests.map(({ label }) => label));
    const left = new Set(planned.unfit.map(({ label }) => label));
    // Of what does not fit itself no trial does.
    const lacking = studies.tuning.rows.filter(({ label }) => !left.has(label))
      .flatMap(({ trials }) => trials.filter(({ label }) => left.has(label) && !rows.has(label)));
    for (const { label } of lacking) unfit.add(label);
    if (lacking.length > 0 && options.values === undefined && round < MOST_ROUNDS) continue;
    const kept = studies.tuning.rows.filter(({ label }) => !left.has(label))
      .map((row) => ({ ...row, trials: row.trials.filter(({ label }) => !left.has(label)) }));
    return { ...studies, tuning: { ...studies.tuning, rows: kept }, plan: planned };
  }
}

/** What a choice among trials may look at: nothing of the test split is in it. */
export interface Candidate {
  readonly label: string;
  readonly validation: Pick<SplitMetrics, "accuracy">;
}

/** The trial with the best accuracy on validation; of equal ones the first. */
export function chosen<T extends Candidate>(candidates: readonly T[]): T | null {
  return candidates.reduce<T | null>(
    (best, own) => best === null || own.validation.accuracy > best.validation.accuracy ? own : best,
    null,
  );
}

/** What a study of a configuration chose. */
export interface StudyResult {
  readonly seed: number;
  /** Of the chosen run: its own label where what is given was best. */
  readonly label: string;
  /** What it sets; none where what is given was best. */
  readonly settings: readonly string[];
  /** Accuracy on validation of the chosen run and of what is given. */
  readonly validation: number;
  readonly givenValidation: number | null;
  /** Trials without a result. */
  readonly failed: number;
  readonly id: string;
}

/** A configuration as given and as tuned. The keys are what `--json` prints. */
export interface TuningResult {
  readonly label: string;
  /** Its place in a comparison over several data sets. Absent if it has none. */
  readonly across?: AcrossPlace;
  /** Options that were tuned. */
  readonly options: readonly string[];
  readonly given: ConfigurationResult;
  /** Compared with the tuned reference. */
  readonly tuned: ConfigurationResult;
  /** The tuned one minus the given one, over studies. */
  readonly gain: Versus;
  readonly studies: readonly StudyResult[];
  /** Trials in each study, what is given among them: the mean, as points that serve may be fewer. */
  readonly trials: number;
  /**
   * Of all trials and of what is given, which is a trial too, over all studies. Samples are with those of teachers, each
   * teacher counted once; runs and seconds are without them.
   */
  readonly cost: {
    readonly runs: number;
    /** Teachers' runs. */
    readonly teachers: number;
    readonly samplesDrawn: number;
    readonly seconds: number;
  };
}

/** A configuration with what its studies chose. */
interface TunedRow {
  readonly row: Tuning["rows"][number];
  readonly given: readonly FinishedRun[];
  readonly studies: readonly (StudyResult & { readonly run: FinishedRun })[];
  /** Studies that are planned. */
  readonly planned: number;
  /** What is given and all trials. */
  readonly runs: readonly FinishedRun[];
}

/** A run of a row, for `pending`. */
export const runKey = (label: string, seed: number): string => `${label}#${seed}`;

/**
 * Chooses in each study, on validation alone. Studies with a run that is still to come choose nothing yet; configurations
 * without a study that did are left out.
 */
function tunedRows({ rows }: Tuning, finished: readonly FinishedRun[], pending: ReadonlySet<string>): TunedRow[] {
  const byLabel = Map.groupBy(finished, ({ label }) => label);
  return rows.flatMap((row) => {
    const all = byLabel.get(row.label) ?? [];
    const tried = row.trials.map((trial) => ({ trial, run: byLabel.get(trial.label)?.[0] ?? null }));
    const seeds = [...new Set([...row.trials.map(({ study }) => study), ...all.map(({ seed }) => seed)])].sort((a, b) =>
      a - b
    );
    const studies = seeds.flatMap((seed) => {
      const own = tried.filter(({ trial }) => trial.study === seed);
      const waits = [row.label, ...own.map(({ trial }) => trial.label)].some((label) =>
        pending.has(runKey(label, seed))
      );
      return waits ? [] : studyOf(seed, all.find((run) => run.seed === seed) ?? null, own) ?? [];
    });
    const given = all.filter(({ seed }) => studies.some((study) => study.seed === seed));
    const runs = [...given, ...tried.flatMap(({ run }) => run ?? [])];
    return studies.length === 0 ? [] : [{ row, given, studies, planned: seeds.length, runs }];
  });
}

/** How many studies of configurations have a run that is still to come. */
export function incompleteStudies({ rows }: Tuning, pending: ReadonlySet<string>): number {
  const waiting = rows.flatMap(({ label, trials }) => [
    ...new Set(
      trials.filter((trial) => pending.has(runKey(trial.label, trial.study)) || pending.has(runKey(label, trial.study)))
        .map(({ study }) => study),
    ),
  ]);
  return waiting.length;
}

/** The chosen runs by the labels and places of their configurations. */
const chosenRuns = (found: readonly TunedRow[]): FinishedRun[] =>
  found.flatMap(({ row, given, studies }) =>
    studies.map(({ run }) => ({ ...run, label: row.label, ...placeOf(given) }))
  );

const placeOf = (given: readonly FinishedRun[]): Pick<FinishedRun, "across"> =>
  given[0]?.across === undefined ? {} : { across: given[0].across };

/**
 * Runs of configurations as given and those that were chosen on validation, by the same labels: for any comparison.
 *
 * @param pending As of `tuningResults`.
 */
export function givenAndTuned(
  tuning: Tuning,
  finished: readonly FinishedRun[],
  pending: ReadonlySet<string> = new Set(),
): { readonly given: FinishedRun[]; readonly tuned: FinishedRun[] } {
  const found = tunedRows(tuning, finished, pending);
  return { given: found.flatMap(({ given }) => given), tuned: chosenRuns(found) };
}

/**
 * Chooses in each study, on validation alone, and puts what is given and what was chosen side by side on test.
 *
 * @param finished Runs by the labels of the plan.
 * @param options.pending Runs that are still to come, by `runKey`. @default none
 * @returns A result for each configuration with a finished run in some study, in their order.
 */
export function tuningResults(
  tuning: Tuning,
  finished: readonly FinishedRun[],
  { reference, pending = new Set() }: { readonly reference: string; readonly pending?: ReadonlySet<string> },
): TuningResult[] {
  const found = tunedRows(tuning, finished, pending);
  const givenResults = resultsOf(found.flatMap((own) => own.given), reference);
  const tunedResults = resultsOf(chosenRuns(found), reference);
  return found.flatMap(({ row: { label, tuned: options, trials }, given: runs, studies, planned, runs: all }) => {
    const [given, tuned] = [givenResults.get(label), tunedResults.get(label)];
    if (given === undefined || tuned === undefined) return [];
    const values = (own: readonly FinishedRun[]) =>
      Object.fromEntries(own.map((run) => [run.seed, run.summary.test.accuracy]));
    const [gain] = versusReference(
      { label: `${label} as given`, values: values(runs) },
      [{ label, values: values(studies.map(({ run }) => run)), apart: null }],
    );
    const teachers = new Map(
      all.flatMap(({ summary }) => Object.values(summary.teachers ?? {}).map((own) => [own.id, own.samplesDrawn])),
    );
    const sum = (pick: (run: FinishedRun) => number) => all.reduce((total, run) => total + pick(run), 0);
    return [{
      label,
      ...placeOf(runs),
      options,
      given,
      tuned,
      gain,
      studies: studies.map(({ run: _, ...study }) => study),
      trials: 1 + trials.length / planned,
      cost: {
        runs: all.length,
        teachers: teachers.size,
        samplesDrawn: [...teachers.values()].reduce((total, own) => total + own, 0) +
          sum(({ summary }) => summary.samplesDrawn),
        seconds: sum(({ timing }) => timing.seconds),
      },
    }];
  });
}

function resultsOf(runs: readonly FinishedRun[], reference: string): Map<string, ConfigurationResult> {
  return new Map(collapseSeeds(runs, { reference }).map((result) => [result.label, result]));
}

/** What a study chose; `null` where none of its runs has finished. */
function studyOf(
  seed: number,
  given: FinishedRun | null,
  tried: readonly { readonly trial: Tuning["rows"][number]["trials"][number]; readonly run: FinishedRun | null }[],
): StudyResult & { readonly run: FinishedRun } | null {
  const candidates = [given, ...tried.map(({ run }) => run)].filter((run) => run !== null)
    .map((run) => ({ label: run.label, validation: run.summary.validation, run }));
  const best = chosen(candidates);
  if (best === null) return null;
  const trial = tried.find(({ run }) => run === best.run)?.trial ?? null;
  return {
    seed,
    label: best.label,
    settings: trial?.settings ?? [],
    validation: best.validation.accuracy,
    givenValidation: given?.summary.validation.accuracy ?? null,
    failed: tried.filter(({ run }) => run === null).length,
    id: best.run.id,
    run: best.run,
  };
}
