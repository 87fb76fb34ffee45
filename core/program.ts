/**
 * Programs and the devices that run them.
 *
 * A program is a pure function over flat records of named tensors. It reads no tensor's value, branches on no data and
 * draws no unseeded randomness, so that an engine may run it op by op or trace it once and compile it.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";

/** Element types that cross the border between host and engine. */
export type DType = "float32" | "int32" | "bool";

/** Shape and element type of a tensor. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A tensor's values on the host, row-major. `bool` is stored as 0/1 bytes. */
export interface HostTensor extends TensorSpec {
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Specs by name. */
export type NamedSpecs = Readonly<Record<string, TensorSpec>>;
/** Device tensors by name. */
export type NamedTensors = Record<string, tf.Tensor>;
/** Host values by name. */
export type NamedHostTensors = Record<string, HostTensor>;

/** What one execution of a program gives. */
export interface ProgramResult {
  /** New values of those state tensors that change; names must be in the program's `state`. */
  readonly state: NamedTensors;
  /** What the host gets to read. */
  readonly outputs: NamedTensors;
}

/** A pure function over named tensors with fixed shapes. */
export interface Program {
  /** For messages and profiles, e.g. `"train/main"`. */
  readonly name: string;
  /** Tensors that live on the device between runs: parameters, optimiser slots, buffers. */
  readonly state: NamedSpecs;
  /** Tensors that are fed at each run. */
  readonly inputs: NamedSpecs;
  /** The function itself. Called under the engine's backend; once per trace, or once per run. */
  apply(state: Readonly<NamedTensors>, inputs: Readonly<NamedTensors>): ProgramResult;
}

/** Named tensors that live on an engine's device and are shared by the programs compiled for it. */
export interface EngineState {
  /** Names and shapes held. */
  readonly specs: NamedSpecs;
  /** Copies values to the host. Without names, all. */
  read(names?: readonly string[]): Promise<NamedHostTensors>;
  /**
   * Replaces values; unnamed ones stay.
   *
   * @throws {Refusal} If a name is unknown or a shape or dtype differs.
   */
  write(values: NamedHostTensors): Promise<void>;
  /** Frees the device memory. */
  dispose(): void;
}

/** What an engine counted about one program. */
export interface ProgramStats {
  /** Runs so far. */
  readonly runs: number;
  /** Runs served by an existing compilation. */
  readonly hits: number;
  /** Compilations after the first. */
  readonly retraces: number;
  /** Milliseconds spent in tracing and compiling. */
  readonly compileMs: number;
  /** Nodes in the compiled graph; 0 for an eager engine. */
  readonly nodes: number;
}

/** A program that an engine can run. */
export interface CompiledProgram {
  readonly program: Program;
  /**
   * Runs once: reads and replaces state in place, returns the outputs.
   *
   * @param state State made by the same engine; must hold every tensor of `program.state`.
   * @param inputs Exactly the program's inputs, shapes as declared.
   * @returns Outputs by name. Arrays belong to the caller.
   * @throws {Refusal} If an input is missing, unknown or of another shape, type or array.
   */
  run(state: EngineState, inputs: NamedHostTensors): Promise<NamedHostTensors>;
  /** Counters. */
  stats(): ProgramStats;
  /** Frees the compilation. */
  dispose(): void;
}

/** How values become state. */
export interface StateOptions {
  /**
   * Whether the state may have the arrays themselves, where it lives in the host's memory: the caller neither changes them
   * nor minds that programs which set state do. @default {false}: it copies them
   */
  readonly take?: boolean;
}

/** A device with a way to run programs. */
export interface Engine {
  /** Registry name, e.g. `"cpu"`, `"onnx:cpu"`. */
  readonly name: string;
  /** Version of what computes, e.g. `"tfjs 4.22.0"`, `"onnxruntime-node 1.30.0"`. */
  readonly version: string;
  /** The device in words, e.g. `"CPU, 1 thread"`. */
  readonly device: string;
  /** Puts values on the device. */
  createState(values: NamedHostTensors, options?: StateOptions): EngineState;
  /** Prepares a program. */
  compile(program: Program): Promise<CompiledProgram>;
  /**
   * Runs a function for the shapes of its tensors alone, as cheaply as the engine can: nothing may be read in it.
   * Initialisation uses this to find every parameter's shape.
   */
  abstract(run: () => void): void;
  /** Frees everything the engine holds. */
  dispose(): Promise<void>;
}

/** Options every engine takes. */
export interface EngineOptions {
  /** Threads one program may use. @default {1} */
  readonly threads?: number;
}

/** Why an engine cannot run here, and how to change that. */
export interface Missing {
  /** What is missing or broken, as after "Cannot use engine X: ". */
  readonly what: string;
  /** The command that gets it, or what to do; `null` if nothing can be done on this machine. */
  readonly get: string | null;
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Builds a float32 host tensor. */
export function float32(data: Float32Array | readonly number[], shape: readonly number[]): HostTensor {
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), shape, dtype: "float32" };
}

/** Builds an int32 host tensor. */
export function int32(data: Int32Array | readonly number[], shape: readonly number[]): HostTensor {
  return { data: data instanceof Int32Array ? data : Int32Array.from(data), shape, dtype: "int32" };
}
