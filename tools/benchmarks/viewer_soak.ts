/**
 * Whether a page that is left open grows or stops: `deno task soak:viewer [--minutes N] [--json]`.
 *
 * A made-up bench writes an epoch a second into one of a few runs, over and over, so that the folder is the same after each
 * round and whatever grows is a leak. A page of the table and a page of a run follow it in a Chromium, at the pace at which
 * pages follow. Half-way the server is stopped and started again on the same port. After each round, garbage collected: the
 * pages' JavaScript heap, nodes and listeners, and this process's memory, open files, timers and streams. The process is the
 * server and the driver of the browser, which keeps a record of each request: its memory says nothing of the server alone.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import type { Page } from "playwright-core";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import { serveViewer } from "../../viewer/mod.ts";
import { claimRun } from "../../store/claims.ts";
import { joinRuns, Watch } from "../../store/members.ts";
import { launchChromium } from "../../tests/helpers/chromium.ts";
import { countTimers, openFiles, pageSize } from "../../tests/helpers/growth.ts";
import { appendEpoch, type RunSpec, writeRun } from "../../tests/helpers/runs.ts";

const epochs = 20;
const roundRuns = 3;

async function sizes(name: string, page: Page): Promise<Record<string, number>> {
  const { heapBytes, nodes, listeners } = await pageSize(page);
  return {
    [`${name}HeapMiB`]: Math.round(heapBytes / 2 ** 20 * 100) / 100,
    [`${name}Nodes`]: nodes,
    [`${name}Listeners`]: listeners,
  };
}

const flags: Readonly<Record<string, Flag>> = {
  minutes: { type: "text", value: "N", about: "how long at least (default: 30)" },
  json: { type: "boolean", about: "print one JSON line per round" },
  help: { type: "boolean", about: "show this help" },
};

export const command: Command = {
  name: "soak:viewer",
  about: "Watches pages that are left open while runs go on, for what grows or stops.",
  async run(args) {
    const { text, boolean: { json, help } } = parseFlags(this.name, flags, args);
    if (help) {
      console.log(
        helpOf("deno task soak:viewer [options]", this.about, flags, ["deno task soak:viewer --minutes 480"]),
      );
      return 0;
    }
    const minutes = text.minutes === undefined ? 30 : parseInteger("--minutes", text.minutes, 1);
    const browser = await launchChromium();
    if (browser === null) {
      throw new Refusal({ what: "watch pages", must: "a Chromium must be installed", found: "found none" });
    }
    const timers = countTimers();
    const folder = await Deno.makeTempDir();

    const specs = Array.from({ length: roundRuns }, (_, seed): RunSpec => ({
      seed,
      epochs,
      methods: [{ name: "arm", options: { lambda1: 0.1 } }],
    }));
    const ids = specs.map((spec) => writeRun(folder, spec));
    writeRun(folder, { seed: 0, accuracy: 0.8, epochs });
    const member = await joinRuns(folder);
    for (const id of ids) await claimRun(member, id, new Watch(folder));

    let served = serveViewer({ folder, port: 0 });
    const { url } = served;
    let refreshes = 0;
    const problems: string[] = [];
    const follow = async (path: string): Promise<Page> => {
      // Tall enough that all charts are drawn.
      const page = await browser.newPage({ viewport: { width: 1280, height: 2400 } });
      page.on("request", (request) => {
        if (request.resourceType() === "fetch" && !request.url().includes("/api/")) refreshes++;
      });
      page.on("pageerror", (error) => problems.push(error.message));
      await page.goto(`${url}${path}`);
      await page.locator("html[data-ready]").waitFor({ state: "attached" });
      return page;
    };

    try {
      const pages = { table: await follow("?settings=all"), run: await follow(`runs/${ids[0]}`) };
      const start = performance.now();
      let restarted = false;
      for (let round = 0; performance.now() - start < minutes * 60_000; round++) {
        if (!restarted && performance.now() - start > minutes * 30_000) {
          restarted = true;
          await served.stop();
          await new Promise((resolve) => setTimeout(resolve, 5000));
          served = serveViewer({ folder, port: served.port });
        }
        for (const spec of specs) {
          writeRun(folder, { ...spec, state: "interrupted", done: 1 });
          Deno.removeSync(`${folder}/${ids[spec.seed!]}/summary.json`);
          for (let epoch = 1; epoch < epochs; epoch++) {
            appendEpoch(folder, spec, epoch);
            await new Promise((resolve) => setTimeout(resolve, 1000));
          }
          writeRun(folder, spec);
        }
        // Both pages show the end of the round.
        await new Promise((resolve) => setTimeout(resolve, 5000));
        await pages.run.locator("#state .badge.finished").waitFor({ timeout: 30_000 });
        (globalThis as unknown as { gc?: () => void }).gc?.();
        const { rss, heapUsed } = Deno.memoryUsage();
        const row = {
          minutes: Math.round((performance.now() - start) / 6000) / 10,
          refreshes,
          ...await sizes("table", pages.table),
          ...await sizes("run", pages.run),
          processRssMiB: Math.round(rss / 2 ** 20),
          processHeapMiB: Math.round(heapUsed / 2 ** 20),
          files: openFiles(),
          timers: timers.active(),
          streams: served.following,
          problems: problems.length,
        };
        if (json) console.log(JSON.stringify(row));
        else console.log(Object.entries(row).map(([key, value]) => `${key} ${value}`).join("  "));
      }
      for (const problem of new Set(problems)) console.error(problem);
    } finally {
      await member.leave();
      await browser.close();
      await served.stop();
      timers.restore();
      await Deno.remove(folder, { recursive: true });
    }
    return 0;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
