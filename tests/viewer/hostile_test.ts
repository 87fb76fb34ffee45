/** Folders that somebody filled with what no bench writes: large, long, or what no picture can hold. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createApp, openRunStore, type ViewerApp } from "../../viewer/mod.ts";
import { bounded, boundedText } from "../../viewer/bounded.ts";
import { inFolder } from "../helpers/cli.ts";
import { epochOf, writeRun } from "../helpers/runs.ts";

async function get(app: ViewerApp, path: string): Promise<string> {
  const response = await app.request(`http://127.0.0.1${path}`);
  const text = await response.text();
  assertEquals(response.status, 200, `${path}: ${text.slice(0, 300)}`);
  return text;
}

async function withRuns(write: (runs: string) => void, run: (app: ViewerApp, runs: string) => Promise<void>) {
  await inFolder(async (runs) => {
    write(runs);
    const store = openRunStore(runs);
    const app = createApp(store);
    try {
      await run(app, runs);
    } finally {
      app.close();
      store.close();
    }
  });
}

Deno.test("bounded() cuts texts, names, lists and depth; what differed before differs after", () => {
  const long = "x".repeat(1e6);
  assertEquals(boundedText("as it is"), "as it is");
  assert(boundedText(long).length < 400);
  assert(boundedText(`${long}a`) !== boundedText(`${long}b`));
  const cut = bounded({ [long]: long, list: Array(1e5).fill(1), reason: "y".repeat(3000), "__proto__": 1, n: 1.5 });
  assertEquals(JSON.stringify(cut).length < 10_000, true);
  assertEquals([cut.n, cut.reason.length, cut.list.length], [1.5, 3000, 2000]);
  assertEquals(Object.keys(cut), [boundedText(long), "list", "reason", "n"]);
  let deep: unknown = 1;
  for (let i = 0; i < 1000; i++) deep = [deep];
  assert(JSON.stringify(bounded(deep)).length < 100);
  // As data, not as a prototype.
  const own = JSON.parse('{"__proto__": {"x": 1}}');
  assertEquals(Object.keys(bounded(own)), ["__proto__"]);
});

Deno.test("texts of megabytes cost no page more than a few kilobytes, and hide nothing", () =>
  withRuns((runs) => {
    writeRun(runs, { fusion: "n".repeat(15 * 1024 * 1024) });
    const long = "n".repeat(3 * 1024 * 1024);
    writeRun(runs, { fusionOptions: { of: long } });
    writeRun(runs, { fusionOptions: { of: `${long}!` } });
    writeRun(runs, { methods: [{ name: "arm", options: { [long]: 1 } }] });
    writeRun(runs, {});
  }, async (app) => {
    const page = await get(app, "/");
    assert(page.length < 200_000, `${page.length}`);
    assert(page.includes("<strong>4</strong> configurations"));
    assert(page.includes("1 broken"));
    for (const path of ["/api/grid", "/api/runs", "/grid.csv", "/grid.svg", "/charts/accuracy.svg"]) {
      const { length } = await get(app, path);
      assert(length < 200_000, `${path}: ${length}`);
    }
  }));

Deno.test("characters that XML forbids in one name break no table and no picture of the folder", () =>
  withRuns((runs) => {
    writeRun(runs, { fusion: "a\ufffeb\uffffc\u0001d\ud800e" });
    // Cut in the middle of a sign of two halves.
    writeRun(runs, { fusion: `${"a".repeat(44)}😀😀` });
    writeRun(runs, {});
  }, async (app) => {
    for (const path of ["/grid.svg", "/charts/accuracy.svg"]) {
      const svg = await get(app, path);
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(svg), path);
      // As bytes a lone half would have become a sign of replacement.
      assert(!svg.includes("a".repeat(44) + "\ufffd\u2026") && svg.isWellFormed(), path);
      assertStringIncludes(svg, "concat");
    }
    for (const path of ["/grid.png", "/charts/accuracy.png"]) {
      const response = await app.request(`http://127.0.0.1${path}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      // Without a font there are no PNGs; what XML forbids must not be the reason.
      if (response.status === 200) assertEquals([...bytes.subarray(1, 4)], [80, 78, 71]);
      else assertStringIncludes(new TextDecoder().decode(bytes), "a font must be installed");
    }
  }));

Deno.test("of 200,000 epochs some are read: pages stay small, the last epoch is there, runs stay aligned", () =>
  withRuns((runs) => {
    for (const [seed, count] of [[0, 200_000], [1, 3000], [2, 5000]]) {
      const id = writeRun(runs, { seed, epochs: 4, state: "interrupted", done: 0 });
      const record = JSON.stringify(epochOf({ seed }, 0));
      const rest = record.slice(record.indexOf(",", record.indexOf('"epoch":')));
      const file = Deno.openSync(`${runs}/${id}/metrics.jsonl`, { write: true, truncate: true });
      for (let from = 0; from < count; from += 1000) {
        const lines = Array.from({ length: 1000 }, (_, i) => `{"epoch":${from + i}${rest}\n`).join("");
        file.writeSync(new TextEncoder().encode(lines));
      }
      file.close();
    }
  }, async (app) => {
    // Fast is what reads little: a clock would tell of the machine.
    const { parse } = JSON;
    let parsed = 0;
    JSON.parse = (...given) => (parsed++, parse(...given));
    try {
      const { configurations } = JSON.parse(await get(app, "/api/grid"));
      const { id, runs } = configurations[0];
      const { records, reason } = JSON.parse(await get(app, `/api/runs/${runs[0].id}/epochs`));
      assertEquals(reason, "Of 200000 epochs, every 128th and the last are shown.");
      assertEquals(records.length, Math.ceil(200_000 / 128) + 1);
      assertEquals([records[0].epoch, records[1].epoch, records.at(-1).epoch], [0, 128, 199_999]);
      const page = await get(app, `/runs/${runs[0].id}`);
      assertStringIncludes(page, "epoch 200000 of 4");
      assert(page.length < 1_500_000, `${page.length}`);
      // Every 128th of one and every second of the others: the mean is over the epochs that all three have.
      const csv = await get(app, `/compare/charts/validation-accuracy.csv?c=${id}`);
      assertEquals(csv.trim().split("\n").slice(1).map((line) => Number(line.split(",")[0])).slice(0, 3), [
        1,
        129,
        257,
      ]);
    } finally {
      JSON.parse = parse;
    }
    assert(parsed < 20_000, `${parsed} texts`);
  }));
