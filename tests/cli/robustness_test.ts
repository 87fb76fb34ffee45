import { join } from "node:path";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { areaUnder, type RunRobustness, subsetsOf } from "../../experiments/robustness.ts";
import { armlab, inFolder } from "../helpers/cli.ts";

Deno.test("areaUnder() is that of trapezoids; subsetsOf() has all but the empty one, the whole first", () => {
  assertEquals(areaUnder([1, 0]), 0.5);
  assertAlmostEquals(areaUnder([0.8, 0.6, 0.1]), (0.7 + 0.35) / 2);
  assertEquals(areaUnder([0.4]), 0.4);
  assertEquals(subsetsOf(["a", "b"]), [["a", "b"], ["a"], ["b"]]);
  assertEquals(subsetsOf(["a", "b", "c"]).length, 7);
});

Deno.test("bench on corrupted data, then robustness of its run: the clean ends are the run's own accuracy", () =>
  inFolder(async (folder) => {
    const small = ["--set", "dataset.size=mini", "--encoder", "mlp", "--seeds", "1", "--epochs", "1"];
    const corrupt = ["--corrupt", "image.noise=0.5", "--drop", "audio=0.5", "--corrupt-at", "train"];
    const bench = await armlab("bench", ...small, ...corrupt, "--runs", folder);
    assertEquals(bench.code, 0, bench.err);
    const run = [...Deno.readDirSync(folder)].map(({ name }) => name).find((name) => /^[0-9a-f]{16}$/.test(name))!;
    const config = JSON.parse(await Deno.readTextFile(join(folder, run, "config.json")));
    assertEquals(config.dataset.options.at, "train");
    assertEquals(config.dataset.options.of.options.size, "mini");
    const summary = JSON.parse(await Deno.readTextFile(join(folder, run, "summary.json")));
    const out = join(folder, "out");
    const curves = ["--corrupt", "image.occlusion", "--json"];
    const tested = await armlab("robustness", join(folder, run), ...curves, "--out", out);
    assertEquals(tested.code, 0, tested.err);
    const found: RunRobustness = JSON.parse(tested.out);
    assertEquals(found.subsets.map(({ kept }) => kept.join()), ["audio,image", "audio", "image"]);
    assertEquals(found.subsets[0].accuracy, summary.test.accuracy);
    assertEquals(found.curves.map(({ modality, name }) => `${modality}.${name}`), [
      "audio.missing",
      "image.missing",
      "image.occlusion",
    ]);
    for (const { accuracy, area } of found.curves) {
      assertEquals(accuracy[0], summary.test.accuracy);
      assertAlmostEquals(area, areaUnder(accuracy));
    }
    assert((await Deno.readTextFile(join(out, "robustness.svg"))).startsWith("<svg"));
    assertEquals((await Deno.readFile(join(out, "robustness.png"))).slice(1, 4), new TextEncoder().encode("PNG"));
    assertStringIncludes(await Deno.readTextFile(join(out, "robustness.csv")), "image,occlusion,0.25");
  }));

Deno.test("what cannot be corrupted is refused with what can", async () => {
  const alone = await armlab("bench", "--corrupt-at", "test", "--dry-run");
  assertStringIncludes(alone.err, "neither --corrupt nor --drop is given");
  const wrong = await armlab("robustness", "nowhere", "--corrupt", "image.blur=3");
  assertStringIncludes(wrong.err, "write it as image.blur");
});
