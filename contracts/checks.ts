/**
 * Promises that plugins of several kinds make about a model of theirs.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import { float32, int32, type NamedHostTensors } from "../core/program.ts";
import { groupOf } from "../core/scope.ts";
import { firstNonFinite } from "../core/check.ts";
import type { Model } from "../training/model.ts";
import type { Checkpoint } from "../training/checkpoint.ts";
import { type ContractTools, difference, must } from "./contract.ts";
import { changed, rowsOf, type StepFound, type StepOptions, type Steps, withSteps } from "./steps.ts";
import { type Kept, keptRun } from "./kept.ts";
import { type Rig, toyTraining } from "./toy.ts";

/** How far two ways of computing one number in single precision may lie apart. */
export const ROUNDING = 1e-4;
/** The same for gradients, which sum over more terms. */
const GRADIENT_ROUNDING = 1e-3;
/** How far equal sums may lie apart whose padded terms differ. */
export const PADDING = 1e-5;

/** Every value of a record of tensors is finite. */
export function mustBeFinite(what: string, tensors: NamedHostTensors): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    const index = firstNonFinite(data);
    must(index === -1, () => `${what}, "${name}" is ${data[index]} at position ${index}`);
  }
}

/**
 * Two steps are the same up to rounding.
 *
 * @param otherwise What is wrong with a value if it is not.
 * @param buffers Whether buffers count too.
 */
export function mustAgree(plain: StepFound, other: StepFound, otherwise: string, buffers: boolean): void {
  for (const [name, value] of Object.entries(plain.stats)) {
    const found = difference([other.stats[name]], [value], PADDING);
    must(found === null, () => `"${name}" of a step ${otherwise}: ${found}`);
  }
  for (const [name, values] of Object.entries(plain.gradients)) {
    const found = difference(other.gradients[name], values, PADDING);
    must(found === null, () => `the gradient of "${name}" ${otherwise}: ${found}`);
  }
  for (const [name, values] of Object.entries(buffers ? plain.buffers : {})) {
    const found = difference(other.buffers[name], values, PADDING);
    must(found === null, () => `buffer "${name}" ${otherwise}: ${found}`);
  }
}

/** Rows of weight 0 change nothing of a training step. */
export async function paddingHasNoInfluence(rig: Rig, { eager }: ContractTools): Promise<void> {
  await withSteps(rig, eager, async (steps) => {
    const weights = new Float32Array(steps.batch).fill(1);
    weights.fill(0, steps.batch - 2);
    const padded = [steps.batch - 2, steps.batch - 1];
    const feeds = { ...steps.feeds(), weights: float32(weights, [steps.batch]) };
    let others: NamedHostTensors = feeds;
    for (const name of Object.keys(feeds)) {
      if (names.input.has(name) || names.rows.has(name)) others = changed(others, name, padded);
    }
    const labels = Int32Array.from(
      steps.feeds()["labels"].data,
      (label, n) => padded.includes(n) ? (label + 1) % 3 : label,
    );
    const plain = await steps.train(feeds);
    const other = await steps.train({ ...others, labels: int32(labels, [steps.batch]) });
    mustAgree(plain, other, "depends on padded rows (weight 0)", true);
  });
}

/** A prediction for a sample is the same whatever else is in the batch. */
export async function rowsAreIndependent(
  rig: Rig,
  { eager }: ContractTools,
  options: StepOptions = {},
): Promise<void> {
  await withSteps(rig, eager, async (steps) => {
    const feeds = steps.feeds();
    const rows = Array.from({ length: steps.batch - 1 }, (_, i) => i + 1);
    let others: NamedHostTensors = feeds;
    for (const name of rig.model.context.modalities) others = changed(others, names.input.of(name), rows);
    const [plain, other] = [await steps.predict(feeds), await steps.predict(others)];
    for (const [name, value] of Object.entries(plain)) {
      const found = difference(rowsOf(other[name], [0]), rowsOf(value, [0]), PADDING);
      must(
        found === null,
        () => `output "${name}" of a sample in evaluation depends on the batch's other rows: ${found}`,
      );
    }
  }, options);
}

/** A step in which each sample has one modality alone is finite. */
export async function takesDropped(rig: Rig, { eager }: ContractTools): Promise<void> {
  const m = rig.model.context.modalities.length;
  await withSteps(rig, eager, async (steps) => {
    const one = Float32Array.from({ length: steps.batch * m }, (_, i) => i % m === Math.floor(i / m) % m ? 1 : 0);
    const { stats, gradients } = await steps.train({ ...steps.feeds(), keep: float32(one, [steps.batch, m]) });
    for (const [name, value] of Object.entries(stats)) {
      must(Number.isFinite(value), `with one modality kept per sample, "${name}" is ${value}`);
    }
    for (const [name, values] of Object.entries(gradients)) {
      must(values.every(Number.isFinite), `with one modality kept per sample, the gradient of "${name}" is not finite`);
    }
  });
}

/** Inputs at which formulas divide by nothing, lose their digits or have ties, by what they are. */
const oddInputs: Readonly<Record<string, (value: number, row: number) => number>> = {
  "zeros": () => 0,
  "zeros with a sign": () => -0,
  "rows that are all alike": () => 1,
  "values of 1e-30": (value) => 1e-30 * value,
  "values that are denormal": (value) => 1e-40 * value,
};

/** Every number that a step gives or keeps is finite. */
function mustBeFiniteStep(what: string, { stats, gradients, buffers }: StepFound): void {
  for (const [name, value] of Object.entries(stats)) {
    must(Number.isFinite(value), `on ${what}, "${name}" of a step is ${value}`);
  }
  for (const [name, values] of Object.entries(gradients)) {
    must(firstNonFinite(values) === -1, `on ${what}, the gradient of "${name}" is not finite`);
  }
  for (const [name, values] of Object.entries(buffers)) {
    const at = firstNonFinite(values);
    must(at === -1, `on ${what}, state "${name}" becomes ${values[at]}`);
  }
}

/** Float inputs of a step changed value by value. */
function changedInputs(
  { model }: Rig,
  feeds: NamedHostTensors,
  change: (value: number, row: number) => number,
  modalities: readonly string[] = model.context.modalities,
): NamedHostTensors {
  const others: Record<string, NamedHostTensors[string]> = { ...feeds };
  for (const name of modalities.map((modality) => names.input.of(modality))) {
    const { data, shape, dtype } = feeds[name];
    const width = data.length / shape[0];
    if (dtype !== "float32") continue;
    others[name] = float32(
      Float32Array.from(data as Float32Array, (value, i) => change(value, Math.floor(i / width))),
      shape,
    );
  }
  return others;
}

/**
 * Steps on odd inputs are finite, and a sample whose input is NaN keeps it to itself: its own prediction is NaN, as no value
 * hides it, and those of others are what they were.
 */
export async function oddInputsAreTaken(rig: Rig, { eager }: ContractTools, options: StepOptions = {}): Promise<void> {
  await withSteps(rig, eager, async (steps) => {
    const feeds = steps.feeds();
    for (const [what, change] of Object.entries(oddInputs)) {
      mustBeFiniteStep(what, await steps.train(changedInputs(rig, feeds, change)));
    }
    const plain = await steps.predict(feeds);
    for (const modality of rig.model.context.modalities) {
      if (feeds[names.input.of(modality)].dtype !== "float32") continue;
      const one = changedInputs(rig, feeds, (value, row) => row === 0 ? NaN : value, [modality]);
      const { logits } = await steps.predict(one);
      const rows = Array.from({ length: steps.batch - 1 }, (_, i) => i + 1);
      const found = difference(rowsOf(logits, rows), rowsOf(plain["logits"], rows), PADDING);
      must(found === null, () => `NaN in "${modality}" of one sample changes the logits of another: ${found}`);
      must(
        rowsOf(logits, [0]).some((value) => Number.isNaN(value)),
        `NaN in "${modality}" of a sample is hidden: its logits are ${rowsOf(logits, [0]).join(", ")}`,
      );
    }
  }, options);
}

/** Inputs on which scores tie, vanish or are as large as nobody means them, beside those of `oddInputs`. */
const extremeInputs: typeof oddInputs = { ...oddInputs, "values of 1e10": (value) => 1e10 * value };

/** Inputs whose squares, and products with each other, are beyond single precision. */
const hugeInputs: typeof oddInputs = {
  "values of 1e30": (value) => 1e30 * value,
  "values of 1e30 in one sample": (value, row) => row === 0 ? 1e30 * value : value,
  "infinity in one sample": (value, row) => row === 0 ? Infinity * Math.sign(value) : value,
};

/** Everything is finite, or a loss or statistic is not, of this step or, where state is all that overflows, of the next. */
async function mustBeFiniteOrShown(what: string, steps: Steps, feeds: NamedHostTensors): Promise<void> {
  const { stats, gradients, buffers } = await steps.train(feeds);
  const shown = (found: StepFound["stats"]) => Object.values(found).some((value) => !Number.isFinite(value));
  if (shown(stats)) return;
  for (const [kind, all] of [["the gradient of", gradients], ["state", buffers]] as const) {
    for (const [name, values] of Object.entries(all)) {
      if (firstNonFinite(values) === -1) continue;
      must(
        kind === "state" && shown((await steps.train(feeds, 2)).stats),
        `on ${what}, ${kind} "${name}" is not finite and no loss or statistic shows it`,
      );
    }
  }
}

/**
 * Steps on odd inputs, of one class and of one sample are finite, and so is the state that they leave; a loss that is no
 * number is shown by the step, so that training can stop at it.
 */
export async function oddStepsAreTaken(rig: Rig, { eager }: ContractTools): Promise<void> {
  await withSteps(rig, eager, async (steps) => {
    const feeds = steps.feeds();
    for (const [what, change] of Object.entries(extremeInputs)) {
      mustBeFiniteStep(what, await steps.train(changedInputs(rig, feeds, change)));
    }
    const { shape } = feeds["labels"];
    mustBeFiniteStep(
      "samples of one class",
      await steps.train({ ...feeds, labels: int32(new Int32Array(shape[0]), shape) }),
    );
    for (const modality of rig.model.context.modalities) {
      const { stats } = await steps.train(
        changedInputs(rig, feeds, (value, row) => row === 0 ? NaN : value, [modality]),
      );
      must(
        Object.values(stats).some((value) => !Number.isFinite(value)),
        `NaN in "${modality}" of a sample is hidden: every loss of the step is finite`,
      );
    }
    for (const [what, change] of Object.entries(hugeInputs)) {
      await mustBeFiniteOrShown(what, steps, changedInputs(rig, feeds, change));
    }
  });
  await withSteps(rig, eager, async (steps) => mustBeFiniteStep("a batch of one sample", await steps.train()), {
    batch: 1,
  });
}

/**
 * The compiled engine computes what the eager one does.
 *
 * @param amplified How much larger rounding may be than elsewhere.
 * @param options Of its steps.
 */
export async function tracedEqualsEager(
  rig: () => Rig,
  { eager, compiled }: ContractTools,
  amplified: number = 1,
  options: StepOptions = {},
): Promise<void> {
  const run = (engine: ContractTools["eager"]) =>
    withSteps(rig(), engine, async (steps) => ({ step: await steps.train(), output: await steps.predict() }), options);
  const [one, two] = [await run(eager), await run(compiled)];
  const compare = (what: string, found: ArrayLike<number>, expected: ArrayLike<number>, bound = ROUNDING) => {
    const text = difference(found, expected, bound * amplified);
    must(text === null, () => `compiled and eager ${what} differ: ${text}; does something traced read values?`);
  };
  for (const [name, { data }] of Object.entries(one.output)) compare(`output "${name}"`, two.output[name].data, data);
  for (const [name, value] of Object.entries(one.step.stats)) compare(`"${name}"`, [two.step.stats[name]], [value]);
  for (const [name, values] of Object.entries(one.step.gradients)) {
    compare(`gradient of "${name}"`, two.step.gradients[name], values, GRADIENT_ROUNDING);
  }
  for (const [name, values] of Object.entries(one.step.buffers)) {
    compare(`buffer "${name}"`, two.step.buffers[name], values);
  }
}

/** Building, stepping, predicting and disposing leaves no tensor behind. */
export async function leavesNoTensor(
  rig: () => Rig,
  { eager }: ContractTools,
  options: StepOptions = {},
): Promise<void> {
  const cycle = () =>
    withSteps(rig(), eager, async (steps) => {
      await steps.train();
      await steps.predict();
    }, options);
  await cycle(); // what is made once and kept, such as an engine's own constants, is no leak
  const before = tf.memory().numTensors;
  await cycle();
  const left = tf.memory().numTensors - before;
  must(left === 0, `a step and a prediction leave ${left} tensors behind; make tensors inside the hooks and keep none`);
}

/** A gradient that is finite, and not 0 everywhere, for the encoder of every modality. Returns all gradients. */
export async function everyModalityIsMoved(
  rig: Rig,
  { eager }: ContractTools,
  options: StepOptions = {},
): Promise<StepFound["gradients"]> {
  const { gradients } = await withSteps(rig, eager, (steps) => steps.train(), options);
  // An encoder without parameters (ready features) has nothing that could be moved.
  const trains = rig.model.context.modalities.filter((modality) => hasParameters(Object.keys(gradients), modality));
  const largest: Record<string, number> = byModality(trains, () => 0);
  for (const [name, values] of Object.entries(gradients)) {
    const index = firstNonFinite(values);
    must(index === -1, () => `the gradient of "${name}" is ${values[index]}`);
    const group = groupOf(name);
    if (!group.startsWith("encoder:")) continue;
    const modality = group.slice("encoder:".length);
    for (const value of values) largest[modality] = Math.max(largest[modality], Math.abs(value));
  }
  for (const [modality, value] of Object.entries(largest)) {
    must(value > 1e-9, `no gradient reaches the encoder of "${modality}": the largest entry is ${value}`);
  }
  return gradients;
}

/** Whether parameters of a modality's encoder are among some names. */
function hasParameters(params: readonly string[], modality: string): boolean {
  return params.some((name) => groupOf(name) === `encoder:${modality}`);
}

function trained(model: Model, rig: Rig, tools: ContractTools, resume?: Checkpoint): Promise<Kept> {
  const engine = tools.compiled;
  const teachers = rig.teachers?.(engine);
  // The first run leaves checkpoints within its epochs too.
  const checkpointEvery = resume === undefined ? { steps: 3 } : undefined;
  return keptRun({
    model,
    dataset: rig.dataset,
    engine,
    training: toyTraining,
    seed: 0,
    resume,
    teachers,
    checkpointEvery,
  });
}

/**
 * A run trains with finite losses and moves every encoder; a run that goes on from its checkpoint ends with the same bytes.
 */
export async function resumesBitForBit(rig: () => Rig, tools: ContractTools): Promise<void> {
  const first = rig();
  const whole = await trained(first.model, first, tools);
  for (const { epoch, loss } of whole.records) {
    for (const [name, value] of Object.entries(loss)) {
      must(Number.isFinite(value), `loss "${name}" is ${value} in epoch ${epoch + 1}`);
    }
  }
  for (const modality of first.model.context.modalities) {
    if (!hasParameters(Object.keys(whole.result.params), modality)) continue;
    const moves = Object.entries(whole.result.params).some(([name, { data }]) =>
      groupOf(name) === `encoder:${modality}` &&
      whole.checkpoints[0].tensors[names.param.of(name)].data.some((value, i) => value !== data[i])
    );
    must(moves, `training does not move the encoder of "${modality}"`);
  }
  // In the second epoch a method is past any warm-up.
  const places: [string, Checkpoint | undefined][] = [
    ["after its second epoch", whole.checkpoints[1]],
    ["within its third epoch", whole.within.find(({ state }) => state.epochs === 2)],
  ];
  for (const [place, checkpoint] of places) {
    if (checkpoint !== undefined) await endsLike(whole, place, checkpoint, rig(), tools);
  }
}

/** A run that goes on from a checkpoint of the third epoch ends like the one that left it. */
async function endsLike(
  whole: Kept,
  place: string,
  checkpoint: Checkpoint,
  next: Rig,
  tools: ContractTools,
): Promise<void> {
  const rest = await trained(next.model, next, tools, checkpoint);
  const where = `a run that goes on ${place} does not end like one that was never stopped`;
  const hint = "does something live outside of buffers, tables and save()?";
  for (const [name, { data }] of Object.entries(whole.result.params)) {
    const found = difference(rest.result.params[name].data, data, 0);
    must(found === null, () => `${where}: parameter "${name}" is ${found}; ${hint}`);
  }
  const [one, two] = [whole.records.slice(2), rest.records].map((records) => JSON.stringify(records));
  must(one === two, `${where}: their logs differ; ${hint}`);
  const [ended, resumed] = [whole, rest].map(({ result }) => JSON.stringify(result.summary));
  must(ended === resumed, `${where}: their summaries differ; ${hint}`);
}
