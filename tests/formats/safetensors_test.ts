import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type HostTensor, Refusal } from "../../core/mod.ts";
import { bytesSource, decodeSafetensors, encodeSafetensors, openSafetensors } from "../../formats/mod.ts";

const tensors = {
  b: { data: Float32Array.from([1, 2, 3]), shape: [3], dtype: "float32" as const },
  a: { data: Int32Array.from([5]), shape: [], dtype: "int32" as const },
};

/** The parts of a file as one array. */
const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** A file of one tensor, of any header and bytes. */
function file(header: unknown, data: ArrayLike<number>): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

Deno.test("decodeSafetensors() reads a file of the reference implementation", async () => {
  const path = new URL("../golden/reference.safetensors", import.meta.url);
  const read = await decodeSafetensors(await Deno.readFile(path), "reference");
  assertEquals(read.metadata, { format: "1", note: "é" });
  assertEquals([...read.tensors["b/kernel"].data], [0, 1, 2, 3, 4, 5]);
  assertEquals(read.tensors["b/kernel"].shape, [2, 3]);
  assertEquals([...read.tensors.a.data], [-1, 2]);
  assertEquals([...read.tensors.flag.data], [1, 0, 1]);
});

Deno.test("safetensors: round trip; equal contents give equal bytes whatever the order", async () => {
  const one = encodeSafetensors(tensors, { note: "x" });
  const two = encodeSafetensors({ a: tensors.a, b: tensors.b }, { note: "x" });
  assertEquals(joined(one), joined(two));
  const read = await decodeSafetensors(joined(one), "x");
  assertEquals([...read.tensors.b.data], [1, 2, 3]);
  assertEquals(read.tensors.a.shape, []);
});

Deno.test("decodeSafetensors() refuses a file that is cut anywhere and says how many bytes there must be", async () => {
  const bytes = joined(encodeSafetensors(tensors, {}));
  for (let length = 0; length < bytes.length; length++) {
    const error = await assertRejects(() => decodeSafetensors(bytes.slice(0, length), "x.safetensors"), Refusal);
    assertStringIncludes(error.message, 'Cannot read "x.safetensors" as it must hold ');
    assertStringIncludes(error.message, `: found ${length}`);
  }
});

Deno.test("decodeSafetensors() reads every type: floats as float32, integers as int32, truths as they are", async () => {
  const cases: readonly (readonly [string, ArrayBufferView, number[]])[] = [
    ["F64", Float64Array.of(0.1, -2), [Math.fround(0.1), -2]],
    ["F32", Float32Array.of(0.5, -2), [0.5, -2]],
    // 1.5 is 0 01111 1000000000, -2 is 1 10000 0000000000 in half precision.
    ["F16", Uint16Array.of(0x3e00, 0xc000), [1.5, -2]],
    // The upper halves of 1.5 and -2 as float32.
    ["BF16", Uint16Array.of(0x3fc0, 0xc000), [1.5, -2]],
    ["I64", BigInt64Array.of(-3n, 7n), [-3, 7]],
    ["I32", Int32Array.of(-3, 7), [-3, 7]],
    ["I16", Int16Array.of(-3, 7), [-3, 7]],
    ["I8", Int8Array.of(-3, 7), [-3, 7]],
    ["U64", BigUint64Array.of(3n, 7n), [3, 7]],
    ["U32", Uint32Array.of(3, 7), [3, 7]],
    ["U16", Uint16Array.of(3, 60000), [3, 60000]],
    ["U8", Uint8Array.of(3, 255), [3, 255]],
    ["BOOL", Uint8Array.of(1, 0), [1, 0]],
  ];
  for (const [dtype, data, expected] of cases) {
    const header = { x: { dtype, shape: [2], data_offsets: [0, data.byteLength] } };
    const { x } = (await decodeSafetensors(file(header, bytesOf(data)), "x")).tensors as Record<string, HostTensor>;
    assertEquals([...x.data], expected, dtype);
    assertEquals(x.dtype, dtype.includes("F") ? "float32" : dtype === "BOOL" ? "bool" : "int32");
  }
});

Deno.test("decodeSafetensors() refuses values that would be other numbers here, and headers that lie", async () => {
  const refuses = async (bytes: Uint8Array, text: string) => {
    const error = await assertRejects(() => decodeSafetensors(bytes, "x"), Refusal);
    assertStringIncludes(error.message, text);
  };
  const one = (dtype: string, data: ArrayBufferView, shape = [1]) =>
    file({ x: { dtype, shape, data_offsets: [0, data.byteLength] } }, bytesOf(data));
  await refuses(one("I64", BigInt64Array.of(2n ** 31n)), "must fit into 32 bits: value 0 is 2147483648");
  await refuses(one("U64", BigUint64Array.of(2n ** 63n)), "must fit into 32 bits: value 0 is 9223372036854775808");
  await refuses(one("BOOL", Uint8Array.of(2)), "every truth must be 0 or 1: value 0 is 2");
  await refuses(one("F64", Float64Array.of(1e300)), "must fit into 32 bits: value 0 is 1e+300");
  await refuses(one("C64", Float64Array.of(0)), 'found "C64"');
  await refuses(one("constructor", Float64Array.of(0)), 'found "constructor"');
  await refuses(one("F32", Float32Array.of(1, 2), [3]), 'tensor "x" must fill the 12 bytes from 0 on');
  await refuses(file("[1]", []), "its header must be a JSON object");
  await refuses(file("{x", []), "its header must be JSON");
  await refuses(file({ x: { dtype: "F32", shape: [-1], data_offsets: [0, 0] } }, []), "must have a dtype, a shape");
  await refuses(file({ __metadata__: { a: 1 } }, []), "must hold texts");
  const long = new Uint8Array(16);
  new DataView(long.buffer).setBigUint64(0, 10_000_000_000n, true);
  await refuses(long, "its header must hold at most 100000000 bytes: found 10000000000");
});

Deno.test("openSafetensors() refuses what would not fit into memory before it reads any value", async () => {
  let read = 0;
  const size = 3_000_000_000;
  const text = new TextEncoder().encode(
    JSON.stringify({ x: { dtype: "F32", shape: [750_000_000], data_offsets: [0, size] } }),
  );
  const head = new Uint8Array(8 + text.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  head.set(text, 8);
  const source = bytesSource(head);
  const huge = {
    ...source,
    size: head.length + size,
    read(from: number, to: number) {
      read += to - from;
      return source.read(from, to);
    },
  };
  await assertRejects(() => openSafetensors(huge, "x"), Refusal, "at most 2.1 GB of memory: they take 3.0 GB");
  assertEquals(read, head.length);
});

Deno.test("encodeSafetensors() refuses names and data that cannot be written", () => {
  assertThrows(() => encodeSafetensors({ "": tensors.a }), Refusal, "must not be empty");
  assertThrows(
    () => encodeSafetensors({ a: { ...tensors.b, shape: [2] } }),
    Refusal,
    "must be a Float32Array of 2 values",
  );
});
