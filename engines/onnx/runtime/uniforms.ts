/**
 * Uniform numbers of `tensor/noise.ts` on the host, four at a time.
 *
 * ONNX Runtime's operators for bits go through numbers one by one, and the hash takes twenty passes of them. A loop of
 * WebAssembly's vector instructions draws in a tenth of that time. The module is small enough to be written down here.
 *
 * @module
 */
import { mixMultipliers, streamWords } from "../../../tensor/noise.ts";

/** What a drawing loop writes into: one page of memory. */
const PAGE = 65536;
const CHUNK = PAGE / 4;

/** An unsigned number in LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...unsigned(value >>> 7)];
}

/** A signed 32-bit number in LEB128. */
function signed(value: number): number[] {
  const byte = value & 0x7f;
  const rest = value >> 7;
  return rest === (byte & 0x40 ? -1 : 0) ? [byte] : [byte | 0x80, ...signed(rest)];
}

const vector = (...code: number[]) => [0xfd, ...code];
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const int = (value: number) => [0x41, ...signed(value)];
const float = (value: number) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
const intAdd = [0x6a];
const intLess = [0x49]; // unsigned
const splat = vector(0x11);
const floatSplat = vector(0x13);
const xor = vector(0x51);
const add = vector(0xae, 0x01);
const multiply = vector(0xb5, 0x01);
const shiftRight = vector(0xad, 0x01); // zeros come in
const toFloat = vector(0xfa, 0x01);
const floatAdd = vector(0xe4, 0x01);
const floatMultiply = vector(0xe6, 0x01);
const numbered = vector(0x0c, ...new Uint8Array(Int32Array.of(0, 1, 2, 3).buffer));
const store = vector(0x0b, 4, 0); // aligned to 2^4

/** Parameters and locals of the function. */
const [FROM, END, FIRST, SECOND, PLACE, COUNTER, WORD, KEY1, KEY2, FACTOR1, FACTOR2] = Array.from({ length: 11 })
  .keys();

/** word ^ (word >> bits), on top of the stack and from the local. */
const folded = (bits: number) => [...get(WORD), ...get(WORD), ...int(bits), ...shiftRight, ...xor];
/** lowbias32 of the word. */
const mixed = [
  ...[...folded(16), ...get(FACTOR1), ...multiply, ...set(WORD)],
  ...[...folded(15), ...get(FACTOR2), ...multiply, ...set(WORD)],
  ...[...folded(16), ...set(WORD)],
];

const body = [
  ...[...get(FROM), ...splat, ...numbered, ...add, ...set(COUNTER)],
  ...[...get(FIRST), ...splat, ...set(KEY1)],
  ...[...get(SECOND), ...splat, ...set(KEY2)],
  ...[...int(mixMultipliers[0] | 0), ...splat, ...set(FACTOR1)],
  ...[...int(mixMultipliers[1] | 0), ...splat, ...set(FACTOR2)],
  ...[0x03, 0x40], // loop
  ...[...get(COUNTER), ...get(KEY1), ...xor, ...set(WORD), ...mixed],
  ...[...get(WORD), ...get(KEY2), ...xor, ...set(WORD), ...mixed],
  ...[...get(PLACE), ...get(WORD), ...int(9), ...shiftRight, ...toFloat],
  ...[...float(0.5), ...floatSplat, ...floatAdd, ...float(1 / 0x800000), ...floatSplat, ...floatMultiply, ...store],
  ...[...get(COUNTER), ...int(4), ...splat, ...add, ...set(COUNTER)],
  ...[...get(PLACE), ...int(16), ...intAdd, ...set(PLACE)],
  ...[...get(PLACE), ...get(END), ...intLess, 0x0d, 0x00], // again if there is more
  0x0b, // end of the loop
  0x0b, // end of the function
];

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
const INT = 0x7f;
const VECTOR = 0x7b;
const locals = [2, 1, INT, 6, VECTOR];

const module = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 4, INT, INT, INT, INT, 0]), // one type: four integers to nothing
  ...section(3, [1, 0]), // one function of it
  ...section(5, [1, 1, 1, 1]), // one memory of one page, no more
  ...section(7, [2, ...name("memory"), 2, 0, ...name("draw"), 0, 0]),
  ...section(10, [1, ...unsigned(locals.length + body.length), ...locals, ...body]),
]);

/** Writes numbers from a counter on to the start of the memory, up to a byte; four at a time. */
type Draw = (from: number, endByte: number, first: number, second: number) => void;

let drawing: { readonly draw: Draw; readonly drawn: Float32Array } | null = null;

function instance(): { readonly draw: Draw; readonly drawn: Float32Array } {
  if (drawing === null) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
    const memory = exports["memory"] as WebAssembly.Memory;
    drawing = { draw: exports["draw"] as Draw, drawn: new Float32Array(memory.buffer) };
  }
  return drawing;
}

/**
 * Fills an array with the uniform numbers of a key's stream: what `drawNoise` gives, bit for bit.
 *
 * @param key Two 32-bit words.
 * @param stream Which of the key's independent streams.
 * @param start Number of the first of them.
 * @param values Float32, of any length; is filled.
 * @throws {Refusal} If the stream is not an integer in 0..2^31 - 2.
 */
export function fillUniform(key: ArrayLike<number>, stream: number, start: number, values: Float32Array): void {
  const [s, t] = streamWords(stream);
  const { draw, drawn } = instance();
  for (let from = 0; from < values.length; from += CHUNK) {
    const count = Math.min(CHUNK, values.length - from);
    draw(start + from, 4 * count, s ^ key[0], t ^ key[1]);
    values.set(count === CHUNK ? drawn : drawn.subarray(0, count), from);
  }
}
