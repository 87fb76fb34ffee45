/** Predictions that were kept, on the pages, in the API and in exports. */
import { join } from "node:path";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import type { Predictions } from "../../core/record.ts";
import { writePredictions } from "../../store/predictions.ts";
import { confusionTable } from "../../viewer/evidence.ts";
import { createApp, openRunStore, type ViewerApp } from "../../viewer/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { writeRun } from "../helpers/runs.ts";

/** Ten classes, a sample each but two of the first; so many of them are right. */
function predictions(right: number): Predictions {
  const labels = Int32Array.of(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  const predicted = labels.map((label, i) => i < right ? label : (label + 1) % 10);
  return {
    split: "test",
    ids: Int32Array.from(labels, (_, i) => i),
    groups: Int32Array.from(labels, (_, i) => i),
    labels,
    predicted,
    confidence: Float32Array.from(labels, () => 0.75),
    fused: null,
    solo: null,
    phi: { audio: new Float32Array(11), image: new Float32Array(11) },
  };
}

async function withApp(run: (app: ViewerApp, runs: string, ids: string[][]) => Promise<void>): Promise<void> {
  await inFolder(async (runs) => {
    const ids = [["concat", 8], ["sum", 6]].map(([fusion, right]) =>
      [0, 1, 2].map((seed) => ({
        id: writeRun(runs, { fusion: String(fusion), seed }),
        right: Number(right) - seed % 2,
      }))
    );
    for (const { id, right } of ids.flat()) {
      await writePredictions(join(runs, id, "predictions-test.safetensors"), id, predictions(right));
    }
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    try {
      await run(app, runs, ids.map((row) => row.map(({ id }) => id)));
    } finally {
      app.close();
      store.close();
    }
  });
}

async function get(app: ViewerApp, path: string): Promise<string> {
  const response = await app.request(`http://127.0.0.1${path}`);
  const text = await response.text();
  assertEquals(response.status, 200, `${path}: ${text.slice(0, 300)}`);
  return text;
}

Deno.test("confusionTable() sets off what is right, and leaves out counts of 0", () => {
  const table = confusionTable({
    classes: ["a", "b", "c"],
    confusion: [[2, 1, 0], [0, 3, 0], [4, 0, 5]],
    calibrations: [],
  }, "x");
  const told = table.rows.map((row) => row.slice(1).map(({ text, strong }) => strong ? `*${text}*` : text));
  assertEquals(told, [["*2*", "1", ""], ["", "*3*", ""], ["4", "", "*5*"]]);
});

Deno.test("the page of a run shows confusion and calibration of its test split, and exports hold the numbers", () =>
  withApp(async (app, _, [[id]]) => {
    const page = await get(app, `/runs/${id}`);
    assertStringIncludes(page, "<h3>Confusion</h3>");
    assertStringIncludes(page, 'aria-label="2 of class zero predicted as zero">2</a>');
    assertStringIncludes(page, "ECE fused 2.3 %");
    const rows = parse(await get(app, `/runs/${id}/tables/confusion.csv`));
    assertEquals(rows[0].slice(0, 3), ["True class", "zero", "one"]);
    // Eight of eleven are right; the ninth to the eleventh go to the class after their own.
    assertEquals(rows[1].slice(0, 3), ["zero", "2", "0"]);
    assertEquals(rows[8].slice(0, 1).concat(rows[8].slice(8)), ["seven", "0", "1", "0"]);
    assertEquals(rows[10].slice(0, 2), ["nine", "1"]);
    const { predictions } = JSON.parse(await get(app, `/api/runs/${id}`));
    assertEquals(predictions.confusion[7], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assertAlmostEquals(predictions.ece.fused, Math.abs(8 / 11 - 0.75), 1e-9);
    const calibration = parse(await get(app, `/runs/${id}/tables/calibration.csv`));
    assertEquals(calibration[1].slice(0, 1).concat(calibration[1].slice(2, 4)), ["fused", "11", "0.75"]);
    assertStringIncludes(await get(app, `/runs/${id}/charts/reliability.svg`), "<title>Calibration</title>");
  }));

Deno.test("a comparison adds what samples say: the bootstrap over seeds and samples, and McNemar's test for each seed", () =>
  withApp(async (app) => {
    const { configurations } = JSON.parse(await get(app, "/api/grid?sort=name"));
    const [concat, sum] = configurations.map(({ id }: { id: string }) => id);
    const { samples } = JSON.parse(await get(app, `/api/compare?c=${concat},${sum}`));
    assertEquals(samples.map(({ id }: { id: string }) => id), [sum]);
    // Two of eleven samples are right by the reference alone, with each seed.
    assertAlmostEquals(samples[0].bootstrap.difference, -2 / 11, 1e-12);
    assert(samples[0].bootstrap.low <= -2 / 11 && samples[0].bootstrap.high <= 0);
    assertEquals(samples[0].mcNemar, [0, 1, 2].map((seed) => ({ seed, onlyFirst: 0, onlySecond: 2, p: 0.5 })));
    const page = await get(app, `/compare?c=${concat},${sum}`);
    assertStringIncludes(page, "By samples");
    assertStringIncludes(page, "−18.18");
    assertStringIncludes(page, "0:2, 0:2, 0:2");
    const rows = parse(await get(app, `/compare/tables/samples.csv?c=${concat},${sum}`));
    assertAlmostEquals(Number(rows[1][2]), -2 / 11, 1e-12);
  }));

Deno.test("a run that kept no predictions, and one whose file is damaged or of other classes, say so", () =>
  withApp(async (app, runs, [[none, damaged, other]]) => {
    const file = (id: string) => join(runs, id, "predictions-test.safetensors");
    Deno.removeSync(file(none));
    Deno.writeTextFileSync(file(damaged), "x");
    await writePredictions(file(other), other, { ...predictions(3), labels: new Int32Array(11).fill(99) });
    assertStringIncludes(await get(app, `/runs/${none}`), "This run kept no predictions");
    assertStringIncludes(await get(app, `/runs/${damaged}`), "Cannot read");
    assertStringIncludes(await get(app, `/runs/${other}`), "classes must be within 0..9: found 99");
    for (const id of [none, damaged, other]) {
      assertEquals(JSON.parse(await get(app, `/api/runs/${id}`)).predictions, null);
      assertEquals((await app.request(`http://127.0.0.1/runs/${id}/tables/confusion.csv`)).status, 404);
    }
  }));
