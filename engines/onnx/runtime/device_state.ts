/**
 * State tensors of programs that run on a graphics device. They go there with the first run and stay there.
 *
 * @module
 */
import type { EngineState, NamedHostTensors, NamedSpecs, TensorSpec } from "../../../core/program.ts";
import { checkRead, checkStart, checkWrite } from "../../check.ts";
import { Turns } from "../../../core/turns.ts";
import {
  createDeviceSession,
  type DeviceOptions,
  type DeviceSession,
  type DeviceTensor,
  deviceTensor,
  hostValues,
  onDevice,
} from "./device_session.ts";
import { type Graph, inputValue, makeNode, type Port } from "../graph/ir.ts";
import { inputName, outputName, writeOnnx } from "../graph/onnx_writer.ts";

/** Named tensors of one provider. */
export class DeviceState implements EngineState {
  readonly specs: NamedSpecs;
  /** Where the tensors live: programs of another provider cannot use them. */
  readonly options: DeviceOptions;
  /** Runs, reading and writing come one after the other: a run frees what others look at. */
  readonly turns: Turns = new Turns();
  readonly #tensors: Record<string, DeviceTensor> = {};
  /** Models that bring tensors from the device, by their names. */
  readonly #readers = new Map<string, Promise<DeviceSession>>();

  /** Copies the values. */
  constructor(values: NamedHostTensors, options: DeviceOptions) {
    checkStart(values);
    const specs: Record<string, TensorSpec> = {};
    for (const [name, { data, shape, dtype }] of Object.entries(values)) {
      specs[name] = { shape: [...shape], dtype };
      this.#tensors[name] = deviceTensor({ data: data.slice(), shape, dtype });
    }
    this.specs = specs;
    this.options = options;
  }

  read(names: readonly string[] = Object.keys(this.specs)): Promise<NamedHostTensors> {
    return this.turns.next(async () => {
      checkRead(this.#tensors, names);
      const brought = await this.#bring(names.filter((name) => onDevice(this.#tensors[name])));
      return Object.fromEntries(names.map((name) => [name, hostValues(brought[name] ?? this.#tensors[name])]));
    });
  }

  /** Copies on the host of tensors that are on the device. */
  async #bring(names: readonly string[]): Promise<Record<string, DeviceTensor>> {
    if (names.length === 0) return {};
    const key = JSON.stringify(names);
    let reader = this.#readers.get(key);
    if (reader === undefined) this.#readers.set(key, reader = this.#reader(names));
    const feeds = Object.fromEntries(names.map((name, index) => [inputName(index), this.#tensors[name]]));
    const fetches = Object.fromEntries(names.map((_, index) => [outputName(index), null]));
    const results = await (await reader).run(feeds, fetches);
    return Object.fromEntries(names.map((name, index) => [name, results[outputName(index)]]));
  }

  /** The runtime reads device tensors by running a model that leaves them as they are, with its outputs on the host. */
  #reader(names: readonly string[]): Promise<DeviceSession> {
    const inputs: Port[] = names.map((name) => ({ name, value: inputValue(this.specs[name]) }));
    const nodes = inputs.map(({ value }) => makeNode("Identity", [value], {}, [value]));
    const outputs: Port[] = nodes.map((node, index) => ({ name: names[index], value: node.outputs[0] }));
    const graph: Graph = { stage: "lowered", inputs, outputs, nodes };
    return createDeviceSession(writeOnnx(graph, "read"), this.options);
  }

  async write(values: NamedHostTensors): Promise<void> {
    checkWrite(this.specs, values);
    const tensors = Object.entries(values).map(([name, { data, shape, dtype }]) =>
      [name, deviceTensor({ data: data.slice(), shape, dtype })] as const
    );
    await this.turns.next(() => {
      for (const [name, tensor] of tensors) this.replace(name, tensor);
    });
  }

  /** The present value of a tensor. */
  current(name: string): DeviceTensor {
    return this.#tensors[name];
  }

  /** Makes what a run gave the present value. */
  replace(name: string, next: DeviceTensor): void {
    this.#free(name);
    this.#tensors[name] = next;
  }

  #free(name: string): void {
    const tensor = this.#tensors[name];
    if (onDevice(tensor)) tensor.dispose();
  }

  dispose(): void {
    for (const name of Object.keys(this.#tensors)) {
      this.#free(name);
      delete this.#tensors[name];
    }
    for (const reader of this.#readers.values()) void reader.then((session) => session.release());
    this.#readers.clear();
  }
}
