/**
 * Engines that run programs operation by operation on a tfjs backend.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { registerNoise } from "../tensor/noise.ts";
import type {
  CompiledProgram,
  DType,
  Engine,
  EngineState,
  HostTensor,
  NamedHostTensors,
  NamedSpecs,
  NamedTensors,
  Program,
  ProgramStats,
  TensorSpec,
} from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { checkFeeds, checkRead, checkSet, checkStart, checkState, checkWrite, foreignState } from "./check.ts";

function toDevice(host: HostTensor): tf.Tensor {
  // tfjs keeps the array it is given; a copy keeps the caller's later changes out.
  return tf.tensor(host.data.slice(), [...host.shape], host.dtype);
}

/** Reads a tensor. Not at once, as graphics devices answer only later. */
async function toHost(tensor: tf.Tensor): Promise<HostTensor> {
  const dtype = tensor.dtype as DType;
  const data = await tensor.data() as Float32Array | Int32Array | Uint8Array;
  // Some backends keep truths as 32-bit integers.
  const copy = dtype === "bool" ? Uint8Array.from(data) : data.slice();
  return { data: copy, shape: [...tensor.shape], dtype };
}

/** Reads tensors of the caller's own and frees them. */
async function hostValues(tensors: NamedTensors): Promise<NamedHostTensors> {
  try {
    const entries = Object.entries(tensors).map(async ([name, tensor]) => [name, await toHost(tensor)] as const);
    return Object.fromEntries(await Promise.all(entries));
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}

/** State as kept tfjs tensors. */
class EagerState implements EngineState {
  readonly specs: NamedSpecs;
  readonly tensors: NamedTensors = {};
  /** The backend whose memory the tensors are in. */
  readonly backend: string;
  readonly #use: () => void;

  constructor(values: NamedHostTensors, backend: string, use: () => void) {
    this.backend = backend;
    this.#use = use;
    checkStart(values);
    use();
    const specs: Record<string, TensorSpec> = {};
    for (const [name, value] of Object.entries(values)) {
      specs[name] = { shape: [...value.shape], dtype: value.dtype };
      this.tensors[name] = toDevice(value);
    }
    this.specs = specs;
  }

  async read(names: readonly string[] = Object.keys(this.tensors)): Promise<NamedHostTensors> {
    this.#use();
    checkRead(this.tensors, names);
    return await hostValues(Object.fromEntries(names.map((name) => [name, tf.clone(this.tensors[name])])));
  }

  write(values: NamedHostTensors): Promise<void> {
    return Promise.try(() => {
      this.#use();
      checkWrite(this.specs, values);
      for (const [name, value] of Object.entries(values)) this.replace(name, toDevice(value));
    });
  }

  /** Takes a tensor over in place of the present one. */
  replace(name: string, tensor: tf.Tensor): void {
    this.tensors[name].dispose();
    this.tensors[name] = tensor;
  }

  dispose(): void {
    this.#use();
    for (const [name, tensor] of Object.entries(this.tensors)) {
      tensor.dispose();
      delete this.tensors[name];
    }
  }
}

class EagerProgram implements CompiledProgram {
  readonly program: Program;
  readonly #backend: string;
  readonly #use: () => void;
  #runs = 0;

  constructor(program: Program, backend: string, use: () => void) {
    this.program = program;
    this.#backend = backend;
    this.#use = use;
  }

  async run(state: EngineState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    this.#use();
    const { program } = this;
    if (!(state instanceof EagerState) || state.backend !== this.#backend) throw foreignState(program);
    checkState(program, state.specs);
    checkFeeds(program, inputs);
    // Clones, as one tensor may be the new value of two names or of none.
    const outputs: NamedTensors = {};
    const next: NamedTensors = {};
    tf.tidy(() => {
      const given: NamedTensors = {};
      for (const name of Object.keys(program.state)) given[name] = state.tensors[name];
      const fed: NamedTensors = {};
      for (const [name, value] of Object.entries(inputs)) fed[name] = toDevice(value);
      const result = program.apply(given, fed);
      for (const [name, tensor] of Object.entries(result.state)) {
        checkSet(program, name, tensor.shape, tensor.dtype as DType);
        next[name] = tf.clone(tensor);
      }
      for (const [name, tensor] of Object.entries(result.outputs)) outputs[name] = tf.clone(tensor);
      for (const tensor of [...Object.values(next), ...Object.values(outputs)]) tf.keep(tensor);
    });
    for (const [name, tensor] of Object.entries(next)) state.replace(name, tensor);
    this.#runs++;
    return await hostValues(outputs);
  }

  stats(): ProgramStats {
    return { runs: this.#runs, hits: this.#runs, retraces: 0, compileMs: 0, nodes: 0 };
  }

  dispose(): void {}
}

/** What an eager engine is. */
export interface EagerOptions {
  /** Engine name. */
  readonly name: string;
  /** tfjs's name of the backend; it must be registered. */
  readonly backend: string;
  /** Version of what computes. @default tfjs's */
  readonly version?: string;
  /** The device in words. */
  readonly device: string;
}

/** Keeps a backend of tfjs from advertising a native package at its first use. */
export function quiet(backend: string): void {
  Object.assign(tf.findBackend(backend), { firstUse: false });
}

/**
 * An engine on a tfjs backend that is registered and can be set synchronously once it is ready.
 *
 * @throws {Refusal} If tfjs cannot set the backend.
 */
export async function eagerEngine({ name, backend, version, device }: EagerOptions): Promise<Engine> {
  if (!await tf.setBackend(backend)) {
    throw new Refusal({
      what: `use engine "${name}"`,
      must: `tfjs must be able to set backend "${backend}"`,
      found: "it cannot",
    });
  }
  await tf.ready();
  registerNoise(backend);
  const use = () => {
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
  };
  quiet(backend);
  return {
    name,
    version: version ?? `tfjs ${tf.version.tfjs}`,
    device,
    createState: (values: NamedHostTensors) => new EagerState(values, backend, use),
    compile: (program: Program) => Promise.resolve(new EagerProgram(program, backend, use)),
    abstract(run: () => void) {
      use();
      tf.tidy(() => {
        run();
      });
    },
    dispose: () => Promise.resolve(),
  };
}
