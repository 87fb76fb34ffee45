/**
 * Writes a lowered graph as an ONNX model (protocol buffers of onnx.proto3), for the runtime or for other programs.
 *
 * @module
 */
import protobuf from "protobufjs/minimal.js";
import type { Attribute, ConstantData, Graph, Node, Port, Value, ValueSpec } from "./ir.ts";
import { type AttributeKind, elementTypes, onnxOperator } from "./onnx_ops.ts";

const { Writer } = protobuf;
type Writer = protobuf.Writer;

/** IR version and operator set of the files. */
const IR_VERSION = 10;
const OPSET = 21;

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;
const tag = (field: number, wire: number) => field << 3 | wire;

function message(writer: Writer, field: number, write: (inner: Writer) => void): void {
  writer.uint32(tag(field, BYTES)).fork();
  write(writer);
  writer.ldelim();
}

const text = (writer: Writer, field: number, value: string) => writer.uint32(tag(field, BYTES)).string(value);
const integer = (writer: Writer, field: number, value: number) => writer.uint32(tag(field, VARINT)).int64(value);

function raw(data: ConstantData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function tensor(writer: Writer, { shape, dtype }: ValueSpec, data: ConstantData, name?: string): void {
  for (const extent of shape) integer(writer, 1, extent);
  integer(writer, 2, elementTypes[dtype]);
  if (name !== undefined) text(writer, 8, name);
  writer.uint32(tag(9, BYTES)).bytes(raw(data));
}

const attributeTypes: Readonly<Record<AttributeKind, number>> = { float: 1, int: 2, string: 3, ints: 7 };

function attribute(writer: Writer, name: string, kind: AttributeKind, value: Attribute): void {
  text(writer, 1, name);
  switch (kind) {
    case "float":
      writer.uint32(tag(2, FIXED32)).float(value as number);
      break;
    case "int":
      integer(writer, 3, value as number);
      break;
    case "string":
      writer.uint32(tag(4, BYTES)).string(value as string);
      break;
    case "ints":
      for (const item of value as readonly number[]) integer(writer, 8, item);
      break;
  }
  integer(writer, 20, attributeTypes[kind]);
}

/** How a port of a model for other programs is called and described. */
export interface PortLabel {
  readonly name: string;
  /** Extents; a name where it is free. */
  readonly shape: readonly (number | string)[];
  readonly about: string;
}

/** What a model for other programs says of itself. */
export interface ModelLabels {
  /** For the graph's inputs that are not weights, in order. */
  readonly inputs: readonly PortLabel[];
  readonly outputs: readonly PortLabel[];
  /** Inputs of the graph that are constants of the model, with their names and values. */
  readonly weights: ReadonlyMap<Value, { readonly name: string; readonly data: ConstantData }>;
  readonly about: string;
  /** Version of the producer. */
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function port(writer: Writer, { name, shape, about }: PortLabel, { dtype }: ValueSpec): void {
  text(writer, 1, name);
  message(writer, 2, (type) =>
    message(type, 1, (tensorType) => {
      integer(tensorType, 1, elementTypes[dtype]);
      message(tensorType, 2, (dims) => {
        for (const extent of shape) {
          message(dims, 1, (dim) => {
            if (typeof extent === "number") integer(dim, 1, extent);
            else text(dim, 2, extent);
          });
        }
      });
    }));
  if (about !== "") text(writer, 3, about);
}

/** The names under which a written graph's inputs and outputs are fed and fetched: `i0`, `i1`, … and `o0`, `o1`, …. */
export const inputName = (index: number): string => `i${index}`;
/** See `inputName`. */
export const outputName = (index: number): string => `o${index}`;

/** The name of a written node, for messages and profiles of the runtime. */
export const nodeName = (op: string, index: number): string => `${op}_${index}`;

/** Encodes a lowered graph; with labels, as a model for other programs. */
export function writeOnnx(graph: Graph, name: string, labels?: ModelLabels): Uint8Array<ArrayBuffer> {
  const names = new Map<Value, string>();
  const inputs = labels === undefined ? graph.inputs : graph.inputs.filter(({ value }) => !labels.weights.has(value));
  const label = (own: PortLabel | undefined, { value }: Port, fallback: string): PortLabel =>
    own ?? { name: fallback, shape: value.shape, about: "" };
  const inputLabels = inputs.map((item, index) => label(labels?.inputs[index], item, inputName(index)));
  const outputLabels = graph.outputs.map((item, index) => label(labels?.outputs[index], item, outputName(index)));
  inputs.forEach(({ value }, index) => names.set(value, inputLabels[index].name));
  graph.outputs.forEach(({ value }, index) => names.set(value, outputLabels[index].name));
  for (const [value, weight] of labels?.weights ?? []) names.set(value, weight.name);
  const constants: Value[] = [];
  const nameOf = (value: Value): string => {
    let own = names.get(value);
    if (own === undefined) {
      own = value.data === null ? `v${names.size}` : `c${constants.length}`;
      names.set(value, own);
      if (value.data !== null) constants.push(value);
    }
    return own;
  };

  function node(writer: Writer, item: Node, index: number): void {
    const operator = onnxOperator(item.op);
    const filling = item.op === "ConstantOfShape";
    const inputs = filling ? item.inputs.slice(0, 1) : item.inputs;
    for (const input of inputs) text(writer, 1, input === null ? "" : nameOf(input));
    for (const output of item.outputs) text(writer, 2, nameOf(output));
    text(writer, 3, nodeName(item.op, index));
    text(writer, 4, item.op);
    for (const [key, kind] of Object.entries(operator.attributes)) {
      const value = item.attributes[key];
      if (value !== undefined) message(writer, 5, (inner) => attribute(inner, key, kind, value));
    }
    if (filling) {
      const value = item.inputs[1]!;
      message(writer, 5, (inner) => {
        text(inner, 1, "value");
        message(inner, 5, (t) => tensor(t, value, value.data!));
        integer(inner, 20, 4);
      });
    }
    if (operator.domain !== undefined) text(writer, 7, operator.domain);
  }

  const writer = Writer.create();
  integer(writer, 1, IR_VERSION);
  text(writer, 2, "armlab");
  if (labels !== undefined) {
    text(writer, 3, labels.version);
    text(writer, 6, labels.about);
  }
  message(writer, 7, (body) => {
    graph.nodes.forEach((item, index) => message(body, 1, (inner) => node(inner, item, index)));
    text(body, 2, name);
    for (const constant of constants) {
      message(body, 5, (inner) => tensor(inner, constant, constant.data!, nameOf(constant)));
    }
    for (const [value, weight] of labels?.weights ?? []) {
      message(body, 5, (inner) => tensor(inner, value, weight.data, weight.name));
    }
    if (labels !== undefined) text(body, 10, labels.about);
    inputs.forEach(({ value }, index) => message(body, 11, (inner) => port(inner, inputLabels[index], value)));
    graph.outputs.forEach(({ value }, index) => message(body, 12, (inner) => port(inner, outputLabels[index], value)));
  });
  const domains = new Map<string, number>([["", OPSET]]);
  if (graph.nodes.some(({ op }) => onnxOperator(op).domain !== undefined)) domains.set("com.microsoft", 1);
  for (const [domain, version] of domains) {
    message(writer, 8, (inner) => {
      text(inner, 1, domain);
      integer(inner, 2, version);
    });
  }
  for (const [key, value] of Object.entries(labels?.metadata ?? {})) {
    message(writer, 14, (entry) => {
      text(entry, 1, key);
      text(entry, 2, value);
    });
  }
  return new Uint8Array(writer.finish());
}
