import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { armlab, inFolder } from "../helpers/cli.ts";

const source = `
import { defineDataset, defineMethod } from "@armlab/armlab";
export const idle = defineMethod({ name: "idle", about: "does nothing", options: {}, create: () => ({ name: "idle" }) });
export const empty = defineDataset({
  name: "empty",
  about: "cannot be loaded",
  options: {},
  load: () => Promise.reject(new RangeError("the disk is empty")),
});
`;

Deno.test("check runs a file's plugins, prints one JSON object per contract and ends with 1 if one is broken", () =>
  inFolder(async (folder) => {
    const file = join(folder, "plugins.ts");
    await Deno.writeTextFile(file, source);
    const { code, out, err } = await armlab("check", file, "--json");
    assertEquals([code, err], [1, ""]);
    const verdicts = out.trim().split("\n").map((line) => JSON.parse(line));
    for (const verdict of verdicts) {
      assertEquals(Object.keys(verdict), ["kind", "plugin", "claim", "status", "detail"]);
      if (verdict.plugin === "idle") assert(verdict.status !== "broken", verdict.detail);
    }
    const broken = verdicts.filter(({ status }) => status === "broken");
    assert(broken.length >= 5);
    assert(broken.every(({ plugin, detail }) => plugin === "empty" && detail.includes("the disk is empty")));
  }));

Deno.test("check takes names of registered parts, and says what it takes if it knows no such name", async () => {
  const none = await armlab("check", "synthetic");
  assertEquals(none.code, 0, none.out);
  assertStringIncludes(none.out, 'dataset "synthetic"');
  assertStringIncludes(none.out, " held, 0 broken, ");
  const unknown = await armlab("check", "cocnat");
  assertEquals(unknown.code, 2);
  assertStringIncludes(
    unknown.err,
    'Cannot check "cocnat" as it must be a file, a URL, a jsr: or npm: module, or a registered',
  );
  const missing = await armlab("check", "./no_such_file.ts");
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.err, "Cannot import plugin");
  assertEquals((await armlab("check")).code, 2);
  assertStringIncludes((await armlab("check", "--help")).out, "armlab check ./my_fusion.ts");
});
