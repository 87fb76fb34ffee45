/**
 * What tfjs's tape of recorded kernels gets wrong, mended in its engine.
 *
 * - A kernel that keeps its *result* for its gradient (sigmoid, tanh, softmax, …) keeps a copy, which stands on the tape
 *   before the kernel. Whoever differentiates a gradient walks the tape backwards, meets the kernel first and loses what
 *   the copy brings: second derivatives are wrong without a word. Here the kernel stands before the copies of its results.
 * - A gradient given as a formula (`tf.customGrad`) may keep values that are neither its inputs nor its result. They came
 *   about unrecorded, so that the derivative of the formula lacks what depends on them: it is refused.
 * - A kernel with an input that was left out (batch normalisation without scale or offset) cannot be recorded at all.
 * - `tf.logSumExp` of nothing but -infinity is -infinity and moves with none of its values. By its operations' gradients
 *   the logarithm of 0 gives infinity times 0, and the largest value passes all on to -infinity: there both are 0.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Refusal } from "../core/refusal.ts";

/** One recorded kernel, as tfjs's engine keeps it. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Record<string, tf.Tensor>;
  readonly outputs: tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
  readonly saved?: tf.Tensor[];
}

type Thunks = Record<string, () => tf.Tensor>;
type Formula = (dy: unknown, saved: tf.Tensor[], attributes: unknown) => Thunks;

/** The part of tfjs's engine that keeps the tape; private in its types, stable since 1.0. */
export interface TapeEngine {
  readonly state: {
    activeTape: TapeNode[] | null;
    gradientDepth: number;
    readonly scopeStack?: readonly { readonly name: string }[];
  };
  startTape(): void;
  endTape(): void;
  addTapeNode(
    kernelName: string,
    inputs: Record<string, tf.Tensor | undefined>,
    outputs: tf.Tensor[],
    formula: Formula | null,
    saved: tf.Tensor[],
    attributes: unknown,
  ): void;
  getTensorsForGradient(
    kernelName: string,
    inputs: Record<string, tf.Tensor | undefined>,
    outputs: tf.Tensor[],
  ): (tf.Tensor | undefined)[];
  runKernelFunc(kernel: {
    forwardFunc(): tf.Tensor;
    backwardsFunc(dy: tf.Tensor): Thunks;
    inputs: Record<string, tf.Tensor>;
  }): tf.Tensor;
}

/** tfjs's engine. */
export function tapeEngine(): TapeEngine {
  return tf.engine() as unknown as TapeEngine;
}

/** Whether an operation that `tf.logSumExp` is made of runs just now: the scope around the operation's own is its. */
export function insideLogSumExp(): boolean {
  return tapeEngine().state.scopeStack?.at(-2)?.name === "logSumExp__op";
}

/** Gives operations that `tf.logSumExp` is made of a gradient of 0 where all values are -infinity. */
function mendLogSumExp(node: TapeNode, saved: readonly tf.Tensor[], attributes: unknown): void {
  const gradient = tf.getGradient(node.kernelName)?.gradFunc as Formula | undefined;
  if (node.kernelName === "Log") {
    const [sum] = saved;
    node.gradient = ([dy]) => {
      const none = tf.equal(sum, 0);
      return gradient!(tf.where(none, 0, dy!), [tf.where(none, 1, sum)], attributes);
    };
  } else if (node.kernelName === "Max") {
    const [x, largest] = saved;
    node.gradient = ([dy]) => gradient!(tf.where(tf.equal(largest, -Infinity), 0, dy!), [x, largest], attributes);
  }
}

/** Inputs that are there. */
function given<T>(inputs: Record<string, T | undefined>): Record<string, T> {
  const entries = Object.entries(inputs);
  const present = entries.filter((entry): entry is [string, T] => entry[1] !== undefined && entry[1] !== null);
  return present.length === entries.length ? inputs as Record<string, T> : Object.fromEntries(present);
}

/** The same values; what is differentiated by anything that led to `inputs` through them is refused. */
function sealed(engine: TapeEngine, gradient: tf.Tensor, inputs: readonly tf.Tensor[]): tf.Tensor {
  const refuse = (): never => {
    throw new Refusal({
      what: "differentiate a second time",
      must: "every gradient on the way must be made of recorded operations",
      found: "one is a formula of values that are not recorded (tf.customGrad, withGradient)",
      hint: "write that function by tfjs's operations",
    });
  };
  return engine.runKernelFunc({
    forwardFunc: () => tf.clone(gradient),
    backwardsFunc: (dy) => ({ gradient: () => dy, ...Object.fromEntries(inputs.map((_, i) => [`input${i}`, refuse])) }),
    inputs: { gradient, ...Object.fromEntries(inputs.map((input, i) => [`input${i}`, input])) },
  });
}

/** Whether a formula keeps something that is neither an input nor a result. */
function keepsOthers(
  tape: readonly TapeNode[],
  saved: readonly tf.Tensor[],
  own: ReadonlySet<number>,
): boolean {
  // The copies are the last nodes of the tape.
  const source = new Map(
    tape.slice(-saved.length).map((node) => [node.outputs[0].id, Object.values(node.inputs)[0].id]),
  );
  return saved.some((copy) => !own.has(source.get(copy.id) ?? -1));
}

let mended = false;

/** Mends the tape, once. */
export function mendTape(): void {
  if (mended) return;
  mended = true;
  const engine = tapeEngine();
  const { addTapeNode, getTensorsForGradient } = engine;
  engine.getTensorsForGradient = (kernelName, inputs, outputs) =>
    getTensorsForGradient.call(engine, kernelName, inputs, outputs).filter((tensor) =>
      tensor !== undefined && tensor !== null
    );
  engine.addTapeNode = (kernelName, inputs, outputs, formula, saved, attributes) => {
    const present = given(inputs);
    const tape = engine.state.activeTape!;
    const from = Object.values(present);
    const own = new Set([...from, ...outputs].map(({ id }) => id));
    const partial = formula !== null && saved.length > 0 && keepsOthers(tape, saved, own);
    const seal: Formula = (...rest) => {
      const gradients = formula!(...rest);
      // At depth 0 nobody records the gradient, so that nobody can differentiate it.
      if (engine.state.gradientDepth === 0) return gradients;
      return Object.fromEntries(
        Object.entries(gradients).map(([name, make]) => [name, () => sealed(engine, make(), from)]),
      );
    };
    addTapeNode.call(engine, kernelName, present, outputs, partial ? seal : formula, saved, attributes);
    const node = tape.pop()!;
    if (insideLogSumExp()) mendLogSumExp(node, saved, attributes);
    const results = new Set(outputs.map(({ id }) => id));
    let place = tape.length;
    for (let back = 1; back <= Math.min(saved.length, tape.length); back++) {
      const copy = tape[tape.length - back];
      if (Object.values(copy.inputs).some(({ id }) => results.has(id))) place = tape.length - back;
    }
    tape.splice(place, 0, node);
  };
}
