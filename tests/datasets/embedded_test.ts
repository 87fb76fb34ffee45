import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Dataset } from "../../core/kinds/mod.ts";
import { type IconTriManifest, PATH_IDS, pathIds } from "../../datasets/icon_tri_format.ts";
import type { MojiConcept, MojiTriManifest } from "../../datasets/moji_tri_format.ts";
import { findings, iconTri, mojiTri } from "../../datasets/mod.ts";
import { bagOf, idsOf, vocabularyOf, withPairs, wordsOf } from "../../datasets/transforms/words.ts";
import { gunzip } from "../helpers/stored.ts";

const data = new URL("../../datasets/data/", import.meta.url);
const json = async <T>(name: string) => JSON.parse(await Deno.readTextFile(new URL(name, data))) as T;
// Loaded once for all tests.
const moji = await mojiTri.load({ size: "mini" });
const icon = await iconTri.load({ size: "mini" });
const sizes = ({ splits }: Dataset) => [splits.train.size, splits.validation.size, splits.test.size];

Deno.test("moji-tri: 1,644 concepts, four artists, eight classes; splits share no stem", async () => {
  const { counts } = await json<MojiTriManifest>("moji_tri.manifest.json");
  assertEquals([counts.concepts, counts.stems], [1644, 1419]);
  assertEquals(sizes(moji), [1000, 200, 500]);
  assertEquals(moji.modalities.image.shape, [32, 32, 3]);
  assertEquals(moji.modalities.speech.shape, [40, 32, 1]);
  assertEquals(new Set(moji.splits.test.labels).size, 8);
  assertEquals((await findings(moji)).filter(({ serious }) => serious), []);
  const concepts = JSON.parse(new TextDecoder().decode(await gunzip("moji_tri_concepts.json.gz"))) as MojiConcept[];
  const splits = new Map<string, string>();
  for (const { stem, split } of concepts) {
    assertEquals(splits.get(stem) ?? split, split);
    splits.set(stem, split);
  }
});

Deno.test("moji-tri: text as ids in one language, an unseen artist's pictures, all else the same", async () => {
  const other = await mojiTri.load({ size: "mini", text: "ids", words: 100, language: "de", artist: "unseen" });
  assertEquals([other.modalities.text.shape, other.modalities.text.vocabulary], [[24], 102]);
  assert(other.splits.train.inputs.text.every((id) => id >= 0 && id < 102));
  assertEquals(other.splits.train.inputs.image, moji.splits.train.inputs.image);
  assertEquals(other.splits.train.inputs.speech, moji.splits.train.inputs.speech);
  const known = new Set(moji.splits.train.groups);
  assert(other.splits.test.size > 100 && other.splits.test.groups.every((stem) => !known.has(stem)));
});

Deno.test("icon-tri: sixteen classes, three views; splits share no first word of a name", async () => {
  const { counts } = await json<IconTriManifest>("icon_tri.manifest.json");
  assertEquals(counts, { icons: 3845, groups: 776 });
  assertEquals(sizes(icon), [1000, 200, 500]);
  assertEquals(icon.modalities.raster.shape, [28, 28, 1]);
  assertEquals(new Set(icon.splits.test.labels).size, 16);
  assertEquals((await findings(icon)).filter(({ serious }) => serious), []);
  const ids = await iconTri.load({ size: "mini", text: "ids", path: "ids" });
  assertEquals([ids.modalities.path.vocabulary, ids.modalities.path.shape], [PATH_IDS, [128]]);
  assertEquals(ids.splits.test.inputs.raster, icon.splits.test.inputs.raster);
});

Deno.test("moji-tri and icon-tri read their texts anew as they were read", async () => {
  const standard = await iconTri.load({ size: "mini", counts: "standard", words: 64 });
  for (const { splits, reads, modalities } of [moji, icon, standard]) {
    const width = modalities.text.shape[0];
    for (const n of [0, 7, 499]) {
      const wanted = splits.test.inputs.text.slice(n * width, (n + 1) * width);
      assertEquals(reads!.text(splits.test.texts!.text[n]), wanted);
    }
  }
});

Deno.test("pathIds() reads commands, rounded numbers and the flags of arcs that stand without a space", () => {
  // Commands are 1..20 in the order MmLlHhVvCcSsQqTtAaZz; the number 0 is 21 + 24 = 45.
  assertEquals(pathIds("M3 13.4h-4z"), [1, 48, 58, 6, 41, 20]);
  assertEquals(pathIds("a2 2 0 012.6 0"), [18, 47, 47, 45, 45, 46, 48, 45]);
  assertEquals(pathIds("l.5-99"), [4, 46, 21]);
  assertThrows(() => pathIds("M3 #"), Error, "it must be SVG's: found #");
});

Deno.test("words: vocabulary by frequency, bags of length 1, ids with unknown and padding", () => {
  assertEquals(wordsOf("Roter Apfel, № 5: 🍎"), ["roter", "apfel", "no", "5"]);
  assertEquals(withPairs(["a", "b", "c"]), ["a", "b", "c", "a b", "b c"]);
  const vocabulary = vocabularyOf([["b", "a", "b"], ["c", "a"]], 2);
  assertEquals([...vocabulary.keys()], ["a", "b"]);
  const bag = bagOf(["b", "b", "a", "x"], vocabulary);
  // ln 2 and ln 3 over their length sqrt(0.480453 + 1.206949) = 1.299001.
  assertEquals([...bag].map((value) => value.toFixed(4)), ["0.5336", "0.8457"]);
  assertEquals([...bagOf(["x"], vocabulary)], [0, 0]);
  assertEquals([...idsOf(["b", "x", "a"], vocabulary, 5)], [3, 1, 2, 0, 0]);
  assertEquals([...idsOf(["b", "x", "a"], vocabulary, 2)], [3, 1]);
});

const building = Deno.env.get("ARMLAB_BUILD_TESTS") === "1";

Deno.test({
  name: "the builder of moji-tri makes the stored bytes of a slice again",
  // Needs the synthesiser (GPL-3) and the icon sets, which nothing else downloads.
  ignore: !building,
  async fn() {
    const builder = await import("../../tools/build_moji_tri.ts");
    const { renderer } = await import("../../tools/svg.ts");
    const { concepts, svg, labels } = await builder.concepts();
    const stored = JSON.parse(new TextDecoder().decode(await gunzip("moji_tri_concepts.json.gz"))) as MojiConcept[];
    assertEquals(stored.map(({ pictures: _, ...concept }) => concept), concepts);
    const render = await renderer(32);
    const pictures = await gunzip("moji_tri_pictures.u8.gz");
    const speech = await gunzip("moji_tri_speech.u8.gz");
    for (let n = 0; n < stored.length; n += 40) {
      for (const [artist, place] of stored[n].pictures.entries()) {
        if (place === -1) continue;
        assertEquals(builder.picture(render, svg[n][artist]!), pictures.slice(place * 3072, (place + 1) * 3072));
      }
    }
    // One class in one language is what one instance speaks.
    const members = [...stored.keys()].filter((n) => stored[n].label === 5);
    const codes = await builder.speech("de", members.map((n) => labels[1][n]));
    members.forEach((n, k) => assertEquals(codes[k], speech.slice((2 * n + 1) * 1280, (2 * n + 2) * 1280)));
  },
});

Deno.test({
  name: "the builder of icon-tri makes the stored bytes again",
  // Needs the icon set, which nothing else downloads.
  ignore: !building,
  async fn() {
    const builder = await import("../../tools/build_icon_tri.ts");
    const { renderer } = await import("../../tools/svg.ts");
    const icons = await builder.icons();
    assertEquals(JSON.parse(new TextDecoder().decode(await gunzip("icon_tri_icons.json.gz"))), icons);
    const render = await renderer(28);
    const rasters = await gunzip("icon_tri_rasters.u8.gz");
    for (let n = 0; n < icons.length; n += 25) {
      assertEquals(builder.raster(render, icons[n].path), rasters.slice(n * 784, (n + 1) * 784));
    }
  },
});
