import { assertEquals } from "@std/assert";
import { didYouMean, editDistance, nearest } from "../../core/suggest.ts";
import { originOf, setOrigin } from "../../core/origin.ts";

Deno.test("editDistance() counts inserted, deleted, replaced and swapped letters", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["amr", "arm", 1],
    ["conact", "concat", 1],
    ["abc", "abc", 0],
  ];
  for (const [a, b, distance] of cases) assertEquals([editDistance(a, b), editDistance(b, a)], [distance, distance]);
});

Deno.test("didYouMean() names what is near and keeps silent where nothing is", () => {
  const names = ["arm", "arm-bmml", "concat", "ogm", "ogm-ge", "sum"];
  assertEquals(nearest("amr", names), "arm");
  assertEquals(nearest("cocnat", names), "concat");
  assertEquals(nearest("CONCAT", names), "concat");
  assertEquals(nearest("ogm-g", names), "ogm-ge");
  assertEquals(nearest("arm-bm", names), "arm-bmml");
  assertEquals(nearest("transformer", names), null);
  assertEquals(nearest("", names), null);
  assertEquals(nearest("x".repeat(61), ["x".repeat(60)]), null);
  assertEquals(didYouMean("smu", names), 'did you mean "sum"?');
  assertEquals(didYouMean("nothing", names), undefined);
});

Deno.test("originOf() is what setOrigin() said last, and null for anything else", () => {
  const part = {};
  assertEquals(originOf(part), null);
  setOrigin(part, "file:///a.ts");
  setOrigin(part, "file:///b.ts");
  assertEquals(originOf(part), "file:///b.ts");
  assertEquals(originOf({}), null);
});
