/** An experiment that tunes two rows on two data sets, as `armlab tune` leaves it. */
import { writeExperiment } from "../../store/experiments.ts";
import { configurationId } from "../../store/run_id.ts";
import { configOf, type RunSpec, writeRun } from "./runs.ts";

const seeds = [0, 1, 2];
const data = ["easy", "hard"];

/**
 * Writes it and its runs, a trial in each study. As given `concat` has 0.8 on `easy` and 0.6 on `hard` and tuning adds
 * nothing; the other has 0.81 and 0.61, and its trial, at a rate of 0.1, 0.85 and 0.65.
 *
 * @param options.other Name of the second subject.
 * @param options.left Leaves the last trial of the second subject to be made.
 */
export async function writeTuned(
  runs: string,
  { other = "arm", left = false }: { readonly other?: string; readonly left?: boolean } = {},
): Promise<void> {
  const rows = [];
  const tuned = [];
  for (const [i, subject] of ["concat", other].entries()) {
    for (const [j, set] of data.entries()) {
      const label = `${subject}, ${set}`;
      const spec = (seed: number, trial: boolean): RunSpec => ({
        seed,
        dataset: set,
        fusionOptions: { width: i },
        training: { learningRate: trial ? 0.1 : 0.02 },
        accuracy: 0.8 - 0.2 * j + 0.01 * i + (trial ? 0.05 * i - 0.05 * (1 - i) - 0.01 * i : 0) + 0.001 * seed,
      });
      const rowOf = (own: string, specs: readonly RunSpec[]) => ({
        label: own,
        configuration: configurationId(configOf(specs[0])),
        runs: specs.map((one) => ({ seed: one.seed!, id: writeRun(runs, one) })),
      });
      rows.push({ ...rowOf(label, seeds.map((seed) => spec(seed, false))), across: { subject, data: set } });
      const trials = seeds.map((seed) => ({
        label: `${label}, study ${seed}, trial 1`,
        study: seed,
        settings: ["training.learningRate=0.1"],
      }));
      for (const trial of trials) rows.push(rowOf(trial.label, [spec(trial.study, true)]));
      if (left && i === 1 && j === 1) Deno.removeSync(`${runs}/${rows.at(-1)!.runs[0].id}`, { recursive: true });
      tuned.push({ label, tuned: ["training.learningRate"], trials });
    }
  }
  await writeExperiment(runs, {
    format: 1,
    name: "tuned",
    question: "Does it help?",
    command: "deno task armlab tune",
    rows,
    reference: "concat, easy",
    seeds,
    budget: "equal",
    plugins: [],
    tuning: { trials: 1, rows: tuned },
    writtenAt: new Date(0).toISOString(),
  });
}
