/** A page that is left open, in fast motion. Skipped where there is no Chromium, with a reason printed. */
import { assert, assertEquals } from "@std/assert";
import { serveViewer } from "../../viewer/mod.ts";
import { chromiumPath, launchChromium, openPage } from "../helpers/chromium.ts";
import { inFolder } from "../helpers/cli.ts";
import { countTimers, openFiles, pageSize } from "../helpers/growth.ts";
import { type RunSpec, writeRun } from "../helpers/runs.ts";
import { longestMs, until } from "../helpers/until.ts";

/** Timers of the page run so much faster; everything else is as it is. */
const haste = 50;
/** But not that of the silence after which a page gives its stream up: how long a change takes is up to the machine. */
const patientMs = 60_000;
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
        const page = await openPage(browser, { viewport: { width: 1280, height: 900 } });
        const problems: string[] = [];
        page.on("pageerror", (error) => problems.push(error.message));
        const [streams, pieces] = [{ opened: 0, ended: 0 }, { asked: 0, answered: 0 }];
        const begins = (request: { url(): string }) =>
          request.url().endsWith("/api/events") ? streams.opened++ : pieces.asked++;
        const ends = (request: { url(): string }) =>
          request.url().endsWith("/api/events") ? streams.ended++ : pieces.answered++;
        page.on("request", begins);
        page.on("requestfinished", ends);
        page.on("requestfailed", ends);
        await page.addInitScript(`{
          const slow = globalThis.setTimeout;
          globalThis.setTimeout = (run, ms = 0, ...given) => slow(run, ms < ${patientMs} ? ms / ${haste} : ms, ...given);
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
            await page.locator("#state strong", { hasText: shown }).waitFor();
          }
        };
        type Sizes = Awaited<ReturnType<typeof sizes>>;
        const sizes = async () => ({
          ...await pageSize(page),
          files: openFiles(),
          timers: timers.active(),
          following: served.following,
        });
        // What is under way while it is measured (a look, a refresh, a chart) has things of its own, and none of them once it
        // is over; what is kept for good stays, however often one looks.
        const settled = async (fits: (size: Sizes) => boolean) => {
          const started = performance.now();
          for (let last: Sizes | null = null;;) {
            const { asked } = pieces;
            const size = await sizes();
            const still = asked === pieces.asked && asked === pieces.answered;
            const same = size.nodes === last?.nodes && size.listeners === last.listeners;
            if (still && same && fits(size) || performance.now() - started > longestMs / 5) return size;
            last = still ? size : null;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        };
        await follow(warmUp);
        const before = await settled(({ following }) => following === 1);
        const all = [before];
        const fits = ({ nodes, listeners, heapBytes, following, timers, files }: Sizes) =>
          nodes === before.nodes && listeners <= before.listeners &&
          // A page that was kept would be 100 KB for each change; what the engine compiles and caches is a few.
          heapBytes < before.heapBytes + 2 * changes * 1e4 && following === 1 &&
          // A look that is under way has a timer, and a file open; a keep-alive connection is one more.
          timers <= before.timers + 1 && (files === null || files <= before.files! + 3);
        for (let i = 0; i < 2; i++) {
          await follow(changes);
          all.push(await settled(fits));
        }
        const told = all.map((size) => JSON.stringify(size)).join("\n");
        console.log(`after ${warmUp}, ${warmUp + changes} and ${warmUp + 2 * changes} changes:\n${told}`);
        assert(before.following === 1 && fits(all[2]), told);
        // One is open, and changes open none: what was opened besides took the place of one that had ended.
        assertEquals(streams.opened - streams.ended, 1, JSON.stringify(streams));
        assert(streams.ended <= 2 * changes / 10, JSON.stringify(streams));
        assertEquals(await page.locator("#chart-accuracy canvas").count(), 1);

        const { port } = served;
        await served.stop();
        await page.locator("#live[data-state=lost]").waitFor();
        // Missed while nobody was there to tell; and the new server counts its versions anew.
        writeRun(runs, { ...spec, accuracy: 0.25 });
        served = await servedAgain(runs, port);
        await page.locator("#live[data-state=live]").waitFor();
        const shown = `${(100 * summaryAccuracy(runs, id)).toFixed(2)} %`;
        await page.locator("#state strong", { hasText: shown }).waitFor();
        await follow(5);
        await until("the end of all streams but one", () => served.following === 1);
        assertEquals(problems, []);
      } finally {
        await browser.close();
        await served.stop();
        timers.restore();
      }
    }),
});

/** Serves at a port that was just given up: until it is taken again, somebody else may have it for a moment. */
async function servedAgain(runs: string, port: number): Promise<ReturnType<typeof serve>> {
  let served: ReturnType<typeof serve> | null = null;
  await until(`port ${port}`, () => {
    try {
      served = serve(runs, port);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      return false;
    }
  });
  return served!;
}

function summaryAccuracy(runs: string, id: string): number {
  return JSON.parse(Deno.readTextFileSync(`${runs}/${id}/summary.json`)).test.accuracy;
}
