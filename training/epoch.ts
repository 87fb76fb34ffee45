/**
 * An epoch: what methods do before it, its plan, its steps, and what they do after it.
 *
 * @module
 */
import type { Segment } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import type { measureFollowing } from "./evaluate.ts";
import type { Journal } from "./journal.ts";
import type { Run } from "./run.ts";
import type { StepTotals } from "./trainer.ts";

/** What is measured of the validation split. */
export type Measured = Awaited<ReturnType<typeof measureFollowing>>;

/** What an epoch gave. */
export interface TrainedEpoch extends Measured {
  readonly totals: StepTotals;
}

/**
 * Trains the epoch `run.state.epoch`: what methods do before it, its plan, its steps, the means of features.
 *
 * @param journal Answers what the epoch waits for. @default everything is computed, and nothing kept
 * @returns Sums over its steps.
 * @throws {Refusal} If its plan is empty.
 */
export async function trainEpoch(run: Run, journal: Journal | null = null): Promise<StepTotals> {
  const { host, state, trainer } = run;
  const { model: { methods }, dataset: { splits: { train: { size } } } } = state.parts;
  for (const method of methods) await method.beforeEpoch?.(host);
  const items = trainer.parts.random.split("order", state.epoch).permutation(size);
  let plan: readonly Segment[] = [{ programs: ["main"], items }];
  for (const method of methods) plan = await method.plan?.(host, plan) ?? plan;
  const stream = `epoch/${state.epoch}`;
  const totals = journal === null
    ? await trainer.run(plan, stream)
    : await journal.train("steps", (options) => trainer.run(plan, stream, options));
  if (totals.steps === 0) {
    throw new Refusal({
      what: `train epoch ${state.epoch + 1}`,
      must: "it must draw at least one sample",
      found: plan.some(({ items: planned }) => planned.length > 0)
        ? "the budget of samples was used up by what methods trained before it"
        : "its plan holds none",
    });
  }
  const means = () => state.finishFeatureMeans();
  await (journal === null ? means() : journal.answer("means", means));
  return totals;
}

/**
 * Trains an epoch, measures it, and lets methods act after it.
 *
 * @param measured Measures the validation split.
 * @param journal As in `trainEpoch`.
 */
export async function wholeEpoch(
  run: Run,
  measured: () => Promise<Measured>,
  journal: Journal | null = null,
): Promise<TrainedEpoch> {
  const totals = await trainEpoch(run, journal);
  const found = await (journal === null ? measured() : journal.answer("validation", measured));
  for (const method of run.state.parts.model.methods) await method.afterEpoch?.(run.host);
  return { totals, ...found };
}
