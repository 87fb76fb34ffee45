/** Samples, features and configurations on the pages, in the API and in exports. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { join } from "node:path";
import { canonicalJson } from "../../core/canonical.ts";
import type { Preview } from "../../core/kinds/mod.ts";
import type { Predictions, ValuationRecord } from "../../core/record.ts";
import { Refusal } from "../../core/refusal.ts";
import { writeFeatures } from "../../store/features.ts";
import { writePredictions } from "../../store/predictions.ts";
import { createApp, openRunStore, type SampleSource, type ViewerApp } from "../../viewer/mod.ts";
import { featureChartId } from "../../viewer/features.ts";
import { mediaOf } from "../../viewer/media.ts";
import { inFolder } from "../helpers/cli.ts";
import { writeRun } from "../helpers/runs.ts";

/** Six samples of three classes. Fused is wrong on 1 and 4, audio on 4 alone; with `other`, fused is right on 1 and wrong on 0. */
function predictions(other: boolean, split: Predictions["split"] = "test"): Predictions {
  const row = (truth: number, p: number) => [0, 1, 2].map((c) => c === truth ? p : (1 - p) / 2);
  const labels = [0, 1, 2, 0, 1, 2];
  const fused = [0.9, 0.2, 0.8, 0.7, 0.1, 0.6].map((p, i) => other && i === 1 ? 0.9 : other && i === 0 ? 0.1 : p);
  const probabilities = fused.flatMap((p, i) => row(labels[i], p));
  const predicted = fused.map((p, i) => p > 1 / 3 ? labels[i] : (labels[i] + 1) % 3);
  return {
    split,
    ids: Int32Array.of(0, 1, 2, 3, 4, 5),
    groups: Int32Array.of(0, 1, 2, 3, 4, 5),
    labels: Int32Array.from(labels),
    predicted: Int32Array.from(predicted),
    confidence: Float32Array.from(fused, (p) => Math.max(p, (1 - p) / 2)),
    fused: Float32Array.from(probabilities),
    solo: {
      audio: Float32Array.from(labels.flatMap((label, i) => row(label, i === 4 ? 0.1 : 0.8))),
      image: Float32Array.from(labels.flatMap((label) => row(label, 0.5))),
    },
    phi: { audio: Float32Array.of(1, 2, 3, 4, 5, 6), image: new Float32Array(6) },
  };
}

const valuation = (epoch: number): ValuationRecord => ({
  epoch,
  ids: [2, 5],
  phi: { audio: [0.1 * epoch, 0.5], image: [0.2, -0.1 * epoch] },
  fused: [0.25, 0.5],
  solo: { audio: [0.75, 0.5], image: [0.5, 0.5] },
});

const source: SampleSource = {
  preview(_config, split, sample) {
    if (sample === 3) throw new Refusal({ what: "show sample 3", must: "it must be there", found: "it is not" });
    const image: Preview = { kind: "image", width: 2, height: 1, channels: 1, values: Uint8Array.of(0, 255) };
    const sound: Preview = { kind: "sound", sampleRate: 8000, values: Float32Array.of(0, 1, -1) };
    return Promise.resolve({ audio: [sound], image: [image, { kind: "text", text: `<b>${split} ${sample}</b>` }] });
  },
};

async function withApp(
  run: (app: ViewerApp, ids: { a: string; b: string }, runs: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (runs) => {
    const classes = ["no", "yes", "perhaps"];
    const ids = { a: writeRun(runs, { classes, seed: 0 }), b: writeRun(runs, { classes, fusion: "sum", seed: 0 }) };
    for (const [name, id] of Object.entries(ids)) {
      for (const split of ["test", "validation"] as const) {
        await writePredictions(
          join(runs, id, `predictions-${split}.safetensors`),
          id,
          predictions(name === "b", split),
        );
      }
    }
    Deno.writeTextFileSync(
      join(runs, ids.a, "valuation.jsonl"),
      [0, 1, 2].map((epoch) => `${canonicalJson(valuation(epoch))}\n`).join(""),
    );
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store, { samples: source });
    try {
      await run(app, ids, runs);
    } finally {
      app.close();
      store.close();
    }
  });
}

async function get(app: ViewerApp, path: string, status = 200): Promise<string> {
  const response = await app.request(`http://127.0.0.1${path}`);
  const text = await response.text();
  assertEquals(response.status, status, `${path}: ${text.slice(0, 300)}`);
  return text;
}

const idsAt = async (app: ViewerApp, query: string) =>
  JSON.parse(await get(app, `/api/samples?${query}`)).samples.map(({ id }: { id: number }) => id);

Deno.test("samples are filtered by class, by who is right, beside another run, and sorted by loss", () =>
  withApp(async (app, { a, b }) => {
    // Losses are -ln p: least p first.
    assertEquals(await idsAt(app, `run=${a}`), [4, 1, 5, 3, 2, 0]);
    assertEquals(await idsAt(app, `run=${a}&sort=easy`), [0, 2, 3, 5, 1, 4]);
    assertEquals(await idsAt(app, `run=${a}&sort=gap`), [5, 4, 3, 2, 1, 0]);
    assertEquals(await idsAt(app, `run=${a}&sort=place`), [0, 1, 2, 3, 4, 5]);
    assertEquals(await idsAt(app, `run=${a}&truth=1&predicted=2`), [4, 1]);
    assertEquals(await idsAt(app, `run=${a}&right=audio&wrong=fused`), [1]);
    assertEquals(await idsAt(app, `run=${a}&other=${b}&right=fused&wrong=other%20run`), [0]);
    assertEquals(await idsAt(app, `run=${a}&other=${b}&wrong=fused&right=other%20run`), [1]);
    assertEquals(await idsAt(app, `run=${a}&split=validation&followed=true&sort=place`), [2, 5]);
    const { samples: [first] } = JSON.parse(await get(app, `/api/samples?run=${a}`));
    assertAlmostEquals(first.loss, -Math.log(0.1), 1e-6);
    assertEquals(first.readouts.map(({ name, right }: { name: string; right: boolean }) => [name, right]), [
      ["fused", false],
      ["audio", false],
      ["image", true],
    ]);
    await get(app, "/api/samples?run=feedfeedfeedfeed", 404);
    await get(app, `/api/samples?run=${a}&sort=colour`, 400);
  }));

Deno.test("a page does not wait for data that is being loaded: it says so, and has its previews when asked again", () =>
  withApp(async (_, { a }, runs) => {
    const loaded = Promise.withResolvers<void>();
    const slow: SampleSource = {
      preview: async (...asked) => {
        await loaded.promise;
        return await source.preview(...asked);
      },
    };
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store, { samples: slow, previewMs: 0 });
    try {
      for (const path of [`/samples?run=${a}`, `/runs/${a}/samples/validation/2`]) {
        const page = await get(app, path);
        assertStringIncludes(page, "The data is being loaded");
        assertStringIncludes(page, "data-again");
        assert(!page.includes("previews/"), page);
      }
      loaded.resolve();
      const waiting = createApp(store, { samples: slow });
      const page = await get(waiting, `/samples?run=${a}`);
      assertStringIncludes(page, `src="/runs/${a}/samples/test/4/previews/audio/0.wav"`);
      assert(!page.includes("data-again"), page);
      waiting.close();
    } finally {
      app.close();
      store.close();
    }
  }));

Deno.test("the page of samples has a matrix whose cells show their samples, previews, and what keeps them away", () =>
  withApp(async (app, { a }) => {
    const page = await get(app, `/samples?run=${a}`);
    assertStringIncludes(page, `href="/samples?run=${a}&amp;truth=1&amp;predicted=2"`);
    assertStringIncludes(page, "2 of class yes predicted as perhaps");
    assertStringIncludes(page, `src="/runs/${a}/samples/test/4/previews/audio/0.wav"`);
    assertStringIncludes(page, `src="/runs/${a}/samples/test/4/previews/image/0.bmp"`);
    assertStringIncludes(page, "Cannot show sample 3 as it must be there");
    const one = await get(app, `/runs/${a}/samples/validation/2`);
    assertStringIncludes(one, "&lt;b&gt;validation 2&lt;/b&gt;");
    assertStringIncludes(one, "chart-contributions");
    assertStringIncludes(await get(app, `/runs/${a}/samples/test/2`), "show those");
    for (const path of ["test/9", "train/0", "test/x"]) await get(app, `/runs/${a}/samples/${path}`, 404);
    const rows = parse(await get(app, `/samples-table.csv?run=${a}`));
    assertEquals([rows[0][0], rows[1][0], rows[1][1]], ["Sample", "4", "yes"]);
    const media = await app.request(`http://127.0.0.1/runs/${a}/samples/test/4/previews/audio/0.wav`);
    assertEquals([media.status, media.headers.get("content-type")], [200, "audio/wav"]);
    await media.body?.cancel();
    for (const file of ["audio/1.wav", "image/1.bmp", "text/0.bmp"]) {
      await get(app, `/runs/${a}/samples/test/4/previews/${file}`, 404);
    }
  }));

Deno.test("contributions over epochs are drawn of followed samples, by run and by sample", () =>
  withApp(async (app, { a }) => {
    const page = await get(app, `/runs/${a}`);
    assertStringIncludes(page, "chart-followed-audio");
    const rows = parse(await get(app, `/runs/${a}/charts/followed-audio.csv`));
    // Ordered by the contribution of audio after the last epoch: 0.5 of sample 5, 0.2 of sample 2.
    assertEquals(rows, [["Sample", "Epoch 1", "Epoch 2", "Epoch 3"], ["5", "0.5", "0.5", "0.5"], [
      "2",
      "0",
      "0.1",
      "0.2",
    ]]);
    const image = parse(await get(app, `/runs/${a}/charts/followed-image.csv`));
    assertEquals(image.slice(1).map(([id, ...values]) => [id, Number(values[1]), Number(values[2])]), [
      ["5", -0.1, -0.2],
      ["2", 0.2, 0.2],
    ]);
    const own = parse(await get(app, `/runs/${a}/samples/validation/5/charts/contributions.csv`));
    assertEquals(own[3], ["3", "0.5", "-0.2"]);
    assertStringIncludes(await get(app, `/runs/${a}/charts/followed-image.svg`), "<title>φ of image");
  }));

Deno.test("mediaOf() writes a BMP from below and a WAV of 16 bits", () => {
  const image = mediaOf({ kind: "image", width: 1, height: 2, channels: 3, values: Uint8Array.of(1, 2, 3, 4, 5, 6) })!;
  // 54 bytes of heads, rows padded to four bytes, the lower row first, as blue, green, red.
  assertEquals([image.bytes.length, ...image.bytes.slice(54)], [62, 6, 5, 4, 0, 3, 2, 1, 0]);
  assertEquals(new TextDecoder().decode(image.bytes.slice(0, 2)), "BM");
  const sound = mediaOf({ kind: "sound", sampleRate: 8000, values: Float32Array.of(0, 1, -2) })!;
  const view = new DataView(sound.bytes.buffer);
  assertEquals([view.getUint32(24, true), view.getUint32(40, true)], [8000, 6]);
  assertEquals([44, 46, 48].map((at) => view.getInt16(at, true)), [0, 32767, -32767]);
  // Low tones are below: the first band of one frame is the last row of the picture, which is written first.
  const tones = mediaOf({ kind: "spectrogram", frames: 1, bands: 2, values: Float32Array.of(0, 1) })!;
  assert(tones.bytes[54] + tones.bytes[55] + tones.bytes[56] < tones.bytes[58] + tones.bytes[59] + tones.bytes[60]);
  assertEquals(mediaOf({ kind: "text", text: "x" }), null);
});

Deno.test("features of two runs are placed in a plane by t-SNE: groups that lie apart stay apart", () =>
  withApp(async (app, { a, b }, runs) => {
    assertStringIncludes(await get(app, "/features"), "--keep features");
    const labels = Int32Array.from({ length: 30 }, (_, i) => i % 3);
    const spread = (width: number) =>
      Float32Array.from({ length: 30 * width }, (_, k) => {
        const i = Math.floor(k / width);
        return 10 * (k % width === labels[i] ? 1 : 0) + Math.sin(i + 3 * (k % width));
      });
    for (const id of [a, b]) {
      await writeFeatures(join(runs, id, "features-test.safetensors"), id, {
        labels,
        fused: spread(4),
        pooled: { audio: spread(3), image: spread(3) },
      });
    }
    const page = await get(app, "/features");
    for (const id of [a, b]) assertStringIncludes(page, `chart-${featureChartId(id)}`);
    const rows = parse(await get(app, `/features/charts/${featureChartId(a)}.csv?of=audio`)).slice(1);
    assertEquals(rows.length, 30);
    const points = rows.map(([group, , x, y]) => ({ group, x: Number(x), y: Number(y) }));
    const distance = (p: typeof points[0], q: typeof points[0]) => Math.hypot(p.x - q.x, p.y - q.y);
    const near = points.filter((p) => {
      const [next] = points.filter((q) => q !== p).sort((q, r) => distance(p, q) - distance(p, r));
      return next.group === p.group;
    });
    assert(near.length >= 27, `${near.length} of 30 have a neighbour of their own class`);
    await get(app, "/features/charts/nope.csv", 404);
  }));

Deno.test("a configuration has a page: its seeds, what it is worth beside the reference, curves with bands, settings", () =>
  inFolder(async (runs) => {
    for (const seed of [0, 1, 2]) {
      writeRun(runs, { seed, accuracy: 0.8 });
      writeRun(runs, { seed, fusion: "sum", accuracy: 0.9 });
    }
    writeRun(runs, { seed: 3, fusion: "sum", state: "failed" });
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    const { configurations } = JSON.parse(await get(app, "/api/grid?sort=name"));
    const [, { id }] = configurations;
    const page = await get(app, `/configurations/${id}`);
    for (
      const text of ["<h1>sum</h1>", "Compare with concat", "3 of 4 seeds, 1 failed", "chart-accuracy", "found NaN"]
    ) {
      assertStringIncludes(page, text);
    }
    const answer = JSON.parse(await get(app, `/api/configurations/${id}`));
    assertEquals(answer.versus.reference, "concat");
    assertEquals(answer.values.accuracy.n, 3);
    const rows = parse(await get(app, `/configurations/${id}/tables/seeds.csv`));
    assertEquals(rows[0], ["Measure", "Seed 0", "Seed 1", "Seed 2", "Seed 3", "mean", "std", "ci95"]);
    assertAlmostEquals(Number(rows[1][5]), answer.values.accuracy.mean, 1e-12);
    const settings = parse(await get(app, `/configurations/${id}/tables/settings.csv`));
    assertEquals(settings[1], ["fusion", "sum", "concat"]);
    assertStringIncludes(await get(app, `/configurations/${id}/charts/accuracy.svg`), "<title>Accuracy</title>");
    await get(app, "/configurations/feedfeedfeedfeed", 404);
    app.close();
    store.close();
  }));
