/**
 * One optimiser step as a program.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { record } from "../../tensor/autodiff.ts";
import { at, byModality } from "../../core/modality.ts";
import * as names from "../../core/names.ts";
import type { GradientBook, ProgramSpec, TrainStep } from "../../core/kinds/mod.ts";
import type { NamedSpecs, NamedTensors, Program, ProgramResult, TensorSpec } from "../../core/program.ts";
import { badResult } from "../../core/plugin_error.ts";
import { Refusal } from "../../core/refusal.ts";
import { groupOf } from "../../core/scope.ts";
import { clipByGlobalNorm, type Optimizer } from "../../nn/optimizers.ts";
import { bindScope, type BoundScope } from "../../nn/scope.ts";
import { startRows } from "../declarations.ts";
import { type LossTerms, lossTerms, trainStep } from "../losses.ts";
import { type Forward, forward } from "../forward.ts";
import { accumulateFeatures, type Model } from "../model.ts";
import { selects } from "../select.ts";
import type { Layout } from "../state.ts";
import {
  controlSpecs,
  fedInputs,
  inputSpecs,
  keepColumns,
  modelSpecs,
  presentColumns,
  type ProgramParts,
  restricted,
  spec,
} from "./parts.ts";

/** A training program; `statNames` is known once it has been traced or run. */
export interface TrainProgram extends Program {
  /** Names of the entries of the output `stats`, in order. */
  readonly statNames: readonly string[];
}

/** The parameters that a program trains, sorted. @throws {Refusal} If there are none. */
function trainedBy(
  name: string,
  selectors: readonly string[],
  { params }: Layout,
  { frozen = [], blank = {} }: Model,
): string[] {
  const groups = [
    // Frozen encoders whose features are ready have no parameters here.
    ...new Set([...Object.keys(blank).map((modality) => `encoder:${modality}`), ...Object.keys(params).map(groupOf)]),
  ];
  const unknown = frozen.find((selector) => !groups.some((group) => selects([selector], group)));
  if (unknown !== undefined) {
    throw new Refusal({
      what: `freeze "${unknown}"`,
      must: "there must be a group of parameters of that name",
      found: `groups are ${groups.join(", ")}`,
    });
  }
  const trained = Object.keys(params).filter((full) =>
    selects(selectors, groupOf(full)) && !selects(frozen, groupOf(full))
  );
  if (trained.length > 0) return trained;
  if (frozen.length > 0) {
    throw new Refusal({
      what: `build program "${name}"`,
      must: "it must train at least one parameter",
      found: `of groups ${selectors.join(", ")} all are frozen (${frozen.join(", ")})`,
    });
  }
  throw new Refusal({
    what: `build program "${name}"`,
    must: "it must train at least one parameter",
    found: `groups ${selectors.join(", ")} fit none of ${groups.join(", ")}`,
  });
}

/** Everything that a step is fed. */
function stepInputs(parts: ProgramParts): NamedSpecs {
  const { model, merged, batchSize, grouped = false } = parts;
  const inputs: Record<string, TensorSpec> = { ...inputSpecs(parts) };
  inputs["labels"] = spec([batchSize], "int32");
  inputs["weights"] = spec([batchSize]);
  inputs["key"] = spec([2], "int32");
  if (grouped) inputs["groups"] = spec([batchSize], "int32");
  if (merged.keep) inputs["keep"] = spec([batchSize, model.context.modalities.length]);
  for (const [column, { width }] of Object.entries(merged.columns)) {
    inputs[names.rows.of(column)] = spec([batchSize, width]);
  }
  return { ...inputs, ...controlSpecs(merged) };
}

/** The tensors of a model and what the optimiser keeps of the parameters that are trained. */
function stepState(layout: Layout, trained: readonly string[], optimizer: Optimizer): NamedSpecs {
  const specs: Record<string, TensorSpec> = { ...modelSpecs(layout) };
  for (const full of trained) {
    for (const slot of optimizer.slots) specs[names.slotOf(slot, full)] = layout.params[full];
    specs[names.updates.of(groupOf(full))] = spec([]);
  }
  return specs;
}

/** A forward pass with its loss terms. */
interface Passed extends LossTerms {
  readonly pass: Forward;
  readonly step: TrainStep;
}

/** Runs the model on what a step is fed. */
function passOf(
  parts: ProgramParts,
  only: ProgramSpec["modalities"],
  fed: Readonly<NamedTensors>,
  { scope }: BoundScope,
): Passed {
  const { model, merged, layout, batchSize } = parts;
  const { modalities } = model.context;
  const labels = fed["labels"] as tf.Tensor1D;
  const kept = merged.keep ? keepColumns(fed["keep"], modalities) : null;
  const pass = forward(model, {
    ...fedInputs(parts, fed),
    keep: only === undefined ? kept : restricted(kept, only, modalities, batchSize),
    present: presentColumns(parts, fed),
    rows: (column) => {
      startRows(merged, column, 1); // speaks if nobody declared it
      return fed[names.rows.of(column)] as tf.Tensor2D;
    },
    labels,
    groups: fed["groups"] as tf.Tensor1D | undefined,
    only: only === undefined ? undefined : { modalities: only, widths: layout.widths },
  }, scope);
  const weights = fed["weights"] as tf.Tensor1D;
  const step = trainStep(pass.step, labels, pass.weights === null ? weights : tf.mul(weights, pass.weights));
  return { pass, step, ...lossTerms(model, step) };
}

/**
 * Factors on the learning rate by parameter group: the run's, then the methods'.
 *
 * @param all Groups that there are. A method may name those of other fusions, and of encoders whose features are ready.
 * @throws {PluginError} If a method names a group that is none.
 */
function ratesOf(
  model: Model,
  step: TrainStep,
  groups: ReadonlySet<string>,
  all: ReadonlySet<string>,
): Record<string, tf.Tensor> {
  const rates: Record<string, tf.Tensor> = {};
  const { modalities } = model.context;
  const usual = new Set(["fusion", "head", ...modalities.flatMap((own) => [`encoder:${own}`, `head:${own}`])]);
  for (const group of groups) {
    const own = Object.entries(model.rates ?? {}).filter(([selector]) => selects([selector], group));
    if (own.length > 0) rates[group] = tf.scalar(own.reduce((product, [, factor]) => product * factor, 1));
  }
  for (const method of model.methods) {
    for (const [group, factor] of Object.entries(method.rates?.(step) ?? {})) {
      if (!all.has(group) && !usual.has(group)) {
        const found = `groups are ${[...all].sort().join(", ")}`;
        throw badResult(
          `method "${method.name}"`,
          "rates",
          new RangeError(`there is no group "${group}": ${found}`),
        );
      }
      rates[group] = group in rates ? tf.mul(rates[group], factor) : factor;
    }
  }
  return rates;
}

/** Factors on the learning rate. */
interface Rates {
  readonly byGroup: Readonly<Record<string, tf.Tensor>>;
  readonly byName: Readonly<Record<string, number>>;
}

function scaledRate(rate: tf.Scalar, byGroup: tf.Tensor | undefined, byName = 1): tf.Scalar {
  const scaled = byGroup === undefined ? rate : tf.mul(rate, byGroup);
  return (byName === 1 ? scaled : tf.mul(scaled, byName)) as tf.Scalar;
}

/** Parameters, slots and counts after the optimiser's update. */
function updated(
  given: Readonly<NamedTensors>,
  gradients: Readonly<NamedTensors>,
  trained: readonly string[],
  optimizer: Optimizer,
  learningRate: tf.Scalar,
  rates: Rates,
): NamedTensors {
  const next: NamedTensors = {};
  for (const group of new Set(trained.map(groupOf))) {
    const name = names.updates.of(group);
    next[name] = tf.add(given[name], 1);
  }
  for (const full of trained) {
    const gradient = gradients[full];
    if (gradient === undefined) continue; // not part of this loss: as in PyTorch, such a parameter is left alone
    const slots: NamedTensors = {};
    for (const slot of optimizer.slots) slots[slot] = given[names.slotOf(slot, full)];
    const moved = optimizer.apply(given[names.param.of(full)], gradient, slots, {
      learningRate: scaledRate(learningRate, rates.byGroup[groupOf(full)], rates.byName[full]),
      step: next[names.updates.of(groupOf(full))] as tf.Scalar,
    });
    next[names.param.of(full)] = moved.param;
    for (const slot of optimizer.slots) next[names.slotOf(slot, full)] = moved.slots[slot];
  }
  return next;
}

/** Losses that are minimised, and the number of right predictions among rows with weight. */
function lossStats(
  { terms, step }: Passed,
  minimised: readonly string[],
  weights: tf.Tensor1D,
): Record<string, tf.Tensor> {
  const stats: Record<string, tf.Tensor> = {};
  for (const key of minimised) stats[`loss/${key}`] = terms[key];
  stats["loss/total"] = minimised.map((key) => terms[key]).reduce((sum, term) => tf.add(sum, term));
  const hit = tf.cast(tf.equal(tf.argMax(step.output.logits, 1), step.labels), "float32");
  stats["correct"] = tf.sum(tf.mul(hit, weights));
  return stats;
}

/** What methods give out of a step: table rows by device name, and statistics that are added to `stats`. */
function emitted({ model, merged }: ProgramParts, step: TrainStep, stats: Record<string, tf.Tensor>): NamedTensors {
  const rows: NamedTensors = {};
  for (const method of model.methods) {
    const given = method.emit?.(step);
    const stray = Object.keys(given?.rows ?? {}).find((column) => !Object.hasOwn(merged.columns, column));
    if (stray !== undefined) {
      const declared = Object.keys(merged.columns).sort().join(", ") || "none";
      const found = new RangeError(`there is no column "${stray}": declared are ${declared} (declares.columns)`);
      throw badResult(`method "${method.name}"`, "emit", found);
    }
    Object.assign(rows, names.rows.over(given?.rows ?? {}));
    for (const [key, value] of Object.entries(given?.stats ?? {})) stats[`${method.name}/${key}`] = value;
  }
  return rows;
}

/**
 * One optimiser step.
 *
 * Order: gather rows, input hooks, encoders and gates, features hooks, fusion, output hooks, loss terms, gradients,
 * gradient hooks, clipping, update, emit.
 *
 * @param clipNorm Largest global gradient norm; 0 turns clipping off.
 */
export function trainProgram(
  parts: ProgramParts,
  optimizer: Optimizer,
  clipNorm: number,
  { name, train = ["*"], lossKeys, modalities: only }: ProgramSpec,
): TrainProgram {
  const { model, layout } = parts;
  const trained = trainedBy(name, train, layout, model);
  const moved = new Set(trained.map(groupOf));
  const groups = new Set(Object.keys(layout.params).map(groupOf));
  const idle = new Set([...groups].filter((group) => !moved.has(group)));
  const statNames: string[] = [];

  function apply(given: Readonly<NamedTensors>, fed: Readonly<NamedTensors>): ProgramResult {
    const params = names.param.under(given);
    const controls = names.control.under(fed);
    const weights = fed["weights"] as tf.Tensor1D;
    const bound = bindScope({
      params,
      buffers: names.buffer.under(given),
      controls,
      key: fed["key"] as tf.Tensor1D,
      mode: "train",
      weights,
    });
    const recording = record(() => passOf(parts, only, fed, bound));
    const { pass, step, terms, task } = recording.value;
    const minimised = lossKeys ?? Object.keys(terms);
    const by = trained.map((full) => params[full]);
    const differentiate = (keys: readonly string[]): NamedTensors => {
      const found: NamedTensors = {};
      recording.gradients(keys.map((key) => termOf(terms, key, name)), by).forEach((gradient, index) => {
        if (gradient !== null) found[trained[index]] = gradient;
      });
      return found;
    };
    const book: GradientBook = {
      keys: Object.keys(terms),
      task,
      total: () => differentiate(minimised),
      of: differentiate,
      params,
    };
    let gradients = book.total();
    for (const method of model.methods) gradients = method.gradients?.(gradients, book, step) ?? gradients;

    const stats = lossStats(recording.value, minimised, weights);
    if (clipNorm > 0) {
      const clipped = clipByGlobalNorm(gradients, clipNorm);
      gradients = clipped.gradients;
      stats["gradientNorm"] = clipped.norm;
      stats["clipped"] = tf.cast(clipped.clipped, "float32");
    }
    const seen = only === undefined ? pass.encoded : byModality(only, (modality) => at(pass.encoded, modality));
    accumulateFeatures(seen, weights, pass.step.keep, bound.scope);
    const rows = emitted(parts, step, stats);
    const next = {
      ...updated(
        given,
        gradients,
        trained,
        optimizer,
        controls["learningRate"] as tf.Scalar,
        { byGroup: ratesOf(model, step, moved, groups), byName: layout.rates ?? {} },
      ),
      // What a program does not train keeps its running statistics too.
      ...names.buffer.over(
        Object.fromEntries(Object.entries(bound.updates()).filter(([full]) => !idle.has(groupOf(full)))),
      ),
    };
    statNames.splice(0, statNames.length, ...Object.keys(stats));
    const packed = tf.stack(Object.values(stats).map((value) => tf.reshape(value, [])));
    recording.dispose();
    return { state: next, outputs: { stats: packed, ...rows } };
  }
  return {
    name: `train/${name}`,
    state: stepState(layout, trained, optimizer),
    inputs: stepInputs(parts),
    apply,
    statNames,
  };
}

/** A loss term by its key. @throws {RangeError} If there is none. */
function termOf(terms: LossTerms["terms"], key: string, program: string): tf.Scalar {
  if (Object.hasOwn(terms, key)) return terms[key];
  throw new RangeError(
    `Cannot differentiate loss term "${key}" in program "${program}": terms are ${Object.keys(terms).join(", ")}`,
  );
}
