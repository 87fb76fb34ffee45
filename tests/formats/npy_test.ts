import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { float32, int32 } from "../../core/mod.ts";
import { decodeNpy, decodeNpz, encodeNpy } from "../../formats/mod.ts";
import { golden } from "../helpers/tensors.ts";

const saved = golden<Record<string, string>>("npy");
const bytes = (name: string) => Uint8Array.from(atob(saved[name]), (letter) => letter.charCodeAt(0));
const a = [0, 0.25, 0.5, 0.75, 1, 1.25];

Deno.test("decodeNpy() reads what NumPy saved: float32, float64, int64", () => {
  for (const name of ["f4", "f8"]) assertEquals(decodeNpy(bytes(name), "a"), float32(a, [2, 3]));
  assertEquals(decodeNpy(bytes("i8"), "a"), int32([3, -1, 7], [3]));
});

Deno.test("decodeNpz() reads stored and deflated archives of NumPy", async () => {
  for (const name of ["npz", "npzc"]) {
    assertEquals(await decodeNpz(bytes(name), "file"), { labels: int32([1, 0], [2]), "part.a": float32(a, [2, 3]) });
  }
});

Deno.test("encodeNpy() writes NumPy's own bytes", () => {
  assertEquals(encodeNpy(float32(a, [2, 3])), bytes("f4"));
  assertEquals(decodeNpy(encodeNpy(int32([5], [1])), "a"), int32([5], [1]));
});

Deno.test("decodeNpy() and decodeNpz() refuse other files, types, layouts and cut-off data", async () => {
  assertThrows(() => decodeNpy(new Uint8Array(20), '"x.npy"'), TypeError, '"x.npy" as it must be a .npy array');
  assertThrows(() => decodeNpy(bytes("c8"), "x"), TypeError, "element type is <c8");
  assertThrows(() => decodeNpy(bytes("fortran"), "x"), TypeError, "ascontiguousarray");
  assertThrows(() => decodeNpy(bytes("f4").subarray(0, 140), "x"), TypeError, "needs 24 bytes, it has 12");
  assertThrows(() => decodeNpy(bytes("f4").subarray(0, 40), "x"), TypeError, "header is cut off");
  const wide = bytes("i8");
  new DataView(wide.buffer).setInt32(wide.length - 4, 9, true);
  assertThrows(() => decodeNpy(wide, "x"), RangeError, "fit into 32 bits");
  await assertRejects(() => decodeNpz(bytes("f4"), "x"), TypeError, "no zip file");
});
