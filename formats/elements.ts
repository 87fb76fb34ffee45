/**
 * Element types of foreign arrays: how their bytes become numbers.
 *
 * @module
 */
import type { HostTensor } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";

/** Types of numbers that are read. */
export type NumberType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/** Values as they are held: 64-bit floats stay so, other floats are float32, integers int32, truths bytes of 0 and 1. */
export type NumberData = Float64Array | Float32Array | Int32Array | Uint8Array;

/** An array of numbers from a file. */
export interface NumberArray {
  /** Row-major. */
  readonly data: NumberData;
  readonly shape: readonly number[];
  /** As the file says. */
  readonly type: NumberType;
}

/** An array of texts from a file, row-major. */
export interface TextArray {
  readonly data: readonly string[];
  readonly shape: readonly number[];
  readonly type: "text";
  /** What the file holds in their place. @default texts */
  readonly odd?: "bytes" | "records";
}

/** An array that somebody else wrote. */
export type ForeignArray = NumberArray | TextArray;

/** How an element type is read, from bytes in the order of this machine. */
interface Element {
  /** Per value in the file. */
  readonly bytes: number;
  /** Per value in memory. */
  readonly held: number;
  read(buffer: ArrayBuffer): NumberData;
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

function narrowed(values: BigInt64Array | BigUint64Array | Uint32Array): Int32Array {
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (value < -0x80000000 || value > 0x7fffffff) {
      throw new RangeError(
        `every integer must fit into 32 bits: value ${i} is ${values[i]}; save array.astype(numpy.float32)`,
      );
    }
    result[i] = value;
  }
  return result;
}

function truths(bytes: Uint8Array): Uint8Array {
  const strange = bytes.findIndex((byte) => byte > 1);
  if (strange !== -1) throw new RangeError(`every truth must be 0 or 1: value ${strange} is ${bytes[strange]}`);
  return bytes;
}

const elements: Readonly<Record<NumberType, Element>> = {
  float64: { bytes: 8, held: 8, read: (buffer) => new Float64Array(buffer) },
  float32: { bytes: 4, held: 4, read: (buffer) => new Float32Array(buffer) },
  float16: { bytes: 2, held: 4, read: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf) },
  // The upper half of a float32.
  bfloat16: {
    bytes: 2,
    held: 4,
    read: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  },
  int64: { bytes: 8, held: 4, read: (buffer) => narrowed(new BigInt64Array(buffer)) },
  int32: { bytes: 4, held: 4, read: (buffer) => new Int32Array(buffer) },
  int16: { bytes: 2, held: 4, read: (buffer) => Int32Array.from(new Int16Array(buffer)) },
  int8: { bytes: 1, held: 4, read: (buffer) => Int32Array.from(new Int8Array(buffer)) },
  uint64: { bytes: 8, held: 4, read: (buffer) => narrowed(new BigUint64Array(buffer)) },
  uint32: { bytes: 4, held: 4, read: (buffer) => narrowed(new Uint32Array(buffer)) },
  uint16: { bytes: 2, held: 4, read: (buffer) => Int32Array.from(new Uint16Array(buffer)) },
  uint8: { bytes: 1, held: 4, read: (buffer) => Int32Array.from(new Uint8Array(buffer)) },
  bool: { bytes: 1, held: 1, read: (buffer) => truths(new Uint8Array(buffer)) },
};

/** Bytes of one value in a file. */
export function bytesOf(type: NumberType): number {
  return elements[type].bytes;
}

/** Bytes of one value in memory. */
export function heldBytesOf(type: NumberType): number {
  return elements[type].held;
}

/**
 * Turns bytes into numbers.
 *
 * @param bytes Its own memory, all of it; may be changed.
 * @param big Whether the most significant byte comes first.
 * @throws {RangeError} With the reason alone: an integer beyond 32 bits, a truth that is neither 0 nor 1.
 */
export function numbersFrom(type: NumberType, bytes: Uint8Array<ArrayBuffer>, big: boolean): NumberData {
  const { bytes: width, read } = elements[type];
  if (big && width > 1) {
    for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  }
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return read(whole ? bytes.buffer : bytes.slice().buffer);
}

/**
 * The same numbers as a tensor: 64-bit floats become 32-bit ones.
 *
 * @param what What it is, for messages.
 * @throws {Refusal} If it holds texts, or a finite value is too large for 32 bits.
 */
export function tensorOf(array: ForeignArray, what: string): HostTensor {
  const { data, shape, type } = array;
  if (type === "text") throw new Refusal({ what: `use ${what}`, must: "it must hold numbers", found: "found texts" });
  if (data instanceof Int32Array) return { data, shape, dtype: "int32" };
  if (data instanceof Uint8Array) return { data, shape, dtype: "bool" };
  return { data: narrowFloats(data, what), shape, dtype: "float32" };
}

/** Floats of 32 bits. @throws {Refusal} If a finite value is too large for them. */
export function narrowFloats(data: Float64Array | Float32Array, what: string): Float32Array {
  if (data instanceof Float32Array) return data;
  const narrow = Float32Array.from(data);
  const lost = narrow.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(data[i]));
  if (lost !== -1) {
    throw new Refusal({
      what: `use ${what}`,
      must: "every value must fit into 32 bits",
      found: `value ${lost} is ${data[lost]}`,
      hint: "scale it down before saving",
    });
  }
  return narrow;
}

/** A shape in messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
