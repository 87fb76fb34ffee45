/**
 * The compiled engine: traces a program once, lowers it to ONNX and runs it in ONNX Runtime.
 *
 * State tensors stay in the runtime's buffers. A run writes the new state into a second buffer of each tensor and the two
 * change places, so that nothing is copied or allocated per step.
 *
 * @module
 */
import type {
  CompiledProgram,
  DType,
  Engine,
  EngineOptions,
  EngineState,
  NamedHostTensors,
  NamedSpecs,
  NamedTensors,
  Program,
  ProgramStats,
  TensorSpec,
} from "../../core/program.ts";
import { checkFeeds, checkSet, checkState, checkWrite } from "../check.ts";
import type { Graph } from "./ir.ts";
import { lower } from "./lower.ts";
import { inputName, outputName, writeOnnx } from "./onnx_writer.ts";
import {
  closeSession,
  createSession,
  emptyTensor,
  hostCopy,
  hostView,
  type RuntimeTensor,
  runtimeTensor,
  runtimeVersion,
  type Session,
  type SessionOptions,
} from "./session.ts";
import { trace, traceShapes } from "./trace.ts";
import { verify } from "./verify.ts";

/** Two buffers of one state tensor. */
interface Pair {
  current: RuntimeTensor;
  spare: RuntimeTensor | null;
}

class OnnxState implements EngineState {
  readonly specs: NamedSpecs;
  readonly pairs: Record<string, Pair> = {};

  constructor(values: NamedHostTensors) {
    const specs: Record<string, TensorSpec> = {};
    for (const [name, { data, shape, dtype }] of Object.entries(values)) {
      specs[name] = { shape: [...shape], dtype };
      this.pairs[name] = { current: runtimeTensor({ data: data.slice(), shape, dtype }), spare: null };
    }
    this.specs = specs;
  }

  read(names: readonly string[] = Object.keys(this.pairs)): Promise<NamedHostTensors> {
    return Promise.try(() => {
      const values: NamedHostTensors = {};
      for (const name of names) {
        if (this.pairs[name] === undefined) throw new TypeError(`Cannot read state "${name}": there is none`);
        values[name] = hostCopy(this.pairs[name].current);
      }
      return values;
    });
  }

  write(values: NamedHostTensors): Promise<void> {
    return Promise.try(() => {
      checkWrite(this.specs, values);
      for (const [name, { data, shape, dtype }] of Object.entries(values)) {
        this.pairs[name].current = runtimeTensor({ data: data.slice(), shape, dtype });
      }
    });
  }

  /** The buffer that the next value of a tensor is written into. */
  spare(name: string): RuntimeTensor {
    const pair = this.pairs[name];
    const { shape, dtype } = this.specs[name];
    return pair.spare ??= emptyTensor(shape, dtype);
  }

  /** Makes the written buffer the current one. */
  swap(name: string): void {
    const pair = this.pairs[name];
    [pair.current, pair.spare] = [pair.spare!, pair.current];
  }

  dispose(): void {
    for (const name of Object.keys(this.pairs)) delete this.pairs[name];
  }
}

/** Prefixes that keep apart state and outputs of one name in a graph. */
const STATE = "state:";
const FEED = "input:";
const OUTPUT = "output:";

class OnnxProgram implements CompiledProgram {
  readonly program: Program;
  readonly #graph: Graph;
  readonly #session: Session;
  readonly #options: SessionOptions;
  readonly #compileMs: number;
  /** Runtime names by graph port. */
  readonly #stateIn: readonly (readonly [string, string])[];
  readonly #feedIn: readonly (readonly [string, string])[];
  readonly #stateOut: readonly (readonly [string, string])[];
  readonly #out: readonly (readonly [string, string])[];
  #runs = 0;

  constructor(program: Program, graph: Graph, session: Session, options: SessionOptions, compileMs: number) {
    this.program = program;
    this.#graph = graph;
    this.#session = session;
    this.#options = options;
    this.#compileMs = compileMs;
    const ports = (list: Graph["inputs"], prefix: string, name: (index: number) => string) =>
      list.map((port, index) => [port.name, name(index)] as const)
        .filter(([own]) => own.startsWith(prefix))
        .map(([own, runtime]) => [own.slice(prefix.length), runtime] as const);
    this.#stateIn = ports(graph.inputs, STATE, inputName);
    this.#feedIn = ports(graph.inputs, FEED, inputName);
    this.#stateOut = ports(graph.outputs, STATE, outputName);
    this.#out = ports(graph.outputs, OUTPUT, outputName);
  }

  async run(state: EngineState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    const { program } = this;
    if (!(state instanceof OnnxState)) {
      throw new TypeError(`Cannot run program "${program.name}" as its state must be made by the same engine`);
    }
    checkState(program, state.specs);
    checkFeeds(program, inputs);
    const feeds: Record<string, RuntimeTensor> = {};
    for (const [name, runtime] of this.#stateIn) feeds[runtime] = state.pairs[name].current;
    for (const [name, runtime] of this.#feedIn) feeds[runtime] = runtimeTensor(inputs[name]);
    const fetches: Record<string, RuntimeTensor | null> = {};
    for (const [name, runtime] of this.#stateOut) fetches[runtime] = state.spare(name);
    for (const [_, runtime] of this.#out) fetches[runtime] = null;
    const results = await this.#session.run(feeds, fetches);
    for (const [name] of this.#stateOut) state.swap(name);
    const outputs: NamedHostTensors = {};
    for (const [name, runtime] of this.#out) outputs[name] = hostView(results[runtime]);
    this.#runs++;
    return outputs;
  }

  stats(): ProgramStats {
    return {
      runs: this.#runs,
      hits: this.#runs,
      retraces: 0,
      compileMs: this.#compileMs,
      nodes: this.#graph.nodes.length,
    };
  }

  dispose(): void {
    void closeSession(this.#session, this.#options);
  }
}

/** Traces and lowers a program. */
export function compileGraph(program: Program): Graph {
  const specs: Record<string, TensorSpec> = {};
  for (const [name, spec] of Object.entries(program.state)) specs[STATE + name] = spec;
  for (const [name, spec] of Object.entries(program.inputs)) specs[FEED + name] = spec;
  const under = (prefix: string, tensors: NamedTensors): NamedTensors =>
    Object.fromEntries(
      Object.entries(tensors).filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  const traced = trace(specs, (tensors) => {
    const result = program.apply(under(STATE, tensors), under(FEED, tensors));
    const ports: NamedTensors = {};
    for (const [name, tensor] of Object.entries(result.state)) {
      checkSet(program, name, tensor.shape, tensor.dtype as DType);
      ports[STATE + name] = tensor;
    }
    for (const [name, tensor] of Object.entries(result.outputs)) ports[OUTPUT + name] = tensor;
    return ports;
  });
  verify(traced, "tracing");
  const lowered = lower(traced);
  verify(lowered, "lowering");
  return lowered;
}

/** Options of the compiled engine. */
export interface OnnxOptions extends EngineOptions {
  /** File prefix under which the runtime writes how long every operator took, when a program is disposed. */
  readonly profile?: string;
}

/** Creates the engine on ONNX Runtime's CPU provider. */
export function onnxEngine({ threads = 1, profile }: OnnxOptions = {}): Engine {
  const options: SessionOptions = { threads, profile };
  return {
    name: "onnx:cpu",
    version: `onnxruntime-node ${runtimeVersion()}`,
    device: `CPU, ${threads} thread${threads === 1 ? "" : "s"}`,
    createState: (values: NamedHostTensors) => new OnnxState(values),
    async compile(program: Program): Promise<CompiledProgram> {
      const started = performance.now();
      const graph = compileGraph(program);
      const session = await createSession(writeOnnx(graph, program.name), options);
      return new OnnxProgram(program, graph, session, options, performance.now() - started);
    },
    abstract: traceShapes,
    dispose: () => Promise.resolve(),
  };
}
