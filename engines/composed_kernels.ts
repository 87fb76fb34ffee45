/**
 * Kernels composed of other kernels of a tfjs backend, for what it lacks or gets wrong.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Runs kernels of a backend and frees what they make when the composed kernel is done. */
export class Kernels {
  readonly #name: string;
  readonly #backend: tf.KernelBackend;
  readonly #made: tf.TensorInfo[] = [];

  /** @param name tfjs's name of the backend. */
  constructor(name: string, backend: unknown) {
    this.#name = name;
    this.#backend = backend as tf.KernelBackend;
  }

  /** One kernel's first output. `<name>/own` is the backend's kernel that a composed one replaces. */
  run(
    name: string,
    inputs: Record<string, tf.TensorInfo> | readonly tf.TensorInfo[],
    attrs: Record<string, unknown> = {},
  ): tf.TensorInfo {
    return this.all(name, inputs, attrs)[0];
  }

  /** One kernel's outputs. */
  all(
    name: string,
    inputs: Record<string, tf.TensorInfo> | readonly tf.TensorInfo[],
    attrs: Record<string, unknown> = {},
  ): tf.TensorInfo[] {
    const kernel = tf.getKernel(name, this.#name);
    const result = kernel.kernelFunc({
      inputs: inputs as Record<string, tf.TensorInfo>,
      attrs: attrs as unknown as tf.NamedAttrMap,
      backend: this.#backend as unknown as Record<string, never>,
    });
    const outputs = [result].flat();
    this.#made.push(...outputs);
    return outputs;
  }

  /** Frees everything but the results, which must be among what was made. */
  done<R extends tf.TensorInfo | readonly tf.TensorInfo[]>(results: R): R {
    const kept = new Set<tf.TensorInfo>(Array.isArray(results) ? results : [results as tf.TensorInfo]);
    // Reshapes share data with what they reshape and count as references of their own.
    for (const info of this.#made) if (!kept.has(info)) this.#backend.disposeData(info.dataId);
    return results;
  }

  /** Values of the host as a tensor. Only for backends that can be written at once. */
  tensor(values: Float32Array | Int32Array, shape: readonly number[]): tf.TensorInfo {
    const dtype = values instanceof Int32Array ? "int32" : "float32";
    const made = { dataId: this.#backend.write(values, [...shape], dtype), shape: [...shape], dtype } as tf.TensorInfo;
    this.#made.push(made);
    return made;
  }

  /** The values on the host. Only for backends that can be read at once. */
  numbers(x: tf.TensorInfo): ArrayLike<number> {
    return this.#backend.readSync(x.dataId) as ArrayLike<number>;
  }

  /** The same values in another shape. */
  reshape(x: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    return this.run("Reshape", { x }, { shape: [...shape] });
  }
  /** Axes in another order. */
  transpose(x: tf.TensorInfo, perm: readonly number[]): tf.TensorInfo {
    return this.run("Transpose", { x }, { perm: [...perm] });
  }
  /** A value before and after each axis. */
  pad(x: tf.TensorInfo, paddings: readonly (readonly [number, number])[], constantValue = 0): tf.TensorInfo {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    return this.run("PadV2", { x }, { paddings, constantValue });
  }
  /** Another element type. */
  cast(x: tf.TensorInfo, dtype: tf.DataType): tf.TensorInfo {
    return x.dtype === dtype ? x : this.run("Cast", { x }, { dtype });
  }
  /** A float of shape []. */
  scalar(value: number): tf.TensorInfo {
    return this.run("Fill", {}, { shape: [], value, dtype: "float32" });
  }
  /** Zeros. */
  zeros(shape: readonly number[], dtype: tf.DataType = "float32"): tf.TensorInfo {
    return this.run("Fill", {}, { shape: [...shape], value: 0, dtype });
  }
  /** Parts one after the other along an axis. */
  concat(parts: readonly tf.TensorInfo[], axis: number): tf.TensorInfo {
    return this.run("Concat", parts, { axis });
  }
  /** Elementwise product; shapes broadcast. */
  multiply(a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
    return this.run("Multiply", { a, b });
  }
  /** Sum over axes. */
  sum(x: tf.TensorInfo, axis: readonly number[]): tf.TensorInfo {
    return this.run("Sum", { x }, { axis: [...axis], keepDims: false });
  }
  /** [n, k] times [k, m]. */
  matMul(a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
    const [left, right] = [a, b].map((x) => this.reshape(x, [1, ...x.shape]));
    const product = this.run("BatchMatMul", { a: left, b: right }, { transposeA: false, transposeB: false });
    return this.reshape(product, [a.shape[0], b.shape[1]]);
  }
  /** The part of the given size from `begin` on. */
  slice(x: tf.TensorInfo, begin: readonly number[], size: readonly number[]): tf.TensorInfo {
    return this.run("Slice", { x }, { begin: [...begin], size: [...size] });
  }
}

/** A composed kernel by its inputs and attributes. */
export type ComposedKernel = (
  k: Kernels,
  inputs: Record<string, tf.TensorInfo>,
  attrs: unknown,
) => tf.TensorInfo | tf.TensorInfo[];

const registered = new Set<string>();

/**
 * Registers composed kernels for a backend whose own kernels are registered; again is no error.
 *
 * A kernel that the backend has is kept as `<name>/own`, for the composed one to call.
 */
export function registerComposed(backendName: string, kernels: Readonly<Record<string, ComposedKernel>>): void {
  if (registered.has(backendName)) return;
  registered.add(backendName);
  for (const [kernelName, compose] of Object.entries(kernels)) {
    const own = tf.getKernel(kernelName, backendName);
    if (own !== undefined) {
      tf.unregisterKernel(kernelName, backendName);
      tf.registerKernel({ ...own, kernelName: `${kernelName}/own` });
    }
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const k = new Kernels(backendName, backend);
        return k.done(compose(k, inputs as Record<string, tf.TensorInfo>, attrs));
      },
    });
  }
}
