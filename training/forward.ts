/**
 * The forward pass: encoders, methods' hooks and the fusion, and what methods may ask of it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import type { Features, FusionOutput, Keep, Method, Solo, Step } from "../core/kinds/mod.ts";
import { badResult } from "../core/plugin_error.ts";
import type { Scope } from "../core/scope.ts";
import {
  checkWidths,
  encode,
  encoderScope,
  encodeSome,
  featureMeans,
  type ForwardInputs,
  type Model,
  readsBeyondPooled,
  subsetKeep,
} from "./model.ts";

/** A forward pass with everything that later hooks may ask for. */
export interface Forward {
  /** The step as methods see it. */
  readonly step: Step;
  /** Features as the encoders gave them, before any method changed them. */
  readonly encoded: ByModality<Features>;
  /** Sample weights that methods multiplied in, or `null`. */
  readonly weights: tf.Tensor1D | null;
  /** Logits [B, C] of one modality with all others at their training means, as methods leave them. */
  ablateMean(modality: string): tf.Tensor2D;
}

/**
 * The pooled features of all other modalities at their training means. Fusions that look at stages or tokens get the others
 * masked out too, as these have no kept mean.
 */
function othersAtMeans(
  model: Model,
  features: ByModality<Features>,
  kept: readonly string[],
  scope: Scope,
): { features: ByModality<Features>; keep: Keep } {
  const { modalities } = model.context;
  const batch = features[modalities[0]].pooled.shape[0];
  const means = featureMeans(features, scope);
  const replaced = mapByModality(features, (own, name) => {
    if (kept.includes(name)) return own;
    return { ...own, pooled: tf.tile(means[name], [batch, 1]) };
  });
  return { features: replaced, keep: readsBeyondPooled(model.fusion) ? subsetKeep(modalities, kept, batch) : null };
}

/** The fusion's output of such features. */
function atMeans(
  model: Model,
  features: ByModality<Features>,
  kept: readonly string[],
  scope: Scope,
): FusionOutput {
  const { features: replaced, keep } = othersAtMeans(model, features, kept, scope);
  return model.fusion.forward(replaced, keep, scope.as("eval"), featureMeans(features, scope));
}

/** What a fusion gave of all modalities. */
export interface WholeOutput {
  readonly output: FusionOutput;
  /** Whether it gives the same in evaluation. */
  readonly steady: boolean;
}

/**
 * The fusion's own solo readout, or the one derived by leaving the others out as `Fusion.soloMode` says: z_u = F({u}) -
 * F({}) and l_u = l({u}), with F the fused feature of the modalities kept.
 *
 * @param whole F of all of them, if it ran: where nothing differs in evaluation it is not run again, nor differentiated
 * twice.
 */
export function soloOf(
  model: Model,
  features: ByModality<Features>,
  scope: Scope,
  subset: (kept: readonly string[]) => FusionOutput,
  whole?: WholeOutput,
): Solo {
  const { fusion, context: { modalities } } = model;
  if (fusion.solo !== undefined) return fusion.solo(features, scope, whole?.output);
  const only = fusion.soloMode === "ablate-mean"
    ? (kept: readonly string[]) => atMeans(model, features, kept, scope)
    : subset;
  const none = only([]).fused;
  const alone = byModality(modalities, (modality) => only([modality]));
  return {
    parts: mapByModality(alone, ({ fused }) => tf.sub(fused, none) as tf.Tensor2D),
    fused: tf.sub((whole?.steady ? whole.output : only(modalities)).fused, none),
    logits: mapByModality(alone, (output, modality) => output.own?.[modality] ?? output.logits),
  };
}

/**
 * The fusion's output with the raw inputs of the modalities that are not kept at zero, in evaluation mode. A zero input
 * gives every row one feature, so that an encoder sees a single row; where the fusion looks at stages or runs layers itself,
 * everything runs anew.
 *
 * @param memo Shares what one encoder makes of zeros among subsets.
 */
function atZeroInputs(
  model: Model,
  { inputs, given }: Pick<Underway, "inputs" | "given">,
  features: ByModality<Features>,
  keep: Keep,
  kept: readonly string[],
  scope: Scope,
  memo: <T>(key: string, make: () => T) => T,
): FusionOutput {
  /** An input of zeros of so many rows. */
  const zeroInput = (modality: string, rows: number): tf.Tensor => {
    const { shape: [_, ...shape], dtype } = at(inputs, modality);
    const stands = given.blank?.[modality];
    if (stands === undefined) return tf.zeros([rows, ...shape], dtype);
    return rows === 1 ? stands : tf.tile(stands, [rows, ...shape.map(() => 1)]);
  };
  const means = featureMeans(features, scope);
  const { stages = 0, layers = 0 } = model.fusion.needs;
  if (stages > 0 || layers > 0) {
    const zeroed = mapByModality(
      inputs,
      (x, modality) => kept.includes(modality) ? x : zeroInput(modality, x.shape[0]),
    );
    return model.fusion.forward(encode(model, zeroed, keep, scope), keep, scope, means);
  }
  const blank = (modality: string): Features =>
    memo(`harness/blank/${modality}`, () => {
      const [batch] = at(inputs, modality).shape;
      const encoder = at(model.encoders, modality);
      const group = encoderScope(model, modality, scope);
      const x = zeroInput(modality, 1);
      const one = encoder.head(
        encoder.stages.reduce((own, stage) => stage(own, group, x), x),
        group,
        x,
      );
      const tiled = Object.entries(one).map(([field, row]: [string, tf.Tensor]) => [
        field,
        tf.tile(row, [batch, ...row.shape.slice(1).map(() => 1)]),
      ]);
      return Object.fromEntries(tiled) as Features;
    });
  const changed = mapByModality(features, (own, modality) => kept.includes(modality) ? own : blank(modality));
  return model.fusion.forward(changed, keep, scope, means);
}

/** Features of some rows of the batch. */
function ofRows({ pooled, tokens, tokenMask, stages, layers }: Features, rows: tf.Tensor1D): Features {
  const taken = <T extends tf.Tensor>(x: T): T => tf.gather(x, rows);
  return {
    pooled: taken(pooled),
    ...tokens === undefined ? {} : { tokens: taken(tokens) },
    ...tokenMask === undefined ? {} : { tokenMask: taken(tokenMask) },
    ...stages === undefined ? {} : { stages: stages.map(taken) },
    ...layers === undefined ? {} : { layers },
  };
}

/** What two masks keep; `null` keeps all. */
function both(first: Keep, second: Keep): Keep {
  if (first === null || second === null) return first ?? second;
  return mapByModality(first, (column, modality) => tf.mul(column, at(second, modality)) as tf.Tensor2D);
}

/**
 * Features of what a sample lacks are those of no input: their training means stand in, for readouts of one modality that
 * know no mask. Masks see to it that the fusion does not look at them.
 */
function atMeanWhereLacking(
  encoded: ByModality<Features>,
  present: ByModality<tf.Tensor2D>,
  scope: Scope,
): ByModality<Features> {
  const means = featureMeans(encoded, scope);
  return mapByModality(encoded, (own, modality) => {
    const there = at(present, modality);
    const pooled = tf.add(tf.mul(own.pooled, there), tf.mul(tf.sub(1, there), means[modality])) as tf.Tensor2D;
    return { ...own, pooled };
  });
}

/** A forward pass while its hooks run. */
interface Underway {
  readonly given: ForwardInputs;
  readonly inputs: ByModality<tf.Tensor>;
  readonly means: ByModality<tf.Tensor2D>;
  features: ByModality<Features>;
  keep: Keep;
  /** What the fusion gave. */
  made: FusionOutput | null;
  /** Whether it gives the same in evaluation. */
  steady: boolean;
  /** The same after the output hooks that ran so far. */
  output: FusionOutput | null;
  memo: Map<string, unknown>;
}

/** The step as methods see it, over a pass that goes on. */
function stepOver(model: Model, pass: Underway, scope: Scope): Step {
  const { context, fusion, methods } = model;
  const { given, means } = pass;
  const present = given.present ?? null;
  const batch = pass.features[context.modalities[0]].pooled.shape[0];
  const remember = <T>(key: string, make: () => T): T => {
    const { memo } = pass;
    if (!memo.has(key)) memo.set(key, make());
    return memo.get(key) as T;
  };
  const step: Step = {
    scope,
    modalities: context.modalities,
    classes: context.classes,
    get features() {
      return pass.features;
    },
    get output() {
      if (pass.output === null) throw new Error("Cannot read the output in a features hook as the fusion has not run");
      return pass.output;
    },
    get keep() {
      return pass.keep;
    },
    visibleLabels: given.labels ?? null,
    groups: given.groups ?? null,
    bypass: (param) => fusion.bypass?.(param) ?? [],
    // Before fusion a method's heads, which may be the fusion's, cannot be asked yet.
    solo: () =>
      remember(pass.output === null ? "harness/solo" : "harness/readout", () => {
        const { features, keep, output, made, steady } = pass;
        const whole = made === null || keep !== null ? undefined : { output: made, steady };
        const solo = soloOf(model, features, scope.as("eval"), step.subset, whole);
        if (output === null) return solo;
        const logits = methods.find(({ readout }) => readout)?.readout?.(step) ?? solo.logits;
        // A method that makes the output of other parts gives these with it.
        return output.parts === undefined || output.parts === made?.parts
          ? { ...solo, logits }
          : { parts: output.parts, fused: output.fused, logits };
      }),
    subset: (kept) => {
      const sorted = [...kept].sort();
      return remember(
        `harness/subset/${sorted.join(",")}`,
        () => step.masked(subsetKeep(context.modalities, sorted, batch)),
      );
    },
    masked: (mask) => fusion.forward(pass.features, both(mask, present), scope.as("eval"), means),
    rearranged: (rows) => {
      const moved = mapByModality(pass.features, (own, modality) => ofRows(own, at(rows, modality)));
      const { keep } = pass;
      const kept = keep === null
        ? null
        : mapByModality(keep, (column, modality) => tf.gather(column, at(rows, modality)));
      return fusion.forward(moved, kept as Keep, scope.as("eval"), means);
    },
    kernels: () =>
      fusion.kernels === undefined ? null : remember("harness/kernels", () => fusion.kernels!(pass.features, scope)),
    zeroed: (kept) => {
      const sorted = [...kept].sort();
      return remember(
        `harness/zeroed/${sorted.join(",")}`,
        () => atZeroInputs(model, pass, pass.features, pass.keep, sorted, scope.as("eval"), remember),
      );
    },
    rows: given.rows,
    memo: remember,
  };
  return step;
}

/** A scope that tells when something is asked for that training and evaluation do not have alike. */
function watched(scope: Scope, tell: () => void): Scope {
  const told = <T>(value: () => T): T => {
    tell();
    return value();
  };
  return {
    get mode() {
      return told(() => scope.mode);
    },
    path: scope.path,
    in: (name) => watched(scope.in(name), tell),
    group: (name) => watched(scope.group(name), tell),
    as: (mode) => told(() => scope.as(mode)),
    param: (name, shape, init) => scope.param(name, shape, init),
    buffer: (name, shape, init) => scope.buffer(name, shape, init),
    update: (name, value) => told(() => scope.update(name, value)),
    control: (name) => scope.control(name),
    random: (kind, shape) => told(() => scope.random(kind, shape)),
    weights: () => told(() => scope.weights()),
  };
}

/** Runs the fusion and the hooks that change its output. */
function finish(model: Model, pass: Underway, step: Step): void {
  const { features, keep, means } = pass;
  pass.steady = true;
  const scope = step.scope.mode === "eval" ? step.scope : watched(step.scope, () => pass.steady = false);
  pass.output = pass.made = model.fusion.forward(features, keep, scope, means);
  for (const method of model.methods) pass.output = method.output?.(step) ?? pass.output;
}

/** @throws {PluginError} If a method's features have another shape than those that it got: heads and means have one. */
function mustKeepWidths({ name }: Method, before: ByModality<Features>, after: ByModality<Features>): void {
  for (const [modality, { pooled }] of Object.entries(before)) {
    const found = after?.[modality]?.pooled?.shape;
    if (found?.join() === pooled.shape.join()) continue;
    const is = found === undefined ? "missing" : `[${found.join(", ")}]`;
    throw badResult(
      `method "${name}"`,
      "features",
      new TypeError(`pooled features of "${modality}" must stay [${pooled.shape.join(", ")}]: found ${is}`),
    );
  }
}

/** Runs encoders, method hooks and fusion. The same code serves training, evaluation and initialisation. */
export function forward(model: Model, given: ForwardInputs, scope: Scope): Forward {
  const { methods } = model;
  let inputs = given.inputs;
  for (const method of methods) inputs = method.input?.(inputs, scope) ?? inputs;
  const present = given.present ?? null;
  const keep = both(given.keep, present);
  const found = encodeSome(model, inputs, keep, scope, given.only);
  const encoded = present === null ? found : atMeanWhereLacking(found, present, scope);
  checkWidths(model.fusion, encoded);
  const means = featureMeans(encoded, scope);
  const pass: Underway = {
    given,
    inputs,
    means,
    features: encoded,
    keep,
    made: null,
    steady: false,
    output: null,
    memo: new Map(),
  };
  const step = stepOver(model, pass, scope);
  let weights: tf.Tensor1D | null = null;
  for (const method of methods) {
    const changed = method.features?.(step);
    if (changed === undefined) continue;
    mustKeepWidths(method, pass.features, changed.features);
    pass.features = changed.features;
    if (changed.keep !== undefined) pass.keep = changed.keep;
    if (changed.weights !== undefined) {
      weights = weights === null ? changed.weights : tf.mul(weights, changed.weights);
    }
    // What was computed from the features of before holds no more.
    pass.memo = new Map();
  }
  finish(model, pass, step);
  return { step, encoded, weights, ablateMean: (modality) => ablateMean(model, pass, modality, scope) };
}

/**
 * Logits of one modality with all others at their training means, as the methods' output hooks leave them: a readout that
 * every fusion has, in distribution.
 */
function ablateMean(model: Model, whole: Underway, modality: string, scope: Scope): tf.Tensor2D {
  const { features, keep } = othersAtMeans(model, whole.features, [modality], scope);
  const pass: Underway = { ...whole, features, keep, made: null, steady: false, output: null, memo: new Map() };
  finish(model, pass, stepOver(model, pass, scope.as("eval")));
  return pass.output!.logits;
}
