/** What `core/` promises in its comments and messages, each where a slip would go unseen. */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { byModality, checkModalityName } from "../../core/modality.ts";
import {
  type About,
  complete,
  defineFusion,
  defineKind,
  defineLoss,
  defineMethod,
  type Fusion,
  type Kind,
} from "../../core/kinds/mod.ts";
import { Library } from "../../core/library.ts";
import { describeType, type OptionSpecs, parseOption, resolveOptions, use } from "../../core/options.ts";
import { originOf } from "../../core/origin.ts";
import { guarded } from "../../core/plugin_error.ts";
import { importPlugins } from "../../core/plugins.ts";
import { Refusal } from "../../core/refusal.ts";
import { Registry } from "../../core/registry.ts";
import { nearest } from "../../core/suggest.ts";
import { VERSION } from "../../core/version.ts";

const about = "for a test";
const context = { modalities: ["a", "b"], classes: 2 };
const module = (text: string) => `data:application/javascript,${encodeURIComponent(text)}`;

Deno.test("modalities: names that join others, control or are anybody's are refused; byModality() leaves its list", () => {
  for (const name of ["audio", "Ton 2", "é-µ", "x".repeat(100), "has_own"]) checkModalityName(name, "a file");
  const refused: [string[], string][] = [
    [["", "x".repeat(101)], "1 to 100 characters"],
    [["a+b", "a,b", "a/b", "a:b", "a|b", "a\u0000b", "a\nb", "\u009b"], "must hold none of + , / : |"],
    [["none", "constructor", "__proto__", "toString"], "must not be reserved"],
  ];
  for (const [names, message] of refused) {
    for (const name of names) assertThrows(() => checkModalityName(name, "a file"), Refusal, message);
  }
  const names = ["b", "a"];
  byModality(names, () => 0);
  assertEquals(names, ["b", "a"]);
});

const loss = (name: string) =>
  defineLoss<{ k: number }>({
    name,
    about,
    options: { k: { type: "number", default: 1, about } },
    create: () => ({ terms: () => ({}) }),
  });
const [one, two] = [loss("one"), loss("two")];
const specs: OptionSpecs = {
  share: { type: "number", default: -0.5, min: -1, max: 0, about },
  wide: { type: "number", default: 1, max: 5, about },
  part: { type: "part", kind: "loss", default: use(one), about },
  several: { type: "parts", kind: "estimator", default: [use(one), use(two, { k: 2 })], about },
};

Deno.test("options: bounds belong to what is allowed, 0 among them; inherited names are none; nearest names are told", () => {
  for (const share of [-1, 0]) assertEquals(resolveOptions<{ share: number }>("x", specs, { share }).share, share);
  for (const share of [-1.001, 0.001]) assertThrows(() => resolveOptions("x", specs, { share }), Refusal, "<= 0");
  assertThrows(() => resolveOptions("x", specs, { constructor: 1 } as never), Refusal, 'set option "constructor"');
  assertThrows(() => resolveOptions("x", specs, { shore: 1 }), Refusal, 'did you mean "share"?');
  const odd = { odd: { type: "colour", default: 1, about } } as unknown as OptionSpecs;
  assertThrows(
    () => resolveOptions("x", odd),
    Refusal,
    "its type must be one of number, integer, boolean, choice, text",
  );
  assertThrows(() => resolveOptions("x", specs, { wide: "y".repeat(500) }), Refusal, `${"y".repeat(119)}…`);
  assertThrows(() => resolveOptions("x", specs, { share: [Infinity] }), Refusal, 'found ["Infinity"]');
  assertEquals(Object.values(specs).map(describeType), [
    "a number >= -1 and <= 0",
    "a number <= 5",
    "the name of a loss",
    "names of kind estimator",
  ]);
  assertEquals(describeType({ type: "part", kind: "estimator", default: use(one), about }), "the name of an estimator");
  assertEquals(parseOption(specs.several, ""), []);
  assertEquals(parseOption(specs.several, "one, two"), ["one", "two"].map((name) => ({ name, options: {} })));
  assertEquals(parseOption(specs.wide, "x"), "x");
});

Deno.test("options that are parts: defaults and bound ones by themselves, others by a library, their options resolved", () => {
  const own = resolveOptions<Record<string, { name: string; options: unknown }>>("x", specs);
  assertEquals(
    JSON.stringify(own),
    JSON.stringify({
      ...{ share: -0.5, wide: 1, part: { name: "one", options: { k: 1 } } },
      several: [{ name: "one", options: { k: 1 } }, { name: "two", options: { k: 2 } }],
    }),
  );
  assertEquals(Object.keys(own.part), ["name", "options"]);
  assertEquals((own.part as unknown as { plugin: unknown }).plugin, one);
  assertEquals((resolveOptions("x", specs, { several: ["two"] }).several as { name: string }[])[0].name, "two");
  const bound = resolveOptions("x", specs, { part: use(two) }).part as { name: string; options: unknown };
  assertEquals([bound.name, bound.options], ["two", { k: 1 }]);
  assertThrows(() => resolveOptions("x", specs, { part: "two" }), Refusal, "must come from a library");
  assertThrows(() => resolveOptions("x", specs, { several: "one" }), Refusal, "it must be names of kind estimator");
  assertThrows(() => resolveOptions("x", specs, { part: { name: "one", options: { l: 1 } } }), Refusal, "did you mean");
  // A library's part of a name is preferred to a default of the same name.
  const other = loss("one");
  const found = resolveOptions("x", specs, { part: "one" }, () => other).part as { plugin: unknown };
  assertEquals(found.plugin, other);
});

Deno.test("complete(): functions keep their owner, take options at their place, answer where a part is silent, say who made it", () => {
  const kind = defineKind<About & { ask(first: string, options: object): unknown; silent(): unknown }>({
    ...{ name: "thing", plural: "things", about },
    functions: { ask: { at: 1 }, silent: { at: 0, otherwise: () => "nothing" } },
  });
  const made = complete(kind, {
    ...{ name: "own", about, options: { k: { type: "number", default: 3, about } } },
    ask(this: { name: string }, first: string, { k }: { k: number }) {
      return [this.name, first, k];
    },
  });
  assertEquals(made.ask("first", {}), ["own", "first", 3]);
  assertEquals([made.silent(), made.madeWith], ["nothing", VERSION]);
  assertThrows(() => made.ask("first", { l: 1 }), Refusal, 'of thing "own"');
  const named = defineMethod({ name: "own", about, options: {}, create: () => ({}) }).create({}, context);
  assert(Object.entries(named).some(([key, value]) => key === "name" && value === "own"));
});

Deno.test("a library lists a name of two kinds once; a registry bounds long names, says near ones and keeps an order", () => {
  const library = new Library();
  const fusion = (name: string) => defineFusion({ name, about, options: {}, create: () => ({}) as Fusion });
  library.add(fusion("twin")).add(loss("twin")).add(fusion("other"));
  assertEquals(library.names(), ["other", "twin"]);
  assertEquals(library.named("twin").map(({ kind }) => kind), ["fusion", "loss"]);
  const kind = (ordered?: boolean): Kind =>
    defineKind<About>({ name: "k", plural: "ks", about, functions: {}, ordered });
  const part = (name: string): About => ({ name, about, options: {} });
  const registry = new Registry(kind(true), ["b", "a"].map(part));
  assertEquals([registry.names(), registry.list().map(({ name }) => name)], [["b", "a"], ["b", "a"]]);
  for (const name of ["a-", "-a", "a--b", ""]) assertThrows(() => registry.add(part(name)), Refusal, "kebab-case");
  const miss = assertThrows(() => registry.get("z".repeat(90)), Refusal);
  assertStringIncludes(miss.message, `"${"z".repeat(80)}…"`);
  assertThrows(() => new Registry(kind(), [part("concat")]).get("concta"), Refusal, 'did you mean "concat"?');
});

Deno.test("importPlugins(): values of no kind are passed over, what lacks a function is refused, origins are kept", async () => {
  const library = new Library();
  const fusion = 'kind: "fusion", about: "", options: {}, create: () => ({})';
  const source = `export const own = { name: "own", ${fusion} }; export const again = own;
    export const colour = { kind: "colour", name: "red", options: {} };`;
  const parts = await importPlugins(library, module(source));
  assertEquals(parts.map(({ name }) => name), ["own"]);
  assertEquals(originOf(parts[0]), module(source));
  const lacking = `export const x = { kind: "fusion", name: "x", about: "", options: {} };`;
  await importPlugins(new Library(), module(lacking)).then(
    () => assert(false, "it was taken"),
    (error) => {
      assertInstanceOf(error, Refusal);
      assertStringIncludes(error.message, 'a fusion must have a function "create": it has none');
    },
  );
});

Deno.test("guarded(): functions behind getters name the part, hidden properties stay hidden, deep stacks are kept", () => {
  const made = Object.defineProperty(
    {
      get late() {
        return () => {
          throw new TypeError("slip");
        };
      },
    },
    "hidden",
    { value: 3, enumerable: false },
  ) as unknown as { readonly late: () => void; readonly hidden: number };
  Error.stackTraceLimit = 10;
  const one = guarded('fusion "own"', made);
  assertEquals([Object.keys(one), one.hidden], [["late"], 3]);
  assertThrows(() => one.late(), Error, 'fusion "own" failed in late');
  assert(Error.stackTraceLimit >= 64);
});

Deno.test("Refusal: reason is the clauses that there are, with() keeps where it came from", () => {
  const refusal = new Refusal({ what: "do it", found: "found 3" });
  assertEquals([refusal.reason, new Refusal({ what: "do it" }).reason], ["found 3", ""]);
  assertEquals(refusal.with({ hint: "leave it" }).cause, refusal);
});

Deno.test("nearest(): a text that begins with a name counts, short ones do not, and half of the letters are too many", () => {
  assertEquals(nearest("concatenate", ["sum", "concat"]), "concat");
  assertEquals(nearest("su", ["sunflower"]), null);
  assertEquals(nearest("abcdef", ["abcxyz"]), null);
});
