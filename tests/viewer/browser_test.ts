/** The viewer in a real browser. Skipped where there is no Chromium, with a reason printed. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { claimRun } from "../../store/claims.ts";
import { joinRuns, Watch } from "../../store/members.ts";
import { serveViewer } from "../../viewer/serve.ts";
import { chromiumPath, launchChromium, openPage } from "../helpers/chromium.ts";
import { ended, inFolder, start } from "../helpers/cli.ts";
import { appendEpoch, type RunSpec, writeRun } from "../helpers/runs.ts";
import { keepAll, sampleSource } from "../helpers/samples.ts";
import { writeTuned } from "../helpers/tuned.ts";

const ignore = chromiumPath() === null;
// The browser is a process with pipes and timers of its own, for as long as it runs.
const loose = { sanitizeOps: false, sanitizeResources: false };

const evil = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>";
const arm = [{ name: "arm", options: { lambda1: 0.1 } }];

async function fill(runs: string): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const seed of [0, 1, 2]) {
    ids[`arm${seed}`] = writeRun(runs, { seed, methods: arm, accuracy: 0.95, epochs: 12, log: `${evil}\n` });
    ids[`concat${seed}`] = writeRun(runs, { seed, accuracy: 0.85, epochs: 12 });
    ids[`sum${seed}`] = writeRun(runs, { seed, fusion: "sum", accuracy: 0.8, epochs: 12 });
  }
  ids.hostile = writeRun(runs, {
    seed: 0,
    fusion: evil,
    methods: [{ name: evil, options: { [evil]: evil, "=1+1": "=1+1" } }],
    dataset: evil,
    modalities: [evil, "audio"],
    plugins: [evil],
    accuracy: 0.5,
    reports: { [evil]: { [evil]: 1, [`fw:${evil}`]: { [evil]: 3, "1": 2 } } },
  });
  ids.failed = writeRun(runs, {
    seed: 1,
    fusion: "film",
    state: "failed",
    failure: { message: evil, command: evil, term: evil },
  });
  for (const id of [ids.arm0, ids.concat0]) await keepAll(runs, id);
  Deno.mkdirSync(`${runs}/${evil.replaceAll("/", "_").slice(0, 100)}`);
  return ids;
}

interface Scene {
  readonly page: Page;
  readonly url: string;
  readonly runs: string;
  readonly ids: Record<string, string>;
  readonly browser: Browser;
}

/** Opens the viewer in a browser; fails on any error in the console and any request that leaves it. */
async function scene(
  run: (scene: Scene) => Promise<void>,
  options: { scheme?: "light" | "dark"; scripts?: boolean; width?: number } = {},
): Promise<void> {
  const browser = await launchChromium();
  assert(browser !== null);
  try {
    await inFolder(async (folder) => {
      const runs = `${folder}/runs`;
      Deno.mkdirSync(runs);
      const ids = await fill(runs);
      const served = serveViewer({ folder: runs, port: 0, app: { samples: sampleSource(evil) } });
      try {
        const page = await openPage(browser, {
          colorScheme: options.scheme ?? "light",
          javaScriptEnabled: options.scripts ?? true,
          viewport: { width: options.width ?? 1280, height: 900 },
        });
        const problems: string[] = [];
        page.on("console", (message) => {
          if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
        });
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("request", (request) => {
          if (!request.url().startsWith(served.url)) problems.push(`external request ${request.url()}`);
        });
        page.on("dialog", (dialog) => problems.push(`dialog ${dialog.message()}`));
        await run({ page, url: served.url, runs, ids, browser });
        if (options.scripts !== false) assert((await page.title()) !== "pwned");
        await page.context().close();
        assertEquals(problems, []);
      } finally {
        await served.stop();
      }
    });
  } finally {
    await browser.close();
  }
}

const labels = (page: Page) =>
  page.locator("table.grid tr.row th.name a:not(.fold)").allInnerTexts().then((texts) =>
    texts.map((text) => text.slice(0, 30))
  );
const ready = (page: Page) => page.locator("html[data-ready]").waitFor({ state: "attached" });
const settled = (page: Page) => page.locator("main:not([aria-busy])").waitFor();

Deno.test({
  name: "browser: sort, filter, fold, choose columns; the address holds it all and the back button goes back",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url }) => {
      await page.goto(url);
      await ready(page);
      assertEquals((await labels(page)).slice(0, 3).map((label) => label.includes("arm")), [true, false, false]);
      await page.getByRole("link", { name: "Configuration" }).click();
      await page.waitForURL(/sort=name/);
      await settled(page);
      const byName = await labels(page);
      assertEquals(byName, [...byName].sort((a, b) => a < b ? -1 : 1));
      assertEquals(
        await page.locator("th[aria-sort=ascending]").innerText().then((text) => text.slice(0, 13)),
        "Configuration",
      );
      // The focus stays on what was pressed.
      assertEquals(await page.evaluate("document.activeElement.textContent.trim().slice(0, 13)"), "Configuration");
      await page.locator("select[name=fusion]").selectOption("sum");
      await page.waitForURL(/fusion=sum/);
      await settled(page);
      assertEquals((await labels(page)).length, 1);
      await page.locator("a.fold").first().click();
      await page.waitForURL(/open=/);
      await settled(page);
      assertEquals(await page.locator("tr.seed").count(), 3);
      await page.locator("summary", { hasText: "Columns" }).click();
      await page.locator("input[value=macroF1]").check();
      await page.waitForURL(/columns=/);
      await settled(page);
      assert((await page.locator("table.grid thead").innerText()).includes("Macro F1"));
      // The same address shows the same view to somebody else.
      const address = page.url();
      const other = await page.context().newPage();
      await other.goto(address);
      assertEquals(await other.locator("table.grid").innerText(), await page.locator("table.grid").innerText());
      await other.close();
      await page.goBack();
      await settled(page);
      assert(!page.url().includes("columns="));
      await page.goBack();
      await page.goBack();
      await page.waitForURL(/\?sort=name$/);
      await page.locator("tr.row").nth(1).waitFor();
      assertEquals(await labels(page), byName);
      await page.locator("input[name=q]").fill("arm.lambda1=0.1");
      await page.waitForURL(/q=arm\.lambda1/);
      await settled(page);
      assertEquals((await labels(page)).length, 1);
      assertEquals(await page.evaluate("document.activeElement.name"), "q");
    }),
});

Deno.test({
  name: "browser: a bench goes on while the page is open, and the page follows; what the reader opened stays",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url, runs }) => {
      const spec: RunSpec = { seed: 0, fusion: "gated", state: "interrupted", done: 0, epochs: 6 };
      const id = writeRun(runs, spec);
      const member = await joinRuns(runs);
      await claimRun(member, id, new Watch(runs));
      try {
        await page.goto(`${url}?sort=name`);
        await ready(page);
        await page.locator("input[name=c]").first().check();
        for (const epoch of [0, 1]) appendEpoch(runs, spec, epoch);
        await page.locator(".count.running").waitFor();
        assertMatch(await page.locator("tr.row", { hasText: "gated" }).innerText(), /1 running/);
        assert(await page.locator("input[name=c]").first().isChecked());
        // The page of the run follows too, its charts included.
        await page.goto(`${url}runs/${id}`);
        await ready(page);
        await page.locator("#chart-accuracy.drawn canvas").waitFor();
        await page.locator("summary", { hasText: "All figures of all epochs" }).click();
        const rows = page.locator("#epochs tbody tr");
        await rows.nth(1).waitFor();
        assertEquals(await rows.count(), 2);
        appendEpoch(runs, spec, 2);
        await rows.nth(2).waitFor();
        assert(
          await page.locator("#epoch-table").evaluate((details) => (details as unknown as { open: boolean }).open),
        );
        await page.locator("#chart-accuracy.drawn canvas").first().waitFor();
        assertEquals(await page.locator("#chart-accuracy canvas").count(), 1);
      } finally {
        await member.leave();
      }
      writeRun(runs, { ...spec, state: "finished", done: undefined });
      await page.locator("#state .badge.finished").waitFor();
    }),
});

Deno.test({
  name: "browser: what a reader presses while news come in is shown, and the news after it",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url, runs }) => {
      const empty = "?q=training.epochs%3D6";
      await page.goto(`${url}${empty}`);
      await ready(page);
      await page.locator("#live[data-state=live]").waitFor();
      const [news, pressed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await page.route(`${url}${empty}`, async (route) => (await news.promise, await route.continue()));
      await page.route(/fusion=sum/, async (route) => (await pressed.promise, await route.continue()));
      // The first rows: for these the page is shown anew.
      const asked = page.waitForRequest(`${url}${empty}`);
      for (const fusion of ["sum", "gated"]) writeRun(runs, { fusion, epochs: 6 });
      const answered = (await asked).response();
      const going = page.waitForRequest(/fusion=sum/);
      await page.locator("select[name=fusion]").selectOption("sum");
      await going;
      news.resolve();
      await (await answered)!.finished();
      pressed.resolve();
      await settled(page);
      assertMatch(page.url(), /fusion=sum/);
      await page.locator("tr.row").waitFor();
      assertEquals((await labels(page)).map((label) => label.includes("sum")), [true]);
    }),
});

Deno.test({
  name: "browser: the open page of a run that is deleted says so",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ browser, url, runs, ids }) => {
      // The browser itself notes the 404 in its console.
      const page = await openPage(browser);
      await page.goto(`${url}runs/${ids.sum1}`);
      await ready(page);
      await page.locator("#live[data-state=live]").waitFor();
      Deno.removeSync(`${runs}/${ids.sum1}`, { recursive: true });
      await page.locator("h1", { hasText: "Not found" }).waitFor();
      assertStringIncludes(await page.locator("main").innerText(), `Cannot find run "${ids.sum1}": it may have been`);
      await page.locator("main").getByRole("link", { name: "All results" }).click();
      await page.locator("tr.row", { hasText: "sum" }).getByText("2 seeds").waitFor();
      await page.close();
    }),
});

Deno.test({
  name: "browser: a real bench shows up, goes on and finishes on a page that was open before it began",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url, runs }) => {
      await page.goto(`${url}?dataset=av-digits&sort=name&q=training.epochs%3D2`);
      await ready(page);
      assertEquals(await page.locator("tr.row").count(), 0);
      const options = [
        "--modality",
        "audio",
        "--seeds",
        "1",
        "--set",
        "training.epochs=2",
        "--set",
        "dataset.size=mini",
      ];
      const bench = ended(start("bench", "--runs", runs, ...options));
      await page.locator("tr.row").first().waitFor();
      await page.locator("a.fold").click();
      await page.locator("tr.seed .badge.finished").waitFor();
      assertEquals((await bench).code, 0);
      await page.locator("tr.seed th a").click();
      await page.locator("#chart-loss.drawn canvas").waitFor();
      assertMatch(
        await page.locator("#log").innerText(),
        /started on .*\n.*epoch 1: loss .*\n.*epoch 2: loss .*\n.*finished after/,
      );
    }),
});

Deno.test({
  name: "browser: compare draws means with bands, says its smoothing, and tests differences; exports open",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url }) => {
      await page.goto(`${url}?sort=name&dataset=av-digits`);
      await ready(page);
      for (const i of [0, 1, 2]) {
        await page.locator("tr.row", { has: page.locator("text=3 seeds") }).nth(i).locator("input").check();
      }
      assertStringIncludes(await page.locator("#compare").innerText(), "3 chosen");
      await page.getByRole("button", { name: "Compare chosen" }).click();
      await page.waitForURL(/compare\?c=/);
      await ready(page);
      await page.locator("select[name=smooth]").selectOption("0.6");
      await page.waitForURL(/smooth=0\.6/);
      await settled(page);
      assertStringIncludes(
        await page.locator(".chart").first().innerText(),
        "exponential moving average of weight 0.6",
      );
      assertMatch(await page.locator("#difference-table").innerText(), /better|worse/);
      await page.locator(".chart.drawn canvas").first().waitFor();
      // On paper a chart is as wide as its place, whatever the window was: nothing of it is cut. Measured at once.
      await page.emulateMedia({ media: "print" });
      const cut = await page.evaluate(`(() => {
        const main = document.getElementById("main");
        main.style.width = "500px";
        const [canvas, plot] = [".chart.drawn canvas", ".chart.drawn .plot"].map((part) => document.querySelector(part));
        const cut = canvas.getBoundingClientRect().right - plot.getBoundingClientRect().right;
        main.style.width = "";
        return cut;
      })()`) as number;
      assert(cut < 1, `${cut}`);
      await page.emulateMedia({ media: "screen" });
      const links = await page.locator("a[download]").evaluateAll((all) =>
        all.map((link) => (link as unknown as { href: string }).href)
      );
      // Four charts, the differences, over seeds and by samples, and the settings.
      assertEquals(links.length, 4 * 5 + 3 * 5);
      for (const link of links) {
        const response = await page.request.get(link);
        const body = await response.body();
        assertEquals(response.status(), 200, link);
        const type = new URL(link).pathname.split(".").at(-1);
        const text = new TextDecoder().decode(body);
        if (type === "csv") assert(parse(text).length > 1);
        if (type === "md") assertMatch(text, /^\| (:---|---:) \|/m);
        if (type === "tex") assertStringIncludes(text, "\\bottomrule");
        if (type === "svg") assertMatch(text, /^<svg [\s\S]*<\/svg>\s*$/);
        if (type === "png") assertEquals([...body.subarray(1, 4)], [80, 78, 71]);
      }
      // A browser shows the pictures.
      const svg = links.find((link) => link.includes("/charts/") && link.includes(".svg"))!;
      await page.goto(svg);
      assert((await page.locator("svg text").count()) > 3);
    }),
});

Deno.test({
  name: "browser: hostile names, options, errors and log lines are text everywhere",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url, ids }) => {
      for (
        const path of [
          "",
          "?settings=all",
          `runs/${ids.hostile}`,
          `runs/${ids.failed}`,
          `runs/${ids.arm0}`,
          `runs/${ids.arm0}/samples/test/1`,
          `compare?r=${ids.hostile},${ids.arm0}`,
        ]
      ) {
        await page.goto(`${url}${path}`);
        await ready(page);
        // What a script of ours writes is there, too, once a chart is.
        const charts = page.locator("[data-chart]:visible");
        if (await charts.count() > 0) {
          await charts.first().scrollIntoViewIfNeeded();
          await page.locator("[data-chart].drawn").first().waitFor();
        }
        assertEquals(await page.locator("img[src=x]").count(), 0, path);
        assert((await page.title()) !== "pwned", path);
        assertStringIncludes(await page.locator("main").innerText(), "<img src=x");
      }
    }),
});

Deno.test({
  name: "browser: what is chosen outlasts a search, is compared though the table does not show it, and can be cleared",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url }) => {
      await page.goto(url);
      await ready(page);
      const hint = page.locator("#compare .hint");
      await page.getByLabel("Compare av-digits: concat arm").check();
      await page.getByLabel("Compare av-digits: sum").check();
      assertEquals(await hint.innerText(), "2 chosen");
      await page.locator("#filters [name=q]").fill("fusion=sum");
      await page.waitForURL(/q=/);
      await settled(page);
      assertEquals(await page.getByLabel("Compare av-digits: sum").isChecked(), true);
      assertEquals(await hint.innerText(), "2 chosen, 1 of them not in this table");
      await page.locator("#filters [name=q]").fill("");
      await page.waitForURL((address) => !address.search.includes("q="));
      await settled(page);
      assertEquals(await page.getByLabel("Compare av-digits: concat arm").isChecked(), true);
      // Whoever does not wait presses Enter.
      await page.locator("#filters [name=q]").fill("fusion=sum");
      await page.locator("#filters [name=q]").press("Enter");
      await page.waitForURL(/q=/);
      await settled(page);
      assertEquals(await hint.innerText(), "2 chosen, 1 of them not in this table");
      await page.locator("#compare button[type=submit]").click();
      await page.waitForURL(/compare/);
      assertEquals(await page.locator("ul.chosen strong").allInnerTexts(), ["av-digits: sum", "av-digits: concat arm"]);
      await page.goto(url);
      await ready(page);
      await page.getByLabel("Compare av-digits: sum").check();
      await page.locator("#compare .clear").click();
      assertEquals(await page.getByLabel("Compare av-digits: sum").isChecked(), false);
      assertEquals(await hint.innerText(), "Choose configurations by their boxes.");
    }),
});

Deno.test({
  name: "browser: axe finds nothing serious on any page, light and dark, wide and on a phone; none scrolls sideways",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ browser, url, runs, ids }) => {
      const spec: RunSpec = { seed: 7, fusion: "gated", state: "interrupted", done: 1, epochs: 6 };
      const running = writeRun(runs, spec);
      await writeTuned(runs, { left: true });
      const member = await joinRuns(runs);
      await claimRun(member, running, new Watch(runs));
      // Before anybody looks: from here on nothing changes, so that no page is told anew while it is measured.
      appendEpoch(runs, spec, 1);
      const { configurations: [{ id: configuration }] } =
        await (await fetch(`${url}api/grid?experiment=all&fusion=concat`)).json();
      const pages = {
        results: ["?experiment=all", 200],
        "results of an experiment": ["", 200],
        "results, grouped, all settings": ["?experiment=all&group=method&settings=all", 200],
        run: [`runs/${ids.arm0}`, 200],
        "run that goes on": [`runs/${running}`, 200],
        "failed run": [`runs/${ids.failed}`, 200],
        "hostile run": [`runs/${ids.hostile}`, 200],
        configuration: [`configurations/${configuration}`, 200],
        samples: [`samples?run=${ids.arm0}&split=validation`, 200],
        sample: [`runs/${ids.arm0}/samples/validation/1`, 200],
        experiment: ["experiments/tuned", 200],
        features: ["features", 200],
        compare: [`compare?r=${ids.arm0},${ids.sum0}`, 200],
        "nothing to compare": ["compare", 200],
        api: ["api", 200],
        "not found": ["runs/feedfeedfeedfeed", 404],
        "wrong address": ["?group=colour", 400],
      } as const;
      let checks = 0;
      try {
        const page = await openPage(browser);
        for (const [name, [path, status]] of Object.entries(pages)) {
          await page.setViewportSize({ width: 1280, height: 900 });
          const answer = await page.goto(`${url}${path}`);
          assertEquals(answer?.status(), status, name);
          await ready(page);
          if (name === "run that goes on") await page.locator("#state .badge.running").waitFor();
          // Not as a script element, which the policy of the page forbids.
          await page.evaluate(axe.source);
          for (const scheme of ["light", "dark"] as const) {
            await page.emulateMedia({ colorScheme: scheme });
            for (const width of [1280, 390]) {
              await page.setViewportSize({ width, height: 900 });
              const found = await page.evaluate(
                "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'], " +
                  "resultTypes: ['violations'] })",
              ) as {
                passes: unknown[];
                violations: { id: string; impact: string; nodes: { html: string }[] }[];
              };
              const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
              assertEquals(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], `${name} ${scheme} ${width}`);
              assert(found.passes.length > 10, name);
              const wide = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth",
              );
              assertEquals(wide, 0, `${name} at ${width}`);
              if (path === "?experiment=all" && width === 390) {
                // A phone shows a card for each row: every value whole, under its head, the measures before the settings.
                // Measured at once: rows of a page that is told anew are others.
                const [frame, ...boxes] = await page.evaluate(`(() => {
                  const row = [...document.querySelectorAll("tr.row")].find((row) => row.textContent.includes("3 seeds"));
                  const kinds = [".name", ".accuracy", ".difference", ".seeds", ".setting"];
                  return [document.querySelector("#table .scroll"), ...kinds.map((kind) => row.querySelector(kind))]
                    .map((element) => element.getBoundingClientRect())
                    .map(({ right, top, width, height }) => ({ right, top, width, height }));
                })()`) as { right: number; top: number; width: number; height: number }[];
                for (const { right, width, height } of boxes) {
                  assert(width > 0 && height > 0);
                  assert(right <= frame.right);
                }
                const tops = boxes.map(({ top }) => top);
                assertEquals(tops, [...tops].sort((a, b) => a - b));
              }
              checks++;
            }
          }
        }
        await page.close();
      } finally {
        await member.leave();
      }
      console.log(`axe: ${checks} checks, ${Object.keys(pages).length} pages in 4 combinations`);
      assertEquals(checks, 4 * Object.keys(pages).length);
    }),
});

Deno.test({
  name: "browser: every export link of every page opens, and holds what the page shows",
  ignore,
  ...loose,
  fn: () =>
    scene(async ({ page, url, ids, browser }) => {
      const other = await openPage(browser);
      const counts: Record<string, number> = {};
      const c = (await (await fetch(`${url}api/grid?dataset=av-digits`)).json()).configurations.slice(0, 3)
        .map(({ id }: { id: string }) => id).join(",");
      const first = `configurations/${c.split(",")[0]}`;
      const kept = [`samples?run=${ids.arm0}`, `runs/${ids.arm0}/samples/validation/1`];
      for (
        const path of ["", "?sort=name", `runs/${ids.arm0}`, `runs/${ids.hostile}`, first, ...kept, `compare?c=${c}`]
      ) {
        await page.goto(`${url}${path}`);
        await ready(page);
        const links = await page.locator("a[download][aria-label^=Export]").evaluateAll((all) =>
          all.map((link) => (link as unknown as { href: string }).href)
        );
        assert(links.length >= 5 && links.length % 5 === 0, `${path} has ${links.length}`);
        // Sorted, the results are the same exports in another order: the table's own rows are compared below.
        for (const link of path === "?sort=name" ? [] : links) {
          const format = new URL(link).pathname.split(".").at(-1)!;
          counts[format] = (counts[format] ?? 0) + 1;
          const answer = await page.request.get(link);
          assertEquals(answer.status(), 200, link);
          if (format === "csv") {
            const rows = parse(await answer.text());
            assert(rows.length > 1 && rows.every((row) => row.length === rows[0].length), link);
          } else if (format === "md") {
            const rows = (await answer.text()).split("\n").filter((line) => line.startsWith("| "));
            const widths = rows.map((row) => row.replaceAll(/\\./g, "").split("|").length);
            assert(rows.length > 2 && new Set(widths).size === 1, link);
          } else if (format === "tex") {
            const text = (await answer.text()).replaceAll(/\\[{}]/g, "");
            assertEquals(text.split("{").length, text.split("}").length, link);
            for (const command of ["toprule", "midrule", "bottomrule", "end{tabular}", "end{table}"]) {
              assertEquals(text.split(`\\${command}`).length, 2, link);
            }
            const columns = /begin\{tabular\}\{([lr]+)\}/.exec(text)![1].length;
            for (const row of text.split("\n").filter((line) => line.endsWith(" \\\\"))) {
              assertEquals(row.replaceAll("\\&", "").split("&").length, columns, link);
            }
          } else {
            const { width, height, ink } = await inkOf(other, await answer.body(), format);
            assert(width > 100 && height > 50 && ink > 200, `${link}: ${width} x ${height}, ${ink} dark pixels`);
            if (format === "svg") assertMatch(await answer.text(), /<title>[^<]+<\/title>/);
          }
        }
        if (path === "?sort=name") {
          const csv = parse(await (await page.request.get(links.find((link) => link.includes("grid.csv"))!)).text());
          const names = await page.locator("table.grid tr.row th.name a:not(.fold)").allInnerTexts();
          assertEquals(csv.slice(1).map((row) => row[0].replace(/^'/, "").trim()), names.map((name) => name.trim()));
          const mean = csv[0].indexOf("accuracy mean");
          const shown = await page.locator("table.grid tr.row").evaluateAll((rows) =>
            rows.map((row) =>
              (row as unknown as { querySelector(of: string): { innerText: string } }).querySelector(".accuracy")
                .innerText
            )
          );
          assertEquals(
            csv.slice(1).map((row) => row[mean] === "" ? "–" : (100 * Number(row[mean])).toFixed(1)),
            shown.map((text) => text.split(" ")[0]),
          );
        }
      }
      console.log(`exports opened: ${JSON.stringify(counts)}`);
      assert(Object.keys(counts).length === 5 && Object.values(counts).every((count) => count > 20));
    }),
});

/** Decodes a picture in the browser: its size, and how many pixels of its beginning are dark. */
async function inkOf(
  page: Page,
  bytes: Uint8Array,
  format: string,
): Promise<{ width: number; height: number; ink: number }> {
  const type = format === "svg" ? "image/svg+xml" : "image/png";
  const source = `data:${type};base64,${Uint8Array.from(bytes).toBase64()}`;
  return await page.evaluate(`(async () => {
    const image = new Image();
    image.src = ${JSON.stringify(source)};
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const canvas = document.createElement("canvas");
    // Where a picture begins, in its own size: letters of a wide one that is made small are grey.
    canvas.width = Math.min(1000, width);
    canvas.height = Math.min(1000, height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let ink = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0 && data[i] + data[i + 1] + data[i + 2] < 500) ink++;
    return { width, height, ink };
  })()`);
}

Deno.test({
  name: "browser: the keyboard reaches and works everything in the table, and a table works without scripts",
  ignore,
  ...loose,
  fn: async () => {
    await scene(async ({ page, url }) => {
      await page.goto(url);
      await ready(page);
      await page.keyboard.press("Tab");
      assertEquals(await page.evaluate("document.activeElement.className"), "skip");
      await page.keyboard.press("Enter");
      await page.locator("a.fold").first().focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/open=/);
      await page.locator("tr.seed").first().waitFor();
      assertEquals(await page.evaluate("document.activeElement.getAttribute('aria-expanded')"), "true");
    });
    await scene(async ({ page, url, ids }) => {
      await page.goto(url);
      await page.locator("select[name=fusion]").selectOption("sum");
      await page.getByRole("button", { name: "Apply" }).click();
      // A click does not wait for the page that it leads to.
      await page.waitForURL(/fusion=sum/);
      assertEquals(await page.locator("tr.row").count(), 1);
      await page.locator("a.fold").click();
      await page.waitForURL(/open=/);
      assertEquals(await page.locator("tr.seed").count(), 3);
      await page.goto(`${url}runs/${ids.arm0}`);
      const picture = page.locator("#chart-loss img");
      await picture.scrollIntoViewIfNeeded();
      await picture.evaluate((image) => (image as unknown as { decode(): Promise<void> }).decode());
    }, { scripts: false });
  },
});
