import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createApp } from "../../viewer/mod.ts";
import { openRunStore } from "../../viewer/store.ts";
import { inFolder } from "../helpers/cli.ts";
import { writeRun } from "../helpers/runs.ts";

Deno.test("a runs folder that comes, goes, is cut off and mended is followed without an error", () =>
  inFolder(async (folder) => {
    const runs = `${folder}/runs`;
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store, {
      log: (message) => {
        throw new Error(message);
      },
    });
    try {
      const page = async () => {
        const response = await app.request("http://localhost/");
        assertEquals(response.status, 200);
        return await response.text();
      };
      assertStringIncludes((await store.snapshot()).problem!, `There is no folder "${runs}" yet`);
      assertStringIncludes(await page(), "No runs yet");
      Deno.mkdirSync(runs);
      const id = writeRun(runs, { seed: 0 });
      const first = await store.snapshot();
      assertEquals([first.problem, first.runs.map((run) => [run.id, run.state])], [null, [[id, "finished"]]]);
      // Nothing changed: nothing is told.
      assertEquals((await store.snapshot()).version, first.version);
      // Half-written: the summary is cut off, later gone.
      const summary = Deno.readTextFileSync(`${runs}/${id}/summary.json`);
      Deno.writeTextFileSync(`${runs}/${id}/summary.json`, summary.slice(0, 40));
      const cut = await store.snapshot();
      assertEquals([cut.version, cut.runs[0].state], [first.version + 1, "broken"]);
      assertStringIncludes(await page(), "Folders that are no whole run");
      Deno.removeSync(`${runs}/${id}/summary.json`);
      assertEquals((await store.snapshot()).runs[0].state, "interrupted");
      // A summary that lacks a modality of its configuration is no result.
      const wrong = JSON.parse(summary);
      delete wrong.test.perModality.audio;
      Deno.writeTextFileSync(`${runs}/${id}/summary.json`, JSON.stringify(wrong));
      assertStringIncludes(await page(), "its summary.json must tell of every modality");
      Deno.writeTextFileSync(`${runs}/${id}/summary.json`, summary);
      assertEquals((await store.snapshot()).runs[0].state, "finished");
      // A damaged line of epochs: those before it are shown, and why there are no more.
      Deno.writeTextFileSync(`${runs}/${id}/metrics.jsonl`, "{}\n", { append: true });
      const epochs = store.epochs(id);
      assertEquals([epochs.records.length, epochs.reason?.startsWith('Cannot read line 5 of "')], [4, true]);
      assertEquals((await app.request(`http://localhost/runs/${id}`)).status, 200);
      Deno.removeSync(runs, { recursive: true });
      const gone = await store.snapshot();
      assertEquals(gone.runs.length, 0);
      assertStringIncludes(gone.problem!, "There is no folder");
      Deno.mkdirSync(runs);
      writeRun(runs, { seed: 1 });
      assertEquals((await store.snapshot()).runs.map(({ seed }) => seed), [1]);
    } finally {
      app.close();
      store.close();
    }
  }));

Deno.test("a file in place of the runs folder is told", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "x");
    const none = openRunStore(`${folder}/file`);
    assert((await none.snapshot()).problem !== null);
    none.close();
    Deno.mkdirSync(`${folder}/runs`);
    writeRun(`${folder}/runs`, {});
    const store = openRunStore(`${folder}/runs`);
    assertEquals((await store.snapshot()).runs.length, 1);
    store.close();
  }));

Deno.test("a long log is shown from its end", () =>
  inFolder((folder) => {
    const id = writeRun(folder, { log: "x".repeat(99) + "\n" + "line\n".repeat(40_000) + "the end\n" });
    const store = openRunStore(folder);
    const log = store.log(id)!;
    assert(log.length < 70_000);
    assert(log.startsWith("[the first ") && log.endsWith("line\nthe end\n"), log.slice(0, 80));
    assertEquals(store.log("0000000000000000"), null);
    store.close();
    return Promise.resolve();
  }));
