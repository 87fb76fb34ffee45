import { assertEquals, assertThrows } from "@std/assert";
import { checkBatch, checkFinite, checkRank, checkShape, firstNonFinite } from "../../core/check.ts";

const shaped = (...shape: number[]) => ({ shape });

Deno.test("checks say what, what must hold and what was found", () => {
  checkRank("x", shaped(2, 3), 2);
  assertThrows(
    () => checkRank("x", shaped(2, 3), 3),
    TypeError,
    "Cannot use x as it must have rank 3: found shape [2, 3]",
  );
  checkShape("x", shaped(7, 3), [-1, 3]);
  assertThrows(() => checkShape("x", shaped(7, 4), [-1, 3]), TypeError, "must be [any, 3]: found [7, 4]");
  assertEquals(checkBatch("features", { a: shaped(4, 2), b: shaped(4, 9) }), 4);
  assertThrows(() => checkBatch("features", { a: shaped(4), b: shaped(5) }), TypeError, "found a 4, b 5");
  assertThrows(() => checkBatch("features", {}), TypeError, "at least one modality");
  assertEquals(firstNonFinite([1, 2, 3]), -1);
  assertThrows(() => checkFinite("audio", [1, Number.NaN]), RangeError, "found NaN at index 1");
  assertThrows(() => checkFinite("audio", [-Infinity]), RangeError, "found -Infinity at index 0");
});
