import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { emptyLibrary, importPlugins, register } from "../../core/library.ts";
import { defineDataset, defineMethod } from "../../core/plugin.ts";

const method = defineMethod<{ strength: number }>({
  name: "mine",
  about: "does nothing",
  options: { strength: { type: "number", default: 1, about: "of nothing" } },
  create: ({ strength }) => ({ name: `mine ${strength}` }),
});

Deno.test("register() puts a plugin where its kind belongs", () => {
  const library = emptyLibrary();
  register(library, method);
  assertEquals(library.methods.names(), ["mine"]);
  assertEquals(library.fusions.names(), []);
  assertEquals(library.methods.get("mine").create({ strength: 3 }, { modalities: ["a"], classes: 2 }).name, "mine 3");
  const clash = defineMethod({ name: "mine", about: "", options: {}, create: () => ({ name: "mine" }) });
  assertThrows(() => register(library, clash), RangeError, "a name must be unique");
});

Deno.test("plugins receive resolved options and refuse wrong ones", () => {
  const context = { modalities: ["a"], classes: 2 };
  assertEquals(method.create({}, context).name, "mine 1");
  assertThrows(() => method.create({ strenght: 2 }, context), RangeError, 'of method "mine": its options are strength');
  assertEquals(
    defineDataset({ name: "d", about: "", options: {}, load: () => Promise.reject(new Error()) }).kind,
    "dataset",
  );
});

Deno.test("importPlugins() registers every exported plugin and says what a module exports if there is none", async () => {
  const library = emptyLibrary();
  const source =
    'export const plugin = { kind: "method", name: "imported", about: "", options: {}, create: () => ({}) };';
  const module = (text: string) => `data:application/javascript,${encodeURIComponent(text)}`;
  assertEquals((await importPlugins(library, module(source))).map(({ name }) => name), ["imported"]);
  await assertRejects(
    () => importPlugins(library, module("export const x = 1;")),
    TypeError,
    "its exports are x",
  );
  await assertRejects(() => importPlugins(library, "file:///nowhere/plugin.ts"), TypeError, "Cannot import plugin");
});
