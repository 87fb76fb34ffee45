import { join } from "node:path";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { robustnessTables } from "../../cli/robustness.ts";
import { areaUnder, type RunRobustness, subsetsOf } from "../../experiments/robustness.ts";
import { armlab, inFolder } from "../helpers/cli.ts";

Deno.test("areaUnder() is that of trapezoids; subsetsOf() has all but the empty one, the whole first", () => {
  assertEquals(areaUnder([1, 0]), 0.5);
  assertAlmostEquals(areaUnder([0.8, 0.6, 0.1]), (0.7 + 0.35) / 2);
  assertEquals(areaUnder([0.4]), 0.4);
  assertEquals(subsetsOf(["a", "b"]), [["a", "b"], ["a"], ["b"]]);
  assertEquals(subsetsOf(["a", "b", "c"]).length, 7);
});

Deno.test("robustnessTables() of three modalities: subsets, areas and severities of each row, by value", () => {
  const run = (label: string, seed: number, up: number): RunRobustness => ({
    id: `${label}${seed}`,
    label,
    dataset: "d",
    seed,
    subsets: subsetsOf(["audio", "image", "text"]).map((kept, k) => ({ kept, accuracy: 0.9 - 0.1 * k + up })),
    curves: [
      { modality: "audio", name: "noise", severities: [0, 0.5], accuracy: [0.71 + up, 0.52 + up], area: 0.61 + up },
      { modality: "text", name: "missing", severities: [0, 0.7], accuracy: [0.73 + up, 0.44 + up], area: 0.58 + up },
    ],
  } as unknown as RunRobustness);
  const [subsets, areas, points, note] = robustnessTables([run("a", 0, 0), run("a", 1, 0.02), run("b", 0, 0.05)])
    .split("\n\n").map((part) => part.split("\n").map((line) => line.trim().split(/ {2,}/)));
  // Two seeds, .02 apart: the mean, and 12.7062 times .01 as its interval.
  assertEquals(subsets, [
    ["modalities, test acc. %", "a", "b"],
    ["audio + image + text", "91.0 ± 12.7", "95.0"],
    ["audio + image", "81.0 ± 12.7", "85.0"],
    ["audio + text", "71.0 ± 12.7", "75.0"],
    ["image + text", "61.0 ± 12.7", "65.0"],
    ["audio", "51.0 ± 12.7", "55.0"],
    ["image", "41.0 ± 12.7", "45.0"],
    ["text", "31.0 ± 12.7", "35.0"],
  ]);
  assertEquals(areas.slice(1), [["audio.noise", "62.0 ± 12.7", "66.0"], ["text.missing", "59.0 ± 12.7", "63.0"]]);
  assertEquals(points.slice(1), [
    ["audio.noise=0", "72.0 ± 12.7", "76.0"],
    ["audio.noise=0.5", "53.0 ± 12.7", "57.0"],
    ["text.missing=0", "74.0 ± 12.7", "78.0"],
    ["text.missing=0.7", "45.0 ± 12.7", "49.0"],
  ]);
  assertStringIncludes(note[0][0], "a 2, b 1");
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
