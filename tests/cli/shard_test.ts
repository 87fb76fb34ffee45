import { existsSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { statusLines } from "../../cli/status.ts";
import { type CellStatus, type GridStatus, gridStatus } from "../../experiments/status.ts";
import { liveContext } from "../../store/mod.ts";
import { armlab, ended, inFolder, runsIn, start } from "../helpers/cli.ts";
import { until } from "../helpers/until.ts";

const small = [
  ...["--dataset", "synthetic", "--set", "dataset.samples=300", "--encoder", "mlp"],
  ...["--compare", "none,uni-ce", "--seeds", "3", "--epochs", "2", "--workers", "1"],
];

const status = async (...args: string[]): Promise<GridStatus> => JSON.parse((await armlab("status", ...args)).out);

Deno.test("two shards at once train each cell once, and status counts them; the whole reuses all", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const shard = (part: string) => ended(start("bench", ...small, "--runs", runs, "--shard", part, "--name", "g"));
    const [one, two] = await Promise.all([shard("1/2"), shard("2/2")]);
    assertEquals([one.code, two.code], [0, 0], one.err + two.err);
    assertStringIncludes(one.out, "Shard 1 of 2, 3 of 6 cells: 3 finished.");
    assertStringIncludes(two.out, "Shard 2 of 2, 3 of 6 cells: 3 finished.");
    assertEquals(runsIn(runs).length, 6);
    for (const id of runsIn(runs)) {
      const log = await Deno.readTextFile(join(runs, id, "log.txt"));
      assertEquals(log.match(/started on/g)?.length, 1, log);
    }
    const grid = await status(runs, "--json");
    assertEquals([grid.name, grid.planned, grid.counts.finished], ["g", 6, 6]);
    assert(!grid.command.includes("--shard"), grid.command);
    // The plan was written once.
    const kept = await Deno.readTextFile(join(runs, "experiments", "g.json"));
    const whole = await armlab("bench", ...small, "--runs", runs, "--name", "g");
    assertEquals(whole.code, 0, whole.err);
    assertEquals(whole.err.match(/kept from an earlier run/g)?.length, 6);
    assertEquals(await Deno.readTextFile(join(runs, "experiments", "g.json")), kept);
    // What is left behind: no claim, no member.
    for (const name of [".claims", ".members"]) assertEquals([...Deno.readDirSync(join(runs, name))], []);
  }));

Deno.test("status tells queued, running and failed cells apart, and says what is wrong with its words", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const long = small.map((arg) => arg === "2" ? "100000" : arg);
    const child = start("bench", ...long, "--runs", runs, "--name", "long");
    await until("an epoch, and a speed", async () => {
      if (!existsSync(join(runs, "experiments", "long.json"))) return false;
      const [grid] = await gridStatus(runs, await liveContext(runs), "long");
      return grid.cells.some(({ epoch, secondsLeft }) => epoch >= 1 && secondsLeft! > 0);
    }, child);
    const running = await status("--runs", runs, "long", "--json");
    assertEquals([running.counts.running, running.counts.queued], [1, 5]);
    const [cell] = running.cells.filter(({ state }) => state === "running");
    assert(cell.epoch >= 1 && cell.epochs === 100000 && cell.secondsLeft! > 0, JSON.stringify(cell));
    assertEquals(cell.by, { pid: child.pid, host: Deno.hostname() });
    const shown = await armlab("status", runs);
    assertEquals(shown.code, 0);
    assertStringIncludes(shown.out, "long: 6 planned: 5 queued, 1 running; about ");
    assertStringIncludes(shown.out, `of 100000, `);
    child.kill("SIGKILL");
    await child.output();
    const killed = await armlab("status", runs);
    assertStringIncludes(killed.out, "long: 6 planned: 5 queued, 1 stopped");
    assertStringIncludes(killed.out, "nobody works on it; go on with: deno task bench --dataset synthetic");
    // Its time is up after two seconds: it stops with a code that says that it may be started again.
    const timed = await armlab("bench", ...long, "--runs", runs, "--name", "long", "--max-time", "2s");
    assertEquals(timed.code, 75, timed.err);
    assertStringIncludes(timed.err, "The time is up. Stopping at the next step, with a checkpoint");
    assertStringIncludes((await armlab("status", runs)).out, "long: 6 planned: 5 queued, 1 stopped");
    const unknown = await armlab("status", "--runs", runs, "lnog");
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.err, 'Cannot find grid "lnog"');
    assertStringIncludes(unknown.err, 'did you mean "long"?');
    const nothing = await armlab("status", join(folder, "none"), "--runs", join(folder, "none"));
    assertStringIncludes(nothing.err, "there is no such folder; a bench makes it; name another with --runs");
  }));

Deno.test("a plan that was written is trained by itself; the grid's command is that which trains it", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const [one, options] = [small.map((arg) => arg === "3" ? "1" : arg), ["--runs", runs, "--name", "g"]];
    const planned = await armlab("bench", ...one, ...options, "--launch", "plan");
    assertEquals(planned.code, 0, planned.err);
    const waiting = await status(runs, "--json");
    assertEquals([waiting.planned, waiting.counts.queued], [2, 2]);
    assertEquals(waiting.command.split(" ").slice(-4), options);
    const trained = await armlab("bench", "--plan", planned.out.trim(), "--workers", "1");
    assertEquals(trained.code, 0, trained.err);
    assertStringIncludes(trained.out, "points over concat");
    assertEquals((await status(runs, "--json")).counts.finished, 2);
  }));

Deno.test("statusLines(): a run between its last epoch and its end is tested, and is in no further epoch", () => {
  const cell = (seed: number, epoch: number): CellStatus => ({
    label: "row",
    seed,
    id: `${seed}`,
    state: "running",
    epoch,
    epochs: 3,
    secondsLeft: null,
    by: null,
    cause: null,
    command: null,
  });
  const counts = { queued: 0, running: 2, stopped: 0, finished: 0, failed: 0, broken: 0 };
  const grid = { name: "g", command: "", planned: 2, counts, secondsLeft: null, cells: [cell(0, 2), cell(1, 3)] };
  assertEquals(statusLines([grid], false, "runs"), [
    "g: 2 planned: 2 running",
    "  running   row, seed 0, epoch 3 of 3",
    "  running   row, seed 1, tested after 3 epochs",
  ]);
});

Deno.test("a shard that is none is refused with what to write", async () => {
  for (const text of ["0/3", "4/3", "1", "a/b", "1/2/3"]) {
    const { code, err } = await armlab("bench", "--shard", text);
    assertEquals(code, 2);
    assertStringIncludes(err, "it must be i/n with 1 <= i <= n");
  }
});
