import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { importPlugins } from "../../core/plugins.ts";
import { part } from "../../experiments/config.ts";
import { planGrid } from "../../experiments/plan.ts";
import { changesSince, codeUsed, contentOf, Provenance } from "../../experiments/provenance.ts";
import { type CellEvent, CellRunner } from "../../experiments/run_cell.ts";
import { createLibrary } from "../../library.ts";
import { inFolder } from "../helpers/cli.ts";

const url = (...path: string[]) => pathToFileURL(join(...path)).href;
const root = new URL("../../", import.meta.url).pathname;

/** Writes files into a folder. */
async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), text);
  }
}

const files = {
  "plugin.ts": 'import { a } from "./lib/a.ts";\nexport const x = a;\n',
  "lib/a.ts": 'export { b as a } from "../b.ts";\n',
  "b.ts": 'export const b = Deno.readTextFileSync(new URL("./weights.txt", import.meta.url));\n',
  "weights.txt": "1 2 3",
  "unused.ts": "export {};\n",
};

Deno.test("contentOf() follows imports and data beside a module, and nothing else", () =>
  inFolder(async (folder) => {
    await write(folder, files);
    const of = () => contentOf(url(folder, "plugin.ts"));
    const first = await of();
    assertEquals(first.length, 64);
    for (const name of ["plugin.ts", "lib/a.ts", "b.ts", "weights.txt"] as const) {
      await Deno.writeTextFile(join(folder, name), files[name] + " ");
      assertNotEquals(await of(), first, name);
      await Deno.writeTextFile(join(folder, name), files[name]);
      assertEquals(await of(), first, name);
    }
    await Deno.writeTextFile(join(folder, "unused.ts"), "export const y = 1;\n");
    assertEquals(await of(), first);
  }));

Deno.test("contentOf() does not depend on where files lie or when they were written", () =>
  inFolder(async (folder) => {
    await write(join(folder, "here"), files);
    await write(join(folder, "there", "deeper"), files);
    assertEquals(
      await contentOf(url(folder, "here", "plugin.ts")),
      await contentOf(url(folder, "there", "deeper", "plugin.ts")),
    );
  }));

Deno.test("contentOf() ends where modules import each other, and tells a cycle's files apart", () =>
  inFolder(async (folder) => {
    await write(folder, { "a.ts": 'import "./b.ts";\n', "b.ts": 'import "./a.ts";\n' });
    const first = await contentOf(url(folder, "a.ts"));
    await Deno.writeTextFile(join(folder, "b.ts"), 'import "./a.ts"; // changed\n');
    assertNotEquals(await contentOf(url(folder, "a.ts")), first);
  }));

Deno.test("contentOf() takes packages by name and version, armlab's own files by nothing", () =>
  inFolder(async (folder) => {
    const own = `import { defineFusion } from "${url(root, "mod.ts")}";\n`;
    await write(folder, {
      "zod.ts": 'import { z } from "npm:zod@4.6.7";\n',
      "plain.ts": "export {};\n",
      "own.ts": own,
      "node_modules/thing/package.json": '{"name": "thing", "version": "1.2.3"}',
      "node_modules/thing/mod.js": "export const a = 1;",
    });
    assertEquals(await contentOf("npm:zod@4.6.7"), "npm:zod@4.6.7");
    const thing = url(folder, "node_modules", "thing", "mod.js");
    assertEquals(await contentOf(thing), "npm:thing@1.2.3");
    await Deno.writeTextFile(join(folder, "node_modules/thing/mod.js"), "export const a = 2;");
    assertEquals(await contentOf(thing), "npm:thing@1.2.3");
    const plain = await contentOf(url(folder, "plain.ts"));
    assertNotEquals(await contentOf(url(folder, "zod.ts")), plain);
    // A file that imports armlab is itself and nothing of armlab.
    const text = await contentOf(url(folder, "own.ts"));
    await Deno.writeTextFile(join(folder, "own.ts"), own.replace(url(root, "mod.ts"), "@armlab/armlab"));
    assertEquals((await contentOf(url(folder, "own.ts"))).length, text.length);
  }));

Deno.test("contentOf() of a data: module is its text", async () => {
  const one = await contentOf("data:text/javascript,export const a = 1;");
  assertEquals(await contentOf("data:text/javascript,export const a = 1;"), one);
  assertNotEquals(await contentOf("data:text/javascript,export const a = 2;"), one);
});

Deno.test("contentOf() of a module of the network is what it and its imports hold, wherever they are served", async () => {
  const serve = (text: string) =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
      const body = new URL(url).pathname === "/mod.ts" ? 'export * from "./inner.ts";\n' : text;
      return new Response(body, { headers: { "content-type": "application/typescript" } });
    });
  const servers = ["export const a = 1;\n", "export const a = 1;\n", "export const a = 2;\n"].map(serve);
  try {
    const [one, two, three] = await Promise.all(
      servers.map((server) => contentOf(`http://127.0.0.1:${server.addr.port}/mod.ts`)),
    );
    assertEquals(one, two);
    assertNotEquals(one, three);
  } finally {
    for (const server of servers) await server.shutdown();
  }
});

const plugin = `
import { defineFusion, defineLoss, defineMethod } from "@armlab/armlab";
const about = "x";
export const own = defineFusion({ name: "own", about, options: {}, create: () => { throw new Error("never"); } });
export const plain = defineMethod({ name: "plain-method", about, options: {}, create: () => ({ name: "plain-method" }) });
`;

Deno.test("Provenance says of a configuration what its own parts were made of, and nothing of others", () =>
  inFolder(async (folder) => {
    const [one, two] = [url(folder, "one.ts"), url(folder, "two.ts")];
    await write(folder, {
      "one.ts": plugin,
      "two.ts": plugin.replaceAll("own", "another").replaceAll("plain", "other"),
    });
    const library = createLibrary();
    for (const specifier of [one, two]) await importPlugins(library, specifier);
    const plan = (methods: string[]) =>
      planGrid({
        cells: [{
          label: "row",
          dataset: part("synthetic", { samples: 60 }),
          encoder: part("mlp"),
          fusion: part("concat"),
          methods: methods.map((name) => part(name)),
          training: {},
        }],
        seeds: [0],
        runs: join(folder, "runs"),
        library,
        plugins: [one, two],
      });
    const { cells: [bare] } = await plan([]);
    assertEquals([bare.config.code, bare.config.plugins], [undefined, []]);
    const { cells: [used] } = await plan(["plain-method"]);
    assertEquals(used.config.code, { "method plain-method": await contentOf(one) });
    assertEquals(used.config.plugins, [one]);
    const { cells: [other] } = await plan(["other-method"]);
    assertEquals(other.config.plugins, [two]);
    const before = await Provenance.of(library, [one, two]);
    assertEquals(before.changed(used.config), []);
    await Deno.writeTextFile(join(folder, "one.ts"), plugin + "// edited");
    const after = await Provenance.of(library, [one, two]);
    assertEquals([after.changed(used.config), after.changed(other.config), after.changed(bare.config)], [
      ["one.ts"],
      [],
      [],
    ]);
    const { cells: [edited] } = await plan(["plain-method"]);
    assertNotEquals(edited.id, used.id);
    assertEquals(changesSince(used.config, edited.config, library), ["one.ts changed since: training anew"]);
    assertEquals(codeUsed({ ...used.config, methods: [] }, library), {});
    assertEquals(codeUsed(used.config, library), { code: used.config.code });
    // A part that a program registered without a module: any module may have made it.
    library.add({ ...library.of("method").get("none"), name: "unknown" });
    const { cells: [unknown] } = await plan(["unknown"]);
    assertEquals(unknown.config.plugins, [one, two]);
    assertEquals(Object.keys(unknown.config.code ?? {}), ["method unknown"]);
  }));

Deno.test("a run whose plugin changed since the grid began is refused, before anything is trained", () =>
  inFolder(async (folder) => {
    const one = url(folder, "one.ts");
    await write(folder, { "one.ts": plugin });
    const library = createLibrary();
    await importPlugins(library, one);
    const request = {
      label: "row",
      dataset: part("synthetic", { samples: 60 }),
      encoder: part("mlp"),
      fusion: part("concat"),
      methods: [part("plain-method")],
      training: { epochs: 1 },
    };
    const runs = join(folder, "runs");
    await Deno.mkdir(runs);
    const { cells: [{ config }] } = await planGrid({ cells: [request], seeds: [0], runs, library, plugins: [one] });
    await Deno.writeTextFile(join(folder, "one.ts"), plugin + "// edited");
    const events: CellEvent[] = [];
    const runner = new CellRunner(library, runs, { provenance: await Provenance.of(library, [one]) });
    await runner.run(config, { command: "again", onEvent: (event) => events.push(event) });
    const last = events[events.length - 1];
    assertEquals(last.type, "failed");
    assertStringIncludes((last as { message: string }).message, "one.ts changed since; run the same command again");
    const again = new CellRunner(library, runs, { provenance: await Provenance.of(library, [one]) });
    const { cells: [{ config: anew }] } = await planGrid({
      cells: [request],
      seeds: [0],
      runs,
      library,
      plugins: [one],
    });
    await again.run(anew, { command: "again", onEvent: (event) => events.push(event) });
    assertEquals(events.at(-1)!.type, "finished");
  }));
