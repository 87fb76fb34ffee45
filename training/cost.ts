/**
 * What models cost: trainable scalars, and multiply-adds of one sample's forward pass.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { record } from "../tensor/autodiff.ts";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import type { Encoder, ModalityInfo } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { groupOf, type Scope } from "../core/scope.ts";
import { multiplyAdds, productValues } from "../nn/cost.ts";
import { discover, type Discovered } from "../nn/scope.ts";
import { forward } from "./forward.ts";
import type { Model } from "./model.ts";
import { HARNESS_CONTROLS } from "./declarations.ts";

/** What a part or a whole model costs. */
export interface Cost {
  /** Trainable scalars. */
  readonly parameters: number;
  /** Multiply-adds of one sample's forward pass; `null` where a kernel's cannot be counted. */
  readonly multiplyAdds: number | null;
}

/** Costs of a model without methods, in all and by part. */
export interface ModelCost extends Cost {
  readonly encoders: ByModality<Cost>;
  /** The fusion with its heads and gates. */
  readonly fusion: Cost;
}

/** Runs a function for the shapes of its tensors, as `Engine.abstract` does. */
export type Abstract = (run: () => void) => void;

function size(found: Discovered, counts: (group: string) => boolean = () => true): number {
  let sum = 0;
  for (const [full, { shape }] of found.params) if (counts(groupOf(full))) sum += sizeOf(shape);
  return sum;
}

/** What a function did: its parameters, its multiply-adds, and the values that its products give. */
interface Counted {
  readonly found: Discovered;
  readonly multiplyAdds: number | null;
  readonly values: number;
}

/** Runs a function in evaluation and counts. */
function counted(run: (scope: Scope) => void, abstract: Abstract): Counted {
  let count: number | null = null;
  let values = 0;
  const found = discover((scope) => {
    const pass = record(() => run(scope));
    count = multiplyAdds(pass.kernels());
    values = productValues(pass.kernels());
    pass.dispose();
  }, { abstract, mode: "eval", controls: HARNESS_CONTROLS });
  return { found, multiplyAdds: count, values };
}

const sample = ({ shape, dtype }: ModalityInfo): tf.Tensor => tf.zeros([1, ...shape], dtype);

function countedEncoder(encoder: Encoder, input: ModalityInfo, abstract: Abstract): Counted {
  return counted((scope) => {
    const own = scope.group("encoder:it");
    const x = sample(input);
    encoder.head(encoder.stages.reduce((map, stage) => stage(map, own, x), x), own, x);
  }, abstract);
}

/** Costs of an encoder on one input. */
export function encoderCost(encoder: Encoder, input: ModalityInfo, abstract: Abstract): Cost {
  const { found, multiplyAdds: count } = countedEncoder(encoder, input, abstract);
  return { parameters: size(found), multiplyAdds: count };
}

/** Values of one sample that a training step keeps for its gradients at the least: those of its largest encoder. */
export function keptValues(
  { encoders }: Pick<Model, "encoders">,
  inputs: ByModality<ModalityInfo>,
  abstract: Abstract,
): number {
  const own = mapByModality(encoders, (encoder, modality) => countedEncoder(encoder, at(inputs, modality), abstract));
  return Math.max(...Object.values(own).map(({ values }) => values));
}

/**
 * Costs of a model's encoders and fusion; methods are left out. What is not an encoder's is the fusion's: heads, gates
 * between stages.
 */
export function modelCost(model: Model, inputs: ByModality<ModalityInfo>, abstract: Abstract): ModelCost {
  const { modalities } = model.context;
  const encoders = mapByModality(
    model.encoders,
    (encoder, modality) => encoderCost(encoder, at(inputs, modality), abstract),
  );
  const { found, multiplyAdds: whole } = counted((scope) => {
    forward({ ...model, methods: [] }, {
      inputs: byModality(modalities, (modality) => sample(at(inputs, modality))),
      keep: null,
      rows: () => tf.zeros([1, 1]),
    }, scope);
  }, abstract);
  const apart = Object.values(encoders).reduce<number | null>(
    (sum, cost) => sum === null || cost.multiplyAdds === null ? null : sum + cost.multiplyAdds,
    0,
  );
  return {
    parameters: size(found),
    multiplyAdds: whole,
    encoders,
    fusion: {
      parameters: size(found, (group) => !group.startsWith("encoder:")),
      multiplyAdds: whole === null || apart === null ? null : whole - apart,
    },
  };
}

/** Forward and backward passes of a training step; plain training has one of each. */
export interface Passes {
  readonly forwards: number;
  readonly backwards: number;
}

/**
 * Forwards that a step of some methods is worth, a backward counting as two: 3 for plain training, and what each method
 * adds.
 */
export function stepForwards(methods: readonly (Passes | undefined)[]): number {
  return methods.reduce((sum, passes) => {
    const { forwards, backwards } = passes ?? { forwards: 1, backwards: 1 };
    return sum + forwards - 1 + 2 * (backwards - 1);
  }, 3);
}
