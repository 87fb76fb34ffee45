import { assertEquals, assertRejects } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { part } from "../../experiments/config.ts";
import { planGrid } from "../../experiments/plan.ts";
import { samplesElsewhere } from "../../experiments/previews_elsewhere.ts";
import { samplesFrom } from "../../experiments/previews.ts";
import { createLibrary } from "../../library.ts";

Deno.test("samplesElsewhere() gives the same previews from a worker, refuses in the same words, and stops", async () => {
  const library = createLibrary();
  const cell = {
    label: "concat",
    dataset: part("synthetic", { samples: 60 }),
    encoder: part("mlp"),
    fusion: part("concat"),
    methods: [],
    training: {},
  };
  const runs = await Deno.makeTempDir();
  const { cells: [{ config }] } = await planGrid({ cells: [cell], seeds: [0], runs, library, engine: "cpu" });
  await Deno.remove(runs);
  const [here, elsewhere] = [samplesFrom(() => Promise.resolve(library)), samplesElsewhere([])];
  try {
    const [a, b] = await Promise.all([0, 3].map((sample) => elsewhere.preview(config, "test", sample)));
    assertEquals([a, b], await Promise.all([0, 3].map((sample) => here.preview(config, "test", sample))));
    const other = { ...config, dataset: { ...config.dataset, fingerprint: "0".repeat(64) } };
    const [own, its] = await Promise.all(
      [here, elsewhere].map((source) => assertRejects(() => source.preview(other, "test", 0), Refusal)),
    );
    assertEquals(its.message, own.message);
  } finally {
    elsewhere.stop();
  }
});
