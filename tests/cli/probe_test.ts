import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { armlab, inFolder } from "../helpers/cli.ts";

const small = ["--set", "dataset.size=mini", "--encoder", "mlp", "--seeds", "1", "--epochs", "2"];

Deno.test("probe: a linear probe per encoder of finished runs, as a table and as JSON; unfinished runs are refused", () =>
  inFolder(async (folder) => {
    const bench = await armlab("bench", ...small, "--compare", "none,uni-ce", "--runs", folder);
    assertEquals(bench.code, 0, bench.err);
    const runs = [...Deno.readDirSync(folder)].filter(({ isDirectory, name }) =>
      isDirectory && /^[0-9a-f]{16}$/.test(name)
    )
      .map(({ name }) => join(folder, name));
    const table = await armlab("probe", ...runs, "--epochs", "3");
    assertEquals(table.code, 0, table.err);
    assertStringIncludes(table.out, "probe, test %");
    assertStringIncludes(table.out, "concat + uni-ce, seed 0");
    const json = await armlab("probe", runs[0], "--json", "--epochs", "3");
    const found = JSON.parse(json.out);
    assertEquals(found.encoders.map(({ modality }: { modality: string }) => modality), ["audio", "image"]);
    for (const { test, validation, epoch, readout } of found.encoders) {
      assert(test > 0.15 && test <= 1 && validation > 0.15 && epoch < 3 && readout > 0);
    }
    assertEquals((await armlab("probe", runs[0], "--json", "--epochs", "3")).out, json.out);
    const unfinished = join(folder, "0123456789abcdef");
    await Deno.mkdir(unfinished);
    const refused = await armlab("probe", unfinished);
    assertEquals(refused.code === 0, false);
    assertStringIncludes(refused.err, "as it must be finished: it has no model.safetensors");
  }));
