import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Registry } from "../../core/registry.ts";

Deno.test("Registry.get() returns what add() registered, and names() are sorted", () => {
  const b = { name: "b" };
  const registry = new Registry("fusion", [b, { name: "a-2" }]);
  assertStrictEquals(registry.get("b"), b);
  assertEquals(registry.names(), ["a-2", "b"]);
  assertEquals(registry.list().map(({ name }) => name), ["a-2", "b"]);
});

Deno.test("Registry.get() on a miss lists the registered names", () => {
  const registry = new Registry("fusion", [{ name: "concat" }, { name: "sum" }]);
  assertThrows(
    () => registry.get("concta"),
    RangeError,
    'Cannot find fusion "concta": registered names are concat, sum',
  );
  assertThrows(() => new Registry("dataset").get("x"), RangeError, "registered names are none");
});

Deno.test("Registry.add() throws on a clash and on a name that is not kebab-case, and takes the same plugin twice", () => {
  const concat = { name: "concat" };
  const registry = new Registry("fusion", [concat]);
  assertStrictEquals(registry.add(concat), registry);
  assertThrows(() => registry.add({ name: "concat" }), RangeError, "a name must be unique");
  assertThrows(() => registry.add({ name: "My Fusion" }), RangeError, "kebab-case");
});
