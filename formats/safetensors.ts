/**
 * The safetensors format: named tensors in one file that PyTorch, NumPy and JAX read and write, too.
 *
 * Layout: header length N (8 bytes, little-endian), N bytes of JSON, then all tensors' bytes, row-major and
 * little-endian, without gaps. The JSON has an entry `{dtype, shape, data_offsets: [begin, end]}` per tensor and may
 * have `__metadata__`, a record of strings.
 *
 * @see https://github.com/huggingface/safetensors#format
 * @module
 */
import { type DType, type HostTensor, type NamedHostTensors, sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import { bytesOf, heldBytesOf, numbersFrom, type NumberType, tensorOf } from "./elements.ts";
import { rowReader } from "./row_reader.ts";
import { type ByteSource, bytesSource } from "./source.ts";

/** Contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: NamedHostTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Element types by the format's names. All are little-endian, as every machine that Deno runs on is. */
const types: Readonly<Record<string, NumberType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
};

/** What each of our types is written as. */
const written: Readonly<Record<DType, string>> = { float32: "F32", int32: "I32", bool: "BOOL" };

/** The largest header the reference implementation reads. */
const maxHeaderBytes = 100_000_000;

/**
 * Writes tensors to bytes, as chunks in the order of the file.
 *
 * Equal contents give equal bytes: tensors are sorted by name, those with one-byte elements last, so that every tensor
 * starts at a multiple of its element size; the header is padded with spaces to a multiple of 8 bytes.
 *
 * @throws {Refusal} If a name is empty or reserved, or a tensor's data does not fit its shape and type.
 */
export function encodeSafetensors(
  tensors: NamedHostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const names = Object.keys(tensors).sort();
  const aligned = [
    ...names.filter((name) => tensors[name].dtype !== "bool"),
    ...names.filter((name) => tensors[name].dtype === "bool"),
  ];
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    header.push(["__metadata__", Object.fromEntries(Object.keys(metadata).sort().map((key) => [key, metadata[key]]))]);
  }
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const name of aligned) {
    const { data, shape, dtype } = tensors[name];
    checkTensor(name, tensors[name]);
    header.push([name, { dtype: written[dtype], shape, data_offsets: [offset, offset + data.byteLength] }]);
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  // Written by hand, as an object would move names that look like integers to the front.
  const json = `{${header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(text, 8);
  return [head, ...chunks];
}

function checkTensor(name: string, { data, shape, dtype }: HostTensor): void {
  if (name === "" || name === "__metadata__") {
    throw new Refusal({ what: `write tensor "${name}"`, must: 'its name must not be empty or "__metadata__"' });
  }
  const wanted = dtype === "float32" ? Float32Array : dtype === "int32" ? Int32Array : Uint8Array;
  if (!(data instanceof wanted) || data.length !== sizeOf(shape)) {
    throw new Refusal({
      what: `write tensor "${name}"`,
      must: `its data must be a ${wanted.name} of ${sizeOf(shape)} values (shape [${shape.join(", ")}], ${dtype})`,
      found: `found a ${data.constructor.name} of ${data.length}`,
    });
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Makes refusals of a file; each says what must hold and what was found. */
type Refuser = (must: string, found?: string, hint?: string) => Refusal;

/** Takes the header apart. */
function parseHeader(text: string, refuse: Refuser): { entries: [string, Entry][]; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw refuse("its header must be JSON", "it is not");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw refuse("its header must be a JSON object", "it is not");
  }
  const { __metadata__: metadata = {}, ...tensors } = header as Record<string, unknown>;
  if (
    typeof metadata !== "object" || metadata === null ||
    Object.values(metadata).some((text) => typeof text !== "string")
  ) {
    throw refuse("its __metadata__ must hold texts", "it does not");
  }
  const entries = Object.entries(tensors).map(([name, value]): [string, Entry] => {
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    const fits = typeof dtype === "string" && Array.isArray(shape) && shape.every(isCount) &&
      Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount);
    if (!fits) throw refuse(`tensor "${name}" must have a dtype, a shape and two data_offsets`, "it has not");
    return [name, value as Entry];
  });
  return { entries, metadata: metadata as Record<string, string> };
}

/** A tensor's head and place in the file. */
interface Placed extends ArrayHead {
  readonly type: NumberType;
  readonly from: number;
  readonly to: number;
}

/** Named arrays of a safetensors file, open for reading. */
export interface SafetensorsFile extends ArrayFile {
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Opens a safetensors file: reads its header, whose tensors must fill the rest of the file without gaps.
 *
 * @param path For messages.
 * @param most Most bytes that its tensors may take in memory.
 * @throws {Refusal} If it is none, is cut off or too large, or has a type that is not read.
 */
export async function openSafetensors(
  source: ByteSource,
  path: string,
  most: number = MAX_HELD_BYTES,
): Promise<SafetensorsFile> {
  const refuse: Refuser = (must, found, hint) => new Refusal({ what: `read "${path}"`, must, found, hint });
  if (source.size < 8) throw refuse("it must hold at least 8 bytes", `found ${source.size}`);
  const headerBytes = Number(new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes) {
    throw refuse(`its header must hold at most ${maxHeaderBytes} bytes`, `found ${headerBytes}`);
  }
  const start = 8 + headerBytes;
  if (source.size < start) throw refuse(`it must hold ${start} bytes`, `found ${source.size}`);
  const { entries, metadata } = parseHeader(new TextDecoder().decode(await source.read(8, start)), refuse);
  const heads = placed(entries, start, path, refuse);
  const end = start + entries.reduce((end, [_, { data_offsets }]) => Math.max(end, data_offsets[1]), 0);
  if (source.size !== end) throw refuse(`it must hold ${end} bytes`, `found ${source.size}`);
  checkHeld(path, heads.values(), most);
  return {
    path,
    heads,
    metadata,
    async read(name) {
      headOf(path, heads, name);
      const { type, shape, from, to } = heads.get(name)!;
      try {
        return { type, shape, data: numbersFrom(type, await source.read(from, to), false) };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new Refusal({ what: `read "${name}" of "${path}"`, must: error.message }, { cause: error });
      }
    },
    rowsOf(name) {
      const { what } = headOf(path, heads, name);
      const { type, shape, from: start } = heads.get(name)!;
      if (shape.length === 0) return null;
      return rowReader(source, { type, big: false, start, width: sizeOf(shape.slice(1)), what });
    },
    close: () => source.close(),
  };
}

/** Checks that tensors follow each other without gaps. */
function placed(entries: [string, Entry][], start: number, path: string, refuse: Refuser): Map<string, Placed> {
  entries.sort(([_, a], [__, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  const heads = new Map<string, Placed>();
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of entries) {
    if (!Object.hasOwn(types, dtype)) {
      throw refuse(
        `tensor "${name}" must be of type ${Object.keys(types).join(", ")}`,
        `found ${JSON.stringify(dtype)}`,
        "save float32",
      );
    }
    const type = types[dtype];
    const wanted = sizeOf(shape) * bytesOf(type);
    if (from !== end || to - from !== wanted) {
      throw refuse(`tensor "${name}" must fill the ${wanted} bytes from ${end} on`, `found offsets ${from} to ${to}`);
    }
    end = to;
    const held = sizeOf(shape) * heldBytesOf(type);
    heads.set(name, { name, shape, type, held, what: `"${name}" of "${path}"`, from: start + from, to: start + to });
  }
  return heads;
}

/**
 * Reads all tensors from bytes: floats as float32, integers as int32, BOOL as bool.
 *
 * @param path Where the bytes come from, for messages.
 * @returns Tensors that share no memory with `bytes`.
 * @throws {Refusal} If the bytes are cut off or do not keep to the format.
 */
export async function decodeSafetensors(bytes: Uint8Array, path: string): Promise<Safetensors> {
  const file = await openSafetensors(bytesSource(bytes), path, Number.MAX_SAFE_INTEGER);
  const tensors: Record<string, HostTensor> = {};
  for (const [name, { what }] of file.heads) {
    const value = tensorOf(await file.read(name), what);
    Object.defineProperty(tensors, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return { tensors, metadata: file.metadata };
}
