/**
 * Tuning at equal cost: every configuration gets as many trials, chosen on validation in each of several studies.
 *
 * @module
 */
import type { CellRequest } from "../../core/kinds/mod.ts";
import type { Library } from "../../core/library.ts";
import type { Experiment, SplitMetrics } from "../../core/record.ts";
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
  /** What is kept of it beside the runs. */
  readonly tuning: Tuning;
}

/** Which rows of an experiment are trials of which. */
export type Tuning = NonNullable<Experiment["tuning"]>;

/**
 * Plans studies: one for each seed, in which every configuration is trained as it is and with the settings of `trials`
 * points. The points are the same for all configurations and others for each study.
 *
 * @throws {Refusal} If there is nothing to tune in a configuration.
 */
export function planTuning(
  requests: readonly CellRequest[],
  options: { readonly seeds: readonly number[]; readonly trials: number; readonly library: Library },
): TuningPlan {
  const { seeds, trials, library } = options;
  const studies = new Map<string, number>();
  const cells: CellRequest[] = [...requests];
  const rows = requests.map((request): Tuning["rows"][number] => {
    const space = searchSpace(request, library);
    const own = seeds.flatMap((seed, study) =>
      Array.from({ length: trials }, (_, trial) => {
        const settings = settingsAt(space, study * trials + trial);
        const [set] = applySettings([request], settings, library);
        const label = `${request.label}, study ${seed}, trial ${trial + 1}`;
        studies.set(label, seed);
        cells.push({ ...set, label });
        return { label, study: seed, settings };
      })
    );
    return { label: request.label, tuned: space.map(({ key }) => key), trials: own };
  });
  return {
    cells,
    seedsOf: ({ label }) => studies.has(label) ? [studies.get(label)!] : seeds,
    tuning: { trials, rows },
  };
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
  /** Options that were tuned. */
  readonly options: readonly string[];
  readonly given: ConfigurationResult;
  /** Compared with the tuned reference. */
  readonly tuned: ConfigurationResult;
  /** The tuned one minus the given one, over studies. */
  readonly gain: Versus;
  readonly studies: readonly StudyResult[];
  /** Of all trials and of what is given, which is a trial too, over all studies. */
  readonly cost: { readonly runs: number; readonly samplesDrawn: number; readonly seconds: number };
}

/**
 * Chooses in each study, on validation alone, and puts what is given and what was chosen side by side on test.
 *
 * @param finished Runs by the labels of the plan.
 * @returns A result for each configuration with a finished run in some study, in their order.
 */
export function tuningResults(
  { rows }: Tuning,
  finished: readonly FinishedRun[],
  { reference }: { readonly reference: string },
): TuningResult[] {
  const byLabel = Map.groupBy(finished, ({ label }) => label);
  const found = rows.flatMap(({ label, tuned, trials }) => {
    const given = byLabel.get(label) ?? [];
    const tried = trials.map((trial) => ({ trial, run: byLabel.get(trial.label)?.[0] ?? null }));
    const studies = [...new Set(trials.map(({ study }) => study))].flatMap((seed) => {
      const own = tried.filter(({ trial }) => trial.study === seed);
      return studyOf(seed, given.find((run) => run.seed === seed) ?? null, own) ?? [];
    });
    const runs = [...given, ...tried.flatMap(({ run }) => run ?? [])];
    return studies.length === 0 ? [] : [{ label, options: tuned, given, studies, runs }];
  });
  const givenResults = resultsOf(found.flatMap(({ given }) => given), reference);
  const tunedRuns = found.flatMap(({ label, studies }) => studies.map(({ run }) => ({ ...run, label })));
  const tunedResults = resultsOf(tunedRuns, reference);
  return found.flatMap(({ label, options, studies, runs }) => {
    const [given, tuned] = [givenResults.get(label), tunedResults.get(label)];
    if (given === undefined || tuned === undefined) return [];
    const values = (own: readonly FinishedRun[]) =>
      Object.fromEntries(own.filter((run) => run.label === label).map((run) => [run.seed, run.summary.test.accuracy]));
    const [gain] = versusReference(
      { label: `${label} as given`, values: values(found.find((own) => own.label === label)!.given) },
      [{ label, values: values(tunedRuns), apart: null }],
    );
    const sum = (pick: (run: FinishedRun) => number) => runs.reduce((total, run) => total + pick(run), 0);
    return [{
      label,
      options,
      given,
      tuned,
      gain,
      studies: studies.map(({ run: _, ...study }) => study),
      cost: {
        runs: runs.length,
        samplesDrawn: sum(({ summary }) => summary.samplesDrawn),
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
