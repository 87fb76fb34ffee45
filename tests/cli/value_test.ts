import { join } from "node:path";
import { parse } from "@std/csv/parse";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { float32, type HostTensor, int32 } from "../../core/mod.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { Random } from "../../core/random.ts";
import { part, runGrid } from "../../mod.ts";
import { createLibrary } from "../../library.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { armlab, inFolder, said } from "../helpers/cli.ts";

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

const value = (...args: string[]) => said("value", ...args);

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
    assertMatch(shown.out, /\s−0\.\d{3}/, "a minus sign is one, no hyphen");
    assert(!/\s-\d/.test(shown.out), shown.out);
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
    const [outcome] = outcomes;
    if (outcome.status !== "finished") throw new Error(outcome.status);
    const { id } = outcome.cell;
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

/** A `.npy` file of any element type. */
function npy(code: string, shape: readonly number[], values: Uint8Array): Uint8Array {
  const head = `{'descr': '${code}', 'fortran_order': False, 'shape': (${
    shape.map((extent) => `${extent},`).join(" ")
  })}`;
  const bytes = new Uint8Array(10 + head.length + values.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length, 0]);
  bytes.set(new TextEncoder().encode(head), 10);
  bytes.set(values, 10 + head.length);
  return bytes;
}

/** A folder of arrays, some of them as bytes of `.npy` files. */
async function savedIn(folder: string, given: Record<string, HostTensor | Uint8Array>): Promise<string> {
  const own = await Deno.makeTempDir({ dir: folder });
  for (const [name, array] of Object.entries(given)) {
    await Deno.writeFile(join(own, `${name}.npy`), array instanceof Uint8Array ? array : encodeNpy(array));
  }
  return own;
}

/** The transpose of a matrix. */
function transposed({ data, shape: [rows, columns] }: HostTensor): HostTensor {
  return float32(Array.from({ length: data.length }, (_, k) => data[(k % rows) * columns + Math.floor(k / rows)]), [
    columns,
    rows,
  ]);
}

Deno.test("armlab value refuses shapes that do not fit, blames the right array and names all shapes", async () => {
  await inFolder(async (folder) => {
    const says = async (changed: Record<string, HostTensor>, ...texts: string[]) => {
      const { code, err } = await value(await savedIn(folder, { ...arrays(), ...changed }), "--out", join(folder, "o"));
      assertEquals(code, 2);
      for (const text of texts) assertStringIncludes(err, text);
      // Everything is in one line.
      assertEquals(err.split("\n").length, 1);
    };
    const all = arrays();
    await says(
      { logits: transposed(all.logits) },
      'Cannot use "logits"',
      "found [3, 12]; all shapes: labels [12], logits [3, 12], solo.audio, solo.image [12, 3], fused, part.audio",
      "it seems to be transposed: save its .T",
    );
    await says({ "part.image": float32(new Array(384).fill(1), [6, 64]) }, 'Cannot use "part.image"', "found [6, 64]");
    await says({ labels: int32(new Array(6).fill(0), [6]) }, 'Cannot use "labels"', "each of the 12 rows: found [6]");
    await says({ fused: float32(new Array(11 * 32).fill(1), [11, 32]) }, 'Cannot use "fused"', "found [11, 32]");
    await says({ fused: float32(new Array(12 * 16).fill(1), [12, 16]) }, 'Cannot use "fused"', "[12, 32]");
    await says({ logits: float32(new Array(12 * 4).fill(1), [12, 4]) }, 'Cannot use "logits"', "must be [12, 3]");
    await says({ "solo.image": float32(new Array(36).fill(1), [12, 1, 3]) }, 'Cannot use "solo.image"', "a matrix");
    await says({ labels: int32(new Array(12).fill(0), [12, 1]) }, 'Cannot use "labels"', "save labels.reshape(-1)");
    await says({ "subset.audio+image": transposed(all.logits) }, 'Cannot use "subset.audio+image"', "found [3, 12]");
    await says({ "solo.video": all.logits }, '"solo.video" has none: part.<modality> are of audio, image');
    for (const name of ["a+b", "__proto__", "constructor", "none"]) {
      const both = Object.fromEntries([[`part.${name}`, all["part.audio"]], [`solo.${name}`, all["solo.audio"]]]);
      await says(both, `Cannot use modality "${name}" of "${folder}`);
    }
  });
});

Deno.test("armlab value reads labels of every type whose value is clear, and says what it took for granted", async () => {
  await inFolder(async (folder) => {
    const all = arrays();
    const reads = async (labels: Uint8Array, ...args: string[]) => {
      const out = join(folder, "out");
      const shown = await value(await savedIn(folder, { ...all, labels }), "--out", out, ...args);
      return { ...shown, table: shown.code === 0 ? await Deno.readTextFile(join(out, "classes.csv")) : "" };
    };
    const classes = Array.from({ length: 12 }, (_, n) => n % 3);
    const expected = await reads(npy("<i8", [12], new Uint8Array(BigInt64Array.from(classes, BigInt).buffer)));
    assertEquals(expected.code, 0, expected.err);
    const unsigned: readonly (readonly [string, ArrayBuffer])[] = [
      ["|u1", Uint8Array.from(classes).buffer],
      ["<u2", Uint16Array.from(classes).buffer],
      ["<u4", Uint32Array.from(classes).buffer],
      ["<u8", BigUint64Array.from(classes, BigInt).buffer],
    ];
    for (const [code, buffer] of unsigned) {
      assertEquals((await reads(npy(code, [12], new Uint8Array(buffer)))).table, expected.table);
    }
    const letters = ["b", "a", "c"];
    const text = npy("|S1", [12], new TextEncoder().encode(classes.map((c) => letters[c]).join("")));
    const named = await reads(text, "--classes", "b,a,c");
    assertEquals(
      named.table,
      expected.table.replace("\r\n0,", "\r\nb,").replace("\r\n1,", "\r\na,").replace("\r\n2,", "\r\nc,"),
    );
    const guessed = await reads(text);
    assertStringIncludes(guessed.err, "labels are texts: columns of logits are taken as a, b, c, sorted");
    assertStringIncludes(
      (await reads(text, "--classes", "b,a,d")).err,
      'each must be one of --classes b,a,d: found "c"',
    );
    const two = npy("|S1", [12], new TextEncoder().encode("abababababab"));
    assertStringIncludes((await reads(two)).err, "which text is which of the 3 columns of logits must be clear");
  });
});

Deno.test("armlab value of one row and of a class without samples writes no NaN; a note says why", async () => {
  await inFolder(async (folder) => {
    const all = arrays();
    const one = Object.fromEntries(
      Object.entries(all).map(([name, { data, shape, dtype }]): [string, HostTensor] => {
        const width = shape[1] ?? 1;
        return [name, { data: data.slice(0, width), shape: [1, ...shape.slice(1)], dtype }];
      }),
    );
    const out = join(folder, "out");
    const { code, out: shown, err } = await value(await savedIn(folder, one), "--out", out);
    assertEquals(code, 0, err);
    assertStringIncludes(shown, "1 sample:");
    assertStringIncludes(err, "one sample: it is not centred");
    assertStringIncludes(err, "classes without a sample have no means: 1, 2");
    assert(!shown.includes("NaN"), shown);
    for (const file of ["modalities.csv", "classes.csv", "samples.csv", "valuation.json"]) {
      assert(!(await Deno.readTextFile(join(out, file))).includes("NaN"), file);
    }
    assertStringIncludes(await Deno.readTextFile(join(out, "classes.csv")), "\r\n1,0,,,,");
  });
});

Deno.test("armlab value of a run finds the plugin that its config.json names", async () => {
  await inFolder(async (folder) => {
    const plugin = join(folder, "own.ts");
    const root = new URL("../../", import.meta.url).href;
    await Deno.writeTextFile(
      plugin,
      `import { defineDataset } from "${root}core/mod.ts";
import { synthetic } from "${root}datasets/mod.ts";
export const own = defineDataset({ name: "own", about: "its own", source: "here", options: {},
  load: async () => ({ ...(await synthetic.load({ samples: 60, width: 6 })), name: "own" }) });
`,
    );
    const runs = join(folder, "runs");
    const trained = await armlab(
      ...["bench", "--dataset", "own", "--encoder", "mlp", "--fusion", "concat", "--seeds", "1", "--epochs", "1"],
      ...["--plugin", plugin, "--runs", runs, "--workers", "1"],
    );
    assertEquals(trained.code, 0, trained.err);
    const [id] = [...Deno.readDirSync(runs)].map(({ name }) => name).filter((name) => /^[0-9a-f]{16}$/.test(name));
    const shown = await value(join(runs, id), "--out", join(folder, "out"));
    assertEquals(shown.code, 0, shown.err);
    assertStringIncludes(shown.out, "test split of");
  });
});

Deno.test("armlab value of nothing, of an empty folder, and with flags for runs: one clear sentence each", async () => {
  await inFolder(async (folder) => {
    const says = async (text: string, ...args: string[]) => {
      const { code, err } = await value(...args);
      assertEquals(code, 2, err);
      assertStringIncludes(err, text);
      assertEquals(err.split("\n").length, 1);
    };
    await says(
      "must be a finished run, a folder of .npy files, or a .npz or .safetensors file: nothing is there",
      "nope",
    );
    const own = await savedIn(folder, arrays());
    await says("Cannot take --split for", own, "--split", "test");
    await says("Cannot import plugin", own, "--plugin", "x.ts");
    await says("--split as it must be one of test, validation, train", own, "--split", "nope");
    await says("must hold part.<modality>: found nothing", await savedIn(folder, {}));
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
    await says(
      {},
      ["--estimator", "mine"],
      'Cannot find estimator "mine": registered names are gaussian, histogram, ksg, official',
    );
    await says({}, ["--set", "bins=1"], "bins must be an integer from 2 to 100, or 0 for automatic: found 1");
    await says({}, ["--set", "bnis=3"], 'Cannot set "bnis" of estimator "histogram"');
    const nowhere = await value(join(folder, "x.txt"));
    assert(nowhere.code === 2 && nowhere.err.includes("x.txt"));
  });
});
