/**
 * `jit` for tfjs: a function of named tensors, traced once per shape, compiled and run by ONNX Runtime. Training included.
 *
 * Three words are enough to use it. A compilation is valid for the names, shapes and types of the inputs: its *guard*.
 * Another shape is a *retrace*. What no graph can hold is a *break* and an error that names the line: reading a value,
 * deciding by a value, drawing unseeded randomness.
 *
 * ```ts
 * import { assert } from "@std/assert";
 * import * as tf from "@tensorflow/tfjs";
 * import { float32, jit, record } from "@armlab/armlab/jit";
 *
 * // One step of gradient descent on |x w - y|^2; `w` stays in the runtime between calls.
 * const step = jit(({ w, x, y }) => {
 *   const pass = record(() => tf.mean(tf.square(tf.sub(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), y))));
 *   const [gradient] = pass.gradients(pass.value, [w]);
 *   pass.dispose();
 *   return { w: tf.sub(w, tf.mul(gradient!, 0.1)), loss: pass.value };
 * }, { state: { w: float32([0, 0], [2, 1]) } });
 *
 * const batch = { x: float32([1, 0, 0, 1, 1, 1], [3, 2]), y: float32([2, -1, 1], [3, 1]) };
 * for (let i = 0; i < 200; i++) await step(batch);
 *
 * const { w } = await step.read();
 * assert(Math.abs(w.data[0] - 2) < 1e-3 && Math.abs(w.data[1] + 1) < 1e-3);
 * assert(step.stats().hits === 200 && step.stats().retraces === 0);
 * step.dispose();
 * ```
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type {
  CompiledProgram,
  DType,
  EngineState,
  HostTensor,
  NamedHostTensors,
  NamedSpecs,
  NamedTensors,
  Program,
} from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { checkHost } from "../check.ts";
import { onnxEngine } from "./engine.ts";
import { TraceBreakError, UnsupportedKernelError } from "./errors.ts";

export { type KernelUse, record, type Recording, stopGradient } from "../../tensor/autodiff.ts";
export { noise, type NoiseAttributes } from "../../tensor/noise.ts";
export type { NoiseKind } from "../../core/scope.ts";
export {
  type DType,
  float32,
  type HostTensor,
  int32,
  type NamedHostTensors,
  type NamedSpecs,
  type NamedTensors,
  type TensorSpec,
} from "../../core/program.ts";
export { TraceBreakError, type TraceBreakReason, UnsupportedKernelError } from "./errors.ts";

/** A pure function of named tensors: it reads no value, decides by none and draws no unseeded randomness. */
export type TensorFunction = (tensors: Readonly<NamedTensors>) => NamedTensors;

/** Options of `jit`. */
export interface JitOptions {
  /** For messages and profiles. @default the function's name */
  readonly name?: string;
  /** Tensors that stay in the runtime between calls: a result of the same name is the next value. */
  readonly state?: NamedHostTensors;
  /** Threads that one call may use. @default {1} */
  readonly threads?: number;
  /** Folder that keeps optimised graphs between processes; `null` is none. @default `graphs` in the environment's `ARMLAB_CACHE`, else none */
  readonly cache?: string | null;
}

/** What `jit` counted. */
export interface JitStats {
  /** Calls that an existing compilation or a new one served. */
  readonly hits: number;
  /** Compilations after the first. */
  readonly retraces: number;
  /** Calls that failed as the function did what no graph can hold. */
  readonly breaks: number;
  /** Milliseconds of all compilations. */
  readonly compileMs: number;
  /** Nodes of all compiled graphs. */
  readonly nodes: number;
}

/** A compiled function. */
export interface Jitted {
  /**
   * Runs the function.
   *
   * @param inputs Every tensor that is not state, as host values or as tensors of an eager tfjs backend.
   * @returns The results that are not state.
   * @throws {TraceBreakError} If the function does what no graph can hold; the message names the line.
   * @throws {UnsupportedKernelError} If it uses an operation that cannot be compiled.
   */
  (inputs?: Readonly<Record<string, HostTensor | tf.Tensor>>): Promise<NamedHostTensors>;
  /** Copies state to the host; without names, all. */
  read(names?: readonly string[]): Promise<NamedHostTensors>;
  /** Replaces values of state. */
  write(values: NamedHostTensors): Promise<void>;
  stats(): JitStats;
  /** Frees compilations and state. */
  dispose(): void;
}

function specsOf(values: NamedHostTensors): NamedSpecs {
  return Object.fromEntries(Object.entries(values).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
}

function hostTensor(value: HostTensor | tf.Tensor): HostTensor {
  if (!(value instanceof tf.Tensor)) return value;
  return { data: value.dataSync(), shape: value.shape, dtype: value.dtype as DType };
}

/** For what shapes and types a compilation is valid. */
function guardOf(inputs: NamedHostTensors): string {
  return Object.keys(inputs).sort().map((name) => `${name}:${inputs[name].dtype}[${inputs[name].shape}]`).join();
}

/** Compiles a function of named tensors when it is first called, and again for every new shape. */
export function jit(run: TensorFunction, options: JitOptions = {}): Jitted {
  const { name = run.name || "jit", state: start = {}, threads, cache } = options;
  const engine = onnxEngine({ threads, ...(cache === undefined ? {} : { cache }) });
  const state: EngineState = engine.createState(start);
  const compiled = new Map<string, CompiledProgram>();
  let [hits, breaks, compileMs, nodes] = [0, 0, 0, 0];

  function programFor(inputs: NamedHostTensors): Program {
    for (const input of Object.keys(inputs)) {
      if (Object.hasOwn(start, input)) {
        throw new Refusal({ what: `call ${name} with input "${input}"`, found: "it is state" });
      }
    }
    return {
      name,
      state: specsOf(start),
      inputs: specsOf(inputs),
      apply(kept, fed) {
        const results = run({ ...kept, ...fed }) as NamedTensors | Promise<unknown> | null | undefined;
        if (results instanceof Promise) results.catch(() => {}); // what it failed with matters no more
        if (typeof results !== "object" || results === null || results instanceof Promise) {
          const found = results instanceof Promise ? "a promise" : String(results);
          throw new Refusal({
            what: `trace ${name}`,
            must: "it must return tensors by name",
            found: `it returns ${found}`,
          });
        }
        const of = (wanted: boolean) =>
          Object.fromEntries(Object.entries(results).filter(([key]) => Object.hasOwn(start, key) === wanted));
        return { state: of(true), outputs: of(false) };
      },
    };
  }

  async function prepared(inputs: NamedHostTensors): Promise<CompiledProgram> {
    const guard = guardOf(inputs);
    let program = compiled.get(guard);
    if (program === undefined) {
      try {
        program = await engine.compile(programFor(inputs));
      } catch (error) {
        if (error instanceof TraceBreakError || error instanceof UnsupportedKernelError) breaks++;
        throw error;
      }
      compiled.set(guard, program);
      compileMs += program.stats().compileMs;
      nodes += program.stats().nodes;
    }
    return program;
  }

  const call = async (given: Readonly<Record<string, HostTensor | tf.Tensor>> = {}): Promise<NamedHostTensors> => {
    const inputs = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, hostTensor(value)]));
    for (const [key, value] of Object.entries(inputs)) checkHost(`call ${name}`, `input "${key}"`, value);
    const program = await prepared(inputs);
    const outputs = await program.run(state, inputs);
    hits++;
    return outputs;
  };
  return Object.assign(call, {
    read: (names?: readonly string[]) => state.read(names),
    write: (values: NamedHostTensors) => state.write(values),
    stats: (): JitStats => ({ hits, retraces: Math.max(0, compiled.size - 1), breaks, compileMs, nodes }),
    dispose(): void {
      for (const program of compiled.values()) program.dispose();
      compiled.clear();
      state.dispose();
    },
  });
}
