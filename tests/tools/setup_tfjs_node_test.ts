import { Refusal } from "../../core/refusal.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { cacheFolder } from "../../formats/cache_folder.ts";
import { tfjsNode, tfjsNodeFolder, tfjsNodeGpu } from "../../engines/tfjs_node.ts";
import { missingTools, setupTfjsNode } from "../../tools/setup_tfjs_node.ts";
import { inFolder } from "../helpers/cli.ts";

Deno.test("setup:tfjs-node says all that is missing at once, each with how to get it", async () => {
  const only = (...there: string[]) => (command: string, ...args: string[]) =>
    Promise.resolve(there.includes([command, ...args].slice(0, 3).join(" ").replace(" --version", "")));
  assertEquals((await missingTools(only())).map((line) => line.split(" (")[0]), ["g++", "Python 3 with pip"]);
  assertEquals((await missingTools(only("g++", "python3"))).map((line) => line.split(" (")[0]), ["pip"]);
  assertEquals(await missingTools(only("g++", "python3", "python3 -m pip")), []);
});

Deno.test("setup:tfjs-node explains itself and refuses unknown arguments", async () => {
  const lines: string[] = [];
  assertEquals(await setupTfjsNode(["--help"], (line) => lines.push(line)), 0);
  assertStringIncludes(lines.join("\n"), "--gpu");
  await assertRejects(() => setupTfjsNode(["--gpuu"]), Error, 'Cannot use argument "--gpuu"');
  await assertRejects(() => setupTfjsNode(["gpu"]), Error, 'Cannot use argument "gpu"');
});

Deno.test("tfjs-node engines say what is missing: never built, or broken", () =>
  inFolder(async (folder) => {
    const before = Deno.env.get("ARMLAB_CACHE");
    Deno.env.set("ARMLAB_CACHE", folder);
    try {
      assertEquals(cacheFolder("x"), `${folder}/x`);
      for (const plugin of [tfjsNode, tfjsNodeGpu]) {
        const missing = (await plugin.unavailable())!;
        assertStringIncludes(missing.what, `the package's binding is not built in ${folder}/${plugin.name}`);
        // Where NVIDIA's driver is missing, that comes before the binding.
        const command = `deno task setup:tfjs-node${plugin === tfjsNodeGpu ? " --gpu" : ""}`;
        assertEquals(missing.get!.split("; then ").at(-1), command);
        await assertRejects(() => plugin.create(), Refusal, `Cannot use engine "${plugin.name}"`);
      }
      await Deno.mkdir(tfjsNodeFolder("tfjs-node"));
      await Deno.writeTextFile(`${tfjsNodeFolder("tfjs-node")}/setup.json`, '{"tfjs":"0","tensorflow":"0"}');
      assertStringIncludes((await tfjsNode.unavailable())!.what, "its package could not be loaded");
    } finally {
      if (before === undefined) Deno.env.delete("ARMLAB_CACHE");
      else Deno.env.set("ARMLAB_CACHE", before);
    }
  }));

Deno.test("the command line looks for the binding where setup:tfjs-node puts it, whatever keeps the compiled graphs", () =>
  inFolder(async (folder) => {
    // Commands that other tests ran in this process have set the variable.
    const { ARMLAB_CACHE: _, ...inherited } = Deno.env.toObject();
    const run = async (args: string[], own: Record<string, string>) => {
      const command = new Deno.Command(Deno.execPath(), { args, env: { ...inherited, ...own }, clearEnv: true });
      return new TextDecoder().decode((await command.output()).stdout);
    };
    // The folders below must not become those of Deno's own cache.
    const { denoDir } = JSON.parse(await run(["info", "--json"], {}));
    const home = { HOME: folder, LOCALAPPDATA: folder, XDG_CACHE_HOME: folder, DENO_DIR: denoDir };
    const module = JSON.stringify(new URL("../../formats/cache_folder.ts", import.meta.url).href);
    const code = `const { cacheFolder } = await import(${module}); console.log(cacheFolder("tfjs-node"));`;
    for (const env of [home, { ...home, ARMLAB_CACHE: "off" }]) {
      const place = (await run(["eval", code], env)).trim();
      assertStringIncludes(place, folder);
      const main = new URL("../../cli/main.ts", import.meta.url).pathname;
      assertStringIncludes(await run(["run", "-A", main, "doctor", "--json"], env), `not built in ${place}`);
    }
  }));
