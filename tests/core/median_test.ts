import { assertEquals } from "@std/assert";
import { median } from "../../core/median.ts";

Deno.test("median() is the middle one, of an even count the upper of the two, 0 of none; what it is given stays as it is", () => {
  const given = [30, 9, 100];
  assertEquals(median(given), 30);
  assertEquals(given, [30, 9, 100]);
  assertEquals(median([4, 1, 3, 2]), 3);
  assertEquals(median([-5]), -5);
  assertEquals(median([]), 0);
});
