/**
 * ONNX Runtime: sessions and the tensors that they read and write. The only file that imports its package.
 *
 * @module
 */
import "./no_telemetry.ts"; // must stay first
import * as ort from "onnxruntime-node";
import type { DType, HostTensor } from "../../../core/program.ts";
import type { GraphCache } from "./cache.ts";
import { sameShape } from "../graph/ir.ts";
import { NativeRuntime, type NativeSession } from "./native.ts";

/** How a model is run. */
export interface SessionOptions {
  readonly threads: number;
  /** File prefix under which the runtime writes how long every operator took. */
  readonly profile?: string;
  /** Keeps what the runtime made of models. */
  readonly cache?: GraphCache;
}

/** A loaded model. Inputs and outputs come in the order of the names that it was loaded with. */
export interface Session {
  /** Runs once; every output is written into the tensor given for it. */
  run(inputs: readonly RuntimeTensor[], outputs: readonly RuntimeTensor[]): Promise<void>;
  /** Frees the model; writes the profile before, if one was asked for. */
  release(): Promise<void>;
}

/** Version of the runtime's package. */
export function runtimeVersion(): string {
  return ort.env.versions.node ?? ort.env.versions.common;
}

const opened = NativeRuntime.open();
const native = typeof opened === "string" ? null : opened;

/** How the runtime is called: `null` if directly, else why through its Node package, which copies all state per step. */
export const indirectly: string | null = typeof opened === "string" ? opened : null;

/** Handles of arrays that nobody can reach any more. */
const lost = new FinalizationRegistry<bigint>((handle) => native!.releaseValue(handle));

/** An array with its shape that a session can read and write. */
export class RuntimeTensor implements HostTensor {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly dtype: DType;
  #handle: bigint | null = null;
  readonly #views: RuntimeTensor[] = [];

  /** Over the given array; nothing is copied. */
  constructor({ data, shape, dtype }: HostTensor) {
    this.data = data;
    this.shape = shape;
    this.dtype = dtype;
  }

  /** A tensor of zeros. */
  static empty(shape: readonly number[], dtype: DType): RuntimeTensor {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = dtype === "float32"
      ? new Float32Array(size)
      : dtype === "int32"
      ? new Int32Array(size)
      : new Uint8Array(size);
    return new RuntimeTensor({ data, shape, dtype });
  }

  /** The runtime's value over the array, made once. */
  handle(runtime: NativeRuntime): bigint {
    if (this.#handle === null) {
      this.#handle = runtime.value(this);
      lost.register(this, this.#handle, this);
    }
    return this.#handle;
  }

  /** The same array in another shape of its size. */
  as(shape: readonly number[]): RuntimeTensor {
    // Asked for every tensor of the state at every step.
    if (sameShape(shape, this.shape)) return this;
    for (const view of this.#views) if (sameShape(shape, view.shape)) return view;
    const view = new RuntimeTensor({ data: this.data, shape, dtype: this.dtype });
    this.#views.push(view);
    return view;
  }

  /** Frees the runtime's value; the array stays. */
  dispose(): void {
    for (const view of this.#views) view.dispose();
    if (this.#handle === null) return;
    lost.unregister(this);
    native!.releaseValue(this.#handle);
    this.#handle = null;
  }

  /** The values as an array of the caller's own. */
  copy(): HostTensor {
    return { data: this.data.slice(), shape: [...this.shape], dtype: this.dtype };
  }
}

/** Bytes up to which the runtime computes constants once, as large as those that graphs hold (`verify.ts`). */
const MOST_FOLDED = "65536";

/** Runtime settings chosen by measurement; `docs/engine.md` says how. */
const config = {
  "session.set_denormal_as_zero": "1",
  "optimization.constant_folding_max_output_size_in_bytes": MOST_FOLDED,
} as const;

/**
 * Loads a model.
 *
 * One thread runs nodes one after another; more let single operators use several cores. The arena is on: a program runs
 * thousands of times with the same shapes. Memory patterns are off: the first run fills the arena without one, and the
 * block that the second run takes by the pattern lies beside that, so that all intermediate values would have their room
 * twice. Warnings of the optimiser about our graphs help nobody.
 */
export async function createSession(
  model: Uint8Array<ArrayBuffer>,
  inputs: readonly string[],
  outputs: readonly string[],
  options: SessionOptions,
): Promise<Session> {
  const load = (bytes: Uint8Array<ArrayBuffer>, how: Loading) =>
    native === null ? throughPackage(bytes, inputs, outputs, options, how) : Promise.resolve(
      directly(native.session(bytes, inputs, outputs, { ...options, ...how, config }), native, options),
    );
  const { cache, threads } = options;
  if (cache === undefined) return await load(model, { optimise: true });
  const key = await cache.key(model, [runtimeVersion(), Deno.build.target, threads, config]);
  let session: Session | null = null;
  let failure: unknown = null;
  try {
    const kept = await cache.get(key);
    if (kept !== null) return await load(kept, { optimise: false });
    const optimised = await cache.temporary();
    try {
      session = await load(model, { optimise: true, optimised });
      await cache.put(key, await Deno.readFile(optimised));
    } finally {
      await cache.discard(optimised);
    }
  } catch (error) {
    failure = error;
  }
  // Where the model itself is at fault, this says so.
  session ??= await load(model, { optimise: true });
  if (failure !== null) warn(cache, failure);
  return session;
}

/** Folders that a warning was given about. */
const warned: Set<string> = new Set();

/** A graph that cannot be kept costs time at the next start, but nothing else: one warning per folder is enough. */
function warn(cache: GraphCache, error: unknown): void {
  if (warned.has(cache.folder)) return;
  warned.add(cache.folder);
  const why = error instanceof Error ? error.message : String(error);
  console.warn(`Cannot keep compiled graphs in ${cache.folder}: ${why}`);
}

/** What the runtime does with a model before it runs. */
export interface Loading {
  readonly optimise: boolean;
  readonly optimised?: string;
}

function directly(session: NativeSession, runtime: NativeRuntime, { profile }: SessionOptions): Session {
  return {
    run: (fed, fetched) => {
      session.run(fed.map((tensor) => tensor.handle(runtime)), fetched.map((tensor) => tensor.handle(runtime)));
      return Promise.resolve();
    },
    release: () => {
      if (profile !== undefined) session.endProfiling();
      session.release();
      return Promise.resolve();
    },
  };
}

/** The same through the runtime's Node package, which copies every output. */
export async function throughPackage(
  model: Uint8Array<ArrayBuffer>,
  inputs: readonly string[],
  outputs: readonly string[],
  { threads, profile }: SessionOptions,
  { optimise, optimised }: Loading,
): Promise<Session> {
  const session = await ort.InferenceSession.create(model, {
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    ...(optimised === undefined ? {} : { optimizedModelFilePath: optimised }),
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: optimise ? "basic" : "disabled",
    enableCpuMemArena: true,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: {
      session: { set_denormal_as_zero: "1" },
      optimization: { constant_folding_max_output_size_in_bytes: MOST_FOLDED },
    },
  });
  const named = (names: readonly string[], tensors: readonly RuntimeTensor[]) =>
    Object.fromEntries(
      names.map((name, index) => {
        const { data, shape, dtype } = tensors[index];
        return [name, new ort.Tensor(dtype as "float32", data as Float32Array, [...shape])];
      }),
    );
  return {
    run: async (fed, fetched) => {
      await session.run(named(inputs, fed), named(outputs, fetched));
    },
    release: async () => {
      if (profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}
