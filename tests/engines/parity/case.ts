/** What a parity case is, and how many of them become one program. */
import * as tf from "@tensorflow/tfjs";
import { record } from "../../../tensor/autodiff.ts";
import type { DType, HostTensor, NamedHostTensors, NamedTensors, Program } from "../../../core/program.ts";
import { sizeOf } from "../../../core/program.ts";
import { Random } from "../../../core/random.ts";
import { golden as goldenFile } from "../../helpers/tensors.ts";

/** A function of tensors. */
export type Make = (x: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** Right results where tfjs's CPU gives wrong ones; it is not asked then. */
export interface Reference {
  readonly values: readonly (readonly number[])[];
  /** By argument. */
  readonly gradients?: readonly (readonly number[])[];
}

/** One function of tensors with the shapes of its arguments. */
export interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly run: Make;
  /** Types of the arguments; float32 where there is none. */
  readonly dtypes?: readonly DType[];
  /** Range of the arguments. */
  readonly low?: number;
  readonly high?: number;
  /** Given values instead of drawn ones, by number of the argument. */
  readonly given?: Readonly<Record<number, readonly number[]>>;
  /** What tfjs's CPU does wrong, where something below says that it is not the measure. */
  readonly wrong?: string;
  /**
   * Whether gradients are compared with tfjs's; they are unless this is false. With `"differences"` they are compared
   * with finite differences only, as tfjs's CPU has them wrong.
   */
  readonly gradient?: false | "differences";
  /** Bound of the difference, absolute or relative to 1. */
  readonly tolerance?: number;
  /** Whether the gradient is compared with finite differences too; it is unless this is false. */
  readonly differences?: false;
  readonly reference?: Reference;
}

/** Every combination of ranks, broadcasting, extents of 1 and empty tensors that two operands meet. */
const pairs: readonly (readonly (readonly number[])[])[] = [
  [[2, 3], [2, 3]],
  [[2, 3], [3]],
  [[2, 1, 4], [3, 1]],
  [[], [3]],
  [[5], []],
  [[1, 1], [4, 1]],
  [[1], [1, 1]],
  [[0, 3], [3]],
];

const singles: readonly (readonly number[])[] = [[2, 3], [1], [], [3, 1, 5], [0, 4]];

/** Rows in which a wrong reduction shows: no numbers, infinities, signed zeros, denormals, huge, tiny and equal values. */
export const adversarialRows: readonly (readonly number[])[] = [
  [NaN, 1, 2, 3, 4],
  [1, 2, NaN, 3, 4],
  [4, 3, 2, 1, NaN],
  [NaN, Infinity, NaN, -Infinity, 0],
  [Infinity, 1, -2, 3, 1],
  [1, -Infinity, -2, 3, 1],
  [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
  [-0, 0, -0, 0, -0],
  [1e-40, -1e-40, 1e-38, 0, 1e-45],
  [1e30, -1e30, 2e30, 2e30, 5e29],
  [1e-30, 2e-30, -1e-30, 2e-30, 0],
  [2, 2, 1, 2, 2],
  [-3, -3, -3, -3, -3],
];

/** Cases of a function along the last axis of those rows. */
export function adversarial(run: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], options: Partial<Case> = {}): Case[] {
  const shape = [adversarialRows.length, adversarialRows[0].length];
  return [{ shapes: [shape], given: { 0: adversarialRows.flat() }, run: ([x]) => run(x), gradient: false, ...options }];
}

/** Cases of a function of one tensor. */
export function unary(run: (x: tf.Tensor) => tf.Tensor, options: Partial<Case> = {}): Case[] {
  return singles.map((shape) => ({ shapes: [shape], run: ([x]: tf.Tensor[]) => run(x), ...options }));
}

/** Cases of a function of one integer tensor. */
export function integer(run: (x: tf.Tensor) => tf.Tensor, options: Partial<Case> = {}): Case[] {
  return unary(run, { dtypes: ["int32"], low: -9, high: 9, gradient: false, ...options }).slice(0, 2);
}

/** Cases of a function of two broadcasting tensors. */
export function binary(run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, options: Partial<Case> = {}): Case[] {
  return pairs.map((shapes) => ({ shapes, run: ([a, b]: tf.Tensor[]) => run(a, b), ...options }));
}

/** Cases of a function of two integer tensors. */
export function integers(run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, options: Partial<Case> = {}): Case[] {
  return binary(run, { dtypes: ["int32", "int32"], low: -9, high: 9, gradient: false, ...options }).slice(0, 3);
}

/** Cases of one function of one tensor, by its shape. */
export function shaped(
  shapes: readonly (readonly number[])[],
  run: (x: tf.Tensor) => tf.Tensor | tf.Tensor[],
  options: Partial<Case> = {},
): Case[] {
  return shapes.map((shape) => ({ shapes: [shape], run: ([x]: tf.Tensor[]) => run(x), ...options }));
}

/** Cases of one function of several tensors, by their shapes. */
export function several(list: readonly Case["shapes"][], run: Make, options: Partial<Case> = {}): Case[] {
  return list.map((shapes) => ({ shapes, run, ...options }));
}

/** Cases of one function of an integer tensor and of a truth tensor. */
export function typed(shape: readonly number[], run: (x: tf.Tensor) => tf.Tensor | tf.Tensor[]): Case[] {
  return (["int32", "bool"] as const).map((dtype) => ({
    shapes: [shape],
    dtypes: [dtype],
    low: -9,
    high: 9,
    run: ([x]: tf.Tensor[]) => run(x),
    gradient: false,
  }));
}

/** A case with the arguments, results and gradients of a reference implementation (`golden/kernels.py`). */
export function golden(name: string, shapes: Case["shapes"], run: Make, wrong: string): Case {
  const { given, ...reference } = file[name];
  return { shapes, run, given, reference, wrong };
}

const file = goldenFile<Record<string, Reference & { readonly given: readonly (readonly number[])[] }>>("kernels");

/**
 * The arguments of all cases. What a case draws depends on the seed and its shapes alone, so that a new case changes no
 * other. Values of one tensor are spread evenly: at a tie of the largest two a finite difference would say nothing.
 */
export function argumentsOf(cases: readonly Case[], seed: number): NamedHostTensors {
  const inputs: NamedHostTensors = {};
  cases.forEach(({ shapes, dtypes, low = -1.5, high = 1.5, given }, index) =>
    shapes.forEach((shape, k) => {
      const dtype = dtypes?.[k] ?? "float32";
      const size = sizeOf(shape);
      const random = new Random(seed).split(JSON.stringify(shapes), k);
      const order = random.permutation(size);
      const values = given?.[k] ??
        Array.from(order, (place) => low + (high - low) * (place + 0.25 + 0.5 * random.uniform()) / size);
      const data = dtype === "float32"
        ? Float32Array.from(values)
        : dtype === "int32"
        ? Int32Array.from(values)
        : Uint8Array.from(values, (value) => value > 0 ? 1 : 0);
      inputs[`${index}/${k}`] = { data, shape, dtype } as HostTensor;
    })
  );
  return inputs;
}

/**
 * All cases as one program. Outputs of case `i` are `i value k` for every result, `i gradient k` for the gradient of the
 * sum of sines of the float results by argument `k`, and `i loss`, that sum.
 *
 * @param measure Whether it is for tfjs's CPU, which is not asked for what it does wrong.
 */
export function programOf(cases: readonly Case[], inputs: NamedHostTensors, measure: boolean): Program {
  return {
    name: "parity",
    state: {},
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ),
    apply(_state, fed) {
      const outputs: NamedTensors = {};
      cases.forEach((item, index) => {
        if (measure && item.reference !== undefined) return;
        const x = item.shapes.map((_, k) => fed[`${index}/${k}`]);
        const run = () => [item.run(x)].flat();
        const set = (results: readonly tf.Tensor[]) =>
          results.forEach((result, k) => outputs[`${index} value ${k}`] = result);
        // Some kernels are not used while a tape records.
        if (item.gradient === false) return set(run());
        const pass = record(() => {
          const results = run();
          const floats = results.filter((result) => result.dtype === "float32");
          const sums = floats.map((result) => tf.sum(tf.sin(tf.add(result, 0.3))));
          return { results, loss: sums.length === 0 ? null : sums.reduce((a, b) => tf.add(a, b)) };
        });
        set(pass.value.results);
        if (pass.value.loss !== null && !(measure && item.gradient === "differences")) {
          outputs[`${index} loss`] = pass.value.loss;
          const by = x.map((value, k) => [value, k] as const).filter(([value]) => value.dtype === "float32");
          const gradients = pass.gradients(pass.value.loss, by.map(([value]) => value));
          gradients.forEach((gradient, k) => {
            if (gradient !== null) outputs[`${index} gradient ${by[k][1]}`] = gradient;
          });
        }
        pass.dispose();
      });
      return { state: {}, outputs };
    },
  };
}
