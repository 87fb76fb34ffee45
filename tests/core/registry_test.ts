import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type About, defineKind, type Kind } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { Registry } from "../../core/registry.ts";

const kindOf = (name: string): Kind => defineKind<About>({ name, plural: `${name}s`, about: "", functions: {} });
const named = (name: string): About => ({ name, about: "", options: {} });

Deno.test("Registry.get() returns what add() registered, and names() are sorted", () => {
  const b = named("b");
  const registry = new Registry(kindOf("fusion"), [b, named("a-2")]);
  assertStrictEquals(registry.get("b"), b);
  assertEquals(registry.names(), ["a-2", "b"]);
  assertEquals(registry.list().map(({ name }) => name), ["a-2", "b"]);
});

Deno.test("Registry.get() on a miss lists the registered names", () => {
  const registry = new Registry(kindOf("fusion"), [named("concat"), named("sum")]);
  assertThrows(
    () => registry.get("concta"),
    Refusal,
    'Cannot find fusion "concta": registered names are concat, sum',
  );
  assertThrows(() => new Registry(kindOf("dataset")).get("x"), Refusal, "registered names are none");
});

Deno.test("Registry.add() throws on a clash and on a name that is not kebab-case, and takes the same plugin twice", () => {
  const concat = named("concat");
  const registry = new Registry(kindOf("fusion"), [concat]);
  assertStrictEquals(registry.add(concat), registry);
  assertThrows(() => registry.add(named("concat")), Refusal, "a name must be unique");
  assertThrows(() => registry.add(named("My Fusion")), Refusal, "kebab-case");
});
