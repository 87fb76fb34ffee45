/**
 * Engines that run programs operation by operation on a tfjs backend.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { registerNoise } from "../core/noise.ts";
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
import { checkFeeds, checkState, checkWrite } from "./check.ts";

function toDevice(host: HostTensor): tf.Tensor {
  // tfjs keeps the array it is given; a copy keeps the caller's later changes out.
  return tf.tensor(host.data.slice(), [...host.shape], host.dtype);
}

function toHost(tensor: tf.Tensor): HostTensor {
  const data = tensor.dataSync() as Float32Array | Int32Array | Uint8Array;
  return { data: data.slice(), shape: [...tensor.shape], dtype: tensor.dtype as DType };
}

/** State as kept tfjs tensors. */
class EagerState implements EngineState {
  readonly specs: NamedSpecs;
  readonly tensors: NamedTensors = {};
  readonly #use: () => void;

  constructor(values: NamedHostTensors, use: () => void) {
    this.#use = use;
    use();
    const specs: Record<string, TensorSpec> = {};
    for (const [name, value] of Object.entries(values)) {
      specs[name] = { shape: [...value.shape], dtype: value.dtype };
      this.tensors[name] = toDevice(value);
    }
    this.specs = specs;
  }

  read(names: readonly string[] = Object.keys(this.tensors)): Promise<NamedHostTensors> {
    return Promise.try(() => {
      this.#use();
      const values: NamedHostTensors = {};
      for (const name of names) {
        if (this.tensors[name] === undefined) throw new TypeError(`Cannot read state "${name}": there is none`);
        values[name] = toHost(this.tensors[name]);
      }
      return values;
    });
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
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }
}

class EagerProgram implements CompiledProgram {
  readonly program: Program;
  readonly #use: () => void;
  #runs = 0;

  constructor(program: Program, use: () => void) {
    this.program = program;
    this.#use = use;
  }

  run(state: EngineState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    return Promise.try(() => {
      this.#use();
      const { program } = this;
      if (!(state instanceof EagerState)) {
        throw new TypeError(`Cannot run program "${program.name}" as its state must be made by the same engine`);
      }
      checkState(program, state.specs);
      checkFeeds(program, inputs);
      const outputs: NamedHostTensors = {};
      const next: NamedTensors = {};
      tf.tidy(() => {
        const given: NamedTensors = {};
        for (const name of Object.keys(program.state)) given[name] = state.tensors[name];
        const fed: NamedTensors = {};
        for (const [name, value] of Object.entries(inputs)) fed[name] = toDevice(value);
        const result = program.apply(given, fed);
        for (const [name, tensor] of Object.entries(result.outputs)) outputs[name] = toHost(tensor);
        for (const [name, tensor] of Object.entries(result.state)) {
          // A clone, as one tensor may be the new value of two names or of none.
          next[name] = tf.keep(tf.clone(tensor));
        }
      });
      for (const [name, tensor] of Object.entries(next)) state.replace(name, tensor);
      this.#runs++;
      return outputs;
    });
  }

  stats(): ProgramStats {
    return { runs: this.#runs, hits: this.#runs, retraces: 0, compileMs: 0, nodes: 0 };
  }

  dispose(): void {}
}

/**
 * An engine on a tfjs backend that is registered and can be set synchronously once it is ready.
 *
 * @param name Engine name.
 * @param backend tfjs's name of the backend.
 * @param device The device in words.
 */
export async function eagerEngine(name: string, backend: string, device: string): Promise<Engine> {
  if (!await tf.setBackend(backend)) {
    throw new RangeError(`Cannot use engine "${name}" as tfjs must be able to set backend "${backend}": it cannot`);
  }
  await tf.ready();
  registerNoise(backend);
  const use = () => {
    if (tf.getBackend() !== backend) tf.setBackend(backend);
  };
  // The backend would print an advertisement for a native package at its first use.
  Object.assign(tf.backend(), { firstUse: false });
  return {
    name,
    version: `tfjs ${tf.version.tfjs}`,
    device,
    createState: (values: NamedHostTensors) => new EagerState(values, use),
    compile: (program: Program) => Promise.resolve(new EagerProgram(program, use)),
    abstract(run: () => void) {
      use();
      tf.tidy(() => {
        run();
      });
    },
    dispose: () => Promise.resolve(),
  };
}
