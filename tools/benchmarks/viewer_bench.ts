/**
 * How fast the viewer answers for 1,000 runs of 100 epochs: `deno task bench:viewer [--json]`.
 *
 * Server time: median of 15 answers over HTTP on this machine, while nothing changes; `first` is the first answer with the
 * index on disk, which reads every run. Interactive time, where there is a Chromium: median of 5 loads from the start of
 * the navigation to the moment at which the scripts have taken the page over.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import process from "node:process";
import { type Command, type Flag, helpOf, parseFlags, runCommand } from "../../cli/command.ts";
import { configOf, type RunSpec, writeRun } from "../../tests/helpers/runs.ts";
import { launchChromium } from "../../tests/helpers/chromium.ts";
import { runId } from "../../store/run_id.ts";
import { serveViewer } from "../../viewer/serve.ts";

const runCount = 1000;
const epochs = 100;
const seeds = 5;
const serverTries = 15;
const browserTries = 5;

/** What is printed for a page. */
interface Timing {
  readonly page: string;
  readonly runs: number;
  readonly firstMs: number;
  readonly serverMs: number;
  /** Processor time of an answer and of asking for it: the same whatever else the machine does. */
  readonly cpuMs: number;
  readonly interactiveMs: number | null;
}

/** 200 configurations of 5 seeds. */
function specs(): RunSpec[] {
  const fusions = ["concat", "sum", "film", "gated", "mmtm"];
  return Array.from({ length: runCount }, (_, i): RunSpec => {
    const configuration = Math.floor(i / seeds);
    return {
      seed: i % seeds,
      epochs,
      fusion: fusions[configuration % fusions.length],
      methods: configuration % 2 === 0 ? [] : [{ name: "arm", options: { lambda1: configuration / 100, dsr: "dsr" } }],
      training: { learningRate: 0.001 * (1 + Math.floor(configuration / 10)) },
      accuracy: 0.6 + 0.3 * (configuration / (runCount / seeds)),
    };
  });
}

async function timed(url: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return performance.now() - start;
}

async function series(times: number, run: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < times; i++) values.push(await run());
  return values;
}

const flags: Readonly<Record<string, Flag>> = {
  json: { type: "boolean", about: "print one JSON line per page" },
  help: { type: "boolean", about: "show this help" },
};

/** Milliseconds that this process has computed. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export const command: Command = {
  name: "bench:viewer",
  about: `Times the viewer's pages over ${runCount} runs of ${epochs} epochs.`,
  async run(args) {
    const { boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task bench:viewer [--json]", this.about, flags, ["deno task bench:viewer"]));
      return 0;
    }
    const folder = await Deno.makeTempDir();
    try {
      const all = specs();
      for (const spec of all) writeRun(folder, spec);
      // The index as it is when a viewer has been there before.
      const warm = serveViewer({ folder, port: 0 });
      await timed(warm.url);
      await warm.stop();
      const served = serveViewer({ folder, port: 0 });
      const configuration = (await (await fetch(`${served.url}api/grid`)).json()).configurations.slice(0, 8);
      const ids = configuration.map(({ id }: { id: string }) => id).join(",");
      const pages: [string, string][] = [
        ["grid", ""],
        ["grid, sorted and grouped", "?sort=name&group=fusion&settings=all"],
        ["grid, filtered", "?q=accuracy%3E0.7&method=arm"],
        ["run", `runs/${runId(configOf(all[501]))}`],
        ["compare, 8 configurations of 5 seeds", `compare?c=${ids}`],
      ];
      const browser = await launchChromium();
      const timings: Timing[] = [];
      for (const [page, path] of pages) {
        const url = `${served.url}${path}`;
        const firstMs = await timed(url);
        const before = cpuMs();
        const serverMs = median(await series(serverTries, () => timed(url)));
        const used = (cpuMs() - before) / serverTries;
        let interactiveMs: number | null = null;
        if (browser !== null) {
          interactiveMs = median(
            await series(browserTries, async () => {
              const context = await browser.newContext();
              try {
                const tab = await context.newPage();
                const start = performance.now();
                await tab.goto(url, { waitUntil: "commit" });
                await tab.locator("html[data-ready]").waitFor({ state: "attached" });
                return performance.now() - start;
              } finally {
                await context.close();
              }
            }),
          );
        }
        const round = (value: number) => Math.round(10 * value) / 10;
        timings.push({
          page,
          runs: runCount,
          firstMs: round(firstMs),
          serverMs: round(serverMs),
          cpuMs: round(used),
          interactiveMs: interactiveMs === null ? null : round(interactiveMs),
        });
      }
      await browser?.close();
      await served.stop();
      if (boolean.json) {
        for (const timing of timings) console.log(JSON.stringify(timing));
      } else {
        console.log(`${runCount} runs of ${epochs} epochs, ${runCount / seeds} configurations; milliseconds`);
        for (const { page, firstMs, serverMs, cpuMs, interactiveMs } of timings) {
          console.log(
            `${page.padEnd(38)} first ${String(firstMs).padStart(7)}  server ${
              String(serverMs).padStart(7)
            }  processor ${String(cpuMs).padStart(7)}  interactive ${
              String(interactiveMs ?? "no Chromium").padStart(7)
            }`,
          );
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    return 0;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
