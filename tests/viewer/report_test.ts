/** Reports of experiments that were kept. */
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import type { Experiment } from "../../core/record.ts";
import { Refusal } from "../../core/refusal.ts";
import { writeExperiment } from "../../store/experiments.ts";
import { configurationId, runId } from "../../store/run_id.ts";
import { experimentReport, reportFiles } from "../../viewer/experiment_report.ts";
import { exportableOf, exportItem, itemsIn } from "../../viewer/export_view.ts";
import { openRunStore } from "../../viewer/store.ts";
import { armlab, inFolder } from "../helpers/cli.ts";
import { compiled, hasLatex } from "../helpers/latex.ts";
import { configOf, type RunSpec, writeRun } from "../helpers/runs.ts";

const evil = "<img src=x> \\input{x} | =1+1";
const specs: readonly [string, RunSpec][] = [["plain", {}], [evil, { fusion: "sum", accuracy: 0.95 }]];

async function kept(runs: string, finished: boolean): Promise<Experiment> {
  const experiment: Experiment = {
    format: 1,
    name: "mine",
    question: `Does it help? ${evil}`,
    command: "deno task bench mine --seeds 3",
    rows: specs.map(([label, spec]) => ({
      label,
      configuration: configurationId(configOf(spec)),
      runs: [0, 1, 2].map((seed) => ({ seed, id: runId(configOf({ ...spec, seed })) })),
    })),
    reference: "plain",
    seeds: [0, 1, 2],
    budget: "equal samples drawn, 4 x the training set",
    plugins: [],
    writtenAt: "2026-01-02T03:04:05.000Z",
  };
  await writeExperiment(runs, experiment);
  for (const [_, spec] of specs) {
    for (const seed of [0, 1, 2]) writeRun(runs, { ...spec, seed, ...(finished ? {} : { state: "interrupted" }) });
  }
  return experiment;
}

Deno.test("a report says question, answer, tables and how it came about, in four formats", () =>
  inFolder(async (runs) => {
    await kept(runs, true);
    const store = openRunStore(runs);
    try {
      const { md, csv, further, tex, html } = await reportFiles(await experimentReport(store, "mine"));
      for (const text of [md, tex, html]) {
        assertStringIncludes(text, "mine");
        assertStringIncludes(text, "Does it help?");
        assertStringIncludes(text, "points over plain");
        assertStringIncludes(text, "6 of 6 runs finished");
        assertStringIncludes(text, "equal samples drawn, 4 x the training set");
      }
      assertStringIncludes(md, "deno task bench mine --seeds 3");
      assertStringIncludes(html, "deno task bench mine --seeds 3");
      // A file of CSV is one table: every row is as wide as its head.
      const rows = parse(csv);
      for (const text of [csv, ...Object.values(further)]) {
        assertEquals(new Set(parse(text).map((row) => row.length)).size, 1);
      }
      assertEquals(rows.slice(1, 3).map((row) => row[0]), ["plain", evil]);
      assertEquals(rows[2][rows[0].indexOf("verdict")], "better");
      // What somebody wrote stays text, and the page loads nothing.
      assertEquals([html.includes("<img src=x>"), tex.includes("\\input{x}"), /(?<!\\)<img/.test(md)], [
        false,
        false,
        false,
      ]);
      assert(!/<script|<link|src="(?!data:)|url\(|\son\w+=/.test(html));
      assertStringIncludes(tex, "\\begin{document}");
      assertStringIncludes(tex, "\\end{document}");
    } finally {
      store.close();
    }
  }));

Deno.test("a report needs an experiment that is there and a run that has finished", () =>
  inFolder(async (runs) => {
    await kept(runs, false);
    const store = openRunStore(runs);
    try {
      const unknown = await assertRejects(() => experimentReport(store, "mnie"), Refusal);
      assertEquals([unknown.found, unknown.hint], ["there are mine", 'did you mean "mine"?']);
      const early = await assertRejects(() => experimentReport(store, "mine"), Refusal);
      assertEquals([early.found, early.hint], ["none has", "deno task bench mine --seeds 3"]);
    } finally {
      store.close();
    }
  }));

Deno.test("armlab report writes its files and names them; without a name it says which experiments there are", () =>
  inFolder(async (folder) => {
    const [runs, out] = [join(folder, "runs"), join(folder, "out")];
    await kept(runs, true);
    const { code, out: printed, err } = await armlab("report", "mine", "--runs", runs, "--out", out);
    assertEquals([code, err], [0, ""]);
    const names = ["md", "csv", "tex", "html"].map((ending) => join(out, `mine.${ending}`));
    assertEquals(printed.trim().split("\n"), names);
    for (const name of names) assert(Deno.statSync(name).size > 200, name);
    const none = await armlab("report", "--runs", runs);
    assertEquals(none.code, 2);
    assertStringIncludes(none.err, "Cannot report as it takes the name of one experiment: there are mine");
  }));

Deno.test({
  name: "a report as LaTeX compiles by itself",
  ignore: !await hasLatex(),
  fn: () =>
    inFolder(async (runs) => {
      await kept(runs, true);
      const store = openRunStore(runs);
      try {
        const { code, log } = await compiled((await reportFiles(await experimentReport(store, "mine"))).tex);
        assertEquals(code, 0, log.slice(-2000));
      } finally {
        store.close();
      }
    }),
});

Deno.test("an experiment over several data sets: tables, profile and rank diagram in report and exports", () =>
  inFolder(async (folder) => {
    const rows = ["concat", "arm"].flatMap((subject, i) =>
      ["easy", "hard"].map((data, j) => {
        const runs = [0, 1, 2].map((seed) => {
          const accuracy = 0.9 - 0.3 * j + 0.02 * i + 0.001 * seed;
          const spec = { seed, dataset: data, fusionOptions: { width: i }, accuracy };
          return { seed, id: writeRun(folder, spec), configuration: configurationId(configOf(spec)) };
        });
        return {
          label: `${subject}, ${data}`,
          configuration: runs[0].configuration,
          across: { subject, data },
          runs: runs.map(({ seed, id }) => ({ seed, id })),
        };
      })
    );
    await writeExperiment(folder, {
      format: 1,
      name: "two",
      question: null,
      command: "deno task bench",
      rows,
      reference: "concat, easy",
      seeds: [0, 1, 2],
      budget: "equal",
      plugins: [],
      writtenAt: new Date(0).toISOString(),
    });
    const store = openRunStore(folder);
    try {
      const { md, html } = await reportFiles(await experimentReport(store, "two"));
      assertStringIncludes(md, "**Over 2 data sets**");
      assertStringIncludes(md, "Nemenyi's critical difference at 5 % is 1.39");
      assertEquals(md.includes("by samples"), false); // of other data
      assertStringIncludes(html, "Performance profiles");
      assertStringIncludes(html, "Mean ranks");
      const exportable = await exportableOf(store, "/?experiment=two");
      assertEquals(itemsIn(exportable), ["grid", "across", "accuracy", "profile", "ranks"]);
      const csv = await exportItem(exportable, "across", "csv") as string;
      assertEquals(csv.split(/\r?\n/)[0].split(","), [
        ...["row", "iqm", "iqm low", "iqm high", "improvement", "improvement low", "improvement high", "rank"],
        ...["easy", "hard"],
      ]);
      assertStringIncludes(await exportItem(exportable, "ranks", "svg") as string, "critical difference 1.39");
      await assertRejects(() => exportItem(exportable, "ranks", "csv"), Refusal, "it must be svg or png");
    } finally {
      store.close();
    }
  }));
