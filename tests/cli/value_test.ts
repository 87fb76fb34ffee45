import { join } from "node:path";
import { parse } from "@std/csv/parse";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { float32, type HostTensor, int32 } from "../../core/mod.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { Random } from "../../core/random.ts";
import { part, runGrid } from "../../mod.ts";
import { createLibrary } from "../../library.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { main } from "../../cli/main.ts";
import { inFolder } from "../helpers/cli.ts";

/** Arrays of a model that was trained elsewhere: 12 samples, width 32, 3 classes. */
function arrays(): Record<string, HostTensor> {
  const random = new Random(1);
  const draw = (width: number) => float32(Array.from({ length: 12 * width }, () => random.normal()), [12, width]);
  const [a, b] = [draw(32), draw(32)];
  return {
    labels: int32(Array.from({ length: 12 }, (_, n) => n % 3), [12]),
    logits: draw(3),
    fused: float32((a.data as Float32Array).map((value, i) => value + b.data[i]), [12, 32]),
    "part.audio": a,
    "part.image": b,
    "solo.audio": draw(3),
    "solo.image": draw(3),
  };
}

/** Runs the command in this process; returns its exit code and what it printed. */
async function value(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [log, error] = [console.log, console.error];
  const [out, err]: [string[], string[]] = [[], []];
  console.log = (text: string) => void out.push(text);
  console.error = (text: string) => void err.push(text);
  try {
    return { code: await main(["value", ...args]), out: out.join("\n"), err: err.join("\n") };
  } finally {
    [console.log, console.error] = [log, error];
  }
}

Deno.test("armlab value: a folder of .npy files and a .safetensors file give the same tables", async () => {
  await inFolder(async (folder) => {
    const saved = arrays();
    const own = join(folder, "arrays");
    await Deno.mkdir(own);
    for (const [name, array] of Object.entries(saved)) await Deno.writeFile(join(own, `${name}.npy`), encodeNpy(array));
    await writeSafetensors(join(folder, "arrays.safetensors"), saved);
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    const shown = await value(own, "--out", first, "--classes", "a,b,c");
    assertEquals(shown.code, 0, shown.err);
    for (const text of ["12 samples", "audio", "image", "nmiFloor", "Accuracy by kept modalities: none 0.333"]) {
      assertStringIncludes(shown.out, text);
    }
    assertStringIncludes(shown.err, "32 observations are few for 3 bins");
    const json = await value(join(folder, "arrays.safetensors"), "--out", second, "--classes", "a,b,c", "--json");
    const summary = JSON.parse(json.out);
    assertEquals(summary.modalities, ["audio", "image"]);
    for (const table of ["modalities", "classes", "samples"]) {
      const [a, b] = [first, second].map((at) => Deno.readTextFileSync(join(at, `${table}.csv`)));
      assertEquals(a, b);
    }
    const samples = parse(await Deno.readTextFile(join(first, "samples.csv")), { skipFirstRow: true }) as Record<
      string,
      string
    >[];
    assertEquals(samples.length, 12);
    assertAlmostEquals(
      samples.reduce((sum, row) => sum + Number(row["phi:audio"]), 0) / 12,
      summary.perModality[0].phi,
      1e-6,
    );
    const stored = JSON.parse(await Deno.readTextFile(join(first, "valuation.json")));
    assertEquals(stored.samples.length, 12);
  });
});

Deno.test("armlab value of a finished run equals what the run itself measured, and adds Shapley values", async () => {
  await inFolder(async (folder) => {
    const cell = {
      label: "concat",
      dataset: part("synthetic", { samples: 60, width: 6 }),
      encoder: part("mlp"),
      fusion: part("concat"),
      methods: [],
      training: { epochs: 1 },
    };
    const { outcomes } = await runGrid({
      cells: [cell],
      seeds: [0],
      runs: folder,
      library: createLibrary(),
      workers: 1,
    });
    const [{ cell: { id } }] = outcomes;
    const summary = JSON.parse(await Deno.readTextFile(join(folder, id, "summary.json")));
    const shown = await value(join(folder, id), "--out", join(folder, "tables"), "--json");
    assertEquals(shown.code, 0, shown.err);
    const found = JSON.parse(shown.out);
    assertEquals(found.classNames, ["00", "01", "10", "11"]);
    assertAlmostEquals(found.accuracy, summary.test.accuracy, 1e-6);
    for (const row of found.perModality) {
      const own = summary.test.perModality[row.modality];
      assertAlmostEquals(row.phi, own.phi, 1e-5);
      assertAlmostEquals(row.nmi, own.nmi, 1e-5);
      assertAlmostEquals(row.accuracy, own.accuracy, 1e-6);
    }
    const { mean, subsets } = found.shapleyAccuracy;
    assertAlmostEquals(mean[0] + mean[1], subsets["first+second"] - subsets[""], 1e-9);
  });
});

Deno.test("armlab value says what is missing or wrong, in one line", async () => {
  await inFolder(async (folder) => {
    const says = async (changed: Record<string, HostTensor | undefined>, args: string[], text: string) => {
      const path = join(folder, "case.safetensors");
      const kept = Object.entries({ ...arrays(), ...changed }).filter(([_, array]) => array !== undefined);
      await writeSafetensors(path, Object.fromEntries(kept) as Record<string, HostTensor>);
      const { code, err } = await value(path, "--out", join(folder, "out"), ...args);
      assertEquals(code, 2);
      assertStringIncludes(err, text);
    };
    await says({ labels: undefined }, [], '"labels" is missing: found fused, logits');
    await says({ labels: float32(new Array(12).fill(1), [12]) }, [], "integers or texts: found float32");
    await says({ "solo.audio": undefined }, [], '"solo.audio" is missing');
    await says({ fused: float32([NaN, ...new Array(383).fill(0)], [12, 32]) }, [], "every value must be finite");
    await says({ logits: float32([1, 2], [2]) }, [], "must be a matrix of numbers, [N, ...]: found [2]");
    await says(
      { "part.image": float32(new Array(24).fill(0), [12, 2]) },
      [],
      "its shape must be [12, 32], a row for each of the 12 samples: found [12, 2]",
    );
    await says({ weights: float32([1], [1]) }, [], 'Cannot use array "weights"');
    await says({}, ["--view", "raw"], "it must hold feature.<modality>");
    await says({}, ["--classes", "a,b"], "there must be 3 names: found 2");
    await says({}, ["--estimator", "mine"], "--estimator as it must be one of hard");
    await says({}, ["--bins", "1"], "--bins as it must be an integer >= 2");
    const nowhere = await value(join(folder, "x.txt"));
    assert(nowhere.code === 2 && nowhere.err.includes("x.txt"));
  });
});
