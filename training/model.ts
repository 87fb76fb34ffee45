/**
 * Encoders, fusion and methods composed into one pure forward pass.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import type {
  Encoder,
  Features,
  Fusion,
  FusionOutput,
  Keep,
  Method,
  ModelContext,
  Solo,
  Step,
} from "../core/kinds/mod.ts";
import type { NamedHostTensors } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import type { Scope } from "../core/scope.ts";
import { zeros } from "../nn/initializers.ts";
import { selects } from "./select.ts";

/** The parts of a model. */
export interface Model {
  readonly context: ModelContext;
  readonly encoders: ByModality<Encoder>;
  readonly fusion: Fusion;
  /** In the order in which their hooks run. */
  readonly methods: readonly Method[];
  /** The task's loss of the fused logits, where the fusion has none of its own. @default cross-entropy */
  readonly criterion?: (logits: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor1D;
  /** Start values by full name that take the place of those drawn: pretrained weights. @default none */
  readonly start?: Readonly<NamedHostTensors>;
  /** Selectors of groups that are not trained; frozen encoders run in evaluation mode. @default none */
  readonly frozen?: readonly string[];
}

/** What the forward pass needs besides the scope. */
export interface ForwardInputs {
  /** Raw inputs [B, ...shape] per modality. */
  readonly inputs: ByModality<tf.Tensor>;
  /** Modality mask, or `null`. */
  readonly keep: Keep;
  /** Which modalities the samples have in the dataset itself. Subsets keep to it too. @default all */
  readonly present?: Keep;
  /** Gathered table rows; evaluation gives the columns' initial values. */
  rows(column: string): tf.Tensor2D;
  /** Labels [B], where hooks before the loss may see them. @default none */
  readonly labels?: tf.Tensor1D;
  /** Modalities that take part and everybody's pooled width; the other encoders need not run. @default all */
  readonly only?: { readonly modalities: readonly string[]; readonly widths: ByModality<number> };
}

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

/** An encoder that lacks what a fusion needs. */
export interface Misfit {
  readonly modality: string;
  /** Names the fusion and the encoder; without a hint. */
  readonly refusal: Refusal;
}

/**
 * The first encoder that lacks what the fusion needs, or `null` if all fit.
 *
 * @param names Names of the encoders' plugins by modality, for the message.
 */
export function misfit(
  fusion: Fusion,
  fusionName: string,
  encoders: ByModality<Encoder>,
  names: ByModality<string>,
): Misfit | null {
  for (const [modality, encoder] of Object.entries(encoders)) {
    const lacking = lackOf(fusion, encoder);
    if (lacking === null) continue;
    const what = `use fusion "${fusionName}" with encoder "${at(names, modality)}" of modality "${modality}"`;
    return { modality, refusal: new Refusal({ what, ...lacking }) };
  }
  return null;
}

/** What a fusion needs and an encoder has instead, or `null`. */
function lackOf({ needs }: Fusion, encoder: Encoder): { must: string; found: string } | null {
  const { stages = 0, tokens = false, layers = 0 } = needs;
  if (encoder.stages.length < stages) {
    return {
      must: `the fusion looks at the ${stages} deepest stages`,
      found: `the encoder has ${encoder.stages.length} with these options`,
    };
  }
  const present = encoder.transformer?.layers.length;
  if (layers > (present ?? 0)) {
    return {
      must: `the fusion runs the ${layers} deepest layers of transformers`,
      found: present === undefined ? "the encoder is none" : `the encoder has ${present} with these options`,
    };
  }
  if (tokens && !encoder.tokens) {
    return { must: "the fusion needs token sequences", found: "the encoder gives pooled features only" };
  }
  return null;
}

/** Whether a fusion reads more of an encoder than its pooled feature: maps, tokens, or layers that it runs itself. */
function readsBeyondPooled(
  { needs: { stages = 0, tokens = false, tokensIfAny = false, layers = 0 } }: Fusion,
): boolean {
  return stages > 0 || tokens || tokensIfAny || layers > 0;
}

/** Throws if the fusion needs equal feature widths and they are not; widths are known once the encoders have run. */
function checkWidths(fusion: Fusion, encoded: ByModality<Features>): void {
  if (fusion.needs.equalWidths !== true) return;
  const widths = Object.entries(encoded).map(([modality, { pooled }]) => `${modality} ${pooled.shape[1]}`);
  if (new Set(Object.values(encoded).map(({ pooled }) => pooled.shape[1])).size > 1) {
    throw new Refusal({
      what: "fuse",
      must: "this fusion needs features of one width",
      found: `found ${widths.join(", ")}`,
    });
  }
}

/** A map [B, ..., c] times one factor per sample and channel [B, c]. */
function gateChannels(map: tf.Tensor, gates: tf.Tensor2D): tf.Tensor {
  const spatial = new Array<number>(map.rank - 2).fill(1);
  return tf.mul(map, tf.reshape(gates, [-1, ...spatial, gates.shape[1]]));
}

/** Where an encoder's parameters are; a frozen one is in evaluation mode: statistics fixed, no dropout. */
function encoderScope({ frozen = [] }: Model, modality: string, scope: Scope): Scope {
  const group = `encoder:${modality}`;
  const own = scope.group(group);
  return selects(frozen, group) ? own.as("eval") : own;
}

/** A transformer up to the layers that a fusion runs itself; the feature is what a head would read there. */
function encodeUpTo(model: Model, modality: string, x: tf.Tensor, scope: Scope): Features {
  const remaining = model.fusion.needs.layers!;
  const { embed, layers, present, read } = at(model.encoders, modality).transformer!;
  const own = (root: Scope) => encoderScope(model, modality, root);
  const first = layers.length - remaining;
  const mask = present(x);
  const tokens = layers.slice(0, first)
    .reduce((map, layer) => layer(map, own(scope), mask), embed(x, own(scope)));
  return {
    pooled: read(tokens, own(scope)),
    tokens,
    ...(mask === null ? {} : { tokenMask: mask }),
    layers: {
      count: remaining,
      run: (level, map, among, root) => layers[first + level](map, own(root), among),
      read: (map, root) => read(map, own(root)),
    },
  };
}

/** Runs the encoders; the deepest stages go in lock-step, so that the fusion and methods may gate their maps. */
export function encode(
  model: Model,
  inputs: ByModality<tf.Tensor>,
  keep: Keep,
  scope: Scope,
): ByModality<Features> {
  const { stages: depth = 0, layers = 0 } = model.fusion.needs;
  if (layers > 0) {
    return mapByModality(
      inputs,
      (x, modality) => encodeUpTo(model, modality, x, scope),
    );
  }
  const scopeOf = (modality: string) => encoderScope(model, modality, scope);
  let maps: ByModality<tf.Tensor> = mapByModality(inputs, (x, modality) => {
    const encoder = at(model.encoders, modality);
    return encoder.stages.slice(0, encoder.stages.length - depth)
      .reduce((map, stage) => stage(map, scopeOf(modality), x), x);
  });
  const seen: ByModality<tf.Tensor>[] = [];
  for (let level = 0; level < depth; level++) {
    const plain = mapByModality(maps, (map, modality) => {
      const encoder = at(model.encoders, modality);
      return encoder.stages[encoder.stages.length - depth + level](map, scopeOf(modality), at(inputs, modality));
    });
    let gates = model.fusion.channelGates?.(level, plain, keep, scope) ?? null;
    if (gates !== null) {
      for (const method of model.methods) gates = method.channelGates?.(level, gates, scope) ?? gates;
    }
    const scaled = gates === null
      ? plain
      : mapByModality(plain, (map, modality) => gateChannels(map, at(gates, modality)));
    maps = model.fusion.gate?.(level, scaled, keep, scope) ?? scaled;
    for (const method of model.methods) maps = method.gate?.(level, plain, maps, scope) ?? maps;
    seen.push(maps);
  }
  return mapByModality(maps, (map, modality) => {
    const features = at(model.encoders, modality).head(map, scopeOf(modality), at(inputs, modality));
    return depth === 0 ? features : { ...features, stages: seen.map((level) => at(level, modality)) };
  });
}

/** Features of the modalities that take part; zeros for the others, whose encoders do not run unless the fusion needs more. */
function encodeSome(
  model: Model,
  inputs: ByModality<tf.Tensor>,
  keep: Keep,
  scope: Scope,
  only: ForwardInputs["only"],
): ByModality<Features> {
  if (only === undefined || readsBeyondPooled(model.fusion)) return encode(model, inputs, keep, scope);
  const some = encode(model, byModality(only.modalities, (modality) => at(inputs, modality)), keep, scope);
  return mapByModality(
    inputs,
    (x, modality) => some[modality] ?? { pooled: tf.zeros([x.shape[0], at(only.widths, modality)]) as tf.Tensor2D },
  );
}

/** Parameter group of the harness's own buffers. */
const HARNESS = "harness";

/** Mean pooled feature [1, d_u] of each modality over the last finished training epoch; zero before. */
function featureMeans(encoded: ByModality<Features>, scope: Scope): ByModality<tf.Tensor2D> {
  return mapByModality(
    encoded,
    ({ pooled }, modality) =>
      scope.group(HARNESS).buffer(`mean/${modality}`, [1, pooled.shape[1]], zeros) as tf.Tensor2D,
  );
}

/** Full buffer names of what `accumulateFeatures` keeps for a modality. */
export function featureBuffers(modality: string): { sum: string; count: string; mean: string } {
  const name = (kind: string) => `${HARNESS}/${kind}/${modality}`;
  return { sum: name("sum"), count: name("count"), mean: name("mean") };
}

/**
 * Adds the batch's features to the epoch's sums: rows with weight, where the modality is kept, as encoded.
 *
 * @param weights [B].
 */
export function accumulateFeatures(
  encoded: ByModality<Features>,
  weights: tf.Tensor1D,
  keep: Keep,
  scope: Scope,
): void {
  const harness = scope.group(HARNESS);
  for (const [modality, { pooled }] of Object.entries(encoded)) {
    const column = tf.reshape(weights, [-1, 1]);
    const used = keep === null ? column : tf.mul(column, at(keep, modality));
    const sum = harness.buffer(`sum/${modality}`, [1, pooled.shape[1]], zeros);
    const count = harness.buffer(`count/${modality}`, [], zeros);
    harness.update(`sum/${modality}`, tf.add(sum, tf.matMul(used, pooled, true, false)));
    harness.update(`count/${modality}`, tf.add(count, tf.sum(used)));
  }
}

/** A static mask: ones for kept modalities, zeros for the others. */
export function subsetKeep(modalities: readonly string[], kept: readonly string[], batch: number): Keep {
  return byModality(modalities, (modality) => kept.includes(modality) ? tf.ones([batch, 1]) : tf.zeros([batch, 1]));
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

/**
 * The fusion's own solo readout, or the one derived by leaving the others out as `Fusion.soloMode` says: z_u = F({u}) -
 * F({}) and l_u = l({u}), with F the fused feature of the modalities kept.
 */
export function soloOf(
  model: Model,
  features: ByModality<Features>,
  scope: Scope,
  subset: (kept: readonly string[]) => FusionOutput,
  whole?: FusionOutput,
): Solo {
  const { fusion, context: { modalities } } = model;
  if (fusion.solo !== undefined) return fusion.solo(features, scope, whole);
  const only = fusion.soloMode === "ablate-mean"
    ? (kept: readonly string[]) => atMeans(model, features, kept, scope)
    : subset;
  const none = only([]).fused;
  const alone = byModality(modalities, (modality) => only([modality]));
  return {
    parts: mapByModality(alone, ({ fused }) => tf.sub(fused, none) as tf.Tensor2D),
    fused: tf.sub(only(modalities).fused, none),
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
  inputs: ByModality<tf.Tensor>,
  features: ByModality<Features>,
  keep: Keep,
  kept: readonly string[],
  scope: Scope,
  memo: <T>(key: string, make: () => T) => T,
): FusionOutput {
  const means = featureMeans(features, scope);
  const { stages = 0, layers = 0 } = model.fusion.needs;
  if (stages > 0 || layers > 0) {
    const zeroed = mapByModality(inputs, (x, modality) => kept.includes(modality) ? x : tf.zerosLike(x));
    return model.fusion.forward(encode(model, zeroed, keep, scope), keep, scope, means);
  }
  const blank = (modality: string): Features =>
    memo(`harness/blank/${modality}`, () => {
      const [batch, ...shape] = at(inputs, modality).shape;
      const encoder = at(model.encoders, modality);
      const group = encoderScope(model, modality, scope);
      const x = tf.zeros([1, ...shape], at(inputs, modality).dtype);
      const one = encoder.head(
        encoder.stages.reduce((own, stage) => stage(own, group, x), x as tf.Tensor),
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
  /** The same after the output hooks that ran so far. */
  output: FusionOutput | null;
  memo: Map<string, unknown>;
}

/** The step as methods see it, over a pass that goes on. */
function stepOver(model: Model, pass: Underway, scope: Scope): Step {
  const { context, fusion, methods } = model;
  const { given, inputs, means } = pass;
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
    bypass: (param) => fusion.bypass?.(param) ?? [],
    // Before fusion a method's heads, which may be the fusion's, cannot be asked yet.
    solo: () =>
      remember(pass.output === null ? "harness/solo" : "harness/readout", () => {
        const { features, keep, output, made } = pass;
        const whole = made === null || keep !== null ? undefined : made;
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
    kernels: () =>
      fusion.kernels === undefined ? null : remember("harness/kernels", () => fusion.kernels!(pass.features, scope)),
    zeroed: (kept) => {
      const sorted = [...kept].sort();
      return remember(
        `harness/zeroed/${sorted.join(",")}`,
        () => atZeroInputs(model, inputs, pass.features, pass.keep, sorted, scope.as("eval"), remember),
      );
    },
    rows: given.rows,
    memo: remember,
  };
  return step;
}

/** Runs the fusion and the hooks that change its output. */
function finish(model: Model, pass: Underway, step: Step): void {
  pass.output = pass.made = model.fusion.forward(pass.features, pass.keep, step.scope, pass.means);
  for (const method of model.methods) pass.output = method.output?.(step) ?? pass.output;
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
  const pass: Underway = { given, inputs, means, features: encoded, keep, made: null, output: null, memo: new Map() };
  const step = stepOver(model, pass, scope);
  let weights: tf.Tensor1D | null = null;
  for (const method of methods) {
    const changed = method.features?.(step);
    if (changed === undefined) continue;
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
  const pass: Underway = { ...whole, features, keep, made: null, output: null, memo: new Map() };
  finish(model, pass, stepOver(model, pass, scope.as("eval")));
  return pass.output!.logits;
}
