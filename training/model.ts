/**
 * A model: encoders, fusion and methods, and its encoders' part of the forward pass.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import {
  type Encoder,
  type Features,
  fixedKeep,
  type Fusion,
  type Keep,
  type Method,
  type ModelContext,
} from "../core/kinds/mod.ts";
import type { HostTensor, NamedHostTensors } from "../core/program.ts";
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
  /** Factors on the learning rate by selector of groups; several that fit are multiplied. @default none */
  readonly rates?: Readonly<Record<string, number>>;
  /** Factor on the learning rate from each layer of an encoder to the one before it. @default {1} */
  readonly layerDecay?: number;
  /** Of the modalities whose inputs are features of frozen encoders (`ready.ts`), those of an input of zeros. @default none */
  readonly blank?: ByModality<HostTensor>;
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
  /** Groups of the rows by number [B]. @default none */
  readonly groups?: tf.Tensor1D;
  /** What stands for an input of zeros, [1, ...], where that is not zeros. @default zeros everywhere */
  readonly blank?: ByModality<tf.Tensor>;
  /** Modalities that take part and everybody's pooled width; the other encoders need not run. @default all */
  readonly only?: { readonly modalities: readonly string[]; readonly widths: ByModality<number> };
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

/**
 * Whether every encoder gives what the fusion reads.
 *
 * @throws {Refusal} If one has fewer stages or layers, or no tokens.
 */
export function checkEncoders({ fusion, encoders }: Model): void {
  for (const [modality, encoder] of Object.entries(encoders)) {
    const lacking = lackOf(fusion, encoder);
    if (lacking === null) continue;
    throw new Refusal({ what: `put modality "${modality}" into this model`, ...lacking });
  }
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
      found: present !== undefined
        ? `the encoder has ${present} with these options`
        : encoder.tokens
        ? "the encoder gives tokens, and leaves its layers to nobody with these options and this input"
        : "the encoder is none",
    };
  }
  if (tokens && !encoder.tokens) {
    return { must: "the fusion needs token sequences", found: "the encoder gives pooled features only" };
  }
  return null;
}

/** Whether a fusion reads more of an encoder than its pooled feature: maps, tokens, or layers that it runs itself. */
export function readsBeyondPooled(
  { needs: { stages = 0, tokens = false, tokensIfAny = false, layers = 0 } }: Fusion,
): boolean {
  return stages > 0 || tokens || tokensIfAny || layers > 0;
}

/** Throws if the fusion needs equal feature widths and they are not; widths are known once the encoders have run. */
export function checkWidths(fusion: Fusion, encoded: ByModality<Features>): void {
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
export function encoderScope({ frozen = [] }: Model, modality: string, scope: Scope): Scope {
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
export function encodeSome(
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
export function featureMeans(encoded: ByModality<Features>, scope: Scope): ByModality<tf.Tensor2D> {
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
  const columns = byModality(
    modalities,
    (modality): tf.Tensor2D => kept.includes(modality) ? tf.ones([batch, 1]) : tf.zeros([batch, 1]),
  );
  return fixedKeep(columns, modalities.filter((modality) => kept.includes(modality)));
}
