/** `--augment`: from words to a configuration, which says nothing where nothing is augmented. */
import { assertEquals, assertThrows } from "@std/assert";
import { augmentOf } from "../../cli/requests.ts";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { avDigits } from "../../datasets/mod.ts";
import { part, resolveConfig } from "../../experiments/config.ts";
import { applySettings } from "../../experiments/settings.ts";
import { createLibrary } from "../../library.ts";

const library = createLibrary();
const dataset = await avDigits.load({ size: "mini" });
const engine = { name: "cpu", version: "0", threads: 1 };
const request = (augment: readonly string[]): CellRequest => ({
  label: "a",
  dataset: part("av-digits", { size: "mini" }),
  encoder: part("mlp"),
  fusion: part("concat"),
  methods: [],
  training: augment.length === 0 ? {} : { augment: augmentOf(augment) },
});
const configured = (own: CellRequest) =>
  resolveConfig(own, library, dataset, { seed: 0, engine, version: "0", plugins: [] }).training.augment;

Deno.test("--augment names modalities and augmentations in order; --set reaches their options; none leaves no word", () => {
  assertEquals(augmentOf(["image=flip, random-crop", "mixup"]), [
    { name: "flip", options: { modality: "image" } },
    { name: "random-crop", options: { modality: "image" } },
    { name: "mixup", options: {} },
  ]);
  const [set] = applySettings([request(["image=flip", "mixup"])], ["flip.p=0.25"], library);
  assertEquals(configured(set), [
    { name: "flip", options: { modality: "image", p: 0.25 } },
    { name: "mixup", options: { alpha: 0.2, modality: "" } },
  ]);
  assertEquals(configured(request([])), undefined);
});

Deno.test("--augment refuses what names nothing, is nowhere, or does not take its modality", () => {
  for (const text of ["", "=flip", "image=", "image=flip,,mixup"]) {
    assertThrows(() => augmentOf([text]), Refusal, "it must name a modality and augmentations; write it as image=flip");
  }
  const refused = (text: string, says: string) => assertThrows(() => configured(request([text])), Refusal, says);
  refused("flip", "it must be said which modality it is for: there are audio, image; write it as audio=flip");
  refused("video=flip", 'its modality must be there: found "video"');
  refused("image=token-dropout", "it takes token ids");
  refused("image=flop", '"flop"');
});
