import { assertEquals, assertThrows } from "@std/assert";
import { canonicalJson } from "../../core/canonical.ts";
import { Refusal } from "../../core/refusal.ts";

Deno.test("canonicalJson() sorts keys at every level, leaves undefined ones out and keeps the order of lists", () => {
  assertEquals(
    canonicalJson({ b: [3, { z: 1, a: null }, 1], a: { y: true, x: "é", w: undefined } }),
    '{"a":{"x":"é","y":true},"b":[3,{"a":null,"z":1},1]}',
  );
  assertEquals(canonicalJson({ b: 1, a: 2 }, 2), '{\n  "a": 2,\n  "b": 1\n}');
  assertEquals(canonicalJson(Object.assign(Object.create(null), { b: 0, a: -0.5 })), '{"a":-0.5,"b":0}');
});

Deno.test("canonicalJson() refuses what JSON would change, and says where it is", () => {
  const refused: [unknown, string][] = [
    [{ a: [0, NaN] }, "Cannot write the value.a[1] as JSON as every number must be finite: found NaN"],
    [{ a: -Infinity }, "found -Infinity"],
    [{ a: Float32Array.of(1) }, "it must be plain data: found a Float32Array"],
    [{ a: new Date(0) }, "found a Date"],
    [[() => 1], "Cannot write the value[0] as JSON as it must be plain data: found function"],
    [[undefined], "found undefined"],
    [1n, "found bigint"],
  ];
  for (const [value, message] of refused) assertThrows(() => canonicalJson(value), Refusal, message);
});
