/** Faults of plugins, workers and folders: the cell that they hit fails and says why, the others go on. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { importPlugins } from "../../core/plugins.ts";
import { CellRunner, type GridEvent, part, planGrid, runGrid } from "../../experiments/mod.ts";
import { silentEnd } from "../../experiments/crew.ts";
import type { CellEvent } from "../../experiments/mod.ts";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { createLibrary } from "../../library.ts";
import { type ClaimMark, claimRun, isClaim, joinRuns, openRun, Watch } from "../../store/mod.ts";
import { inFolder, runsIn } from "../helpers/cli.ts";

const source = `
import { defineDataset, defineEncoder, defineFusion, defineMethod } from "@armlab/armlab";
const about = "fails";
const method = (name, hooks) => defineMethod({ name, about, options: {}, create: () => ({ name, ...hooks }) });
export const quits = method("quits", { beforeEpoch: () => { Deno.exit(3); } });
export const closes = method("closes", { beforeEpoch: () => { self.close(); } });
export const throws = method("throws", { beforeEpoch: () => { throw new Error("a step too far"); } });
export const born = defineMethod({ name: "born-dead", about, options: {}, create: () => { throw new TypeError("no"); } });
export const choosy = defineMethod({ name: "choosy", about, options: {}, refuses: () => undefined.length, create: () => ({ name: "choosy" }) });
export const absent = defineDataset({ name: "absent", about, options: {}, load: () => Promise.reject(new Error("the disk is empty")) });
`;

const cell = (label: string, methods: readonly string[], over: Partial<CellRequest> = {}): CellRequest => ({
  label,
  dataset: part("synthetic", { samples: 60, width: 6 }),
  encoder: part("mlp"),
  fusion: part("concat"),
  methods: methods.map((name) => part(name)),
  training: { epochs: 1 },
  ...over,
});

/** Runs cells with the plugin above; what happened, and how each ended. */
async function grid(folder: string, cells: readonly CellRequest[], over: Record<string, unknown> = {}) {
  const file = join(folder, "faults.ts");
  await Deno.writeTextFile(file, source);
  const plugin = pathToFileURL(file).href;
  const library = createLibrary();
  await importPlugins(library, plugin);
  const events: GridEvent[] = [];
  const { outcomes } = await runGrid({
    cells,
    seeds: [0],
    runs: join(folder, "runs"),
    library,
    plugins: [plugin],
    workers: 1,
    onEvent: (event) => events.push(event),
    command: ({ label }) => `repeat ${label}`,
    ...over,
  });
  const ended = Object.fromEntries(
    outcomes.map((
      outcome,
    ) => [outcome.cell.request.label, outcome.status === "failed" ? outcome.message : outcome.status]),
  );
  return { events, outcomes, ended };
}

Deno.test("a worker that ends without a word, and hooks that throw, fail their cells; the others go on", () =>
  inFolder(async (folder) => {
    const { ended } = await grid(folder, [
      cell("first", []),
      cell("quits", ["quits"]),
      cell("closes", ["closes"]),
      cell("throws", ["throws"]),
      cell("born", ["born-dead"]),
      cell("choosy", ["choosy"]),
      cell("absent", [], { dataset: part("absent") }),
      cell("last", ["uni-ce"]),
    ]);
    assertEquals([ended.first, ended.last], ["finished", "finished"]);
    for (const label of ["quits", "closes"]) assertEquals(ended[label], silentEnd);
    // The part, its function, the file with the line, and what was thrown.
    const told: readonly (readonly [string, string, string])[] = [
      ["throws", 'method "throws" failed in beforeEpoch', "a step too far"],
      ["born", 'method "born-dead" failed in create', "no"],
      ["choosy", 'method "choosy" failed in refuses', "undefined"],
      ["absent", 'dataset "absent" failed in load', "the disk is empty"],
    ];
    for (const [label, where, why] of told) {
      for (const part of [where, "faults.ts:", why]) assertStringIncludes(ended[label], part);
    }
    // What a worker could not say is kept all the same, and nobody takes its run for one that goes on.
    const failures = runsIn(join(folder, "runs")).flatMap((id) => {
      try {
        return [JSON.parse(Deno.readTextFileSync(join(folder, "runs", id, "failure.json")))];
      } catch {
        return [];
      }
    });
    assertEquals(failures.map(({ command }) => command).sort(), ["repeat closes", "repeat quits", "repeat throws"]);
    assertEquals(failures.find(({ command }) => command === "repeat quits").message, silentEnd);
    assertEquals([...Deno.readDirSync(join(folder, "runs"))].filter(({ name }) => name.startsWith(".worker")), []);
  }));

Deno.test("continueOnError: false stops at the first failure", () =>
  inFolder(async (folder) => {
    const cells = [cell("throws", ["throws"]), cell("second", []), cell("third", ["uni-ce"])];
    const { ended } = await grid(folder, cells, { continueOnError: false });
    assertEquals([ended.second, ended.third], ["stopped", "stopped"]);
    assert(ended.throws.includes("a step too far"));
    const early = [cell("born", ["born-dead"]), cell("second", [])];
    assertEquals((await grid(folder, early, { continueOnError: false })).ended.second, "stopped");
  }));

Deno.test("skipUnfit leaves out what does not fit, and says so; without it nothing runs", () =>
  inFolder(async (folder) => {
    const cells = [cell("fits", []), cell("twice", ["ogm", "ogm-ge"]), cell("stages", [], { fusion: part("mmtm") })];
    const library = createLibrary();
    const options = { cells, seeds: [0], runs: join(folder, "runs"), library };
    const plan = await planGrid({ ...options, skipUnfit: true });
    assertEquals(plan.cells.map(({ request }) => request.label), ["fits"]);
    assertEquals(plan.unfit.map(({ label }) => label), ["twice", "stages"]);
    assertStringIncludes(plan.unfit[0].reason, 'Cannot compose "ogm" and "ogm-ge"');
    assertStringIncludes(plan.unfit[1].reason, "encoders that fit are");
    const refused = await planGrid(options).then(() => null, (error) => error);
    assertStringIncludes(refused.message, 'Cannot compose "ogm" and "ogm-ge"');
    const misspelt = await planGrid({ ...options, cells: [cell("x", ["amr"])], skipUnfit: true }).catch((error) =>
      error
    );
    assertStringIncludes(misspelt.message, 'did you mean "arm"?');
  }));

Deno.test("the runs folder deleted during a grid fails its cells, and nothing is written into a new one", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    let removed = false;
    const cells = [cell("long", [], { training: { epochs: 400 } }), cell("next", [])];
    const { ended } = await grid(folder, cells, {
      onEvent(event: GridEvent) {
        if (removed || event.type !== "cell" || event.event.type !== "epoch") return;
        removed = true;
        // At once: while it is emptied, its workers go on to write into it.
        Deno.renameSync(runs, join(folder, "removed"));
        Deno.mkdirSync(runs);
      },
    });
    for (const label of ["long", "next"]) assertStringIncludes(ended[label], "somebody removed the runs folder");
    assertEquals([...Deno.readDirSync(runs)].map(({ name }) => name), []);
  }));

/** Runs one cell in this thread. */
async function alone(
  runs: string,
  onEvent: (event: CellEvent) => void = () => {},
  claimed?: (id: string) => Promise<ClaimMark>,
): Promise<{ events: CellEvent[]; id: string }> {
  const library = createLibrary();
  const { cells: [{ config, id }] } = await planGrid({ cells: [cell("one", [])], seeds: [0], runs, library });
  const events: CellEvent[] = [];
  const runner = new CellRunner(library, runs);
  await runner.run(config, {
    command: "again",
    claim: await claimed?.(id),
    onEvent(event) {
      events.push(event);
      onEvent(event);
    },
  });
  await runner.dispose();
  return { events, id };
}

const last = ({ events }: { events: CellEvent[] }) => events[events.length - 1];

Deno.test("what a finished run lacks is trained anew, what is damaged fails with a remedy that works", () =>
  inFolder(async (runs) => {
    const first = await alone(runs);
    assertEquals(last(first).type, "finished");
    const folder = openRun(runs, first.id);
    const [model, config] = [await Deno.readFile(folder.file("model")), await Deno.readTextFile(folder.file("config"))];
    const reused = async () => {
      const event = last(await alone(runs));
      return event.type === "finished" ? event.reused : event.type === "failed" ? event.message : event.type;
    };
    assertEquals(await reused(), true);
    // Left by a kill between the summary and the clean-up.
    await Deno.writeTextFile(folder.file("checkpoint"), "left");
    await Deno.writeTextFile(folder.file("failure"), "{}");
    assertEquals(await reused(), true);
    assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => /checkpoint|failure/.test(name)), false);
    // A model that is gone.
    await Deno.remove(folder.file("model"));
    const meanwhile = new Set<boolean>();
    const anew = await alone(runs, (event) => {
      if (event.type === "epoch") meanwhile.add(existsSync(folder.file("summary")));
    });
    assertEquals([...meanwhile], [false]); // a kill now leaves no run that looks finished
    assert(anew.events.some((event) => event.type === "note" && event.text.includes("is gone: training anew")));
    assertEquals(await Deno.readFile(folder.file("model")), model);
    assertEquals(await reused(), true);
    // A damaged configuration of a finished run.
    await Deno.writeTextFile(folder.file("config"), "{");
    assertStringIncludes(String(await reused()), "remove it and run the same bench again, which writes it anew");
    await Deno.remove(folder.file("config"));
    assertEquals(await reused(), true);
    assertEquals(await Deno.readTextFile(folder.file("config")), config);
    // An empty summary.
    await Deno.writeTextFile(folder.file("summary"), "");
    assertStringIncludes(String(await reused()), "remove it and run the same bench again, which trains the run anew");
    assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name === "failure.json"), false);
    await Deno.remove(folder.file("summary"));
    assertEquals(await reused(), false);
    assertEquals(await Deno.readFile(folder.file("model")), model);
    // Timing that is gone.
    await Deno.remove(folder.file("timing"));
    assertStringIncludes(String(await reused()), "remove summary.json beside it and run the same bench again");
    await Deno.remove(folder.file("summary"));
    assertEquals(await reused(), false);
  }));

Deno.test("a cell whose claim somebody took over fails before it writes", () =>
  inFolder(async (runs) => {
    await using member = await joinRuns(runs);
    const found = await alone(runs, () => {}, async (id) => {
      const claim = await claimRun(member, id, new Watch(runs));
      assert(isClaim(claim));
      await Deno.writeTextFile(join(runs, ".claims", `${id}.9`), JSON.stringify({ member: "another", kernel: null }));
      return claim;
    });
    assertEquals(found.events.map(({ type }) => type), ["failed"]);
    assertStringIncludes((found.events[0] as { message: string }).message, "another one took it over");
    assertEquals(runsIn(runs), []);
  }));

Deno.test("damaged files of an unfinished run fail its cell with a remedy that works; a whole checkpoint is told", () =>
  inFolder(async (runs) => {
    const library = createLibrary();
    const request = cell("one", [], { training: { epochs: 3 } });
    const { cells: [{ config, id }] } = await planGrid({ cells: [request], seeds: [0], runs, library });
    const folder = openRun(runs, id);
    const run = async (stopAfter?: number): Promise<CellEvent> => {
      const stop = new AbortController();
      const events: CellEvent[] = [];
      const runner = new CellRunner(library, runs);
      await runner.run(config, {
        command: "again",
        signal: stop.signal,
        onEvent(event) {
          events.push(event);
          if (event.type === "epoch") assert(!existsSync(folder.file("failure")), "what trains has not failed");
          if (event.type === "epoch" && event.epoch + 1 === stopAfter) stop.abort();
        },
      });
      await runner.dispose();
      return events[events.length - 1];
    };
    const failed = async (text: string) => {
      const event = await run();
      assertEquals(event.type, "failed");
      assertStringIncludes((event as { message: string }).message, text);
    };
    assertEquals((await run(1)).type, "interrupted");
    assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name === "progress.json"), false);
    const whole = await Deno.readTextFile(folder.file("config"));
    await Deno.writeTextFile(folder.file("config"), "{}");
    await failed("remove it and run the same bench again, which writes it anew");
    // The checkpoint is whole, and the failure says so.
    await failed("last good checkpoint: ");
    await Deno.remove(folder.file("config"));
    assertEquals((await run(2)).type, "interrupted");
    assertEquals(await Deno.readTextFile(folder.file("config")), whole);
    await Deno.writeTextFile(folder.file("metrics"), "{}\n{}\n");
    await failed("remove checkpoint.safetensors beside it to start anew");
    await Deno.remove(folder.file("checkpoint"));
    await Deno.writeTextFile(folder.file("failure"), "{");
    assertEquals((await run()).type, "finished");
  }));
