/**
 * ONNX Runtime through its C interface.
 *
 * The runtime's Node package copies every output into a new array, written buffers included: a training step, whose
 * outputs are all its parameters and slots, would copy its whole state and leave it to the garbage collector. Here a run
 * writes straight into the arrays it is given. The library is the one that the Node package brings and has loaded.
 *
 * @module
 */
import type { DType, HostTensor } from "../../../core/program.ts";

/** The version of the interface's table; later runtimes keep serving it. */
const API_VERSION = 18;

/** Places in the table of functions (`OrtApi` in onnxruntime_c_api.h), fixed for ever, with their C types. */
const functions = {
  GetErrorMessage: [2, ["pointer"], "pointer"],
  CreateEnv: [3, ["i32", "buffer", "buffer"], "pointer"],
  CreateSessionFromArray: [8, ["pointer", "buffer", "usize", "pointer", "buffer"], "pointer"],
  Run: [9, ["pointer", "pointer", "buffer", "buffer", "usize", "buffer", "usize", "buffer"], "pointer"],
  CreateSessionOptions: [10, ["buffer"], "pointer"],
  SetOptimizedModelFilePath: [11, ["pointer", "buffer"], "pointer"],
  SetSessionExecutionMode: [13, ["pointer", "i32"], "pointer"],
  EnableProfiling: [14, ["pointer", "buffer"], "pointer"],
  DisableMemPattern: [17, ["pointer"], "pointer"],
  SetSessionLogSeverityLevel: [22, ["pointer", "i32"], "pointer"],
  SetSessionGraphOptimizationLevel: [23, ["pointer", "i32"], "pointer"],
  SetIntraOpNumThreads: [24, ["pointer", "i32"], "pointer"],
  CreateTensorWithDataAsOrtValue: [49, ["pointer", "buffer", "usize", "buffer", "usize", "i32", "buffer"], "pointer"],
  CreateCpuMemoryInfo: [69, ["i32", "i32", "buffer"], "pointer"],
  AllocatorFree: [76, ["pointer", "pointer"], "pointer"],
  GetAllocatorWithDefaultOptions: [78, ["buffer"], "pointer"],
  ReleaseStatus: [93, ["pointer"], "void"],
  ReleaseSession: [95, ["pointer"], "void"],
  ReleaseValue: [96, ["pointer"], "void"],
  ReleaseSessionOptions: [100, ["pointer"], "void"],
  SessionEndProfiling: [110, ["pointer", "pointer", "buffer"], "pointer"],
  AddSessionConfigEntry: [130, ["pointer", "buffer", "buffer"], "pointer"],
} as const satisfies Record<string, readonly [number, readonly Deno.NativeType[], Deno.NativeResultType]>;

type Name = keyof typeof functions;
type Argument = Deno.PointerValue | BufferSource | number | bigint;
type Table = Readonly<Record<Name, (...args: Argument[]) => Deno.PointerValue>>;

/** ONNX numbers of the types that cross the border. */
const elementTypes: Readonly<Record<DType, number>> = { float32: 1, int32: 6, bool: 9 };

const zeroEnded = (text: string) => new TextEncoder().encode(`${text}\0`);

/** A path as the runtime wants it: of wide characters on Windows. */
function path(text: string): Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return Deno.build.os === "windows"
    ? Uint16Array.from(`${text}\0`, (letter) => letter.charCodeAt(0))
    : zeroEnded(text);
}

/** File names of the library, as the Node package ships it. */
function libraryName(): string {
  switch (Deno.build.os) {
    case "windows":
      return "onnxruntime.dll";
    case "darwin":
      return "libonnxruntime.1.dylib";
    default:
      return "libonnxruntime.so.1";
  }
}

/** What a session is created with. */
export interface NativeOptions {
  readonly threads: number;
  /** File prefix of the profile. */
  readonly profile?: string;
  /** Whether the runtime is to rewrite the model; not if it did before. */
  readonly optimise: boolean;
  /** File that the rewritten model is written to. */
  readonly optimised?: string;
  /** Entries of the runtime's session configuration. */
  readonly config: Readonly<Record<string, string>>;
}

/** A loaded runtime. */
export class NativeRuntime {
  readonly #call: Table;
  readonly #memory: Deno.PointerValue;
  readonly #environment: Deno.PointerValue;

  private constructor(call: Table) {
    this.#call = call;
    this.#environment = this.out((out) => call.CreateEnv(3, zeroEnded("armlab"), out));
    this.#memory = this.out((out) => call.CreateCpuMemoryInfo(0, 0, out));
  }

  /**
   * The runtime that the Node package loaded; import that first.
   *
   * @returns Why there is none, where foreign functions are not allowed or the library is not found.
   */
  static open(): NativeRuntime | string {
    try {
      const library = Deno.dlopen(libraryName(), { OrtGetApiBase: { parameters: [], result: "pointer" } });
      const base = new Deno.UnsafePointerView(library.symbols.OrtGetApiBase()!);
      const getApi = new Deno.UnsafeFnPointer(base.getPointer(0)!, { parameters: ["u32"], result: "pointer" });
      const api = getApi.call(API_VERSION);
      if (api === null) return `the runtime does not serve version ${API_VERSION} of its interface`;
      const table = new Deno.UnsafePointerView(api);
      const call = Object.fromEntries(
        Object.entries(functions).map(([name, [place, parameters, result]]) => {
          const pointer = table.getPointer(place * 8)!;
          const definition: Deno.ForeignFunction = { parameters: [...parameters], result };
          const fn = new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<typeof definition>, definition);
          return [name, fn.call.bind(fn)];
        }),
      ) as unknown as Table;
      return new NativeRuntime(call);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Throws what the runtime reports. */
  check(status: Deno.PointerValue): void {
    if (status === null) return;
    const message = Deno.UnsafePointerView.getCString(this.#call.GetErrorMessage(status)!);
    this.#call.ReleaseStatus(status);
    throw new Error(`ONNX Runtime: ${message}`);
  }

  /** Calls a function that writes a pointer. */
  out(call: (out: BigUint64Array<ArrayBuffer>) => Deno.PointerValue): Deno.PointerValue {
    const out = new BigUint64Array(1);
    this.check(call(out));
    return Deno.UnsafePointer.create(out[0]);
  }

  /** A runtime value over an array; nothing is copied, so the array must outlive it. */
  value({ data, shape, dtype }: HostTensor): bigint {
    const out = new BigUint64Array(1);
    this.check(this.#call.CreateTensorWithDataAsOrtValue(
      this.#memory,
      // An empty array has no address.
      (data.length === 0 ? new Uint8Array(8) : data) as BufferSource,
      data.byteLength,
      BigInt64Array.from(shape, BigInt),
      shape.length,
      elementTypes[dtype],
      out,
    ));
    return out[0];
  }

  releaseValue(value: bigint): void {
    this.#call.ReleaseValue(Deno.UnsafePointer.create(value));
  }

  /** Loads a model whose inputs and outputs have the given names. */
  session(
    model: Uint8Array<ArrayBuffer>,
    inputs: readonly string[],
    outputs: readonly string[],
    { threads, profile, optimise, optimised, config }: NativeOptions,
  ): NativeSession {
    const call = this.#call;
    const options = this.out((out) => call.CreateSessionOptions(out));
    try {
      this.check(call.SetSessionExecutionMode(options, 0));
      this.check(call.SetSessionGraphOptimizationLevel(options, optimise ? 1 : 0));
      this.check(call.SetSessionLogSeverityLevel(options, 3));
      this.check(call.SetIntraOpNumThreads(options, threads));
      this.check(call.DisableMemPattern(options));
      if (profile !== undefined) this.check(call.EnableProfiling(options, path(profile)));
      if (optimised !== undefined) this.check(call.SetOptimizedModelFilePath(options, path(optimised)));
      for (const [key, value] of Object.entries(config)) {
        this.check(call.AddSessionConfigEntry(options, zeroEnded(key), zeroEnded(value)));
      }
      const session = this.out((out) =>
        call.CreateSessionFromArray(this.#environment, model, model.byteLength, options, out)
      );
      return new NativeSession(this, call, session, inputs, outputs);
    } finally {
      call.ReleaseSessionOptions(options);
    }
  }
}

/** C strings and pointers to them. */
class Names {
  readonly pointers: BigUint64Array<ArrayBuffer>;
  /** Kept, as the pointers point into them. */
  readonly texts: readonly Uint8Array[];

  constructor(names: readonly string[]) {
    this.texts = names.map(zeroEnded);
    this.pointers = BigUint64Array.from(
      this.texts,
      (text) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(text as Uint8Array<ArrayBuffer>)),
    );
  }
}

/** A loaded model. */
export class NativeSession {
  readonly #runtime: NativeRuntime;
  readonly #call: Table;
  #session: Deno.PointerValue;
  readonly #inputs: Names;
  readonly #outputs: Names;
  readonly #inputValues: BigUint64Array<ArrayBuffer>;
  readonly #outputValues: BigUint64Array<ArrayBuffer>;

  constructor(
    runtime: NativeRuntime,
    call: Table,
    session: Deno.PointerValue,
    inputs: readonly string[],
    outputs: readonly string[],
  ) {
    this.#runtime = runtime;
    this.#call = call;
    this.#session = session;
    this.#inputs = new Names(inputs);
    this.#outputs = new Names(outputs);
    this.#inputValues = new BigUint64Array(inputs.length);
    this.#outputValues = new BigUint64Array(outputs.length);
  }

  /** Runs once from and into runtime values, in the order of the names. */
  run(inputs: ArrayLike<bigint>, outputs: ArrayLike<bigint>): void {
    if (this.#session === null) throw new Error("Cannot run a program as it was disposed");
    this.#inputValues.set(inputs);
    this.#outputValues.set(outputs);
    this.#runtime.check(this.#call.Run(
      this.#session,
      null,
      this.#inputs.pointers,
      this.#inputValues,
      this.#inputValues.length,
      this.#outputs.pointers,
      this.#outputValues.length,
      this.#outputValues,
    ));
  }

  /** Writes the profile that was asked for. */
  endProfiling(): void {
    const allocator = this.#runtime.out((out) => this.#call.GetAllocatorWithDefaultOptions(out));
    const name = this.#runtime.out((out) => this.#call.SessionEndProfiling(this.#session, allocator, out));
    this.#runtime.check(this.#call.AllocatorFree(allocator, name));
  }

  release(): void {
    if (this.#session === null) return;
    this.#call.ReleaseSession(this.#session);
    this.#session = null;
  }
}
