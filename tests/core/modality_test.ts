import { Refusal } from "../../core/refusal.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { at, byModality, mapByModality, modalitiesOf, valuesOf } from "../../core/modality.ts";

Deno.test("modalities are visited in sorted order whatever the order of insertion", () => {
  const record = { text: 3, audio: 1, image: 2 };
  assertEquals(modalitiesOf(record), ["audio", "image", "text"]);
  assertEquals(valuesOf(record), [1, 2, 3]);
  assertEquals(Object.keys(mapByModality(record, (value) => value)), ["audio", "image", "text"]);
  assertEquals(byModality(["b", "a"], (name, index) => `${name}${index}`), { a: "a0", b: "b1" });
});

Deno.test("at() throws on a missing modality and lists those there are", () => {
  assertEquals(at({ audio: 1 }, "audio"), 1);
  assertThrows(() => at({ image: 1, audio: 2 }, "video"), Refusal, 'modality "video": the record has audio, image');
  assertThrows(() => at({} as Record<string, number>, "toString"), Refusal, "has none");
});
