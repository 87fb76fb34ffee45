import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { applySettings, grids, part, resolveConfig, Unfit } from "../../experiments/mod.ts";
import { createLibrary } from "../../library.ts";
import { VERSION } from "../../version.ts";
import { toyDataset } from "../helpers/toy.ts";

const library = createLibrary();
const dataset = await toyDataset(2);
const context = { seed: 0, engine: { name: "cpu", version: "x", threads: 1 }, version: VERSION, plugins: [] };
const request = (over: Partial<CellRequest> = {}): CellRequest => ({
  label: "x",
  dataset: part("av-digits"),
  encoder: part("mlp"),
  fusion: part("concat"),
  methods: [],
  training: {},
  ...over,
});
const resolve = (over: Partial<CellRequest> = {}) => resolveConfig(request(over), library, dataset, context);

Deno.test("resolveConfig() writes every option out", () => {
  const config = resolve({ methods: [part("arm", { lambda1: 0.5 })], training: { epochs: 3 } });
  assertEquals(config.methods[0].options["lambda1"], 0.5);
  assertEquals(config.methods[0].options["sampler"], { name: "dsr", options: { k: -2, match: 0 } });
  assertEquals(config.fusion.options, { width: 128, keepFill: "zero" });
  assertEquals(config.training.epochs, 3);
  assertEquals(config.training.momentum, 0.9);
  assertEquals(config.modalities, ["audio", "image"]);
});

Deno.test("resolveConfig() refuses what does not exist or does not fit, and says what does", () => {
  const cases: [Partial<CellRequest>, string][] = [
    [{ fusion: part("conact") }, 'Cannot find fusion "conact": registered names are bigated, centralnet, concat'],
    [{ methods: [part("amr")] }, 'did you mean "arm"?'],
    [{ dataset: part("mnist") }, 'Cannot find dataset "mnist"'],
    [{ encoder: part("resnet") }, 'Cannot find encoder "resnet"'],
    [
      { encoder: part("cnn") },
      "it needs [height, width, channels] or [frames, height, width, channels] of numbers; encoders that fit are ",
    ],
    [{ modalities: ["audio", "video"] }, 'Cannot use modality "video" of dataset "av-digits": it has audio, image'],
    [{ fusion: part("concat", { width: "big" }) }, 'must be an integer >= 0: found "big"'],
    [{ training: { epochs: 0 } }, 'option "epochs" of training as it must be an integer >= 1 and <= 1000000: found 0'],
    [{ methods: [part("arm")], modalities: ["audio"] }, "needs at least two: there is audio"],
    [{ encoder: { audio: part("mlp") } }, 'every modality must have an encoder: "image" has none'],
    [{ encoder: part("mlp", { hidden: [] }) }, "its hidden widths must be positive integers, at least one"],
  ];
  for (const [over, message] of cases) assertThrows(() => resolve(over), Error, message);
});

Deno.test("an encoder that lacks what the fusion needs is refused with those that fit this modality", () => {
  const mixed = {
    ...dataset,
    modalities: {
      audio: { shape: [32, 32, 1], dtype: "float32", about: "spectrogram" },
      text: { shape: [12], dtype: "int32", vocabulary: 90, about: "ids" },
    },
  } as const;
  const build = (audio: string, text: string) =>
    resolveConfig(
      request({ encoder: { audio: part(audio), text: part(text, { depth: 3 }) }, fusion: part("mmtm") }),
      library,
      mixed,
      context,
    );
  assertThrows(
    () => build("mlp", "bert"),
    Unfit,
    'Cannot use fusion "mmtm" with encoder "mlp" of modality "audio" as the fusion looks at the 3 deepest stages: the ' +
      "encoder has 1 with these options; encoders that fit are cnn, resnet18",
  );
  assertEquals(build("vit", "bert").encoders.text.options["depth"], 3);
});

Deno.test("applySettings() reaches the parts that are named, by kind, by name and by modality", () => {
  const requests = [
    request({ label: "a", methods: [part("arm")] }),
    request({ label: "b", fusion: part("sum"), encoder: { audio: part("mlp"), image: part("mlp") } }),
  ];
  const [a, b] = applySettings(requests, [
    "training.epochs=5",
    "dataset.snr=-10",
    "arm.lambda1=0.7",
    "sum.level=feature",
    "encoder.width=32",
    "encoder.image.hidden=16,8",
    "fusion.width=64",
  ], library);
  assertEquals(a.training, { epochs: 5 });
  assertEquals(a.dataset.options, { snr: -10 });
  assertEquals(a.methods[0].options, { lambda1: 0.7 });
  assertEquals(a.fusion.options, { width: 64 });
  // One encoder for all: the modality gets one of its own, "*" stays for the others.
  assertEquals(a.encoder, {
    "*": { name: "mlp", options: { width: 32 } },
    image: { name: "mlp", options: { width: 32, hidden: [16, 8] } },
  });
  assertEquals(b.fusion.options, { level: "feature", width: 64 });
  assertEquals(b.encoder, {
    audio: { name: "mlp", options: { width: 32 } },
    image: { name: "mlp", options: { width: 32, hidden: [16, 8] } },
  });
});

Deno.test("applySettings() refuses what nothing in use has", () => {
  const cases: [string, string][] = [
    ["epochs=5", "must be <part>.<option>=<value>"],
    ["training.epcohs=5", 'Cannot set "epcohs" of training: its options are budget, epochs'],
    ["training.epochs=five", 'must be an integer >= 1 and <= 1000000: found "five"'],
    ["arm.lambda1=1", 'Cannot apply setting "arm.lambda1=1" as it must name a part in use: parts are training'],
    ["concat.level=x", 'Cannot set "level" of fusion "concat"'],
    ["dataset.snr=loud", 'must be a number >= -60 and <= 60: found "loud"'],
  ];
  for (const [setting, message] of cases) {
    assertThrows(() => applySettings([request()], [setting], library), Refusal, message);
  }
});

Deno.test("grids have unique names and labels and resolve", () => {
  assertEquals(new Set(grids.map(({ name }) => name)).size, grids.length);
  for (const { cells, seeds } of grids) {
    assert(seeds.length >= 3);
    assertEquals(new Set(cells.map(({ label }) => label)).size, cells.length);
    for (const cell of cells) {
      library.of("fusion").get(cell.fusion.name);
      for (const { name } of cell.methods) library.of("method").get(name);
    }
  }
});

Deno.test("the version is that of deno.json", async () => {
  const manifest = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
  assertStringIncludes(manifest, `"version": "${VERSION}"`);
});
