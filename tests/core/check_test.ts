import { assertEquals, assertThrows } from "@std/assert";
import { checkFinite, firstNonFinite } from "../../core/check.ts";
import { Refusal } from "../../core/refusal.ts";

Deno.test("checkFinite() says what, what must hold and what was found", () => {
  assertEquals(firstNonFinite([1, 2, 3]), -1);
  checkFinite("audio", [1, -2, 0]);
  assertThrows(
    () => checkFinite("audio", [1, Number.NaN]),
    Refusal,
    "Cannot use audio as every value must be finite: found NaN at index 1",
  );
  assertThrows(() => checkFinite("audio", [-Infinity]), Refusal, "found -Infinity at index 0");
});
