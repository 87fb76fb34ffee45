/**
 * NumPy's file formats: `.npy` (one array) and `.npz` (a zip of them, stored or deflated).
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @module
 */
import { type HostTensor, sizeOf } from "../core/program.ts";

/** Element types that are read, by NumPy's code; 64-bit values are narrowed. */
const readers: Readonly<Record<string, { bytes: number; read(buffer: ArrayBuffer): HostTensor["data"] }>> = {
  "<f8": { bytes: 8, read: (buffer) => Float32Array.from(new Float64Array(buffer)) },
  "<f4": { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  "<i8": { bytes: 8, read: (buffer) => narrowed(new BigInt64Array(buffer)) },
  "<i4": { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  "<i2": { bytes: 2, read: (buffer) => Int32Array.from(new Int16Array(buffer)) },
  "|i1": { bytes: 1, read: (buffer) => Int32Array.from(new Int8Array(buffer)) },
  "|u1": { bytes: 1, read: (buffer) => Int32Array.from(new Uint8Array(buffer)) },
};

function narrowed(values: BigInt64Array): Int32Array {
  return Int32Array.from(values, (value) => {
    if (BigInt.asIntN(32, value) !== value) throw new RangeError(`integers must fit into 32 bits: found ${value}`);
    return Number(value);
  });
}

/**
 * Reads a `.npy` file.
 *
 * @param what What it is, for messages.
 * @throws {TypeError} If it is none, or of an element type or layout that is not read.
 * @throws {RangeError} If an integer does not fit into 32 bits.
 */
export function decodeNpy(bytes: Uint8Array, what: string): HostTensor {
  const wrong = (found: string) => new TypeError(`Cannot read ${what} as it must be a .npy array: ${found}`);
  const magic = "\x93NUMPY";
  if (bytes.length < 12 || ![...magic].every((letter, i) => bytes[i] === letter.charCodeAt(0))) {
    throw wrong("it does not begin like one");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] >= 2;
  const start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw wrong("its header is cut off");
  const header = new TextDecoder().decode(bytes.subarray(start, end));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const dimensions = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || dimensions === undefined) throw wrong("its header lacks an entry");
  const reader = readers[type];
  if (reader === undefined) {
    throw wrong(`its element type is ${type}; save float32, float64 or an integer type, little-endian`);
  }
  const shape = dimensions.split(",").map((part) => part.trim()).filter((part) => part !== "").map(Number);
  if (order === "True" && shape.length > 1) {
    throw wrong("it is stored column by column; save numpy.ascontiguousarray(array)");
  }
  const length = sizeOf(shape) * reader.bytes;
  if (bytes.length - end !== length) {
    throw wrong(`shape [${shape.join(", ")}] needs ${length} bytes, it has ${bytes.length - end}`);
  }
  let data: HostTensor["data"];
  try {
    data = reader.read(bytes.slice(end).buffer);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot read ${what} as ${error.message}`);
  }
  return { data, shape, dtype: data instanceof Float32Array ? "float32" : "int32" };
}

/** Writes a `.npy` file. */
export function encodeNpy({ data, shape, dtype }: HostTensor): Uint8Array {
  const type = dtype === "float32" ? "<f4" : dtype === "int32" ? "<i4" : "|u1";
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dictionary = `{'descr': '${type}', 'fortran_order': False, 'shape': (${list}), }`;
  // The header ends with a new line, at a multiple of 64 bytes.
  const padded = dictionary + " ".repeat((64 - (10 + dictionary.length + 1) % 64) % 64) + "\n";
  const bytes = new Uint8Array(10 + padded.length + data.byteLength);
  bytes.set([0x93, ...[..."NUMPY"].map((letter) => letter.charCodeAt(0)), 1, 0]);
  new DataView(bytes.buffer).setUint16(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + padded.length);
  return bytes;
}

/**
 * Reads a `.npz` file.
 *
 * @returns Arrays by name, without the ending `.npy`.
 * @throws As `decodeNpy`; {TypeError} if it is no zip file.
 */
export async function decodeNpz(bytes: Uint8Array, what: string): Promise<Record<string, HostTensor>> {
  const wrong = (found: string) => new TypeError(`Cannot read ${what} as it must be a .npz file: ${found}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The end record is the last thing in the file, but for a comment.
  let at = bytes.length - 22;
  while (at >= 0 && view.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw wrong("it is no zip file");
  const entries = view.getUint16(at + 10, true);
  let entry = view.getUint32(at + 16, true);
  const arrays: Record<string, HostTensor> = {};
  for (let k = 0; k < entries; k++) {
    if (entry + 46 > bytes.length || view.getUint32(entry, true) !== 0x02014b50) {
      throw wrong("its directory is damaged");
    }
    const method = view.getUint16(entry + 10, true);
    const size = view.getUint32(entry + 20, true);
    const nameLength = view.getUint16(entry + 28, true);
    const extra = view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
    const local = view.getUint32(entry + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(entry + 46, entry + 46 + nameLength));
    entry += 46 + nameLength + extra;
    if (size === 0xffffffff || local === 0xffffffff) throw wrong("entries of 4 GiB and more are not read");
    if (local + 30 > bytes.length) throw wrong(`entry "${name}" is cut off`);
    const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const stored = bytes.slice(from, from + size);
    if (method !== 0 && method !== 8) throw wrong(`entry "${name}" is compressed by method ${method}`);
    const content = method === 0 ? stored : await inflated(stored);
    arrays[name.replace(/\.npy$/, "")] = decodeNpy(content, `"${name}" of ${what}`);
  }
  return arrays;
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
