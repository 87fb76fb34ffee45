/**
 * Methods as recipes: hooks that parts bring, put together.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Declarations, Loss, Method, TrainStep } from "../core/kinds/mod.ts";

/** What a piece of a recipe may bring. */
export type Piece = Pick<Method, "declares" | "features" | "loss" | "emit" | "beforeEpoch" | "plan" | "report">;

/** A loss's terms times a weight: a number, or a scalar of the step. */
export function weighted(
  loss: Loss,
  weight: number | ((step: TrainStep) => tf.Scalar),
): (step: TrainStep) => Record<string, tf.Tensor> {
  return (step) => {
    const factor = typeof weight === "number" ? weight : weight(step);
    return Object.fromEntries(Object.entries(loss.terms(step)).map(([key, term]) => [key, tf.mul(term, factor)]));
  };
}

function declared(pieces: readonly Piece[]): Declarations {
  const all = pieces.flatMap(({ declares }) => declares === undefined ? [] : [declares]);
  return {
    ...Object.assign({}, ...all),
    solo: all.some(({ solo }) => solo === true),
    keep: all.some(({ keep }) => keep === true),
    groups: all.some(({ groups }) => groups === true),
    claims: all.flatMap(({ claims = [] }) => claims),
    controls: Object.assign({}, ...all.map(({ controls }) => controls)),
    columns: Object.assign({}, ...all.map(({ columns }) => columns)),
  };
}

/** One hook of several pieces as one that hands every result on, or `undefined` if none has it. */
function chained<A extends unknown[], T>(
  hooks: readonly (((...args: A) => T) | undefined)[],
  join: (results: T[]) => T,
): ((...args: A) => T) | undefined {
  const present = hooks.filter((hook) => hook !== undefined);
  if (present.length === 0) return undefined;
  return (...args) => join(present.map((hook) => hook(...args)));
}

/**
 * One method of several pieces, whose hooks run in the order given. At most one changes features and one plans.
 *
 * @param name The method's.
 */
export function recipe(name: string, ...pieces: readonly Piece[]): Method {
  const merge = <T extends object>(records: T[]): T => Object.assign({}, ...records);
  return {
    name,
    declares: declared(pieces),
    features: pieces.find(({ features }) => features !== undefined)?.features,
    loss: chained(pieces.map(({ loss }) => loss), merge),
    emit: chained(
      pieces.map(({ emit }) => emit),
      (results) => ({
        rows: merge(results.map(({ rows = {} }) => rows)),
        stats: merge(results.map(({ stats = {} }) => stats)),
      }),
    ),
    async beforeEpoch(host) {
      for (const piece of pieces) await piece.beforeEpoch?.(host);
    },
    plan: pieces.find(({ plan }) => plan !== undefined)?.plan,
    report: chained(pieces.map(({ report }) => report), merge),
  };
}
