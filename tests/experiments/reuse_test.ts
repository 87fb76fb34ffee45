/** Runs are reused for the code and the data that made them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { armlab, inFolder, runsIn } from "../helpers/cli.ts";

/** Writes files into a folder. */
async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
}

const fusion = (scale: number) => `
import * as tf from "@tensorflow/tfjs";
import { defineFusion } from "@armlab/armlab";
export const own = defineFusion({
  name: "own",
  about: "sum of scaled features",
  options: {},
  create: (_, { modalities, classes }) => ({
    needs: { equalWidths: true },
    soloMode: "ablate-zero",
    forward(features, keep, scope) {
      const fused = tf.addN(modalities.map((modality) => {
        const scaled = tf.mul(features[modality].pooled, ${scale});
        return keep === null ? scaled : tf.mul(scaled, keep[modality]);
      }));
      const kernel = scope.group("head").param("kernel", [fused.shape[1], classes], (shape, random) =>
        Float32Array.from({ length: shape[0] * shape[1] }, () => random.uniform() - 0.5));
      return { fused, logits: tf.matMul(fused, kernel) };
    },
  }),
});
`;

const small = ["--encoder", "mlp", "--set", "dataset.size=mini", "--epochs", "1", "--seeds", "1", "--json"];

Deno.test("a run is reused for the code that made it: edits are said and trained anew, moved files and other plugins are not", () =>
  inFolder(async (folder) => {
    const [first, moved] = [join(folder, "own.ts"), join(folder, "elsewhere", "renamed.ts")];
    await Deno.writeTextFile(first, fusion(1));
    const bench = async (file: string, fusions: string) => {
      const args = ["bench", ...small, "--runs", join(folder, "runs"), "--fusion", fusions];
      const { code, out, err } = await armlab(...args.filter((arg) => arg !== "--json"), "--plugin", file);
      assertEquals(code, 0, err);
      return { out, err, kept: err.split("kept from an earlier run").length - 1 };
    };
    const bare = await armlab("bench", ...small, "--runs", join(folder, "runs"), "--fusion", "sum");
    assertEquals(bare.code, 0, bare.err);
    // Giving a plugin does not train what does not use it.
    const both = await bench(first, "sum,own");
    assertEquals(both.kept, 1, both.err);
    assertStringIncludes(both.err, "finished  sum, seed 0");
    assertEquals((await bench(first, "own")).kept, 1);
    await Deno.mkdir(join(folder, "elsewhere"));
    await Deno.rename(first, moved);
    assertEquals((await bench(moved, "own")).kept, 1);
    await Deno.writeTextFile(moved, fusion(0.5));
    const edited = await bench(moved, "own");
    assertEquals(edited.kept, 0, edited.err);
    assertStringIncludes(edited.err, "renamed.ts changed since: training anew");
    const again = await bench(moved, "own");
    assertEquals(again.kept, 1);
    assert(!again.err.includes("changed since"));
    // The old code is still known.
    await Deno.writeTextFile(moved, fusion(1));
    assertEquals((await bench(moved, "own")).kept, 1);
    assertEquals(runsIn(join(folder, "runs")).length, 3);
  }));

const dataset = `
import { defineDataset, Random } from "@armlab/armlab/core";
const text = () => Deno.readTextFileSync(new URL("./" + "values.txt", import.meta.url));
export const filed = defineDataset({
  name: "filed",
  about: "reads a file, and lies about its fingerprint",
  options: {},
  load: async () => {
    const shift = Number(text());
    const split = (name, size) => ({
      size,
      labels: Int32Array.from({ length: size }, (_, i) => i % 2),
      inputs: { a: Float32Array.from({ length: size * 4 }, (_, i) => Math.sin(i) + shift * (i >> 2) % 2),
        b: Float32Array.from({ length: size * 4 }, (_, i) => Math.cos(i)) },
      groups: Array.from({ length: size }, (_, i) => name + i),
    });
    const info = { shape: [4], dtype: "float32", about: "numbers" };
    return { name: "filed", modalities: { a: info, b: info }, classes: ["x", "y"], fingerprint: "always the same",
      notices: [], splits: { train: split("t", 32), validation: split("v", 16), test: split("s", 16) } };
  },
});
`;

Deno.test("a run is reused for the data that made it, whatever the dataset says of itself", () =>
  inFolder(async (folder) => {
    await write(folder, { "filed.ts": dataset, "values.txt": "0" });
    const bench = async () => {
      const { code, err } = await armlab(
        ...["bench", "--dataset", "filed", "--encoder", "mlp", "--epochs", "1", "--seeds", "1"],
        ...["--plugin", join(folder, "filed.ts"), "--runs", join(folder, "runs")],
      );
      assertEquals(code, 0, err);
      return err;
    };
    await bench();
    assertStringIncludes(await bench(), "kept from an earlier run");
    await Deno.writeTextFile(join(folder, "values.txt"), "1");
    const changed = await bench();
    assertStringIncludes(changed, 'the data of "filed" changed since: training anew');
    assert(!changed.includes("kept from an earlier run"));
    await Deno.writeTextFile(join(folder, "values.txt"), "0");
    assertStringIncludes(await bench(), "kept from an earlier run");
  }));
