/**
 * The traced programs of a run: training steps, prediction, and information between features.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { record } from "../tensor/autodiff.ts";
import { at, byModality } from "../core/modality.ts";
import type { Dataset, GradientBook, Keep, ProgramSpec } from "../core/kinds/mod.ts";
import type { NamedSpecs, NamedTensors, Program, ProgramResult, TensorSpec } from "../core/program.ts";
import { groupOf } from "../core/scope.ts";
import { clipByGlobalNorm, type Optimizer } from "../nn/optimizers.ts";
import { bindScope } from "../nn/scope.ts";
import { lossTerms, trainStep } from "./losses.ts";
import { ablateMean, accumulateFeatures, forward, type Model, subsetKeep } from "./model.ts";
import { selects } from "./select.ts";
import { type InitialState, type Merged, startRows } from "./state.ts";

/** What all programs of a run are built from. */
export interface ProgramParts {
  readonly model: Model;
  readonly modalities: Dataset["modalities"];
  readonly merged: Merged;
  readonly initial: InitialState;
  readonly batchSize: number;
}

/** A training program; `statNames` is known once it has been traced or run. */
export interface TrainProgram extends Program {
  /** Names of the entries of the output `stats`, in order. */
  readonly statNames: readonly string[];
}

const spec = (shape: readonly number[], dtype: TensorSpec["dtype"] = "float32"): TensorSpec => ({ shape, dtype });

function inputSpecs(parts: ProgramParts): Record<string, TensorSpec> {
  const specs: Record<string, TensorSpec> = {};
  for (const modality of parts.model.context.modalities) {
    const { shape, dtype } = parts.modalities[modality];
    specs[`input:${modality}`] = spec([parts.batchSize, ...shape], dtype);
  }
  return specs;
}

/** The values whose names start with a prefix, by the rest of the name. */
function under(prefix: string, tensors: Readonly<NamedTensors>): NamedTensors {
  const result: NamedTensors = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.startsWith(prefix)) result[name.slice(prefix.length)] = tensor;
  }
  return result;
}

function stateSpecs(initial: InitialState, wanted: (name: string) => boolean): NamedSpecs {
  const specs: Record<string, TensorSpec> = {};
  for (const [name, { shape, dtype }] of Object.entries(initial.values)) {
    if (wanted(name)) specs[name] = spec(shape, dtype);
  }
  return specs;
}

/** Splits a mask [B, m] into columns [B, 1]. */
function keepColumns(mask: tf.Tensor, modalities: readonly string[]): Keep {
  const columns = tf.split(mask, modalities.length, 1) as tf.Tensor2D[];
  return byModality(modalities, (_, index) => columns[index]);
}

/** A mask with all but some modalities dropped. */
function restricted(keep: Keep, only: readonly string[], modalities: readonly string[], batch: number): Keep {
  const fixed = subsetKeep(modalities, only, batch)!;
  return keep === null
    ? fixed
    : byModality(modalities, (modality) => only.includes(modality) ? keep[modality] : fixed[modality]);
}

/**
 * One optimiser step.
 *
 * Order: gather rows, input hooks, encoders and gates, features hooks, fusion, output hooks, loss terms, gradients,
 * gradient hooks, clipping, update, emit.
 */
export function trainProgram(
  parts: ProgramParts,
  optimizer: Optimizer,
  clipNorm: number,
  { name, train = ["*"], lossKeys, modalities: only }: ProgramSpec,
): TrainProgram {
  const { model, merged, initial, batchSize } = parts;
  const { modalities } = model.context;
  const trained = initial.params.filter((param) => selects(train, groupOf(param)));
  if (trained.length === 0) {
    throw new RangeError(
      `Cannot build program "${name}" as it must train at least one parameter: groups ${train.join(", ")} fit none of ${
        [...new Set(initial.params.map(groupOf))].join(", ")
      }`,
    );
  }
  const inputs: Record<string, TensorSpec> = inputSpecs(parts);
  inputs["labels"] = spec([batchSize], "int32");
  inputs["weights"] = spec([batchSize]);
  inputs["key"] = spec([2], "int32");
  if (merged.keep) inputs["keep"] = spec([batchSize, modalities.length]);
  for (const [column, { width }] of Object.entries(merged.columns)) inputs[`rows:${column}`] = spec([batchSize, width]);
  for (const [control, values] of Object.entries(merged.controls)) {
    inputs[`control:${control}`] = spec(merged.scalars.has(control) ? [] : [values.length]);
  }
  const groups = new Set(trained.map(groupOf));
  const idle = new Set(initial.params.map(groupOf).filter((group) => !groups.has(group)));
  const used = new Set(trained);
  const state = stateSpecs(initial, (full) => {
    if (full.startsWith("slot:")) return used.has(full.slice(full.indexOf("/") + 1));
    if (full.startsWith("updates:")) return groups.has(full.slice("updates:".length));
    return true;
  });
  const statNames: string[] = [];

  function apply(given: Readonly<NamedTensors>, fed: Readonly<NamedTensors>): ProgramResult {
    const params = under("param:", given);
    const controls = under("control:", fed);
    const bound = bindScope({
      params,
      buffers: under("buffer:", given),
      controls,
      key: fed["key"] as tf.Tensor1D,
      mode: "train",
      weights: fed["weights"] as tf.Tensor1D,
    });
    const kept = merged.keep ? keepColumns(fed["keep"], modalities) : null;
    const keep = only === undefined ? kept : restricted(kept, only, modalities, batchSize);
    const recording = record(() => {
      const pass = forward(model, {
        inputs: byModality(modalities, (modality) => fed[`input:${modality}`]),
        keep,
        rows: (column) => {
          startRows(merged, column, 1); // speaks if nobody declared it
          return fed[`rows:${column}`] as tf.Tensor2D;
        },
        labels: fed["labels"] as tf.Tensor1D,
        only: only === undefined ? undefined : { modalities: only, widths: initial.widths },
      }, bound.scope);
      const weights = fed["weights"] as tf.Tensor1D;
      const step = trainStep(
        pass.step,
        fed["labels"] as tf.Tensor1D,
        pass.weights === null ? weights : tf.mul(weights, pass.weights),
      );
      return { pass, step, ...lossTerms(model, step) };
    });
    const { pass, step, terms, task } = recording.value;
    const minimised = lossKeys ?? Object.keys(terms);
    const by = trained.map((full) => params[full]);
    const differentiate = (keys: readonly string[]): NamedTensors => {
      const of = keys.map((key) => {
        if (!Object.hasOwn(terms, key)) {
          throw new RangeError(
            `Cannot differentiate loss term "${key}" in program "${name}": terms are ${Object.keys(terms).join(", ")}`,
          );
        }
        return terms[key];
      });
      const found: NamedTensors = {};
      recording.gradients(of, by).forEach((gradient, index) => {
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

    const stats: Record<string, tf.Tensor> = {};
    for (const key of minimised) stats[`loss/${key}`] = terms[key];
    stats["loss/total"] = minimised.map((key) => terms[key]).reduce((sum, term) => tf.add(sum, term));
    const weights = fed["weights"] as tf.Tensor1D;
    const hit = tf.cast(tf.equal(tf.argMax(step.output.logits, 1), step.labels), "float32");
    stats["correct"] = tf.sum(tf.mul(hit, weights));

    if (clipNorm > 0) {
      const clipped = clipByGlobalNorm(gradients, clipNorm);
      gradients = clipped.gradients;
      stats["gradientNorm"] = clipped.norm;
      stats["clipped"] = tf.cast(clipped.clipped, "float32");
    }
    const seen = only === undefined ? pass.encoded : byModality(only, (modality) => at(pass.encoded, modality));
    accumulateFeatures(seen, weights, pass.step.keep, bound.scope);
    const rows: NamedTensors = {};
    for (const method of model.methods) {
      const emitted = method.emit?.(step);
      for (const [column, value] of Object.entries(emitted?.rows ?? {})) rows[`rows:${column}`] = value;
      for (const [key, value] of Object.entries(emitted?.stats ?? {})) stats[`${method.name}/${key}`] = value;
    }

    const rates: Record<string, tf.Tensor> = {};
    for (const method of model.methods) {
      for (const [group, factor] of Object.entries(method.rates?.(step) ?? {})) {
        rates[group] = group in rates ? tf.mul(rates[group], factor) : factor;
      }
    }

    const next: NamedTensors = {};
    const counts: NamedTensors = {};
    for (const group of groups) counts[group] = next[`updates:${group}`] = tf.add(given[`updates:${group}`], 1);
    for (const full of trained) {
      const gradient = gradients[full];
      if (gradient === undefined) continue; // not part of this loss: as in PyTorch, such a parameter is left alone
      const slots: NamedTensors = {};
      for (const slot of optimizer.slots) slots[slot] = given[`slot:${slot}/${full}`];
      const factor = rates[groupOf(full)];
      const rate = controls["learningRate"] as tf.Scalar;
      const updated = optimizer.apply(params[full], gradient, slots, {
        learningRate: factor === undefined ? rate : tf.mul(rate, factor),
        step: counts[groupOf(full)] as tf.Scalar,
      });
      next[`param:${full}`] = updated.param;
      for (const slot of optimizer.slots) next[`slot:${slot}/${full}`] = updated.slots[slot];
    }
    for (const [full, value] of Object.entries(bound.updates())) {
      // What a program does not train keeps its running statistics too.
      if (!idle.has(groupOf(full))) next[`buffer:${full}`] = value;
    }
    statNames.splice(0, statNames.length, ...Object.keys(stats));
    const packed = tf.stack(Object.values(stats).map((value) => tf.reshape(value, [])));
    recording.dispose();
    return { state: next, outputs: { stats: packed, ...rows } };
  }
  return { name: `train/${name}`, state, inputs, apply, statNames };
}

/**
 * Prediction in evaluation mode. It gets no labels, no table and no noise, so nothing of them can reach its output; only
 * a method that declares `leaksLabels` has labels fed, and its results are marked.
 *
 * Outputs: `logits` [B, C]; with `detail`: `solo:<m>` and `ablateMean:<m>` [B, C], `part:<m>` and `fused` [B, d] for
 * valuation, `pooled:<m>` [B, d_u].
 *
 * @param kept Static subset of modalities (feature level), or `null` for all.
 */
export function predictProgram(parts: ProgramParts, kept: readonly string[] | null, detail: boolean): Program {
  const { model, merged, initial, batchSize } = parts;
  const { modalities } = model.context;
  const controls: Record<string, TensorSpec> = {};
  for (const [control, values] of Object.entries(merged.controls)) {
    controls[`control:${control}`] = spec(merged.scalars.has(control) ? [] : [values.length]);
  }
  return {
    name: `predict/${kept === null ? "all" : kept.join("+") || "none"}${detail ? "/detail" : ""}`,
    state: stateSpecs(initial, (full) => full.startsWith("param:") || full.startsWith("buffer:")),
    inputs: {
      ...inputSpecs(parts),
      ...controls,
      ...(merged.leaksLabels ? { labels: spec([batchSize], "int32") } : {}),
    },
    apply(given, fed) {
      const { scope } = bindScope({
        params: under("param:", given),
        buffers: under("buffer:", given),
        controls: under("control:", fed),
        key: null,
        mode: "eval",
        weights: null,
      });
      const { step, encoded } = forward(model, {
        inputs: byModality(modalities, (modality) => fed[`input:${modality}`]),
        keep: kept === null ? null : subsetKeep(modalities, kept, batchSize),
        rows: (column) => startRows(merged, column, batchSize),
        labels: merged.leaksLabels ? fed["labels"] as tf.Tensor1D : undefined,
      }, scope);
      const outputs: NamedTensors = { logits: step.output.logits };
      if (detail) {
        const solo = step.solo();
        outputs["fused"] = solo.fused;
        for (const modality of modalities) {
          outputs[`solo:${modality}`] = solo.logits[modality];
          outputs[`part:${modality}`] = solo.parts[modality];
          outputs[`pooled:${modality}`] = encoded[modality].pooled;
          outputs[`ablateMean:${modality}`] = ablateMean(model, step.features, modality, scope);
        }
      }
      return { state: {}, outputs };
    },
  };
}
