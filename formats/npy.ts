/**
 * NumPy's file format for one array, `.npy`.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @module
 */
import { type HostTensor, sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { bytesOf, type ForeignArray, heldBytesOf, numbersFrom, type NumberType, shapeText } from "./elements.ts";

/** What the head of a `.npy` file says. */
export interface NpyHead {
  readonly shape: readonly number[];
  readonly type: NumberType | "text";
  /** Byte at which values begin. */
  readonly start: number;
  /** Bytes of values in the file. */
  readonly length: number;
  /** Bytes of values in memory. */
  readonly held: number;
  /** Whether the first index runs fastest. */
  readonly columns: boolean;
  /** Whether the most significant byte of a value comes first. */
  readonly big: boolean;
  /** Characters of each text, and bytes of a character: 4 (UCS-4) or 1. */
  readonly text?: { readonly characters: number; readonly bytes: number };
}

/** Bytes that hold every head: NumPy's own end at 128, those of long types and shapes at some hundreds. */
export const NPY_HEAD_BYTES = 64 * 1024;

const types: Readonly<Record<string, NumberType>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
};

/** What other types are, with what to save instead; by NumPy's letter. */
const strange: Readonly<Record<string, readonly [string, string]>> = {
  O: ["Python objects (pickled)", "save numbers, or texts by array.astype(str)"],
  c: ["complex numbers", "save real and imaginary parts as two arrays"],
  V: ["raw bytes or records", "save array.astype(numpy.float32), or each field as an array of its own"],
  M: ["dates", "save array.astype(str), or numbers"],
  m: ["time spans", "save numbers"],
  g: ["long floats", "save array.astype(numpy.float64)"],
  f: ["long floats", "save array.astype(numpy.float64)"],
};

const magic = [0x93, ...new TextEncoder().encode("NUMPY")];

/** Whether bytes begin like a `.npy` file. */
export function isNpy(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function refuser(what: string): (must: string, found: string, hint?: string) => Refusal {
  return (must, found, hint) => new Refusal({ what: `read ${what}`, must, found, hint });
}

/**
 * Reads the head.
 *
 * @param bytes The file's first bytes, `NPY_HEAD_BYTES` of them or all.
 * @param size Bytes of the whole file.
 * @param what What it is, for messages.
 * @throws {Refusal} If it is none, is cut off, or of a type that is not read.
 */
export function npyHead(bytes: Uint8Array, size: number, what: string): NpyHead {
  const refuse = refuser(what);
  const must = "it must be a .npy array";
  if (size === 0) throw refuse(must, "it is empty", "save or copy it again");
  if (bytes.length < 12 || !isNpy(bytes)) throw refuse(must, "it does not begin like one");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[6] < 1 || bytes[6] > 3) throw refuse("its format must be 1, 2 or 3", `found ${bytes[6]}.${bytes[7]}`);
  const long = bytes[6] >= 2;
  const from = long ? 12 : 10;
  const start = from + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (start > size) {
    throw refuse(must, `its head is cut off at ${size} bytes and needs ${start}`, "save or copy it again");
  }
  if (start > bytes.length) throw refuse(`its head must hold at most ${NPY_HEAD_BYTES} bytes`, `found ${start}`);
  const text = new TextDecoder().decode(bytes.subarray(from, start));
  const { shape, columns, code } = parseHead(text, refuse);
  const element = elementOf(code, refuse);
  const values = sizeOf(shape);
  const length = values * element.bytes;
  if (size - start !== length) {
    throw refuse(
      `its shape ${shapeText(shape)} of ${element.type} needs ${length} bytes`,
      `it has ${size - start}`,
      size - start < length ? "it is cut off: save or copy it again" : "save one array per file",
    );
  }
  const { type, big, characters } = element;
  // A text of a few letters is an object of its own: some 32 bytes beside its letters.
  const held = type === "text" ? values * (32 + 2 * characters) : values * heldBytesOf(type);
  const head = { shape, type, start, length, held, columns: columns && shape.length > 1, big };
  return type === "text" ? { ...head, text: { characters, bytes: element.bytes / Math.max(1, characters) } } : head;
}

/** Takes the head's Python dictionary apart. */
function parseHead(
  text: string,
  refuse: ReturnType<typeof refuser>,
): { shape: number[]; columns: boolean; code: string } {
  const order = /['"]fortran_order['"]\s*:\s*(True|False)\b/.exec(text)?.[1];
  // Python 2 wrote long numbers with an L.
  const dimensions = /['"]shape['"]\s*:\s*\(([\dL,\s]*)\)/.exec(text)?.[1];
  if (/['"]descr['"]\s*:\s*[[(]/.test(text)) {
    throw refuse(
      "its values must be numbers or texts",
      "found records of several fields",
      "save each field as an array of its own",
    );
  }
  const code = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  if (code === undefined || order === undefined || dimensions === undefined) {
    throw refuse("its head must say descr, fortran_order and shape", "it does not", "save or copy it again");
  }
  const shape = dimensions.split(",").map((part) => part.trim().replace(/L$/, "")).filter((part) => part !== "")
    .map(Number);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(sizeOf(shape) * 8)) {
    throw refuse("its shape must be of sizes that can be counted", `found (${dimensions.trim()})`);
  }
  return { shape, columns: order === "True", code };
}

/** An element type by NumPy's code, such as `<f4` or `|S8`. */
function elementOf(
  code: string,
  refuse: ReturnType<typeof refuser>,
): { type: NumberType | "text"; bytes: number; big: boolean; characters: number } {
  const [, order = "", letter = "", digits = ""] = /^([<>|=]?)([a-zA-Z?])(\d*)(?:\[.*\])?$/.exec(code) ?? [];
  const big = order === ">";
  const characters = Number(digits || NaN);
  if (letter === "U" || letter === "S") {
    if (!Number.isSafeInteger(characters)) throw refuse("its texts must have a length", `found ${code}`);
    return { type: "text", bytes: letter === "U" ? 4 * characters : characters, big, characters };
  }
  const type = letter === "?" ? "bool" : Object.hasOwn(types, letter + digits) ? types[letter + digits] : undefined;
  if (type !== undefined) return { type, bytes: bytesOf(type), big, characters: 0 };
  const [about, hint] = Object.hasOwn(strange, letter) ? strange[letter] : ["an unknown type", "save float32"];
  throw refuse("its values must be numbers or texts", `found ${about}, ${code}`, hint);
}

/** Place of every value of an array that is stored first index fastest, in row-major order. */
function* placesByColumn(shape: readonly number[]): Generator<number> {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  for (let n = sizeOf(shape); n > 0; n--) {
    yield index.reduce((place, i, axis) => place + i * strides[axis], 0);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

/** Texts of fixed length; zeros at the end are padding. */
function textsFrom(bytes: Uint8Array, count: number, characters: number, width: number, big: boolean): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return Array.from({ length: count }, (_, n) => {
    if (width === 4) {
      let text = "";
      for (let c = 0; c < characters; c++) {
        const point = view.getUint32((n * characters + c) * 4, !big);
        if (point > 0x10ffff) throw new RangeError(`text ${n} must be Unicode: found character ${point}`);
        text += String.fromCodePoint(point);
      }
      return text.replace(/\0+$/, "");
    }
    let end = (n + 1) * characters;
    while (end > n * characters && bytes[end - 1] === 0) end--;
    try {
      return decoder.decode(bytes.subarray(n * characters, end));
    } catch (cause) {
      throw new RangeError(`text ${n} must be UTF-8: it is not`, { cause });
    }
  });
}

/**
 * Turns the values of a `.npy` file into an array.
 *
 * @param bytes Its values alone, in memory of their own; may be changed.
 * @throws {Refusal} If an integer does not fit into 32 bits, a truth is neither 0 nor 1, a text is not Unicode.
 */
export function npyValues(head: NpyHead, bytes: Uint8Array<ArrayBuffer>, what: string): ForeignArray {
  const { shape, type, columns, big, text } = head;
  try {
    if (type === "text") {
      const flat = textsFrom(bytes, sizeOf(shape), text!.characters, text!.bytes, big);
      return { type, shape, data: columns ? Array.from(placesByColumn(shape), (place) => flat[place]) : flat };
    }
    const flat = numbersFrom(type, bytes, big);
    if (!columns) return { type, shape, data: flat };
    const data = flat.slice();
    let n = 0;
    for (const place of placesByColumn(shape)) data[n++] = flat[place];
    return { type, shape, data };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Refusal({ what: `read ${what}`, must: error.message }, { cause: error });
  }
}

/**
 * Reads a `.npy` file.
 *
 * @param what What it is, for messages.
 * @throws {Refusal} If it is none, is damaged, or of an element type that is not read.
 */
export function decodeNpy(bytes: Uint8Array, what: string): ForeignArray {
  const head = npyHead(bytes.subarray(0, NPY_HEAD_BYTES), bytes.length, what);
  return npyValues(head, bytes.slice(head.start), what);
}

/** The head of a `.npy` file, whose values follow it row by row. */
export function npyHeader(type: "<f4" | "<i4" | "|b1" | "|u1", shape: readonly number[]): Uint8Array {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dictionary = `{'descr': '${type}', 'fortran_order': False, 'shape': (${list}), }`;
  // The header ends with a new line, at a multiple of 64 bytes.
  const padded = dictionary + " ".repeat((64 - (10 + dictionary.length + 1) % 64) % 64) + "\n";
  const bytes = new Uint8Array(10 + padded.length);
  bytes.set([...magic, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), 10);
  return bytes;
}

/** Writes a `.npy` file. */
export function encodeNpy({ data, shape, dtype }: HostTensor): Uint8Array {
  const head = npyHeader(dtype === "float32" ? "<f4" : dtype === "int32" ? "<i4" : "|b1", shape);
  const bytes = new Uint8Array(head.length + data.byteLength);
  bytes.set(head);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
  return bytes;
}
