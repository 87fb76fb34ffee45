/** A further kind: one value, and everything that goes over kinds knows it. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { description } from "../../cli/describe.ts";
import { listing } from "../../cli/list.ts";
import { checkPlugin, type Verdict } from "../../contracts/mod.ts";
import {
  type About,
  type BoundPart,
  complete,
  defineKind,
  defineMethod,
  importPlugins,
  type Kind,
  Library,
  type RawOptions,
  Refusal,
  use,
} from "../../core/mod.ts";
import { cpu } from "../../engines/mod.ts";
import { part } from "../../experiments/config.ts";
import { applySettings, withAssignment } from "../../experiments/settings.ts";
import { createLibrary } from "../../library.ts";

/** What a stranger's file would hold. */
interface WarpPlugin extends About {
  create(options: RawOptions): (x: number) => number;
}
const warpKind: Kind<WarpPlugin> = defineKind<WarpPlugin>({
  name: "warp",
  plural: "warps",
  about: "bends a number",
  functions: { create: { at: 0 } },
  describe: () => ["Bends: everything"],
});
const about = { about: "a warp", source: "a test" };
const power = complete(warpKind, {
  ...about,
  name: "power",
  options: { by: { type: "number", default: 2, about: "exponent", source: "a test" } },
  create: ({ by }: { by: number }) => (x: number) => x ** by,
});
const flat = complete(warpKind, { ...about, name: "flat", options: {}, create: () => () => 1 });

const method = defineMethod<{ readonly warp: BoundPart<WarpPlugin> }>({
  name: "warped",
  about: "does nothing with a warp",
  options: { warp: { type: "part", kind: "warp", default: use(power), about: "which", source: "a test" } },
  create: ({ warp }) => ({ name: "warped", report: () => ({ four: warp.plugin.create(warp.options)(4) }) }),
});

/** The one line. */
const library = () => createLibrary().addKind(warpKind as unknown as Kind).add(power as never).add(flat as never);

Deno.test("a further kind is listed, described, checked, found and resolved like the others", async () => {
  const own = library().add(method);
  assertStringIncludes(listing(own), "Warps\n  flat");
  const text = description(own, "power");
  assertStringIncludes(text, 'warp "power"\n  a warp');
  assertStringIncludes(text, "  Bends: everything\n");
  assertStringIncludes(text, "    by = 2: exponent (a number) [a test]");
  assertStringIncludes(
    description(own, "warped"),
    "    warp = power: which (the name of a warp) [a test]\n      warp.by = 2",
  );
  assertEquals(own.of(warpKind).get("power").create({ by: 3 })(2), 8);
  assertThrows(() => own.of("warp").get("powr"), Refusal, 'did you mean "power"?');
  const verdicts: Verdict[] = [];
  const eager = await cpu.create();
  for await (const verdict of checkPlugin(power as never, { library: own, eager, compiled: eager })) {
    verdicts.push(verdict);
  }
  assert(verdicts.length > 0 && verdicts.every(({ status }) => status === "held"), JSON.stringify(verdicts));
});

Deno.test("an option may be a part of a further kind: by name, with options, in settings and in the configuration", () => {
  const own = library().add(method);
  const report = (options: RawOptions) => {
    const bound = own.bind("method", { name: "warped", options });
    const made = bound.plugin.create(bound.options, { modalities: ["a", "b"], classes: 2 });
    return [JSON.stringify(bound.options), made.report!({} as never)];
  };
  assertEquals(report({}), ['{"warp":{"name":"power","options":{"by":2}}}', { four: 16 }]);
  assertEquals(report({ warp: "flat" }), ['{"warp":{"name":"flat","options":{}}}', { four: 1 }]);
  assertEquals(report({ warp: part("power", { by: 0.5 }) })[1], { four: 2 });
  const request = {
    label: "x",
    dataset: part("av-digits"),
    encoder: part("mlp"),
    fusion: part("concat"),
    methods: [part("warped")],
    training: {},
  };
  const set = (...settings: string[]) => applySettings([request], settings, own)[0].methods[0].options;
  assertEquals(set("warped.warp=flat"), { warp: { name: "flat", options: {} } });
  assertEquals(set("warped.warp=power", "warped.warp.by=3"), { warp: { name: "power", options: { by: 3 } } });
  // Options of the default part, without naming it.
  assertEquals(set("warped.warp.by=3"), { warp: { name: "power", options: { by: 3 } } });
  assertThrows(() => set("warped.warp=round"), Refusal, 'Cannot find warp "round": registered names are flat, power');
  assertThrows(() => set("warped.warp=flat", "warped.warp.by=3"), Refusal, 'Cannot set "by" of warp "flat"');
  assertThrows(() => set("warped.warp.by.x=3"), Refusal, "must be a part");
  assertThrows(() => withAssignment("x", {}, {}, "nothing", own), Refusal, "it must be <option>=<value>");
});

Deno.test("a module may bring a kind of its own with parts of it; two kinds of one name clash", async () => {
  const own = new Library();
  const source =
    `export const kind = { name: "hue", plural: "hues", about: "a colour", functions: { create: { at: 0 } } };
    export const red = { kind: "hue", name: "red", about: "red", options: {}, create: () => "#f00" };`;
  const parts = await importPlugins(own, `data:application/javascript,${encodeURIComponent(source)}`);
  assertEquals(parts.map(({ kind, name }) => [kind, name]), [["hue", "red"]]);
  assertEquals(own.of("hue").names(), ["red"]);
  const other = defineKind<About>({ name: "hue", plural: "hues", about: "another", functions: {} });
  assertThrows(() => own.addKind(other), Refusal, "another kind of that name is there");
  assertThrows(() => own.of("tone"), Refusal, 'Cannot find kind "tone": kinds are dataset, encoder');
});
