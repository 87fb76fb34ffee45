/** Remedies that tests of a room quote as the end of what is refused: here they are done. */
import { join } from "node:path";
import { augmentOf } from "../../cli/requests.ts";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { corruptionsFrom, dropsFrom } from "../../datasets/corrupted.ts";
import { part, resolveConfig } from "../../experiments/mod.ts";
import { assignment, sinkhorn } from "../../experiments/merge/transport.ts";
import { checkOption, sbatchArguments } from "../../experiments/slurm.ts";
import { Random } from "../../core/random.ts";
import { files } from "../../datasets/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { createLibrary } from "../../library.ts";
import { adaptWeights } from "../../nn/pretrained.ts";
import { classBalanced } from "../../sampling/mod.ts";
import { train } from "../../training/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { taken, tried } from "../helpers/remedies.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";
import { twoRuns } from "../helpers/two_runs.ts";

const library = createLibrary();
const dataset = await toyDataset(2);

const matrix = (...shape: number[]) => ({
  data: Float32Array.from({ length: shape.reduce((product, extent) => product * extent) }, (_, i) => Math.sin(i * i)),
  shape,
  dtype: "float32" as const,
});

Deno.test("what is said of corruptions, augmentations, rates and runs is mended by what it says", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const [one] = await twoRuns(runs);
    const configured = (given: Partial<CellRequest>) =>
      resolveConfig(
        {
          label: "x",
          dataset: part("synthetic"),
          encoder: part("mlp"),
          fusion: part("sum"),
          methods: [],
          training: {},
          ...given,
        },
        library,
        dataset,
        { seed: 0, engine: { name: "cpu", version: "x", threads: 1 }, version: "0", plugins: [] },
      );
    await tried([
      {
        hint: "write it as image=flip,random-crop",
        wrong: () => augmentOf(["image="]),
        right: () => augmentOf(["image=flip,random-crop"]),
      },
      {
        hint: "write it as image.blur",
        wrong: () => taken("robustness", one, "--corrupt", "first.noise=3"),
        right: () => taken("robustness", one, "--corrupt", "first.noise", "--engine", "cpu"),
      },
      { hint: "write it as audio=0.5", wrong: () => dropsFrom("audio"), right: () => dropsFrom("audio=0.5") },
      {
        hint: "write it as audio.snr=-5",
        wrong: () => corruptionsFrom("audio=3"),
        right: () => corruptionsFrom("audio.snr=-5"),
      },
      {
        hint: "to leave a group untrained, freeze it",
        wrong: () => configured({ rates: { "encoder:audio": 0 } }),
        right: () => configured({ freeze: ["encoder:audio"] }),
      },
      {
        hint: "a bench makes it; name another with --runs",
        wrong: () => taken("status", "--runs", join(folder, "none")),
        right: () => taken("status", "--runs", runs),
      },
      {
        hint: "write armlab merge-runs A B --into C",
        wrong: () => taken("merge-runs", runs),
        right: () => taken("merge-runs", runs, "--into", join(folder, "all")),
      },
    ]);
  }));

Deno.test("what is said of methods, samplers, weights, rows and neurons is mended by what it says", () =>
  inFolder(async (folder) => {
    const engine = await onnxCpu.create();
    const literal = (options: Record<string, unknown>) =>
      train({
        model: toyModel(library, dataset, "concat", [["arm-literal", options]]),
        dataset,
        engine,
        training: { ...toyTraining, epochs: 1 },
        seed: 0,
      });
    const balanced = (keep?: Uint8Array) =>
      classBalanced.create({}, { modalities: ["a", "b"], classes: 2 }).plan(
        [{ programs: ["main"], items: Int32Array.of(0, 1), keep }],
        { labels: Int32Array.of(0, 1), random: new Random(1) },
      );
    const words = (rows: number) =>
      adaptWeights(
        { "embeddings/word/table": [rows, 2] },
        { "embeddings/word/table": "word_embeddings.weight" },
        {
          "word_embeddings.weight": matrix(7, 2),
        },
        null,
        "x",
      );
    const costs = (rows: number, columns: number) => ({ rows, columns, values: new Float64Array(rows * columns) });
    const labels = { data: Int32Array.from({ length: 60 }, (_, n) => n % 2), shape: [60], dtype: "int32" as const };
    const sound = async (missing: readonly number[]) => {
      const array = matrix(60, 3);
      for (const at of missing) array.data[15 + at] = NaN;
      await Deno.writeFile(join(folder, "sound.npy"), encodeNpy(array));
      await Deno.writeFile(join(folder, "image.npy"), encodeNpy(matrix(60, 2)));
      await Deno.writeFile(join(folder, "labels.npy"), encodeNpy(labels));
      await files.load({ path: folder });
    };
    await tried([
      {
        hint: 'the view "aligned" has no such need',
        wrong: () => literal({}),
        right: () => literal({ view: "aligned" }),
      },
      {
        hint: "put the method that draws before it",
        wrong: () => balanced(Uint8Array.of(1, 0, 1, 1)),
        right: () => balanced(),
      },
      { hint: "take --solver sinkhorn", wrong: () => assignment(costs(2, 3)), right: () => sinkhorn(costs(2, 3), 0.1) },
      {
        hint: "a sample that lacks the modality has NaN in all of its values",
        wrong: () => sound([1]),
        right: () => sound([0, 1, 2]),
      },
      {
        hint: "--array-width says how many run at once",
        wrong: () => checkOption("array=1-3"),
        right: () =>
          sbatchArguments({ name: "n", tasks: [0], cpus: 1, output: "o", script: "", options: [], width: 2 }),
      },
      { hint: "set the encoder's vocabulary to 7", wrong: () => words(5), right: () => words(7) },
    ]);
    await engine.dispose();
  }));
