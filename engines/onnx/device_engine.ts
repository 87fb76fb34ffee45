/**
 * The compiled engine on graphics devices: the same graphs as on the CPU, run by ONNX Runtime's WebGPU or CUDA provider.
 *
 * With WebGPU the state stays on the device from run to run. The runtime's npm package knows no such thing of CUDA: there
 * the state crosses the bus at each run.
 *
 * @module
 */
import type {
  CompiledProgram,
  Engine,
  EngineOptions,
  EngineState,
  NamedHostTensors,
  Program,
  ProgramStats,
} from "../../core/program.ts";
import { checkFeeds, checkState, foreignState } from "../check.ts";
import {
  createDeviceSession,
  type DeviceOptions,
  type DeviceProvider,
  deviceRuntimeVersion,
  type DeviceSession,
  type DeviceTensor,
  deviceTensor,
  hostValues,
} from "./runtime/device_session.ts";
import { DeviceState } from "./runtime/device_state.ts";
import { compileGraph } from "./engine.ts";
import type { Graph, Port } from "./graph/ir.ts";
import { inputName, nodeName, outputName, writeOnnx } from "./graph/onnx_writer.ts";
import { traceShapes } from "./trace/trace.ts";

/** A port of a program and its name in the runtime. */
interface Wire {
  readonly kind: string;
  readonly name: string;
  readonly runtime: string;
}

/** Ports of compiled graphs are named `<kind>:<name>`. */
function wires(ports: readonly Port[], runtimeName: (index: number) => string): Wire[] {
  return ports.map(({ name }, index) => {
    const colon = name.indexOf(":");
    return { kind: name.slice(0, colon), name: name.slice(colon + 1), runtime: runtimeName(index) };
  });
}

class DeviceProgram implements CompiledProgram {
  readonly program: Program;
  readonly #session: DeviceSession;
  readonly #provider: DeviceProvider;
  readonly #inputs: readonly Wire[];
  readonly #outputs: readonly Wire[];
  readonly #compileMs: number;
  readonly #nodes: number;
  #runs = 0;

  constructor(program: Program, graph: Graph, session: DeviceSession, provider: DeviceProvider, compileMs: number) {
    this.program = program;
    this.#session = session;
    this.#provider = provider;
    this.#inputs = wires(graph.inputs, inputName);
    this.#outputs = wires(graph.outputs, outputName);
    this.#compileMs = compileMs;
    this.#nodes = graph.nodes.length;
  }

  async run(state: EngineState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    const { program } = this;
    if (!(state instanceof DeviceState) || state.options.provider !== this.#provider) throw foreignState(program);
    checkState(program, state.specs);
    checkFeeds(program, inputs);
    return await state.turns.next(() => this.#step(state, inputs));
  }

  async #step(state: DeviceState, inputs: NamedHostTensors): Promise<NamedHostTensors> {
    const feeds: Record<string, DeviceTensor> = {};
    for (const { kind, name, runtime } of this.#inputs) {
      feeds[runtime] = kind === "state" ? state.current(name) : deviceTensor(inputs[name]);
    }
    const fetches = Object.fromEntries(this.#outputs.map(({ runtime }) => [runtime, null]));
    const results = await this.#session.run(feeds, fetches);
    const outputs: NamedHostTensors = {};
    for (const { kind, name, runtime } of this.#outputs) {
      if (kind === "state") state.replace(name, results[runtime]);
      else outputs[name] = hostValues(results[runtime]);
    }
    this.#runs++;
    return outputs;
  }

  stats(): ProgramStats {
    return { runs: this.#runs, hits: this.#runs, retraces: 0, compileMs: this.#compileMs, nodes: this.#nodes };
  }

  dispose(): void {
    void this.#session.release();
  }
}

const devices: Readonly<Record<DeviceProvider, string>> = {
  webgpu: "the default graphics device by WebGPU",
  cuda: "NVIDIA GPU 0 by CUDA",
};

/** Creates the engine on a provider, which must work here. */
export function deviceEngine(provider: DeviceProvider, { threads = 1 }: EngineOptions = {}): Engine {
  const options: DeviceOptions = { provider, threads };
  return {
    name: `onnx:${provider}`,
    version: `onnxruntime-node ${deviceRuntimeVersion()}`,
    device: devices[provider],
    createState: (values: NamedHostTensors) => new DeviceState(values, options),
    async compile(program: Program): Promise<CompiledProgram> {
      const started = performance.now();
      const graph = compileGraph(program, "any");
      const session = await createDeviceSession(writeOnnx(graph, program.name), {
        ...options,
        deviceOutputs: provider !== "webgpu"
          ? []
          : wires(graph.outputs, outputName).filter(({ kind }) => kind === "state").map(({ runtime }) => runtime),
        // The WebGPU provider takes pooling with indices for its own and then fails to run it.
        hostNodes: graph.nodes.flatMap(({ op, outputs }, index) =>
          op === "MaxPool" && outputs.length > 1 ? [nodeName(op, index)] : []
        ),
      });
      return new DeviceProgram(program, graph, session, provider, performance.now() - started);
    },
    abstract: traceShapes,
    dispose: () => Promise.resolve(),
  };
}
