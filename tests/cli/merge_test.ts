/** `armlab merge` as a user runs it. */
import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeSafetensors } from "../../formats/mod.ts";
import { createLibrary } from "../../library.ts";
import { part, runGrid } from "../../mod.ts";
import { inFolder, said } from "../helpers/cli.ts";

const merge = (...args: string[]) => said("merge", ...args);

/** Small runs on the mini set, by label; returns their folders. */
async function runs(folder: string, fusions: Record<string, ReturnType<typeof part>>, seeds: number[]) {
  const { outcomes } = await runGrid({
    library: createLibrary(),
    runs: folder,
    seeds,
    workers: 1,
    cells: Object.entries(fusions).map(([label, fusion]) => ({
      label,
      dataset: part("av-digits", { size: "mini" }),
      encoder: part("mlp", { hidden: [24], width: 16 }),
      fusion,
      methods: [],
      training: { epochs: 4 },
    })),
  });
  return outcomes.map((outcome) => {
    if (outcome.status !== "finished") throw new Error(JSON.stringify(outcome));
    return { path: join(folder, outcome.summary.id), test: outcome.summary.test.accuracy };
  });
}

Deno.test("armlab merge measures both runs, their average and their merge, and writes it; refuses what does not fit", async () => {
  await inFolder(async (folder) => {
    const [a, b, narrow, narrower] = await runs(folder, {
      wide: part("concat", { width: 16 }),
      narrow: part("lmf", { width: 8 }),
    }, [0, 1]);
    const to = join(folder, "merged.safetensors");
    const { code, out, err } = await merge(a.path, b.path, "--by", "ot", "--to", to, "--engine", "onnx:cpu");
    assertEquals(code, 0, err);
    const rows = out.split("\n").slice(1, 5).map((line) => line.trim().split(/\s{2,}/));
    assertEquals(
      rows.map(([label]) => label),
      [a, b].map(({ path }) => path.slice(-16)).concat(["average", "optimal transport"]),
    );
    // The runs' own accuracies come out as they were.
    for (const [k, { test }] of [a, b].entries()) assertEquals(rows[k][2], `${(100 * test).toFixed(1)} %`);
    const [plain, aligned] = [rows[2], rows[3]].map((row) => Number.parseFloat(row[2]));
    assert(aligned > plain, `${aligned} is not above ${plain}`);
    const { tensors } = await decodeSafetensors(await Deno.readFile(to), to);
    assertEquals(tensors["encoder.audio.hidden1.weight"].shape[0], 24);
    assert(Object.keys(tensors).every((name) => !name.startsWith("harness")));

    const answering = await merge(a.path, b.path, "--align", "activations", "--samples", "40");
    assertEquals(answering.code, 0, answering.err);
    const line = (text: string) => text.split("\n").at(-1)!;
    assert(line(answering.out).startsWith("optimal transport"));

    const average = await merge(a.path, b.path, "--by", "average");
    assertEquals(average.out.split("\n").length, 4);

    const refused = async (...args: string[]) => {
      const ended = await merge(...args);
      assertEquals(ended.code, 2);
      return ended.err;
    };
    assertStringIncludes(await refused(a.path, narrow.path), 'their fusion must be the same: found "concat" and "lmf"');
    assertStringIncludes(
      await refused(narrow.path, narrower.path),
      '"lmf" does not; concat, sum, decision and transfusion do; or take --by average',
    );
    const plainly = await merge(narrow.path, narrower.path, "--by", "average");
    assertEquals(plainly.code, 0, plainly.err);
    assertStringIncludes(await refused(a.path), "there must be two run folders");
    assertStringIncludes(await refused(a.path, join(folder, "0123456789abcdef")), "it has no config.json");
    assertStringIncludes(await refused(a.path, b.path, "--by", "luck"), "it must be one of ot, average");
    assertStringIncludes(await refused(a.path, b.path, "--align", "luck"), "it must be one of weights, activations");
    assertStringIncludes(await refused(a.path, b.path, "--share", "2"), "it must be a number from 0 to 1");
    assertStringIncludes(await refused(a.path, b.path, "--to", "x.pt"), "its name must end with .safetensors");
  });
});

Deno.test("armlab merge --help says what it merges", async () => {
  const { code, out } = await merge("--help");
  assertEquals(code, 0);
  assertStringIncludes(out, "It is not a fusion of modalities");
  assertStringIncludes(out, "With --into RUNS it unites folders of runs instead");
});
