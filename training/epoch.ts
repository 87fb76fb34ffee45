/**
 * An epoch: what methods do before it, its plan, its steps, and what they do after it; from any place in it.
 *
 * @module
 */
import type { Method, Segment } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import type { SplitMetrics } from "../core/record.ts";
import { InterruptedError } from "./errors.ts";
import type { SavedHook } from "./journal.ts";
import type { Run } from "./run.ts";
import type { Done, StepTotals } from "./trainer.ts";

/** Hooks of methods that wait for the host. */
export type HookName = "beforeEpoch" | "plan" | "afterEpoch";

/** A place within an epoch. */
export type Place = StepsPlace | HookPlace;

/** Among the steps of the plan, or behind them. */
export interface StepsPlace {
  readonly at: "steps";
  readonly plan: readonly Segment[];
  readonly done: Done;
}

/** In a hook of a method. */
export interface HookPlace {
  readonly at: HookName;
  /** Which method's, by its place among them. */
  readonly method: number;
  /** The plan as the methods before it left it, for `plan`. */
  readonly plan: readonly Segment[] | null;
  /** What the epoch gave, for `afterEpoch`. */
  readonly trained: TrainedEpoch | null;
  readonly hook: SavedHook;
}

/** What an epoch's steps gave. */
export interface TrainedEpoch {
  readonly totals: StepTotals;
  /** Metrics of the validation split. */
  readonly metrics: SplitMetrics;
}

/** Called at every place where an epoch can be taken up again; `null` at places where it cannot. May throw to stop. */
export type EpochPause = (place: () => Place | null) => void | Promise<void>;

/** How an epoch is run. */
export interface EpochOptions {
  /** Go on from here. @default the start */
  readonly from?: Place | null;
  /** @default nothing is kept; the run's signal stops it between two batches */
  readonly pause?: EpochPause;
}

/** Runs one hook of every method, from the one where the run was stopped. */
async function hooks<T>(
  run: Run,
  name: HookName,
  about: () => Pick<HookPlace, "plan" | "trained">,
  call: (method: Method) => T | Promise<T>,
  { from, pause }: EpochOptions,
): Promise<void> {
  const resumed = from?.at === name ? from : null;
  for (const [index, method] of run.state.parts.model.methods.entries()) {
    if (index < (resumed?.method ?? 0) || method[name] === undefined) continue;
    const hookPause = pause === undefined ? null : (saved: () => SavedHook | null) =>
      pause(() => {
        const hook = saved();
        return hook === null ? null : { at: name, method: index, ...about(), hook };
      });
    await run.host.hook(() => call(method), hookPause, index === resumed?.method ? resumed.hook : null);
  }
}

/** What methods do before the epoch, and its plan. */
async function planned(run: Run, options: EpochOptions): Promise<readonly Segment[]> {
  const { state, trainer, host } = run;
  const { from } = options;
  const none = () => ({ plan: null, trained: null });
  if (from?.at !== "plan") await hooks(run, "beforeEpoch", none, (method) => method.beforeEpoch!(host), options);
  const order = trainer.parts.random.split("order", state.epoch).permutation(state.parts.dataset.splits.train.size);
  let plan: readonly Segment[] = (from?.at === "plan" ? from.plan : null) ?? [{ programs: ["main"], items: order }];
  await hooks(run, "plan", () => ({ plan, trained: null }), async (method) => {
    plan = await method.plan!(host, plan) ?? plan;
  }, options);
  return plan;
}

/**
 * Trains the epoch `run.state.epoch`: what methods do before it, its plan, its steps, the means of features.
 *
 * @returns Sums over its steps, and the place behind them.
 * @throws {Refusal} If its plan is empty.
 */
export async function trainEpoch(
  run: Run,
  options: EpochOptions = {},
): Promise<{ totals: StepTotals; end: StepsPlace }> {
  const { state, trainer } = run;
  const { from, pause } = options;
  const steps = from?.at === "steps" ? from : null;
  const plan = steps?.plan ?? await planned(run, options);
  const totals = await trainer.run(plan, `epoch/${state.epoch}`, {
    from: steps?.done,
    pause: pause === undefined ? undefined : (done) => pause(() => ({ at: "steps", plan, done: done() })),
  });
  if (totals.steps === 0) {
    throw new Refusal({
      what: `train epoch ${state.epoch + 1}`,
      must: "its plan must hold at least one sample",
      found: "it holds none",
    });
  }
  await state.finishFeatureMeans();
  const last = plan.length - 1;
  const position = { segment: last, repetition: plan[last].epochs ?? 1, items: 0 };
  return { totals, end: { at: "steps", plan, done: { position, totals } } };
}

/**
 * Trains an epoch, measures it, and lets methods act after it.
 *
 * @param measured Measures the validation split.
 */
export async function wholeEpoch(
  run: Run,
  measured: () => Promise<SplitMetrics>,
  options: EpochOptions = {},
): Promise<TrainedEpoch> {
  const { from, pause } = options;
  let trained = from?.at === "afterEpoch" ? from.trained : null;
  if (trained === null) {
    const { totals, end } = await trainEpoch(run, options);
    try {
      trained = { totals, metrics: await measured() };
    } catch (error) {
      // Evaluation changes nothing: a run that is stopped in it goes on behind the steps.
      if (error instanceof InterruptedError) await pause?.(() => end);
      throw error;
    }
  }
  const about = { plan: null, trained };
  await hooks(run, "afterEpoch", () => about, (method) => method.afterEpoch!(run.host), options);
  return trained;
}
