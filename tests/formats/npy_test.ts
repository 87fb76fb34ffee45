import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { float32, int32, Refusal } from "../../core/mod.ts";
import { decodeNpy, decodeNpz, encodeNpy, tensorOf } from "../../formats/mod.ts";
import { golden } from "../helpers/tensors.ts";

const saved = golden<Record<string, string>>("npy");
const bytes = (name: string) => Uint8Array.from(atob(saved[name]), (letter) => letter.charCodeAt(0));
const a = [0, 0.25, 0.5, 0.75, 1, 1.25];

Deno.test("decodeNpy() reads what NumPy saved: float32, float64, int64, column by column", () => {
  for (const name of ["f4", "f8", "fortran"]) {
    assertEquals(tensorOf(decodeNpy(bytes(name), "a"), "a"), float32(a, [2, 3]), name);
  }
  assertEquals(decodeNpy(bytes("f8"), "a").data, Float64Array.from(a));
  assertEquals(tensorOf(decodeNpy(bytes("i8"), "a"), "a"), int32([3, -1, 7], [3]));
});

Deno.test("decodeNpz() reads stored and deflated archives of NumPy", async () => {
  for (const name of ["npz", "npzc"]) {
    const arrays = await decodeNpz(bytes(name), "file");
    assertEquals([...arrays.keys()], ["labels", "part.a"]);
    assertEquals(tensorOf(arrays.get("labels")!, "labels"), int32([1, 0], [2]));
    assertEquals(tensorOf(arrays.get("part.a")!, "part.a"), float32(a, [2, 3]));
  }
});

Deno.test("encodeNpy() writes NumPy's own bytes; truths are read back as truths", () => {
  assertEquals(encodeNpy(float32(a, [2, 3])), bytes("f4"));
  assertEquals(tensorOf(decodeNpy(encodeNpy(int32([5], [1])), "a"), "a"), int32([5], [1]));
  const truths = { data: Uint8Array.of(1, 0), shape: [2], dtype: "bool" as const };
  assertEquals(tensorOf(decodeNpy(encodeNpy(truths), "a"), "a"), truths);
});

Deno.test("decodeNpy() and decodeNpz() refuse other files, types and cut-off data", async () => {
  assertThrows(() => decodeNpy(new Uint8Array(20), '"x.npy"'), Refusal, '"x.npy" as it must be a .npy array');
  assertThrows(() => decodeNpy(bytes("c8"), "x"), Refusal, "found complex numbers, <c8");
  assertThrows(() => decodeNpy(bytes("f4").subarray(0, 140), "x"), Refusal, "needs 24 bytes: it has 12");
  assertThrows(() => decodeNpy(bytes("f4").subarray(0, 40), "x"), Refusal, "its head is cut off");
  const wide = bytes("i8");
  new DataView(wide.buffer).setInt32(wide.length - 4, 9, true);
  assertThrows(() => decodeNpy(wide, "x"), Refusal, "fit into 32 bits");
  await assertRejects(() => decodeNpz(bytes("f4"), "x"), Refusal, "a whole zip archive");
});
