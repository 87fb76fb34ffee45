/**
 * The initialisers of an ONNX model as arrays, read by a small reader of its protocol buffers.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import { bytesOf, heldBytesOf, numbersFrom, type NumberType } from "./elements.ts";
import type { ByteSource } from "./source.ts";

/** ONNX's numbers of element types that are read (onnx.proto, `TensorProto.DataType`). */
const types: ReadonlyMap<number, NumberType> = new Map([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [16, "bfloat16"],
]);

/** A field of a message: its number, and a varint or the bytes of what it holds. */
interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

function damaged(path: string, found: string): Refusal {
  return new Refusal({
    what: `read "${path}"`,
    must: "it must be an ONNX model",
    found,
    hint: "the file is damaged or another format: export or copy it again",
  });
}

/** The fields of a message, in order. @throws {Refusal} If it is cut off or none. */
function* fieldsOf(message: Uint8Array, path: string): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= message.length) throw damaged(path, "it ends within a number");
      const byte = message[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged(path, "a number in it is longer than ten bytes");
  };
  while (at < message.length) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    const fixed = wire === 1 ? 8 : wire === 5 ? 4 : -1;
    if (wire === 0) yield { number, wire, value: varint(), bytes: message.subarray(0, 0) };
    else if (wire === 2 || fixed !== -1) {
      const length = wire === 2 ? varint() : fixed;
      if (length > message.length - at) throw damaged(path, `a field of ${length} bytes goes beyond its message`);
      yield { number, wire, value: 0, bytes: message.subarray(at, at + length) };
      at += length;
    } else throw damaged(path, `it begins like none (a field of kind ${wire})`);
  }
}

/** An initialiser: where its values lie. */
interface Initialiser {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly raw: Uint8Array;
}

/** Packed or single varints of a field. */
function integers({ wire, value, bytes }: Field, path: string): number[] {
  if (wire === 0) return [value];
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length;) {
    let number = 0;
    for (let shift = 0;; shift += 7) {
      if (at >= bytes.length || shift > 63) throw damaged(path, "a list of numbers in it is cut off");
      const byte = bytes[at++];
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    numbers.push(number);
  }
  return numbers;
}

function initialiser(message: Uint8Array, path: string): Initialiser {
  let [name, kind] = ["", 0];
  const shape: number[] = [];
  let raw: Uint8Array | null = null;
  const floats: Uint8Array[] = [];
  for (const field of fieldsOf(message, path)) {
    if (field.number === 1) shape.push(...integers(field, path));
    else if (field.number === 2) kind = field.value;
    else if (field.number === 4) floats.push(field.bytes);
    else if (field.number === 8) name = new TextDecoder().decode(field.bytes);
    else if (field.number === 9) raw = field.bytes;
    else if (field.number === 14 && field.value === 1) {
      throw new Refusal({
        what: `read initialiser "${name}" of "${path}"`,
        must: "its values must lie in the file",
        found: "they lie in another",
        hint: "save the model with save_as_external_data=False, or its weights as safetensors",
      });
    }
  }
  const type = types.get(kind);
  if (type === undefined) {
    throw damaged(path, `initialiser "${name}" is of ONNX's element type ${kind}, which is not read`);
  }
  if (raw === null && floats.length > 0) {
    raw = new Uint8Array(floats.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of floats) {
      raw.set(part, at);
      at += part.length;
    }
  }
  raw ??= new Uint8Array();
  const wanted = shape.reduce((size, extent) => size * extent, 1) * bytesOf(type);
  if (raw.length !== wanted) {
    throw damaged(path, `initialiser "${name}" [${shape.join(", ")}] of ${type} has ${raw.length} bytes for ${wanted}`);
  }
  return { name, shape, type, raw };
}

/**
 * Opens the initialisers of an ONNX model. Names are those in the file: an exporter that renames weights
 * (`onnx::MatMul_12`) leaves nothing to match by.
 *
 * @throws {Refusal} If it is none, is damaged, keeps values in another file, or is too large.
 */
export async function openOnnx(source: ByteSource, path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  const bytes = await source.read(0, source.size);
  const tensors = new Map<string, Initialiser>();
  let graphs = 0;
  for (const { number, wire, bytes: graph } of fieldsOf(bytes, path)) {
    if (number !== 7 || wire !== 2) continue;
    graphs++;
    for (const field of fieldsOf(graph, path)) {
      if (field.number !== 5 || field.wire !== 2) continue;
      const found = initialiser(field.bytes, path);
      if (tensors.has(found.name)) throw damaged(path, `it has two initialisers "${found.name}"`);
      tensors.set(found.name, found);
    }
  }
  if (graphs === 0) throw damaged(path, "it has no graph");
  const heads = new Map<string, ArrayHead>(
    [...tensors.values()].map(({ name, shape, type, raw }) => [name, {
      name,
      shape,
      type,
      held: raw.length / bytesOf(type) * heldBytesOf(type),
      what: `initialiser "${name}" of "${path}"`,
    }]),
  );
  checkHeld(path, heads.values(), most);
  return {
    path,
    heads,
    // deno-lint-ignore require-await
    async read(name) {
      headOf(path, heads, name);
      const { type, shape, raw } = tensors.get(name)!;
      return { data: numbersFrom(type, raw.slice() as Uint8Array<ArrayBuffer>, false), shape, type };
    },
    close: () => source.close(),
  };
}
