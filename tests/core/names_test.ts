import { assertEquals } from "@std/assert";
import * as names from "../../core/names.ts";
import { groupOf } from "../../core/scope.ts";

Deno.test("every family of names has a prefix of its own, and knows its own alone", () => {
  const { slotOf: _slotOf, slotParam: _slotParam, ...families } = names;
  const full = "encoder:audio/block1/kernel";
  const prefixes = Object.fromEntries(
    Object.entries(families).map(([name, { of }]) => [name, of(full).slice(0, -full.length)]),
  );
  assertEquals(
    prefixes,
    Object.fromEntries(Object.keys(families).map((name) => [name, `${name}:`])),
  );
  const values = { "param:a": 1, "param:b/c": 2, "params:a": 3, paramount: 4, "slot:param:a": 5 };
  assertEquals(names.param.under(values), { a: 1, "b/c": 2 });
  assertEquals(names.param.over({ a: 1, "b/c": 2 }), { "param:a": 1, "param:b/c": 2 });
  assertEquals([names.param.has("param:a"), names.param.has("params:a")], [true, false]);
  assertEquals(names.param.rest("param:param:a"), "param:a");
});

Deno.test("a slot is named by what it is and whose; a group is what stands before the first slash", () => {
  const name = names.slotOf("momentum", "encoder:audio/block1/kernel");
  assertEquals(name, "slot:momentum/encoder:audio/block1/kernel");
  assertEquals(names.slotParam(names.slot.rest(name)), "encoder:audio/block1/kernel");
  assertEquals(groupOf("encoder:audio/block1/kernel"), "encoder:audio");
  assertEquals(groupOf("fusion"), "fusion");
});
