/**
 * Reverse-mode differentiation of tfjs operations with one forward pass and any number of backward passes.
 *
 * tfjs's own `grads` runs the forward pass anew for each scalar that is differentiated and frees every intermediate
 * value. Balancing methods need the gradients of several losses of one forward pass and want to look at its
 * intermediate values, so we keep tfjs's tape (which knows the gradient of each kernel) and walk it ourselves.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Refusal } from "../core/refusal.ts";
import { registerGradients } from "./gradients.ts";
import { tapeEngine, type TapeNode } from "./tape.ts";

/** A kernel that ran in a recording, by its shapes. */
export interface KernelUse {
  /** tfjs's name, e.g. `"Conv2D"`. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: readonly (readonly number[])[];
}

/** What a recorded forward pass returned, with the means to differentiate it. */
export interface Recording<T> {
  /** What the function returned. */
  readonly value: T;
  /**
   * Gradients of the sum of all elements of some tensors of the recorded pass. May be called several times.
   *
   * @param of The tensor or tensors to differentiate; must come from the recorded function.
   * @param by The tensors to differentiate by.
   * @returns One gradient per tensor in `by`, of its shape; `null` where `of` does not depend on it.
   */
  gradients(of: tf.Tensor | readonly tf.Tensor[], by: readonly tf.Tensor[]): (tf.Tensor | null)[];
  /** The kernels of the pass in the order in which they ran. */
  kernels(): KernelUse[];
  /** Outputs of the kernels that combine a tensor, or what it was moved or reshaped to, with others; in their order. */
  combinedWith(tensor: tf.Tensor): readonly tf.Tensor[];
  /** Frees what the pass saved for its gradients. Call once, when no more gradients are wanted. */
  dispose(): void;
}

/**
 * Runs a function and records how its tensors came about. Call inside `tf.tidy`, which owns what the function makes.
 *
 * Inside it, `tf.grad` and its kin give first derivatives that can be differentiated once more; where that would be wrong,
 * it is refused (`tape.ts`).
 *
 * @throws {Refusal} If called inside another recording.
 */
export function record<T>(run: () => T): Recording<T> {
  registerGradients();
  const engine = tapeEngine();
  if (engine.state.gradientDepth !== 0) {
    throw new Refusal({
      what: "record inside a recording",
      must: "one recording must have ended before the next",
      hint: "take the inner derivative by tf.grad or tf.grads",
    });
  }
  engine.startTape();
  let value: T;
  try {
    value = run();
  } finally {
    engine.endTape();
  }
  const tape = engine.state.activeTape ?? [];
  engine.state.activeTape = null;
  return {
    value,
    gradients: (of, by) => backpropagate(tape, of instanceof tf.Tensor ? [of] : of, by),
    kernels: () =>
      tape.map(({ kernelName, inputs, outputs }) => ({
        name: kernelName,
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])),
        outputs: outputs.map(({ shape }) => shape),
      })),
    combinedWith: (tensor) => {
      const forms = new Set([tensor.id]);
      return tape.flatMap(({ inputs, outputs }) => {
        const read = Object.values(inputs);
        if (!read.some(({ id }) => forms.has(id))) return [];
        if (read.length > 1) return outputs;
        for (const { id } of outputs) forms.add(id);
        return [];
      });
    },
    dispose() {
      for (const node of tape) for (const tensor of node.saved ?? []) tensor.dispose();
    },
  };
}

/** Ids of all tensors that depend on `by`. */
function reachableFrom(tape: readonly TapeNode[], by: readonly tf.Tensor[]): Set<number> {
  const reached = new Set(by.map((tensor) => tensor.id));
  for (const node of tape) {
    if (Object.values(node.inputs).some((input) => reached.has(input.id))) {
      for (const output of node.outputs) if (output.dtype === "float32") reached.add(output.id);
    }
  }
  return reached;
}

/**
 * A gradient in the shape of what it belongs to. tfjs's gradients of some broadcasting kernels (`Maximum`,
 * `SquaredDifference`, `BatchMatMul`, …) have the shape of the result: the sum over the repetitions is missing.
 *
 * @throws {Error} If no such sum gives the shape.
 */
function shapedLike(gradient: tf.Tensor, input: tf.Tensor, kernel: string): tf.Tensor {
  if (gradient.shape.length === input.shape.length && gradient.shape.every((e, i) => e === input.shape[i])) {
    return gradient;
  }
  const extra = gradient.rank - input.rank;
  const repeated = gradient.shape.map((_, axis) => axis).filter((axis) =>
    axis < extra || (input.shape[axis - extra] === 1 && gradient.shape[axis] !== 1)
  );
  const kept = gradient.shape.filter((_, axis) => !repeated.includes(axis));
  const wanted = input.shape.filter((_, axis) => !repeated.includes(axis + extra));
  if (extra < 0 || kept.join() !== wanted.join()) {
    throw new Error(
      `Cannot differentiate kernel ${kernel} as its gradient must have the shape [${input.shape.join(", ")}] of its ` +
        `input: found [${gradient.shape.join(", ")}]`,
    );
  }
  return tf.reshape(tf.sum(gradient, repeated), input.shape);
}

function backpropagate(
  tape: readonly TapeNode[],
  of: readonly tf.Tensor[],
  by: readonly tf.Tensor[],
): (tf.Tensor | null)[] {
  const wanted = reachableFrom(tape, by);
  const gradients = new Map<number, tf.Tensor>();
  for (const root of of) {
    const present = gradients.get(root.id);
    gradients.set(root.id, present === undefined ? tf.onesLike(root) : tf.add(present, tf.onesLike(root)));
  }
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i];
    const dys = node.outputs.map((output) => gradients.get(output.id) ?? null);
    if (dys.every((dy) => dy === null)) continue;
    // Truths and integers carry no gradient: a comparison inside a select ends the path.
    const inputs = Object.entries(node.inputs).filter(([_, input]) =>
      wanted.has(input.id) && input.dtype === "float32"
    );
    if (inputs.length === 0) continue;
    if (node.gradient === undefined || node.gradient === null) {
      throw new Refusal({
        what: `differentiate kernel ${node.kernelName}`,
        found: "no gradient is registered for it",
        hint: "cut it off by stopGradient, or compute it in another way",
      });
    }
    // A kernel with several outputs (Unpack, SplitV) wants a gradient for each; the unused ones get zeros.
    const filled = node.outputs.length === 1 ? dys : dys.map((dy, k) => dy ?? tf.zerosLike(node.outputs[k]));
    const inputGradients = node.gradient(filled);
    for (const [name, input] of inputs) {
      const make = inputGradients[name];
      if (make === undefined) {
        throw new Error(`Cannot differentiate kernel ${node.kernelName} by its input "${name}"`);
      }
      const gradient = shapedLike(make(), input, node.kernelName);
      const present = gradients.get(input.id);
      gradients.set(input.id, present === undefined ? gradient : tf.add(present, gradient));
    }
  }
  return by.map((tensor) => gradients.get(tensor.id) ?? null);
}

/** A value and how to differentiate it. */
export interface Differentiable {
  readonly value: tf.Tensor;
  /** Gradients by the inputs, in order, from that of the value and the saved tensors. */
  gradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[];
}

/**
 * A function of tensors whose gradient is given as a formula, where that takes less than following its operations.
 *
 * @param inputs What it is differentiated by.
 * @param run Computes it; `save` keeps tensors for the gradient, which must use no others.
 */
export function withGradient(
  inputs: readonly tf.Tensor[],
  run: (save: (tensors: tf.Tensor[]) => void) => Differentiable,
): tf.Tensor {
  return tf.customGrad((...given) => {
    const { value, gradient } = run(given[given.length - 1] as tf.GradSaveFunc);
    return { value, gradFunc: gradient };
  })(...inputs);
}

/**
 * The same values cut off from differentiation: sg[x], `x.detach()`.
 *
 * A second tensor over the same data, which no tape node leads to; so nothing is copied or computed.
 */
export function stopGradient<T extends tf.Tensor>(tensor: T): T {
  const engine = tf.engine() as unknown as {
    state: { tensorInfo: WeakMap<object, { backend: { incRef(dataId: object): void } }> };
    makeTensorFromTensorInfo(info: tf.TensorInfo): tf.Tensor;
  };
  const info = engine.state.tensorInfo.get(tensor.dataId);
  if (info === undefined) throw new Refusal({ what: "stop the gradient of a disposed tensor" });
  info.backend.incRef(tensor.dataId);
  return engine.makeTensorFromTensorInfo({ dataId: tensor.dataId, shape: tensor.shape, dtype: tensor.dtype }) as T;
}
