/**
 * ONNX Runtime. The only file that imports it.
 *
 * @module
 */
import "./no_telemetry.ts"; // must stay first
import * as ort from "onnxruntime-node";
import type { DType, HostTensor } from "../../core/program.ts";

/** A tensor in the runtime's form. */
export type RuntimeTensor = ort.Tensor;
/** A loaded model. */
export type Session = ort.InferenceSession;

/** How a model is run. */
export interface SessionOptions {
  readonly threads: number;
  /** File prefix under which the runtime writes how long every operator took. */
  readonly profile?: string;
}

/** Version of the runtime's package. */
export function runtimeVersion(): string {
  return ort.env.versions.node ?? ort.env.versions.common;
}

/**
 * Loads a model.
 *
 * One thread runs nodes one after another; more let single operators use several cores. Memory patterns and the arena are
 * on: a program runs thousands of times with the same shapes. Warnings of the optimiser about our graphs help nobody.
 */
export function createSession(model: Uint8Array, { threads, profile }: SessionOptions): Promise<Session> {
  return ort.InferenceSession.create(model, {
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    enableCpuMemArena: true,
    enableMemPattern: true,
    logSeverityLevel: 3,
    extra: { session: { set_denormal_as_zero: "1" } },
  });
}

/** A runtime tensor over the given array; nothing is copied. */
export function runtimeTensor({ data, shape, dtype }: HostTensor): RuntimeTensor {
  return new ort.Tensor(dtype as "float32", data as Float32Array, [...shape]);
}

/** A runtime tensor of zeros, to be written by a run. */
export function emptyTensor(shape: readonly number[], dtype: DType): RuntimeTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = dtype === "float32"
    ? new Float32Array(size)
    : dtype === "int32"
    ? new Int32Array(size)
    : new Uint8Array(size);
  return runtimeTensor({ data, shape, dtype });
}

/** A copy of a runtime tensor's values. */
export function hostCopy(tensor: RuntimeTensor): HostTensor {
  const data = tensor.data as Float32Array | Int32Array | Uint8Array;
  return { data: data.slice(), shape: [...tensor.dims], dtype: tensor.type as DType };
}

/** A runtime tensor's values, not copied. */
export function hostView(tensor: RuntimeTensor): HostTensor {
  return {
    data: tensor.data as Float32Array | Int32Array | Uint8Array,
    shape: [...tensor.dims],
    dtype: tensor.type as DType,
  };
}

/** Writes the profile, if one was asked for, and frees the model. */
export async function closeSession(session: Session, { profile }: SessionOptions): Promise<void> {
  if (profile !== undefined) session.endProfiling();
  await session.release();
}
