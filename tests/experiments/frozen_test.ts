/** Features of frozen encoders on disk: made once, found by what made them, made anew where they are not whole. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "node:path";
import { byModality } from "../../core/modality.ts";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import type { RunConfig } from "../../core/record.ts";
import { toyDataset } from "../../contracts/toy.ts";
import { cpu } from "../../engines/mod.ts";
import { buildModel, part, resolveConfig } from "../../experiments/config.ts";
import { FrozenFeatures } from "../../experiments/frozen.ts";
import { FeatureStore } from "../../experiments/feature_store.ts";
import { createLibrary } from "../../library.ts";
import { inFolder } from "../helpers/cli.ts";

const engine = await cpu.create();
const library = createLibrary();
const info: ModalityInfo = { shape: [8, 8, 1], dtype: "float32", about: "an image" };
const dataset = { ...toyDataset(byModality(["audio", "image"], () => info)), fingerprint: "f" };

function configOf(changes: { freeze?: string[]; seed?: number; batchSize?: number; method?: string } = {}): RunConfig {
  const { freeze = ["encoder:image"], seed = 0, batchSize = 16, method = "none" } = changes;
  return resolveConfig(
    {
      label: "x",
      dataset: part("av-digits"),
      encoder: { audio: part("mlp"), image: part("cnn", { channels: [3, 4], width: 5 }) },
      fusion: part("concat", { width: 6 }),
      methods: method === "none" ? [] : [part(method)],
      freeze,
      training: { batchSize },
    },
    library,
    dataset,
    { seed, engine: { name: "cpu", version: "0", threads: 1 }, version: "0", plugins: [] },
  );
}

/** What is told when features are prepared anew, as another process would. */
async function told(folder: string | null, config: RunConfig, maxBytes?: number): Promise<string[]> {
  const said: string[] = [];
  const features = new FrozenFeatures(folder === null ? null : new FeatureStore(folder, maxBytes));
  const model = buildModel(config, library, dataset);
  const ready = await features.prepare(config, model, dataset, engine, { tell: (text) => void said.push(text) });
  assertEquals(ready === null, config.freeze!.length === 0);
  if (ready !== null) {
    assertEquals(ready.dataset.modalities["image"].shape, [5]);
    assertEquals(ready.dataset.splits.train.inputs["image"].length, 5 * dataset.splits.train.size);
    assertEquals(ready.dataset.splits.train.inputs["audio"], dataset.splits.train.inputs["audio"]);
  }
  return said.map((text) => text.replace(/ in [\d.]+ s$/, ""));
}

const made = 'features of frozen "image" made';
const found = 'features of frozen "image" found as they were kept';
const entries = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".safetensors")).sort();

Deno.test("features are made once for all that they depend on, whatever the method", async () => {
  await inFolder(async (folder) => {
    assertEquals(await told(folder, configOf()), [made]);
    assertEquals(await told(folder, configOf()), [found]);
    assertEquals(await told(folder, configOf({ method: "arm" })), [found]);
    assertEquals(entries(folder).length, 1);
    // Without weights the start is the seed's; sums run in the order of the batch.
    assertEquals(await told(folder, configOf({ seed: 1 })), [made]);
    assertEquals(await told(folder, configOf({ batchSize: 8 })), [made]);
    assertEquals(await told(folder, configOf({ freeze: [] })), []);
    assertEquals(entries(folder).length, 3);
    assertEquals(await told(null, configOf()), [made]);
  });
});

Deno.test("features that are cut off, or that the encoder would not make now, are made anew", async () => {
  await inFolder(async (folder) => {
    await told(folder, configOf());
    const path = join(folder, entries(folder)[0]);
    const whole = await Deno.readFile(path);
    await Deno.writeFile(path, whole.slice(0, whole.length - 9));
    assertEquals(await told(folder, configOf()), [made]);
    assertEquals(await Deno.readFile(path), whole);
    // As another version of an encoder's code would have left them.
    const kept = new FeatureStore(folder);
    const key = entries(folder)[0].slice(0, 64);
    const rows = (await kept.get(key, 5))!;
    await kept.put(key, { ...rows, blank: rows.blank.map((value) => value + 1) }, 5);
    assertNotEquals(await Deno.readFile(path), whole);
    assertEquals(await told(folder, configOf()), [made]);
    assertEquals(await Deno.readFile(path), whole);
    assertEquals(await kept.get(key, 6), null);
  });
});

Deno.test("the folder of features is bounded; the longest unused go, and what was left behind", async () => {
  await inFolder(async (folder) => {
    const own = 5 * 4 * (37 + 12 + 11 + 1);
    await told(folder, configOf(), 2 * own + 2000);
    const [first] = entries(folder);
    await Deno.utime(join(folder, first), new Date(1e12), new Date(1e12));
    const left = join(folder, `.${first}.tmp`);
    await Deno.writeTextFile(left, "");
    await Deno.utime(left, new Date(1e12), new Date(1e12));
    await told(folder, configOf({ seed: 1 }), 2 * own + 2000);
    assertEquals(entries(folder).length, 2);
    await told(folder, configOf({ seed: 2 }), own + 1000);
    assertEquals(entries(folder).length, 1);
    assert(!entries(folder).includes(first));
    assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name.endsWith(".tmp")), false);
    assertEquals(await told(folder, configOf({ seed: 3 }), 10), [
      made,
      'features of frozen "image" are too many to be kept on disk',
    ]);
  });
});

Deno.test("where features cannot be kept they are made all the same, and that is said", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const [why, then] = await told(join(file, "features"), configOf());
    assert(why.startsWith('features of frozen "image" are not kept: Cannot make folder'), why);
    assertEquals(then, made);
  });
});
