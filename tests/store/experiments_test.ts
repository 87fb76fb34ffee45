import { join } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import type { Experiment } from "../../core/record.ts";
import { experimentStamp, listExperiments, listRuns, writeExperiment } from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";

const experiment: Experiment = {
  format: 1,
  name: "quick-training.epochs=1",
  question: "Does it help?",
  command: "deno task bench quick",
  rows: [{ label: "concat", configuration: "0".repeat(16), runs: [{ seed: 0, id: "1".repeat(16) }] }],
  reference: "concat",
  seeds: [0],
  budget: "equal samples drawn, 12 x the training set",
  plugins: [],
  writtenAt: "2026-01-02T03:04:05.000Z",
};

Deno.test("an experiment is read as it was written, replaced as a whole, and no run", () =>
  inFolder(async (runs) => {
    assertEquals(listExperiments(runs), { experiments: [], problems: [] });
    assertEquals(experimentStamp(runs), "");
    await writeExperiment(runs, experiment);
    const before = experimentStamp(runs);
    assertEquals(listExperiments(runs), { experiments: [experiment], problems: [] });
    await writeExperiment(runs, { ...experiment, question: null });
    assertEquals(listExperiments(runs).experiments.map(({ question }) => question), [null]);
    assertEquals(before === experimentStamp(runs), false);
    assertEquals(await listRuns(runs), []);
  }));

Deno.test("an experiment's name must be that of a file", () =>
  inFolder(async (runs) => {
    for (const name of ["", "../out", "a/b", ".hidden", "-x", "x".repeat(101)]) {
      const refusal = await assertRejects(() => writeExperiment(runs, { ...experiment, name }), Refusal);
      assertEquals(refusal.what, "keep an experiment");
    }
    assertEquals([...Deno.readDirSync(runs)], []);
  }));

Deno.test("files of experiments that are damaged, renamed, links or devices are told, and hide no other", () =>
  inFolder(async (runs) => {
    await writeExperiment(runs, experiment);
    const folder = join(runs, "experiments");
    Deno.writeTextFileSync(join(folder, "damaged.json"), "{");
    Deno.writeTextFileSync(join(folder, "other.json"), JSON.stringify(experiment));
    Deno.writeTextFileSync(join(folder, "wrong.json"), JSON.stringify({ ...experiment, rows: [] }));
    Deno.symlinkSync("/etc/passwd", join(folder, "link.json"));
    Deno.mkdirSync(join(folder, "folder.json"));
    Deno.writeTextFileSync(join(folder, "notes.txt"), "mine");
    const { experiments, problems } = listExperiments(runs);
    assertEquals(experiments.map(({ name }) => name), [experiment.name]);
    assertEquals(problems.length, 5);
    for (
      const [i, text] of [
        "must be JSON",
        "found a folder",
        "found a symbolic link",
        "must have the name of the experiment",
        "an experiment: found a wrong rows",
      ].entries()
    ) assertStringIncludes(problems[i], text);
  }));
