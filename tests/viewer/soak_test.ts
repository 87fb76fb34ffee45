/** A page that is left open, in fast motion. Skipped where there is no Chromium, with a reason printed. */
import { assert, assertEquals } from "@std/assert";
import { serveViewer } from "../../viewer/mod.ts";
import { chromiumPath, launchChromium } from "../helpers/chromium.ts";
import { inFolder } from "../helpers/cli.ts";
import { countTimers, openFiles, pageSize } from "../helpers/growth.ts";
import { type RunSpec, writeRun } from "../helpers/runs.ts";

/** Timers of the page run so much faster; everything else is as it is. */
const haste = 50;
/** Changes before the first measurement, and between each two. */
const warmUp = 50;
const changes = 75;

const serve = (folder: string, port: number) =>
  serveViewer({ folder, port, store: { staleMs: 0 }, app: { lookMs: 10, perSecond: 1e6 } });

Deno.test({
  name: "browser: two hundred changes leave a page and the server as large as they were; it survives a restart",
  ignore: chromiumPath() === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    inFolder(async (folder) => {
      const runs = `${folder}/runs`;
      Deno.mkdirSync(runs);
      const timers = countTimers();
      const browser = (await launchChromium())!;
      let served = serve(runs, 0);
      try {
        // The same run with other figures each time: nothing that is shown grows.
        const spec: RunSpec = { seed: 0, epochs: 8, methods: [{ name: "arm", options: { lambda1: 0.1 } }] };
        const id = writeRun(runs, { ...spec, accuracy: 0.5 });
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        const problems: string[] = [];
        page.on("pageerror", (error) => problems.push(error.message));
        // On a busy machine, a page whose timers run so fast may give up a stream that is late, and open another.
        const streams = { opened: 0, ended: 0 };
        const counts = (what: keyof typeof streams) => (request: { url(): string }) => {
          if (request.url().endsWith("/api/events")) streams[what]++;
        };
        page.on("request", counts("opened"));
        page.on("requestfinished", counts("ended"));
        page.on("requestfailed", counts("ended"));
        await page.addInitScript(`{
          const slow = globalThis.setTimeout;
          globalThis.setTimeout = (run, ms = 0, ...given) => slow(run, ms / ${haste}, ...given);
        }`);
        await page.goto(`http://127.0.0.1:${served.port}/runs/${id}`);
        await page.locator("html[data-ready]").waitFor({ state: "attached" });
        await page.locator("#chart-accuracy.drawn canvas").waitFor();
        let change = 0;
        const follow = async (times: number) => {
          for (let i = 0; i < times; i++) {
            const accuracy = 0.5 + 0.001 * (++change % 400);
            writeRun(runs, { ...spec, accuracy });
            const shown = `${(100 * summaryAccuracy(runs, id)).toFixed(2)} %`;
            await page.locator("#state strong", { hasText: shown }).waitFor({ timeout: 20_000 });
          }
        };
        const sizes = async () => ({
          ...await pageSize(page),
          files: openFiles(),
          timers: timers.active(),
          following: served.following,
        });
        await follow(warmUp);
        const all = [await sizes()];
        for (let i = 0; i < 2; i++) {
          await follow(changes);
          all.push(await sizes());
        }
        const told = all.map((size) => JSON.stringify(size)).join("\n");
        console.log(`after ${warmUp}, ${warmUp + changes} and ${warmUp + 2 * changes} changes:\n${told}`);
        const [before, , after] = all;
        assertEquals(after.nodes, before.nodes, told);
        assert(after.listeners <= before.listeners, told);
        // A page that was kept would be 100 KB for each change; what the engine compiles and caches is a few.
        assert(after.heapBytes < before.heapBytes + 2 * changes * 1e4, told);
        assertEquals([before.following, after.following], [1, 1], told);
        // One is open, and changes open none: what was opened besides took the place of one that had ended.
        assertEquals(streams.opened - streams.ended, 1, JSON.stringify(streams));
        assert(streams.ended <= 2 * changes / 10, JSON.stringify(streams));
        // A look that is under way has a timer, and a file open; a keep-alive connection is one more.
        assert(after.timers <= before.timers + 1, told);
        if (after.files !== null) assert(after.files <= before.files! + 3, told);
        assertEquals(await page.locator("#chart-accuracy canvas").count(), 1);

        const { port } = served;
        await served.stop();
        await page.locator("#live[data-state=lost]").waitFor();
        // Missed while nobody was there to tell; and the new server counts its versions anew.
        writeRun(runs, { ...spec, accuracy: 0.25 });
        served = serve(runs, port);
        await page.locator("#live[data-state=live]").waitFor();
        const shown = `${(100 * summaryAccuracy(runs, id)).toFixed(2)} %`;
        await page.locator("#state strong", { hasText: shown }).waitFor();
        await follow(5);
        assertEquals(served.following, 1);
        assertEquals(problems, []);
      } finally {
        await browser.close();
        await served.stop();
        timers.restore();
      }
    }),
});

function summaryAccuracy(runs: string, id: string): number {
  return JSON.parse(Deno.readTextFileSync(`${runs}/${id}/summary.json`)).test.accuracy;
}
