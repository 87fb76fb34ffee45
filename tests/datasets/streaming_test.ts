/** Data larger than memory: inputs that are read by index are the same inputs. */
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { float32, type HostTensor, int32 } from "../../core/mod.ts";
import type { Dataset } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { checkDataset, files, findings, selectModalities } from "../../datasets/mod.ts";
import { chunksOf } from "../../datasets/rows.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { createLibrary } from "../../library.ts";
import { inFolder } from "../helpers/cli.ts";
import { toyModel } from "../helpers/toy.ts";
import { trained } from "../helpers/train.ts";

const N = 60;
const random = new Random(4);
const draw = (...shape: number[]) =>
  float32(Array.from({ length: sizeOf(shape) }, () => 3 + 2 * random.normal()), shape);

/** Vectors of which some rows are missing, bytes as pictures, sequences; two samples are copies. */
function arrays(): Record<string, HostTensor> {
  const audio = draw(N, 5).data as Float32Array;
  for (const n of [3, 17, 40]) audio.fill(NaN, 5 * n, 5 * n + 5);
  const clip = draw(N, 4, 3);
  audio.copyWithin(5 * 20, 0, 5);
  (clip.data as Float32Array).copyWithin(12 * 20, 0, 12);
  return {
    labels: int32(Array.from({ length: N }, (_, n) => n % 3), [N]),
    audio: float32(audio, [N, 5]),
    clip,
  };
}

async function saved(folder: string, kind: "npy" | "safetensors", given: Record<string, HostTensor>): Promise<string> {
  if (kind === "safetensors") {
    const path = join(folder, "all.safetensors");
    await Deno.writeFile(path, Uint8Array.from(encodeSafetensors(given).flatMap((chunk) => [...chunk])));
    return path;
  }
  const own = join(folder, "arrays");
  await Deno.mkdir(own);
  for (const [name, array] of Object.entries(given)) await Deno.writeFile(join(own, `${name}.npy`), encodeNpy(array));
  return own;
}

const load = (path: string, memory: number): Promise<Dataset> => Promise.resolve(files.load({ path, memory }));

for (const kind of ["npy", "safetensors"] as const) {
  Deno.test(`files: arrays of .${kind} read by index are the arrays in memory: values, masks, splits, fingerprint`, async () => {
    await inFolder(async (folder) => {
      const path = await saved(folder, kind, arrays());
      const [whole, streamed] = [await load(path, 2048), await load(path, 0)];
      assertEquals(streamed.fingerprint, whole.fingerprint);
      checkDataset(streamed);
      for (const name of ["train", "validation", "test"] as const) {
        const [a, b] = [whole.splits[name], streamed.splits[name]];
        assertEquals(b.inputs, {});
        assertEquals(a.rows, undefined);
        assertEquals([...b.labels], [...a.labels]);
        assertEquals(b.present, a.present);
        for (const modality of ["audio", "clip"]) {
          const info = whole.modalities[modality];
          const read = async (split: typeof a) => {
            const all: number[] = [];
            for await (const { from, values } of chunksOf(split, modality, info, 7)) {
              assertEquals(from * sizeOf(info.shape), all.length);
              all.push(...values);
            }
            return all;
          };
          assertEquals(await read(b), [...a.inputs[modality]]);
          assertEquals(await read(a), [...a.inputs[modality]]);
        }
      }
      assertEquals(await findings(streamed), await findings(whole));
      assertEquals(Object.keys(selectModalities(streamed, ["clip"]).splits.test.rows!), ["clip"]);
      // Of three, one modality in memory and one read by index.
      const mixed = (name: "train" | "validation" | "test") => ({
        ...streamed.splits[name],
        present: undefined,
        inputs: { audio: whole.splits[name].inputs["audio"], other: whole.splits[name].inputs["audio"] },
        rows: { clip: streamed.splits[name].rows!["clip"] },
      });
      const three = {
        ...streamed,
        modalities: { ...streamed.modalities, other: streamed.modalities["audio"] },
        splits: { train: mixed("train"), validation: mixed("validation"), test: mixed("test") },
      };
      const { inputs, rows } = selectModalities(three, ["clip", "audio"]).splits.test;
      assertEquals([Object.keys(inputs), Object.keys(rows!)], [["audio"], ["clip"]]);
    });
  });
}

Deno.test("files: training on arrays that are read by index gives the same bytes as on arrays in memory", async () => {
  await inFolder(async (folder) => {
    const path = await saved(folder, "npy", arrays());
    const library = createLibrary();
    const engine = await onnxCpu.create();
    const results: string[] = [];
    for (const memory of [2048, 0]) {
      const dataset = await load(path, memory);
      const { result: { summary, params } } = await trained(
        engine,
        toyModel(library, dataset, "concat", ["uni-ce"]),
        dataset,
      );
      results.push(JSON.stringify({ summary, params }));
    }
    assertEquals(results[0], results[1]);
    assert(results[0].length > 1000);
  });
});

Deno.test("files: the largest are read by index until the rest fits; what cannot be so is refused with its size", async () => {
  await inFolder(async (folder) => {
    // 4 MiB and 2 MiB.
    const given = { labels: arrays()["labels"], a: draw(N, 17477), b: draw(N, 8739) };
    const path = await saved(folder, "npy", given);
    const read = async (memory: number) => Object.keys((await load(path, memory)).splits.train.rows ?? {});
    assertEquals(await read(7), []);
    assertEquals(await read(5), ["a"]);
    assertEquals(await read(1), ["a", "b"]);
    const table = ["label,x_0,x_1", ...Array.from({ length: N }, (_, n) => `${"ab"[n % 2]},${n},1`)].join("\n");
    await Deno.writeTextFile(join(folder, "t.csv"), table);
    const error = await assertRejects(() => load(join(folder, "t.csv"), 0), Refusal);
    assertStringIncludes(
      error.message,
      'at most 0 bytes of memory: it takes 480 bytes, of which "x" 480 bytes; save large',
    );
  });
});

Deno.test("files: a NaN among numbers is refused in what is read by index too", async () => {
  await inFolder(async (folder) => {
    const given = arrays();
    (given["clip"].data as Float32Array)[12 * 9 + 4] = NaN;
    const path = await saved(folder, "npy", given);
    await assertRejects(() => load(path, 0), Refusal, "sample 9 has NaN at position 4");
  });
});
