/** Experiments that were kept: what pages, API and exports show of them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import type { Experiment } from "../../core/record.ts";
import { writeExperiment } from "../../store/experiments.ts";
import { claimRun } from "../../store/claims.ts";
import { joinRuns, Watch } from "../../store/members.ts";
import { configurationId, runId } from "../../store/run_id.ts";
import { createApp, openRunStore, type ViewerApp } from "../../viewer/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { appendEpoch, configOf, epochOf, type RunSpec, writeRun } from "../helpers/runs.ts";

const arm = [{ name: "arm", options: { lambda1: 0.1 } }];
const specs: Record<string, RunSpec> = {
  plain: {},
  "with ARM": { methods: arm, accuracy: 0.95 },
  other: { fusion: "sum", accuracy: 0.8 },
  "to come": { fusion: "film" },
};
const seeds = [0, 1, 2];

function experiment(name: string, labels: readonly string[], changes: Partial<Experiment> = {}): Experiment {
  return {
    format: 1,
    name,
    question: `What of ${name}?`,
    command: `deno task bench ${name}`,
    rows: labels.map((label) => ({
      label,
      configuration: configurationId(configOf(specs[label])),
      runs: seeds.map((seed) => ({ seed, id: runId(configOf({ ...specs[label], seed })) })),
    })),
    reference: labels[0],
    seeds,
    budget: "equal samples drawn",
    plugins: [],
    writtenAt: "2026-01-02T03:04:05.000Z",
    ...changes,
  };
}

/** Two experiments, the second newer; more seeds of one row than were planned, and a row that has not begun. */
async function withApp(run: (app: ViewerApp, runs: string) => Promise<void>): Promise<void> {
  await inFolder(async (runs) => {
    for (const label of ["plain", "with ARM", "other"]) {
      for (const seed of seeds) writeRun(runs, { ...specs[label], seed });
    }
    for (const seed of [3, 4]) writeRun(runs, { seed, accuracy: 0.2 });
    writeRun(runs, { fusion: "gated", accuracy: 0.99 });
    await writeExperiment(
      runs,
      experiment("old", ["other", "plain"], { reference: "plain", writtenAt: "2025-01-02T03:04:05.000Z" }),
    );
    await writeExperiment(runs, experiment("new", ["plain", "to come", "with ARM", "other"]));
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    try {
      await run(app, runs);
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

// deno-lint-ignore no-explicit-any
const json = async (app: ViewerApp, path: string): Promise<any> => JSON.parse(await get(app, path));

interface Row {
  readonly label: string;
  readonly seeds: { finished: number; planned: number };
  readonly versus: { reference: string; verdict: string } | null;
}

Deno.test("the experiment written last is shown: rows as the grid names and orders them, those to come included", () =>
  withApp(async (app) => {
    const grid = await json(app, "/api/grid");
    assertEquals([grid.experiment, grid.question], ["new", "What of new?"]);
    assertEquals(
      grid.configurations.map(({ label, seeds }: Row) => [label, seeds.finished, seeds.planned]),
      [["plain", 3, 0], ["to come", 0, 3], ["with ARM", 3, 0], ["other", 3, 0]],
    );
    const page = await get(app, "/");
    assertStringIncludes(page, "<h1>Results of new</h1>");
    assertStringIncludes(page, "What of new?");
    assertStringIncludes(page, "9 of 12 runs finished");
    assertStringIncludes(page, "0 of 3 seeds, 3 planned");
    assertStringIncludes(page, '<tr class="row planned">');
    assertStringIncludes(page, "1 more configuration is in this folder: choose all runs to see them.");
    // What was chosen to sort by overrules the plan.
    const sorted = await json(app, "/api/grid?sort=-accuracy");
    assertEquals(sorted.configurations.map(({ label }: Row) => label), ["with ARM", "plain", "other", "to come"]);
  }));

Deno.test("an experiment counts the seeds that it planned and no others, against its own reference", () =>
  withApp(async (app) => {
    const { configurations, reference, answer } = await json(app, "/api/grid");
    const [plain, , withArm] = configurations;
    assertEquals([plain.values.accuracy.n, plain.versus, reference], [3, null, plain.id]);
    assert(plain.values.accuracy.mean > 0.85);
    assertEquals([withArm.versus.reference, withArm.versus.verdict], ["plain", "better"]);
    assert(answer.startsWith("with ARM: +5."), answer);
    const old = await json(app, "/api/grid?experiment=old");
    assertEquals(old.configurations.map(({ label, versus }: Row) => [label, versus?.reference ?? null]), [
      ["other", "plain"],
      ["plain", null],
    ]);
    const named = await json(app, "/api/grid?reference=with+ARM");
    assertEquals(named.configurations[0].versus.verdict, "worse");
    // Filtered out, the reference still is one.
    const filtered = await json(app, "/api/grid?method=arm");
    assertEquals(filtered.configurations.map(({ label, versus }: Row) => [label, versus!.reference]), [
      ["with ARM", "plain"],
    ]);
  }));

Deno.test("samples are shown of every finished run, also of seeds that the newest experiment did not plan", () =>
  withApp(async (app) => {
    const page = await get(app, `/samples?run=${runId(configOf({ ...specs.plain, seed: 4 }))}`);
    assertStringIncludes(page, ">plain, seed 0</option>");
    assertEquals(page.match(/>[^<]*, seed 4<\/option>/g)?.length, 1);
  }));

Deno.test("all runs are named by their settings; what is in no experiment is there too", () =>
  withApp(async (app, runs) => {
    const all = await json(app, "/api/grid?experiment=all");
    assertEquals([all.experiment, all.question], [null, null]);
    assertEquals(all.configurations.map(({ label }: Row) => label), ["gated", "concat arm", "sum", "concat"]);
    assertEquals(all.configurations.at(-1).values.accuracy.n, 5);
    // Compared with plain training of the most seeds, though another is before it by name.
    writeRun(runs, { seed: 0, training: { learningRate: 0.005 } });
    const rates = await json(app, "/api/grid?experiment=all");
    const references = rates.configurations.flatMap(({ versus }: Row) => versus?.reference ?? []);
    assertEquals([...new Set(references)], ["concat · lr 0.02"]);
    // Even where somebody named an experiment so.
    await writeExperiment(runs, experiment("all", ["plain"], { writtenAt: "2025-01-02T03:04:05.000Z" }));
    assertEquals((await json(app, "/api/grid?experiment=all")).experiment, null);
  }));

Deno.test("exports and comparisons name rows as the experiment does; an unknown experiment is refused with those there are", () =>
  withApp(async (app) => {
    const rows = parse(await get(app, "/grid.csv?experiment=new"));
    assertEquals(rows.slice(1).map((row) => row[0]), ["plain", "to come", "with ARM", "other"]);
    const of = (title: string) => rows[0].indexOf(title);
    assertEquals(rows.slice(1).map((row) => row[of("verdict")]), ["", "", "better", "worse"]);
    assertEquals(rows[3][of("seeds finished")], "3");
    assert(Math.abs(Number(rows[3][of("difference")]) - 0.05) < 0.01);
    const { configurations } = await json(app, "/api/grid");
    const c = configurations.map(({ id }: { id: string }) => id);
    const comparison = await json(app, `/api/compare?c=${c[0]},${c[2]}&experiment=new`);
    assertEquals(comparison.items.map(({ label }: Row) => label), ["plain", "with ARM"]);
    assertEquals(comparison.items[0].runs.length, 3);
    assertEquals(comparison.differences[0].verdict, "better");
    assert(comparison.differences[0].difference > 0.04);
    const response = await app.request("http://127.0.0.1/api/grid?experiment=nwe");
    const { error } = await response.json();
    assertEquals([response.status, error.found, error.hint], [400, "there are new, old, all", 'did you mean "new"?']);
  }));

Deno.test("an experiment that comes, changes or is damaged is followed like the runs", () =>
  withApp(async (app, runs) => {
    const { version } = await json(app, "/api/grid");
    const newest = experiment("newest", ["plain", "other"], { writtenAt: "2026-02-02T03:04:05.000Z" });
    await writeExperiment(runs, newest);
    const next = await json(app, "/api/grid");
    assertEquals([next.experiment, next.version > version], ["newest", true]);
    Deno.writeTextFileSync(`${runs}/experiments/newest.json`, "{");
    const after = await json(app, "/api/grid");
    assertEquals(after.experiment, "new");
    assertStringIncludes(after.problem, "newest.json");
    Deno.removeSync(`${runs}/experiments`, { recursive: true });
    assertEquals([(await json(app, "/api/grid")).experiment, (await json(app, "/api/grid")).problem], [null, null]);
  }));

Deno.test("a row that goes on says its epoch, validation accuracy and the time that is left; planned rows are grey", () =>
  inFolder(async (runs) => {
    for (const seed of seeds) writeRun(runs, { seed });
    const going: RunSpec = { ...specs.other, state: "interrupted", done: 1, epochs: 4 };
    const id = writeRun(runs, going);
    const rows = experiment("live", ["plain", "to come"]);
    await writeExperiment(runs, {
      ...rows,
      rows: [...rows.rows, {
        label: "going on",
        configuration: configurationId(configOf(going)),
        runs: [{ seed: 0, id }],
      }],
    });
    const member = await joinRuns(runs);
    await claimRun(member, id, new Watch(runs));
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    try {
      appendEpoch(runs, going, 1);
      const page = await (await app.request("http://127.0.0.1/")).text();
      // 5,000 of 10,000 samples are drawn, 1,000 a second.
      const validation = (100 * epochOf(going, 1).validation.accuracy).toFixed(1);
      const standing = `epoch 2 of 4, validation ${validation} %, about 5.0 s left`;
      assertStringIncludes(page, `seed 0: ${standing}`);
      assertStringIncludes(page, '<tr class="row planned">');
      const own = await (await app.request(`http://127.0.0.1/configurations/${configurationId(configOf(going))}`))
        .text();
      assertStringIncludes(own, standing);
    } finally {
      app.close();
      store.close();
      await member.leave();
    }
  }));

Deno.test("a comparison says which measure that was asked for is none, and nothing of sets that these runs lack", () =>
  inFolder(async (runs) => {
    for (const seed of seeds) writeRun(runs, { seed });
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    const page = async (metric: string) => {
      const answer = await app.request(`http://127.0.0.1/compare?c=${configurationId(configOf({}))}&metric=${metric}`);
      return await answer.text();
    };
    assertStringIncludes(await page("loss.totla"), "No run here has a measure &quot;loss.totla&quot;.");
    assert(!(await page("loss.phiMI,loss.phiCMI,gap")).includes("No run here has"));
    app.close();
    store.close();
  }));
