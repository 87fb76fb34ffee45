/**
 * The compiled engine: traces a program once, lowers it to ONNX and runs it in ONNX Runtime.
 *
 * State tensors stay in the runtime's buffers. A run writes the new state over the old where that is large
 * (`in_place.ts`), else into a second buffer of each tensor, and the two change places: nothing is copied or allocated
 * per step.
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
  StateOptions,
  TensorSpec,
} from "../../core/program.ts";
import { checkFeeds, checkRead, checkSet, checkStart, checkState, checkWrite, foreignState } from "../check.ts";
import { Turns } from "../../core/turns.ts";
import { askedGraphFolder, GraphCache } from "./runtime/cache.ts";
import type { Target } from "./graph/builder.ts";
import { type Graph, inputValue, liveNodes, type Port } from "./graph/ir.ts";
import { type InPlace, inPlace } from "./in_place.ts";
import { lower } from "./lower/lower.ts";
import { optimise } from "./passes/mod.ts";
import { rebuild } from "./passes/rewrite.ts";
import { inputName, outputName, writeOnnx } from "./graph/onnx_writer.ts";
import {
  createSession,
  indirectly,
  RuntimeTensor,
  runtimeVersion,
  type Session,
  type SessionOptions,
} from "./runtime/session.ts";
import { trace, traceShapes } from "./trace/trace.ts";
import { fillUniform } from "./runtime/uniforms.ts";
import { verify } from "./graph/verify.ts";

/** Two buffers of one state tensor. */
interface Pair {
  current: RuntimeTensor;
  spare: RuntimeTensor | null;
}

class OnnxState implements EngineState {
  readonly specs: NamedSpecs;
  readonly pairs: Record<string, Pair> = {};
  /** Runs, reading and writing come one after the other: a run exchanges the buffers that others look at. */
  readonly turns: Turns = new Turns();
  /** What ended a step that may have written a part of its new state over the old. */
  broken: unknown = null;

  constructor(values: NamedHostTensors, { take = false }: StateOptions = {}) {
    checkStart(values);
    const specs: Record<string, TensorSpec> = {};
    for (const [name, { data, shape, dtype }] of Object.entries(values)) {
      specs[name] = { shape: [...shape], dtype };
      this.pairs[name] = {
        current: new RuntimeTensor({ data: take ? data : data.slice(), shape, dtype }),
        spare: null,
      };
    }
    this.specs = specs;
  }

  read(names: readonly string[] = Object.keys(this.pairs)): Promise<NamedHostTensors> {
    return this.turns.next(() => {
      this.checkWhole();
      checkRead(this.pairs, names);
      return Object.fromEntries(names.map((name) => [name, this.pairs[name].current.copy()]));
    });
  }

  async write(values: NamedHostTensors): Promise<void> {
    checkWrite(this.specs, values);
    const copies = Object.entries(values).map(([name, { data }]) => [name, data.slice()] as const);
    await this.turns.next(() => {
      for (const [name, data] of copies) this.pairs[name].current.data.set(data);
    });
  }

  /** @throws {Error} If a part of it is of one step, a part of the next. */
  checkWhole(): void {
    if (this.broken === null) return;
    throw new Error("Cannot use a state as a step failed while it was written", { cause: this.broken });
  }

  /** The buffer that the next value of a tensor is written into. */
  spare(name: string): RuntimeTensor {
    const pair = this.pairs[name];
    const { shape, dtype } = this.specs[name];
    return pair.spare ??= RuntimeTensor.empty(shape, dtype as DType);
  }

  /** Makes the written buffer the current one. */
  swap(name: string): void {
    const pair = this.pairs[name];
    [pair.current, pair.spare] = [pair.spare!, pair.current];
  }

  dispose(): void {
    for (const [name, { current, spare }] of Object.entries(this.pairs)) {
      current.dispose();
      spare?.dispose();
      delete this.pairs[name];
    }
  }
}

/** Prefixes that keep apart state and outputs of one name in a graph. */
const STATE = "state:";
const FEED = "input:";
const OUTPUT = "output:";

/** A name of a program and whose it is. */
interface PortName {
  readonly kind: "state" | "feed" | "output";
  readonly name: string;
}

/** Noise that is drawn before each run, into an array of its own. */
interface Drawn {
  readonly kind: "draw";
  /** Where the key is. */
  readonly key: PortName;
  readonly stream: number;
  readonly from: number;
  readonly buffer: RuntimeTensor;
}

function portName(port: string): PortName {
  const kinds = { [STATE]: "state", [FEED]: "feed", [OUTPUT]: "output" } as const;
  for (const [prefix, kind] of Object.entries(kinds)) {
    if (port.startsWith(prefix)) return { kind, name: port.slice(prefix.length) };
  }
  throw new Error(`Cannot run a graph with port "${port}"`);
}

class OnnxProgram implements CompiledProgram {
  readonly program: Program;
  readonly #session: Session;
  readonly #compileMs: number;
  readonly #nodes: number;
  /** In the graph's order. */
  readonly #inputs: readonly ((PortName & { readonly shape: readonly number[] }) | Drawn)[];
  readonly #outputs: readonly (PortName & {
    readonly buffer: RuntimeTensor | null;
    readonly shape: readonly number[];
    /** New state that is written over the old. */
    readonly inPlace: boolean;
  })[];
  #runs = 0;
  #disposed = false;

  constructor(program: Program, { graph, names }: InPlace, session: Session, compileMs: number) {
    this.program = program;
    this.#session = session;
    this.#compileMs = compileMs;
    this.#nodes = graph.nodes.length;
    this.#inputs = graph.inputs.map(({ name, value, draw }) => {
      if (draw === undefined) return { ...portName(name), shape: value.shape };
      const key = portName(graph.inputs.find((port) => port.value === draw.key)!.name);
      return {
        kind: "draw",
        key,
        stream: draw.stream,
        from: draw.from,
        buffer: RuntimeTensor.empty(value.shape, "float32"),
      };
    });
    this.#outputs = graph.outputs.map((port) => {
      const own = portName(port.name);
      const { shape, dtype } = port.value;
      const buffer = own.kind === "output" ? RuntimeTensor.empty(shape, dtype as DType) : null;
      return { ...own, shape, buffer, inPlace: names.has(port.name) };
    });
  }

  async run(state: EngineState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    const { program } = this;
    if (!(state instanceof OnnxState)) throw foreignState(program);
    checkState(program, state.specs);
    checkFeeds(program, inputs);
    return await state.turns.next(() => {
      if (this.#disposed) throw new Error(`Cannot run program "${program.name}" as it was disposed`);
      state.checkWhole();
      return this.#step(state, inputs);
    });
  }

  async #step(state: OnnxState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    const fed: RuntimeTensor[] = [];
    const read = this.#inputs.map((port) => {
      if (port.kind === "draw") {
        const { kind, name } = port.key;
        const key = kind === "state" ? state.pairs[name].current : inputs[name];
        fillUniform(key.data, port.stream, port.from, port.buffer.data as Float32Array);
        return port.buffer;
      }
      if (port.kind === "state") return state.pairs[port.name].current.as(port.shape);
      const tensor = new RuntimeTensor({ ...inputs[port.name], shape: port.shape });
      fed.push(tensor);
      return tensor;
    });
    const written = this.#outputs.map(({ name, buffer, shape, inPlace }) =>
      buffer ?? (inPlace ? state.pairs[name].current : state.spare(name)).as(shape)
    );
    try {
      await this.#session.run(read, written);
    } catch (error) {
      if (this.#outputs.some(({ inPlace }) => inPlace)) state.broken = error;
      throw error;
    } finally {
      for (const tensor of fed) tensor.dispose();
    }
    const outputs: NamedHostTensors = {};
    for (const { name, buffer, inPlace } of this.#outputs) {
      if (buffer !== null) outputs[name] = buffer.copy();
      else if (!inPlace) state.swap(name);
    }
    this.#runs++;
    return outputs;
  }

  stats(): ProgramStats {
    return {
      runs: this.#runs,
      hits: this.#runs,
      retraces: 0,
      compileMs: this.#compileMs,
      nodes: this.#nodes,
    };
  }

  dispose(): void {
    this.#disposed = true;
    for (const { buffer } of this.#outputs) buffer?.dispose();
    for (const port of this.#inputs) if (port.kind === "draw") port.buffer.dispose();
    void this.#session.release();
  }
}

/** Traces, lowers and optimises a program for a target. */
export function compileGraph(program: Program, target: Target): Graph {
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
  const lowered = lower(traced, target);
  verify(lowered, "lowering");
  return optimise(lowered, target);
}

/**
 * New state before it gets its shape: a reshape costs nothing inside a graph, but as an output it copies into the buffer
 * that waits for it. The buffer is seen in the other shape instead.
 */
function unshapedState(graph: Graph): Graph {
  const taken = new Set(graph.outputs.map(({ value }) => value));
  const outputs = graph.outputs.map((port) => {
    const { node } = port.value;
    const source = node?.op === "Reshape" ? node.inputs[0]! : null;
    if (!port.name.startsWith(STATE) || source === null || source.node === null || taken.has(source)) return port;
    taken.add(source);
    return { name: port.name, value: source };
  });
  return { ...graph, outputs, nodes: liveNodes(outputs) };
}

/**
 * Inputs in the shapes that nodes want: what a reshape would make of an input is an input of its own over the same array,
 * under the same name. A step of many small parameters has more reshapes than anything else, and each costs a node.
 */
export function reshapedInputs(graph: Graph): Graph {
  const names = new Map(graph.inputs.filter(({ draw }) => draw === undefined).map(({ name, value }) => [value, name]));
  const views = new Map<string, Port>();
  const { b, now } = rebuild(graph, (_, { op, inputs, outputs: [{ shape, dtype }] }) => {
    const name = op === "Reshape" ? names.get(inputs[0]!) : undefined;
    if (name === undefined) return null;
    const id = `${name} ${shape.join()}`;
    let view = views.get(id);
    if (view === undefined) views.set(id, view = { name, value: inputValue({ shape, dtype }) });
    return [view.value];
  });
  const all = { ...graph, inputs: [...graph.inputs, ...views.values()] };
  const viewed = b.finish(all, graph.outputs.map(({ value }) => now(value)));
  const used = new Set([
    ...viewed.nodes.flatMap(({ inputs }) => inputs),
    ...viewed.inputs.map(({ draw }) => draw?.key),
  ]);
  return { ...viewed, inputs: viewed.inputs.filter(({ value }) => used.has(value)) };
}

/** The graph of a program as it runs on the CPU, and which of its state is written in place. */
export function runnable(program: Program): InPlace {
  return inPlace(reshapedInputs(unshapedState(compileGraph(program, "cpu"))), (name) => name.startsWith(STATE));
}

/** Options of the compiled engine. */
export interface OnnxOptions extends EngineOptions {
  /** File prefix under which the runtime writes how long every operator took, when a program is disposed. */
  readonly profile?: string;
  /** Folder that keeps optimised graphs; `null` is none. @default `graphs` in the environment's `ARMLAB_CACHE`, else none */
  readonly cache?: string | null;
}

/** Creates the engine on ONNX Runtime's CPU provider. */
export function onnxEngine({ threads = 1, profile, cache = askedGraphFolder() }: OnnxOptions = {}): Engine {
  const options: SessionOptions = { threads, profile, cache: cache === null ? undefined : new GraphCache(cache) };
  return {
    name: "onnx:cpu",
    version: `onnxruntime-node ${runtimeVersion()}`,
    device: `CPU, ${threads} thread${threads === 1 ? "" : "s"}` +
      (indirectly === null
        ? ""
        : `, slower through the runtime's Node package as its library cannot be called: ${indirectly}`),
    createState: (values: NamedHostTensors, how?: StateOptions) => new OnnxState(values, how),
    async compile(program: Program): Promise<CompiledProgram> {
      const started = performance.now();
      const made = runnable(program);
      const { graph } = made;
      const session = await createSession(
        writeOnnx(graph, program.name),
        graph.inputs.map((_, index) => inputName(index)),
        graph.outputs.map((_, index) => outputName(index)),
        options,
      );
      return new OnnxProgram(program, made, session, performance.now() - started);
    },
    abstract: traceShapes,
    dispose: () => Promise.resolve(),
  };
}
