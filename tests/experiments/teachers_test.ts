import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type GridCell, type GridEvent, part, planGrid, runGrid } from "../../experiments/mod.ts";
import { teachersOf } from "../../experiments/teachers.ts";
import { createLibrary } from "../../library.ts";
import { inFolder } from "../helpers/cli.ts";

const library = createLibrary();
const common = {
  dataset: part("av-digits", { size: "mini" }),
  encoder: part("mlp"),
  fusion: part("concat"),
  training: { epochs: 2 },
};
const run = (runs: string, cells: Parameters<typeof runGrid>[0]["cells"], onEvent?: (event: GridEvent) => void) =>
  runGrid({ library, runs, seeds: [0], workers: 1, cells, onEvent });

Deno.test("teachers run first, once for all cells that need them, those that are cells of their own among them", () =>
  inFolder(async (runs) => {
    const order: string[] = [];
    let planned: readonly GridCell[] = [];
    const { outcomes } = await run(runs, [
      { ...common, label: "umt", methods: [part("umt")] },
      { ...common, label: "umt, weaker", methods: [part("umt", { weight: 1 })] },
      { ...common, label: "audio alone", methods: [], modalities: ["audio"] },
    ], (event) => {
      if (event.type === "planned") planned = [...event.plan.cells, ...event.plan.teachers];
      else if (event.type === "cell" && event.event.type === "finished") order.push(event.cell.request.label);
    });
    assertEquals(planned.length, 4);
    assertEquals(order, ["audio alone", "image alone (teacher)", "umt", "umt, weaker"]);
    assertEquals(outcomes.map(({ status }) => status), ["finished", "finished", "finished"]);
    const ids = Object.fromEntries(planned.map((cell) => [cell.request.label, cell.id]));
    const [first] = outcomes;
    assert(first.status === "finished");
    assertEquals(first.summary.teachers, {
      audio: { id: ids["audio alone"], samplesDrawn: 2000 },
      image: { id: ids["image alone (teacher)"], samplesDrawn: 2000 },
    });
  }));

Deno.test("a teacher's configuration is that of one modality alone, whatever the run's methods and fusion", () =>
  inFolder(async (runs) => {
    const plan = await planGrid({
      library,
      runs,
      seeds: [0],
      cells: [
        { ...common, label: "umt on sum", fusion: part("sum"), methods: [part("umt")] },
        { ...common, label: "image alone", methods: [], modalities: ["image"] },
      ],
    });
    const [umt, image] = [...plan.cells, ...plan.teachers];
    assertEquals(image.request.label, "image alone");
    const dataset = await library.of("dataset").get("av-digits").load({ size: "mini" });
    assertEquals(teachersOf(umt.config, library, dataset).image, image.config);
  }));

Deno.test("a run whose teacher failed fails with the teacher's id, and nothing else does", () =>
  inFolder(async (runs) => {
    const cells = [
      { ...common, label: "umt", methods: [part("umt")], training: { epochs: 2, learningRate: 1e30, clipNorm: 0 } },
      { ...common, label: "concat", methods: [] },
    ];
    const commands = new Set<string>();
    const { outcomes } = await runGrid({
      library,
      runs,
      seeds: [0],
      workers: 1,
      cells,
      command(request, seed) {
        commands.add(`run ${request.label}#${seed}`);
        return `run ${request.label}#${seed}`;
      },
    });
    assertEquals(outcomes.map(({ status }) => status), ["failed", "finished"]);
    assert(outcomes[0].status === "failed");
    assertStringIncludes(outcomes[0].message, 'Cannot ask teacher "audio" as its run ');
    assertEquals(commands, new Set(["run umt#0", "run concat#0"])); // a teacher is run again by the cell that asked for it
    const kept = [...Deno.readDirSync(runs)].filter(({ isDirectory }) => isDirectory).map(({ name }) =>
      join(runs, name)
    );
    assert(kept.length >= 4);
  }));
