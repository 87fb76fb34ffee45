import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { parseCards } from "../../cli/cards.ts";
import { parseTime } from "../../cli/stopping.ts";
import { Refusal } from "../../core/refusal.ts";
import { onnxCpu, onnxCuda, onnxWebgpu } from "../../engines/mod.ts";
import { launch, type LaunchNews } from "../../experiments/launch.ts";
import type { GridPlan } from "../../experiments/plan.ts";
import { readPlan, writePlan } from "../../experiments/plan_file.ts";
import { collapseSeeds } from "../../experiments/results.ts";
import { parseShard, shardOf } from "../../experiments/shard.ts";
import { checkOption, parseQueue, ranges, sbatchArguments, type Slurm } from "../../experiments/slurm.ts";
import { tableNotes } from "../../experiments/table.ts";
import { requestOf } from "../../experiments/teachers.ts";
import { statusLines } from "../../cli/status.ts";
import { keepLaunched, launchFolder } from "../../experiments/launched.ts";
import { gridStatus } from "../../experiments/status.ts";
import { writeExperiment } from "../../store/experiments.ts";
import { liveContext } from "../../store/inspect.ts";
import { openRun, runId, StoreError } from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { configOf, writeRun } from "../helpers/runs.ts";

const seeds = [0, 1, 2, 3, 4];

/** A plan of one configuration with five seeds; the fourth learns from a run that is none of them. */
function planOf(): GridPlan {
  const cells = seeds.map((seed) => {
    const config = configOf({ seed });
    return { index: seed, request: { ...requestOf(config), label: "row" }, seed, config, id: runId(config) };
  });
  const config = configOf({ seed: 3, modalities: ["audio"] });
  const teacher = { index: 5, request: requestOf(config), seed: 3, config, id: runId(config), pupil: cells[3] };
  return {
    cells,
    teachers: [teacher],
    taught: new Set([teacher.id]),
    lessons: new Map([[cells[3].id, [teacher.id]]]),
    failed: [],
    unfit: [],
    notes: [],
    bytes: null,
    engine: "an engine",
  };
}

const head = {
  name: "grid",
  question: null,
  command: "deno task bench",
  reference: "row",
  budget: "equal",
  seeds,
  plugins: [],
};

Deno.test("shards are disjoint, are the whole together, and bring what their cells learn from", () => {
  const plan = planOf();
  const shards = [1, 2, 3].map((index) => shardOf(plan, seeds, { index, of: 3 }));
  assertEquals(shards.map(({ cells }) => cells.map(({ seed }) => seed)), [[0, 3], [1, 4], [2]]);
  assertEquals(shards.map(({ teachers }) => teachers.length), [1, 0, 0]);
  assertEquals(shards.map(({ taught }) => taught.size), [1, 0, 0]);
  assertEquals(parseShard("2/3"), { index: 2, of: 3 });
  for (const text of ["0/3", "4/3", "1/0", "1", "-1/2"]) assertThrows(() => parseShard(text), Refusal, "write 1/4");
});

Deno.test("a plan is written once and read as it was; a damaged line is refused with its remedy", () =>
  inFolder(async (runs) => {
    const plan = planOf();
    const path = await writePlan(runs, plan, head);
    assertEquals(await writePlan(runs, plan, head), path);
    const read = await readPlan(path);
    assertEquals(read.head, head);
    const essence = ({ cells, teachers, lessons, taught }: GridPlan) => ({
      cells: cells.map(({ id, seed, index, request: { label } }) => ({ id, seed, index, label })),
      teachers: teachers.map(({ id, pupil }) => ({ id, pupil: [pupil?.request.label, pupil?.seed] })),
      lessons: [...lessons],
      taught: [...taught],
    });
    assertEquals(essence(read.plan), essence(plan));
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.slice(0, -40));
    await assertRejects(() => readPlan(path), StoreError, "remove the file and plan again");
    await Deno.remove(path);
    await assertRejects(() => readPlan(path), StoreError, "bench with --launch or --shard writes one");
    assertEquals(await writePlan(runs, plan, head), path);
    await Deno.writeTextFile(path, text.replace('"version":"', '"version":"9.'));
    await assertRejects(() => readPlan(path), Refusal, "plan it again with this version");
    const failed = { ...plan, failed: [{ cell: plan.cells[0], message: "it threw" }] };
    await assertRejects(() => writePlan(runs, failed, head), Refusal, "it threw");
  }));

Deno.test("sbatch gets ranges, a signal before the limit and what the user passes on; its own options are refused", () => {
  assertEquals(ranges([0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
  const own = { name: "n", tasks: [0, 2], cpus: 2, output: "o", script: "", options: ["partition=gpu"] };
  const given = sbatchArguments({ ...own, width: 7 });
  for (const option of ["--array=0,2%7", "--cpus-per-task=2", "--signal=B:USR2@60", "--partition=gpu", "--requeue"]) {
    assert(given.includes(option), option);
  }
  const signals = sbatchArguments({ ...own, options: ["signal=B:USR1@9"] }).filter((text) => text.includes("signal"));
  assertEquals(signals, ["--signal=B:USR1@9"]);
  assertEquals(checkOption("--gpus=1"), "gpus=1");
  assertThrows(() => checkOption("array=1-3"), Refusal, "--array-width says how many run at once");
  assertThrows(() => checkOption("p gpu"), Refusal, "write partition=gpu");
  assertEquals(parseQueue("12|3|PENDING|Resources\n12|4|RUNNING|None\n"), [
    { job: "12", task: 3, state: "PENDING", reason: "Resources" },
    { job: "12", task: 4, state: "RUNNING", reason: "None" },
  ]);
});

Deno.test("gridStatus() asks Slurm for what was launched there while cells are open, and says what it answered", () =>
  inFolder(async (runs) => {
    const plan = planOf();
    const path = await writePlan(runs, plan, head);
    const rows = [{
      label: "row",
      configuration: plan.cells[0].id,
      runs: plan.cells.map(({ seed, id }) => ({ seed, id })),
    }];
    for (const name of ["grid", "other"]) {
      await writeExperiment(runs, { ...head, format: 1, name, rows, writtenAt: "2026-01-01T00:00:00.000Z" });
    }
    const asked: string[][] = [];
    const ask = (tasks: [number, string][], problem: string | null = null) => (names: readonly string[]) => {
      asked.push([...names]);
      const known = tasks.map(([task, state]) => ({ job: "7", task, state, reason: "Priority" }));
      return Promise.resolve({ tasks: known, problem });
    };
    const status = async (own: ReturnType<typeof ask>) => await gridStatus(runs, await liveContext(runs), "grid", own);
    assertEquals((await status(ask([])))[0].slurm, undefined);
    await keepLaunched(path, "armlab-b-5");
    await keepLaunched(path, "armlab-a-3");
    await keepLaunched(path, "armlab-a-3");
    // What a task printed and somebody else's file are no launches.
    await Deno.writeTextFile(join(launchFolder(path), "0.log"), "{}");
    await Deno.writeTextFile(join(launchFolder(path), "notes.json"), '{"format":1');
    const names = ["armlab-a-3", "armlab-b-5"];
    const [grid] = await status(ask([[0, "RUNNING"], [1, "PENDING"], [2, "PENDING"], [3, "COMPLETING"]]));
    assertEquals(grid.slurm, { names, waiting: 2, reason: "Priority", running: 2, problem: null });
    assertEquals(asked, [names]);
    const lines = async (own: ReturnType<typeof ask>) => statusLines(await status(own), false, runs).slice(1);
    assertEquals(await lines(ask([[0, "RUNNING"], [1, "PENDING"], [2, "PENDING"]])), [
      "  2 tasks wait in Slurm's queue (Priority), 1 task runs there",
    ]);
    assertEquals(await lines(ask([[1, "PENDING"]])), ["  1 task waits in Slurm's queue (Priority)"]);
    assertEquals(await lines(ask([])), [
      "  nobody works on it, and Slurm has no task of it; go on with: deno task bench",
    ]);
    assertEquals(await lines(ask([], "there is no squeue")), [
      "  launched on Slurm, which is not heard from here: there is no squeue; where it is: squeue --name=armlab-a-3,armlab-b-5",
      "  no process works on it; go on with: deno task bench",
    ]);
    asked.length = 0;
    assertEquals((await gridStatus(runs, await liveContext(runs), "other", ask([])))[0].slurm, undefined);
    for (const seed of seeds) writeRun(runs, { seed });
    assertEquals((await status(ask([])))[0].slurm, undefined);
    assertEquals(asked, []);
  }));

/** A Slurm whose tasks end at once; what they do is said by submission. */
function fake(
  runs: string,
  plan: GridPlan,
  does: (submission: number, task: number) => "finish" | "fail" | "lose",
  refuses: (attempt: number) => boolean = () => false,
  queued: (look: number) => number[] = () => [],
) {
  const submitted: number[][] = [];
  const news: LaunchNews[] = [];
  let [attempts, looks] = [0, 0];
  const slurm: Slurm = {
    arrayLimit: () => Promise.resolve(3),
    queue: () =>
      Promise.resolve(queued(++looks).map((task) => ({ job: "1", task, state: "PENDING", reason: "Resources" }))),
    submit: async ({ tasks }) => {
      if (refuses(++attempts)) throw new Refusal({ what: "have sbatch do its work", found: "it ended with 1: busy" });
      submitted.push([...tasks]);
      for (const task of tasks) {
        for (const { seed, id, config } of plan.cells.filter((_, place) => place % 3 === task)) {
          const what = does(submitted.length, task);
          if (what === "finish") writeRun(runs, { seed });
          if (what !== "fail") continue;
          await openRun(runs, id).create(config);
          await openRun(runs, id).fail({
            message: "it diverged",
            epoch: 0,
            step: 1,
            term: null,
            checkpointEpoch: null,
            command: "again",
            at: `2026-01-01T00:00:0${submitted.length}.000Z`,
          });
        }
      }
      return String(submitted.length);
    },
  };
  const options = { runs, seeds, planFile: join(runs, ".plans", "grid-1.jsonl"), command: ["x"], cpus: 1, lookMs: 1 };
  const run = () => launch(plan, slurm, { ...options, options: [], onNews: (own) => news.push(own) });
  return { submitted, news, run };
}

Deno.test("a launch submits again what was lost and nothing else, in no more tasks than the cluster takes", () =>
  inFolder(async (runs) => {
    const { submitted, run } = fake(
      runs,
      planOf(),
      (submission, task) => task === 1 && submission < 3 ? "lose" : "finish",
    );
    const outcomes = await run();
    assertEquals(outcomes.map(({ status }) => status), seeds.map(() => "finished"));
    assertEquals(submitted, [[0, 1, 2], [1], [1]]);
    // Once more has nothing to do.
    await run();
    assertEquals(submitted.length, 3);
  }));

Deno.test("a launch submits nothing that Slurm still has, from an earlier launch too", () =>
  inFolder(async (runs) => {
    const { submitted, news, run } = fake(runs, planOf(), () => "finish", undefined, (look) => look < 3 ? [0, 2] : []);
    const outcomes = await run();
    assertEquals(outcomes.map(({ status }) => status), seeds.map(() => "finished"));
    assertEquals(submitted, [[1], [0, 2]]);
    assert(news.some((own) => own.type === "counts" && own.waiting === 2 && own.reason === "Resources"));
  }));

Deno.test("a launch gives up what gets nowhere and what fails twice, and says why", () =>
  inFolder(async (runs) => {
    const { submitted, run } = fake(runs, planOf(), (_, task) => task === 0 ? "fail" : task === 1 ? "lose" : "finish");
    const outcomes = await run();
    const said = outcomes.map((outcome) => outcome.status === "failed" ? outcome.message : outcome.status);
    assertEquals([said[0], said[3], said[2]], ["it diverged", "it diverged", "finished"]);
    assertStringIncludes(said[1], "its task ended 6 times without getting on; see ");
    assertEquals(submitted.filter((tasks) => tasks.includes(0)).length, 2);
    assertEquals(submitted.filter((tasks) => tasks.includes(1)).length, 6);
  }));

Deno.test("a launch goes on where Slurm does not take a further array for a moment, and ends where it takes none", () =>
  inFolder(async (runs) => {
    const lost = (submission: number) => submission === 1 ? "lose" : "finish";
    const { submitted, news, run } = fake(runs, planOf(), lost, (attempt) => attempt === 2 || attempt === 3);
    const outcomes = await run();
    assertEquals(outcomes.map(({ status }) => status), seeds.map(() => "finished"));
    assertEquals(submitted, [[0, 1, 2], [0, 1, 2]]);
    assertEquals(news.filter(({ type }) => type === "refused").length, 2);
    await inFolder(async (other) => {
      const wrong = fake(other, planOf(), lost, () => true);
      await assertRejects(wrong.run, Refusal, "busy");
      // The first is refused at once: its options may be wrong.
      assertEquals(wrong.news.filter(({ type }) => type === "refused").length, 0);
      const never = fake(other, planOf(), () => "lose", (attempt) => attempt > 1);
      await assertRejects(never.run, Refusal, "busy");
      assertEquals(never.news.filter(({ type }) => type === "refused").length, 5);
    });
  }));

Deno.test("cards are numbers for engines that are told which to take", () => {
  assertEquals(parseCards([], onnxCpu), null);
  assertEquals(parseCards([], onnxWebgpu), [0]);
  assertEquals(parseCards(["0", "3"], onnxCuda), [0, 3]);
  assertThrows(() => parseCards(["0"], onnxCpu), Refusal, '"onnx:cpu" does not; take --engine onnx:cuda');
  assertThrows(() => parseCards(["0", "1"], onnxWebgpu), Refusal, "takes the one that it prefers");
  assertThrows(() => parseCards(["first"], onnxCuda), Refusal, "write 0,1 for the first two");
});

Deno.test("a time has a unit and an end", () => {
  assertEquals([parseTime("--max-time", "90s"), parseTime("--max-time", "2h")], [90, 7200]);
  for (const text of ["90", "soon", "700h"]) {
    assertThrows(() => parseTime("--max-time", text), Refusal, "write 90s, 30min or 2h");
  }
});

Deno.test("a table of runs from two kinds of machine says so, of one kind nothing", () =>
  inFolder(async (runs) => {
    const run = async (label: string, fusion: string, processor: string) => {
      const id = writeRun(runs, { fusion });
      const folder = openRun(runs, id);
      const [config, summary] = [(await folder.config())!, (await folder.summary())!];
      return { label, id, seed: 0, config, summary, timing: { seconds: 1, stepMs: 1, processor } };
    };
    const [a, b, c] = [await run("a", "concat", "P"), await run("b", "sum", "P"), await run("c", "gated", "Q")];
    const notes = tableNotes(collapseSeeds([a, b, c]), "equal");
    assertStringIncludes(notes, "Trained on machines of 2 kinds");
    assertStringIncludes(notes, "P, onnx:cpu (1.30.0), 1 thread: a, b | Q, onnx:cpu (1.30.0), 1 thread: c.");
    assert(!tableNotes(collapseSeeds([a, b]), "equal").includes("kinds"));
  }));
