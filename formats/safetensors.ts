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
import { readBytes, StoreError, writeAtomic } from "../store/files.ts";

/** Contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: NamedHostTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How an element type of the format is read. All types are little-endian, as every machine that Deno runs on is. */
interface Element {
  readonly bytes: number;
  readonly dtype: DType;
  read(buffer: ArrayBuffer): HostTensor["data"];
}

/** Half precision: 1 sign, 5 exponent and 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function narrowed(values: BigInt64Array): Int32Array {
  return Int32Array.from(values, (value) => {
    if (BigInt.asIntN(32, value) !== value) {
      throw new RangeError(`each 64-bit integer must fit into 32 bits: found ${value}`);
    }
    return Number(value);
  });
}

const elements: Readonly<Record<string, Element>> = {
  F64: { bytes: 8, dtype: "float32", read: (buffer) => Float32Array.from(new Float64Array(buffer)) },
  I64: { bytes: 8, dtype: "int32", read: (buffer) => narrowed(new BigInt64Array(buffer)) },
  F32: { bytes: 4, dtype: "float32", read: (buffer) => new Float32Array(buffer) },
  I32: { bytes: 4, dtype: "int32", read: (buffer) => new Int32Array(buffer) },
  F16: { bytes: 2, dtype: "float32", read: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf) },
  // The upper half of a float32.
  BF16: {
    bytes: 2,
    dtype: "float32",
    read: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  },
  I16: { bytes: 2, dtype: "int32", read: (buffer) => Int32Array.from(new Int16Array(buffer)) },
  U8: { bytes: 1, dtype: "int32", read: (buffer) => Int32Array.from(new Uint8Array(buffer)) },
  I8: { bytes: 1, dtype: "int32", read: (buffer) => Int32Array.from(new Int8Array(buffer)) },
  BOOL: { bytes: 1, dtype: "bool", read: (buffer) => new Uint8Array(buffer) },
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
 * @throws {TypeError} If a name is empty or reserved, or a tensor's data does not fit its shape and type.
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
    throw new TypeError(`Cannot write tensor "${name}" as its name must not be empty or "__metadata__"`);
  }
  const wanted = dtype === "float32" ? Float32Array : dtype === "int32" ? Int32Array : Uint8Array;
  if (!(data instanceof wanted) || data.length !== sizeOf(shape)) {
    throw new TypeError(
      `Cannot write tensor "${name}" as its data must be a ${wanted.name} of ${sizeOf(shape)} values ` +
        `(shape [${shape.join(", ")}], ${dtype}): found a ${data.constructor.name} of ${data.length}`,
    );
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

/** Takes the header apart; throws a `RangeError` with the reason alone, to which the caller adds the file. */
function parseHeader(text: string): { entries: [string, Entry][]; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new RangeError("its header must be JSON: it is not");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new RangeError("its header must be a JSON object: it is not");
  }
  const { __metadata__: metadata = {}, ...tensors } = header as Record<string, unknown>;
  if (
    typeof metadata !== "object" || metadata === null ||
    Object.values(metadata).some((text) => typeof text !== "string")
  ) {
    throw new RangeError("its __metadata__ must hold texts: it does not");
  }
  const entries = Object.entries(tensors).map(([name, value]): [string, Entry] => {
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    const fits = typeof dtype === "string" && Array.isArray(shape) && shape.every(isCount) &&
      Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount);
    if (!fits) throw new RangeError(`tensor "${name}" must have a dtype, a shape and two data_offsets: it has not`);
    return [name, value as Entry];
  });
  return { entries, metadata: metadata as Record<string, string> };
}

/**
 * Reads tensors from bytes: F32, F64, F16 and BF16 as float32, I32, I64, I16, I8 and U8 as int32, BOOL as bool.
 *
 * @param path Where the bytes come from, for messages.
 * @returns Tensors that share no memory with `bytes`.
 * @throws {StoreError} With code `"corrupt"` if the bytes are cut off or do not keep to the format.
 */
export function decodeSafetensors(bytes: Uint8Array, path: string): Safetensors {
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StoreError("corrupt", path, {
      what: `read checkpoint "${path}"`,
      must: error.message,
      hint: "the file is damaged: put a whole copy in its place, or remove it to start anew",
    }, { cause: error });
  }
}

function decode(bytes: Uint8Array): Safetensors {
  if (bytes.length < 8) throw new RangeError(`it must hold at least 8 bytes: found ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes) {
    throw new RangeError(`its header must hold at most ${maxHeaderBytes} bytes: found ${headerBytes}`);
  }
  const start = 8 + headerBytes;
  if (bytes.length < start) throw new RangeError(`it must hold ${start} bytes: found ${bytes.length}`);
  const { entries, metadata } = parseHeader(new TextDecoder().decode(bytes.subarray(8, start)));
  entries.sort(([_, a], [__, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of entries) {
    const element = elements[dtype];
    if (element === undefined) {
      throw new RangeError(
        `tensor "${name}" must be of type ${Object.keys(elements).join(", ")}: found ${JSON.stringify(dtype)}`,
      );
    }
    const wanted = sizeOf(shape) * element.bytes;
    if (from !== end || to - from !== wanted) {
      throw new RangeError(
        `tensor "${name}" must fill the ${wanted} bytes from ${end} on: found offsets ${from} to ${to}`,
      );
    }
    end = to;
  }
  if (bytes.length !== start + end) {
    throw new RangeError(`it must hold ${start + end} bytes: found ${bytes.length}`);
  }
  const tensors: Record<string, HostTensor> = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of entries) {
    const element = elements[dtype];
    const copy = bytes.slice(start + from, start + to).buffer as ArrayBuffer;
    try {
      Object.defineProperty(tensors, name, {
        value: { data: element.read(copy), shape, dtype: element.dtype },
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } catch (error) {
      if (error instanceof RangeError) throw new RangeError(`in tensor "${name}" ${error.message}`);
      throw error;
    }
  }
  return { tensors, metadata };
}

/** Replaces a file by tensors, atomically. @throws {StoreError} If it cannot be written. */
export async function writeSafetensors(
  path: string,
  tensors: NamedHostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeAtomic(path, encodeSafetensors(tensors, metadata));
}

/**
 * Reads a file of tensors.
 *
 * @returns `null` if there is no such file.
 * @throws {StoreError} If it is damaged or cannot be read.
 */
export async function readSafetensors(path: string): Promise<Safetensors | null> {
  const bytes = await readBytes(path, Number.MAX_SAFE_INTEGER);
  return bytes === null ? null : decodeSafetensors(bytes, path);
}
