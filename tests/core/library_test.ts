import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Library } from "../../core/library.ts";
import { Refusal } from "../../core/refusal.ts";
import { compatible, importPlugins } from "../../core/plugins.ts";
import { defineDataset, defineMethod } from "../../core/kinds/mod.ts";

const method = defineMethod<{ strength: number }>({
  name: "mine",
  about: "does nothing",
  options: { strength: { type: "number", default: 1, about: "of nothing" } },
  create: ({ strength }) => ({ name: "another", save: () => strength }),
});

Deno.test("Library.add() puts a part where its kind belongs", () => {
  const library = new Library();
  library.add(method);
  assertEquals(library.of("method").names(), ["mine"]);
  assertEquals(library.of("fusion").names(), []);
  assertEquals(
    library.of("method").get("mine").create({ strength: 3 }, { modalities: ["a"], classes: 2 }).save!(),
    3,
  );
  const clash = defineMethod({ name: "mine", about: "", options: {}, create: () => ({ name: "mine" }) });
  assertThrows(() => library.add(clash), Refusal, "a name must be unique");
});

Deno.test("plugins receive resolved options and refuse wrong ones", () => {
  const context = { modalities: ["a"], classes: 2 };
  assertEquals(method.create({}, context).save!(), 1);
  // Whatever name it gives itself.
  assertEquals(method.create({}, context).name, "mine");
  assertThrows(() => method.create({ strenght: 2 }, context), Refusal, 'of method "mine": its options are strength');
  assertEquals(
    defineDataset({ name: "d", about: "", options: {}, load: () => Promise.reject(new Error()) }).kind,
    "dataset",
  );
});

Deno.test("importPlugins() registers every exported plugin and says what a module exports if there is none", async () => {
  const library = new Library();
  const source =
    'export const plugin = { kind: "method", name: "imported", about: "", options: {}, create: () => ({}) };';
  assertEquals((await importPlugins(library, module(source))).map(({ name }) => name), ["imported"]);
  await assertRejects(
    () => importPlugins(library, module("export const x = 1;")),
    Refusal,
    "its exports are x",
  );
  await assertRejects(() => importPlugins(library, "file:///nowhere/plugin.ts"), Refusal, "Cannot import plugin");
});

const module = (text: string) => `data:application/javascript,${encodeURIComponent(text)}`;

Deno.test("importPlugins() completes plain values, which then resolve their options", async () => {
  const source = `export const plain = { kind: "method", name: "plain", about: "",
    options: { strength: { type: "number", default: 2, about: "of nothing" } },
    create: ({ strength }) => ({ save: () => strength }) };`;
  const library = new Library();
  await importPlugins(library, module(source));
  const context = { modalities: ["a"], classes: 2 };
  assertEquals(library.of("method").get("plain").create({}, context).save!(), 2);
  assertThrows(
    () => library.of("method").get("plain").create({ strenght: 1 }, context),
    Refusal,
    "options are strength",
  );
});

Deno.test("importPlugins() refuses what another armlab made that this one does not fit", async () => {
  const made = (version: string) =>
    `export const x = { kind: "method", name: "x", about: "", options: {}, madeWith: "${version}", create: () => ({}) };`;
  await assertRejects(
    () => importPlugins(new Library(), module(made("9.1.0"))),
    Refusal,
    "as its armlab must fit this one, 0.1.0: found 9.1.0",
  );
  await importPlugins(new Library(), module(made("0.1.7")));
  const cases: [string, string, boolean][] = [
    ["0.1.0", "0.1.9", true],
    ["0.1.0", "0.2.0", false],
    ["0.9.0", "1.0.0", false],
    ["1.2.0", "1.9.3", true],
    ["1.2.0", "2.0.0", false],
    ["10.0.0", "1.0.0", false],
  ];
  for (const [one, other, fit] of cases) assertEquals(compatible(one, other), fit, `${one} and ${other}`);
});

Deno.test("importPlugins() refuses a module that brings another copy of tfjs", async () => {
  const before = tf.getGradient("Square");
  const copy = globalThis as { registerAgain?: () => void };
  // What another copy does as it loads.
  copy.registerAgain = () => tf.registerGradient({ ...before });
  try {
    await assertRejects(
      () => importPlugins(new Library(), module("globalThis.registerAgain(); export const x = 1;")),
      Refusal,
      "as it must import the copy of tfjs that armlab uses, npm:@tensorflow/tfjs@4.22.0: it brings another",
    );
    assert(!tf.env().getBool("PROD"));
  } finally {
    delete copy.registerAgain;
    tf.registerGradient(before);
  }
});
