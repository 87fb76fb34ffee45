import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { importPlugins } from "../../core/plugins.ts";
import { CellRunner, part, planGrid, runPlan } from "../../experiments/mod.ts";
import { SharedData } from "../../experiments/shared_data.ts";
import { createLibrary } from "../../library.ts";
import { runId } from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { toyDataset } from "../helpers/toy.ts";

Deno.test("SharedData.of() gives the values that were kept, in memory that threads share; of rows and strangers nothing", async () => {
  const dataset = { ...await toyDataset(2), preview: () => ({}), reads: { text: () => new Int32Array(1) } };
  const config = { name: "toy", options: { size: 1 }, fingerprint: dataset.fingerprint };
  const data = new SharedData();
  data.keep(config, dataset);
  const share = data.of(config)!;
  const { inputs, labels, groups } = share.splits.train;
  assert(inputs.audio.buffer instanceof SharedArrayBuffer && labels.buffer instanceof SharedArrayBuffer);
  assertEquals([...inputs.audio], [...dataset.splits.train.inputs.audio]);
  assertEquals([...labels], [...dataset.splits.train.labels]);
  assertEquals(groups, dataset.splits.train.groups);
  // Functions cannot go to another thread.
  assertEquals(structuredClone(share).modalities, dataset.modalities);
  assertStrictEquals(data.of(config), share);
  assertEquals(data.of({ ...config, options: { size: 2 } }), null);
  assertEquals(data.of({ ...config, fingerprint: "another" }), null);
  const { train, ...others } = dataset.splits;
  const rows = { video: { width: 1, copy() {} } };
  data.keep({ name: "large", options: {} }, { ...dataset, splits: { ...others, train: { ...train, rows } } });
  assertEquals(data.of({ name: "large", options: {}, fingerprint: dataset.fingerprint }), null);
});

/** A dataset that says each time that it is loaded. */
const source = (file: string) => `
import { createLibrary, defineDataset } from "@armlab/armlab";
export const counted = defineDataset({ name: "counted", about: "counts", options: {}, load: async () => {
  await Deno.writeTextFile(${JSON.stringify(file)}, "x", { append: true });
  return await createLibrary().of("dataset").get("synthetic").load({ samples: 60, width: 6 });
} });
`;

Deno.test("a grid loads its data once, for planning and for all workers, and leaves the bytes of a cell that loads it itself", () =>
  inFolder(async (folder) => {
    const [loads, file] = [join(folder, "loads"), join(folder, "counted.ts")];
    await Deno.writeTextFile(file, source(loads));
    const plugin = pathToFileURL(file).href;
    const library = createLibrary();
    await importPlugins(library, plugin);
    const options = {
      cells: [{
        label: "one",
        dataset: part("counted"),
        encoder: part("mlp"),
        fusion: part("concat"),
        methods: [],
        training: { epochs: 1 },
      }],
      seeds: [0, 1, 2],
      runs: join(folder, "runs"),
      library,
      plugins: [plugin],
      workers: 2,
    };
    const plan = await planGrid(options);
    const { outcomes } = await runPlan(plan, options);
    assertEquals(outcomes.map(({ status }) => status), ["finished", "finished", "finished"]);
    assertEquals(await Deno.readTextFile(loads), "x");
    const alone = join(folder, "alone");
    await Deno.mkdir(alone);
    const runner = new CellRunner(library, alone);
    await runner.run(plan.cells[0].config, { command: "" });
    await runner.dispose();
    assertEquals(await Deno.readTextFile(loads), "xx");
    for (const name of ["metrics.jsonl", "summary.json", "model.safetensors"]) {
      const [one, other] = [options.runs, alone].map((runs) =>
        Deno.readFileSync(join(runs, runId(plan.cells[0].config), name))
      );
      assertEquals(one, other);
    }
  }));
