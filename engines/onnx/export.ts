/**
 * Programs as ONNX models for other runtimes: weights inside, any batch size.
 *
 * @module
 */
import type { NamedHostTensors, Program } from "../../core/program.ts";
import { dynamicBatch, type Extent, probeBatches } from "./graph/dynamic_batch.ts";
import { compileGraph } from "./engine.ts";
import type { Graph, Port, Value } from "./graph/ir.ts";
import { type PortLabel, writeOnnx } from "./graph/onnx_writer.ts";
import { Refusal } from "../../core/refusal.ts";

export { probeBatches } from "./graph/dynamic_batch.ts";

/** What goes into the model besides the computation. */
export interface OnnxModelOptions {
  /** Makes the program for a batch size; the batch is the first axis of its inputs and outputs. */
  readonly programOf: (batch: number) => Program;
  /** Values of the program's state. */
  readonly state: NamedHostTensors;
  /** Name of an input whose first axis is the batch. */
  readonly batchInput: string;
  /** Labels of inputs, by the program's names: those that the model may have. */
  readonly inputs: Readonly<Record<string, { readonly name: string; readonly about: string }>>;
  /** Labels of outputs, by the program's names. */
  readonly outputs: Readonly<Record<string, { readonly name: string; readonly about: string }>>;
  /** The model's name. */
  readonly name: string;
  readonly about: string;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A model and what it is fed with and gives. */
export interface OnnxModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly (PortLabel & { readonly dtype: string })[];
  readonly outputs: readonly (PortLabel & { readonly dtype: string })[];
}

/** Name of the free axis. */
const BATCH = "batch";

function extentName(extent: Extent): number | string {
  if (typeof extent === "number") return extent;
  const scaled = extent.scale === 1 ? BATCH : `${extent.scale}*${BATCH}`;
  return extent.offset === 0 ? scaled : `${scaled}+${extent.offset}`;
}

/**
 * Makes a model for all batch sizes.
 *
 * @throws {Refusal} If what it computes depends on the batch size, or on an input that has no label.
 */
export function onnxModel(options: OnnxModelOptions): OnnxModel {
  const graphs = probeBatches.map((batch) => compileGraph(options.programOf(batch), "any"));
  const all = dynamicBatch(graphs as [Graph, Graph, Graph], `input:${options.batchInput}`);
  const used = new Set<Value | null>(all.graph.nodes.flatMap(({ inputs }) => inputs));
  const plain = (port: Port) => port.name.slice(port.name.indexOf(":") + 1);
  const weights = new Map<Value, { name: string; data: Float32Array | Int32Array | Uint8Array }>();
  const inputs: (PortLabel & { dtype: string })[] = [];
  const ports: Port[] = [];
  all.graph.inputs.forEach((port, index) => {
    const name = plain(port);
    if (port.name.startsWith("state:")) {
      if (used.has(port.value)) {
        weights.set(port.value, { name: name.slice(name.indexOf(":") + 1), data: options.state[name].data });
        ports.push(port);
      }
      return;
    }
    const label = options.inputs[name];
    if (label === undefined) {
      if (!used.has(port.value)) return;
      throw new Refusal({
        what: `make the model "${options.name}"`,
        must: `it must need nothing but ${Object.keys(options.inputs).join(", ")}`,
        found: `it needs "${name}" too`,
      });
    }
    ports.push(port);
    inputs.push({ ...label, shape: all.inputShapes[index].map(extentName), dtype: port.value.dtype });
  });
  const outputs = all.graph.outputs.map((port, index) => ({
    ...options.outputs[plain(port)],
    shape: all.outputShapes[index].map(extentName),
    dtype: port.value.dtype,
  }));
  const { name, about, version, metadata } = options;
  const bytes = writeOnnx({ ...all.graph, inputs: ports }, name, {
    inputs,
    outputs,
    weights,
    about,
    version,
    metadata,
  });
  return { bytes, inputs, outputs };
}
