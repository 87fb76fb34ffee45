/** Remedies that take runs, sets and grids: what is advised is done, and nothing is refused. */
import { assert, assertEquals } from "@std/assert";
import { basename, join } from "node:path";
import { checkPrepared } from "../../cli/asked.ts";
import type { Refusal } from "../../core/refusal.ts";
import { files } from "../../datasets/mod.ts";
import { cpu } from "../../engines/mod.ts";
import { type GridCell, part, runGrid } from "../../experiments/mod.ts";
import { identity, TransportMerge } from "../../experiments/merge/align.ts";
import { assignment } from "../../experiments/merge/transport.ts";
import { readPlan } from "../../experiments/plan_file.ts";
import { prepareFiles } from "../../experiments/prepare.ts";
import { finishedTeachers } from "../../experiments/teachers.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";
import { float32, type HostTensor } from "../../core/program.ts";
import { openRun, readFeatures, writeFeatures } from "../../store/mod.ts";
import { exportPicture, exportTable } from "../../viewer/exports.ts";
import { serveViewer } from "../../viewer/serve.ts";
import { buildModel } from "../../experiments/config.ts";
import { inFolder } from "../helpers/cli.ts";
import { taken, tried } from "../helpers/remedies.ts";
import { frames, put, tone } from "../helpers/sets.ts";
import { twoRuns } from "../helpers/two_runs.ts";

const library = createLibrary();

/** CREMA-D in its published layout: ten speakers say six sentences. */
async function speakers(root: string): Promise<void> {
  const lists: Record<"train" | "test", string[]> = { train: [], test: [] };
  for (const [c, code] of ["NEU", "HAP", "SAD", "FEA", "DIS", "ANG"].entries()) {
    for (let n = 0; n < 10; n++) {
      const id = `${n < 8 ? 1001 + n : 1082 + n}_DFA_${code}_XX`;
      lists[n < 8 ? "train" : "test"].push(`${id},${code}`);
      await tone(join(root, "AudioWAV", `${id}.wav`), 300 + 200 * c + n);
      await frames(join(root, "Image-01-FPS", id), 40 * c + n, 1);
    }
  }
  for (const [split, rows] of Object.entries(lists)) await put(join(root, `${split}.csv`), `${rows.join("\n")}\n`);
}

Deno.test("what is said of published sets is mended by what it says", () =>
  inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await speakers(from);
    const cell = {
      label: "x",
      dataset: part("files", { path: to }),
      encoder: part("mlp"),
      fusion: part("concat"),
      methods: [],
      training: {},
    };
    let advised: string[] = [];
    await tried([
      {
        hint: "add --from FOLDER, which must hold",
        wrong: () => taken("data", "info", "crema-d"),
        right: () => taken("data", "info", "crema-d", "--from", from),
      },
      {
        hint: "; deno task armlab describe crema-d says what FOLDER holds",
        wrong: async () => {
          try {
            await checkPrepared({ [to]: "crema-d" }, [cell]);
          } catch (error) {
            const { hint } = error as Refusal;
            advised = hint!.split(/; | and /).map((command) => /armlab (.*?)(?: says .*)?$/.exec(command)![1]);
            throw error;
          }
        },
        right: async () => {
          const [prepare, describe] = advised.map((command) => command.replace("FOLDER", from).split(" "));
          await taken(
            ...prepare,
            ...["crema-d.video.size=8", "crema-d.audio.seconds=0.05", "crema-d.audio.bands=8"].flatMap((
              own,
            ) => ["--set", own]),
          );
          assert((await taken(...describe)).includes("AudioWAV"));
          await checkPrepared({ [to]: "crema-d" }, [cell]);
        },
      },
      {
        hint: "preview the folder that armlab data prepare crema-d --from FOLDER wrote",
        wrong: () => taken("data", "preview", "crema-d"),
        right: () => taken("data", "preview", to, "--to", join(folder, "sheet.png")),
      },
      {
        hint: "it is an array already: keep it as it is",
        wrong: async () => {
          const sequences = join(folder, "sequences");
          await Deno.mkdir(sequences);
          const lengths = Int32Array.from({ length: 30 }, (_, n) => 1 + n % 4);
          await writeArrays(sequences, lengths);
          await prepareFiles(sequences, join(folder, "arrays"));
        },
        right: () => files.load({ path: join(folder, "sequences") }),
      },
    ]);
  }));

/** Sequences of four steps, or of as many as is said, and labels. */
async function writeArrays(root: string, lengths: Int32Array | null): Promise<void> {
  const n = 30;
  const words = Float32Array.from({ length: 12 * n }, (_, i) => Math.sin(i));
  const labels = Int32Array.from({ length: n }, (_, i) => i % 2);
  const arrays: Record<string, HostTensor> = {
    words: { data: words, shape: [n, 4, 3], dtype: "float32" },
    ...lengths === null ? {} : { words_lengths: { data: lengths, shape: [n], dtype: "int32" } },
    labels: { data: labels, shape: [n], dtype: "int32" },
  };
  for (const [name, array] of Object.entries(arrays)) await Deno.writeFile(join(root, `${name}.npy`), encodeNpy(array));
}

Deno.test("what is said of runs that are not finished, of plans and of merges is mended by what it says", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const [one, other] = await twoRuns(runs);
    const steps = join(folder, "steps");
    await Deno.mkdir(steps);
    await writeArrays(steps, null);
    const cell = {
      dataset: part("synthetic", { samples: 60, width: 6 }),
      fusion: part("sum"),
      training: { epochs: 1 },
    };
    const small = part("mlp", { hidden: [8], width: 8 });
    const { outcomes } = await runGrid({
      library,
      runs,
      seeds: [0, 1],
      workers: 1,
      cells: [
        {
          ...cell,
          label: "steps",
          dataset: part("files", { path: steps }),
          encoder: part("gru", { width: 3 }),
          methods: [],
        },
        { ...cell, label: "heads", encoder: small, fusion: part("concat"), methods: [part("mmpareto")] },
      ],
    });
    const [gru, second, heads, more] = outcomes.map(({ cell }) => join(runs, (cell as GridCell).id));
    const same = ["bench", "--dataset", "synthetic", "--encoder", "mlp", "--fusion", "sum", "--seeds", "1"];
    const set = ["dataset.samples=60", "dataset.width=6", "encoder.hidden=8", "encoder.width=8", "training.epochs=1"];
    const bench = [...same, ...set.flatMap((own) => ["--set", own]), "--runs", runs];
    let plan = "";
    const planned = async () => (await taken(...bench, "--launch", "plan")).trim();
    const features = join(one, "features-test.safetensors");
    const onnx = join(folder, "x.onnx");
    await tried([
      {
        hint: "run it to its end by the same bench command",
        wrong: async () => (await Deno.remove(join(one, "model.safetensors")), await taken("probe", one)),
        right: async () => (await taken(...bench), await taken("probe", one)),
      },
      {
        hint: "run its bench again, which trains it anew",
        wrong:
          async () => (await Deno.remove(join(one, "model.safetensors")), await taken("export", one, "--to", onnx)),
        right: async () => (await taken(...bench), await taken("export", one, "--to", onnx)),
      },
      {
        hint: "run its bench again, which goes on where it stopped",
        wrong: async () => (await Deno.remove(join(one, "summary.json")), await taken("export", one, "--to", onnx)),
        right: async () => (await taken(...bench), await taken("export", one, "--to", onnx)),
      },
      {
        hint: "bench with --launch or --shard writes one and says where",
        wrong: () => taken("bench", "--plan", join(folder, "none.jsonl")),
        right: async () => {
          plan = await planned();
          await taken("bench", "--plan", plan, "--workers", "1");
        },
      },
      {
        hint: "remove the file and plan again",
        wrong: async () => (await Deno.truncate(plan, 400), await taken("bench", "--plan", plan)),
        right: async () => (await Deno.remove(plan), await readPlan(await planned())),
      },
      {
        hint: "plan it again with this version",
        wrong: async () => {
          const text = await Deno.readTextFile(plan);
          await Deno.writeTextFile(plan, text.replace('"version":"', '"version":"9.'));
          await taken("bench", "--plan", plan);
        },
        right: async () => {
          await Deno.remove(plan);
          await readPlan(await planned());
        },
      },
      {
        hint: "remove it and run the same bench again with --keep features",
        wrong: async () => {
          await writeFeatures(features, "0".repeat(16), {
            labels: Int32Array.of(0),
            fused: Float32Array.of(1),
            pooled: { first: Float32Array.of(1) },
          });
          await readFeatures(features, basename(one));
        },
        right: async () => {
          await Deno.remove(features);
          await taken(...bench, "--keep", "features");
          assert(await readFeatures(features, basename(one)) !== null);
        },
      },
      {
        hint: "beside it stand --plan, --shard, --runs",
        wrong: async () => {
          await taken("bench", "--plan", plan, "--seeds", "2");
        },
        right: () => taken("bench", "--plan", plan, "--shard", "1/1", "--runs", runs, "--workers", "1"),
      },
      {
        hint: "identity, linear, mlp, cnn and vit do; or take --by average",
        wrong: () => taken("merge", gru, second),
        right: async () => [await taken("merge", gru, second, "--by", "average"), await taken("merge", one, other)],
      },
      {
        hint: "take runs without methods that have parameters of their own, or --by average",
        wrong: () => taken("merge", heads, more),
        right: async () => [await taken("merge", heads, more, "--by", "average"), await taken("merge", one, other)],
      },
    ]);
  }));

Deno.test("what is said of teachers is mended by what it says", () =>
  inFolder(async (runs) => {
    const cells = [{
      label: "umt",
      dataset: part("synthetic", { samples: 60, width: 6 }),
      encoder: part("mlp", { hidden: [8], width: 8 }),
      fusion: part("sum"),
      methods: [part("umt")],
      training: { epochs: 1 },
    }];
    const grid = () => runGrid({ library, runs, seeds: [0], workers: 1, cells });
    const { outcomes } = await grid();
    const { id, config } = outcomes[0].cell as GridCell;
    const dataset = await library.of("dataset").get("synthetic").load({ samples: 60, width: 6 });
    const engine = await cpu.create();
    const [teacher] = (await openRun(runs, id).summary())!.teachers === undefined
      ? []
      : Object.values((await openRun(runs, id).summary())!.teachers!);
    const asked = () => finishedTeachers(runs, config, library, dataset, engine)("first", "validation");
    try {
      await tried([
        {
          hint: "see why it stopped, and run the grid again",
          wrong: async () => {
            for (const name of [teacher.id, id]) await Deno.remove(join(runs, name), { recursive: true });
            await asked();
          },
          right: async () => (await grid(), await asked()),
        },
        {
          hint: "run the configuration as a cell of a grid, which trains its teachers first",
          wrong: () =>
            train({
              model: buildModel(config, library, dataset),
              dataset,
              engine,
              training: { ...config.training, epochs: 1 },
              seed: 0,
            }),
          right: async () => assertEquals((await grid()).outcomes.map(({ status }) => status), ["finished"]),
        },
      ]);
    } finally {
      await engine.dispose();
    }
  }));

/** Texts of one letter as NumPy saves them. */
function letters(texts: readonly string[]): Uint8Array {
  const head = `{'descr': '<U1', 'fortran_order': False, 'shape': (${texts.length},), }`;
  const padded = head.padEnd(128 - 10 - 1) + "\n";
  const codes = new Uint8Array(Uint32Array.from(texts, (text) => text.charCodeAt(0)).buffer);
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    padded.length,
    0,
    ...new TextEncoder().encode(padded),
    ...codes,
  ]);
}

Deno.test("what is said of addresses, pictures, classes and answers of neurons is mended by what it says", () =>
  inFolder(async (folder) => {
    const served = async (host?: string) => {
      await serveViewer({ folder, host, port: 0, token: "x" }).stop();
    };
    const matrix = (shift: number) => float32(Float32Array.from([1, 2, 3, 4], (x) => x + shift), [2, 2]);
    const merged = (answers?: ConstructorParameters<typeof TransportMerge>[2]["answers"]) =>
      new TransportMerge({ "a/kernel": matrix(0) }, { "a/kernel": matrix(1) }, { solve: assignment, answers })
        .layer({ inputs: [["a/kernel", identity(2)]] });
    const table = { name: "across", columns: [], rows: [] };
    const arrays = join(folder, "arrays");
    await Deno.mkdir(arrays);
    const noise = (...shape: number[]) => {
      const size = shape.reduce((product, extent) => product * extent);
      return encodeNpy({
        data: Float32Array.from({ length: size }, (_, i) => Math.sin(i * i)),
        shape,
        dtype: "float32",
      });
    };
    const saved = { logits: noise(48, 3), fused: noise(48, 8), "solo.a": noise(48, 3), "solo.b": noise(48, 3) };
    const features = { "feature.a": noise(48, 8), "feature.b": noise(48, 8) };
    for (const [name, bytes] of Object.entries({ ...saved, ...features })) {
      await Deno.writeFile(join(arrays, `${name}.npy`), bytes);
    }
    await Deno.writeFile(join(arrays, "labels.npy"), letters(Array.from({ length: 48 }, (_, n) => "ac"[n % 2])));
    const logits = join(arrays, "logits.npy");
    const labelled = (...shape: number[]) =>
      Deno.writeFile(
        join(arrays, "labels.npy"),
        encodeNpy({ data: Int32Array.from({ length: 48 }, (_, n) => n % 3), shape, dtype: "int32" }),
      );
    const value = (...more: string[]) => taken("value", arrays, "--view", "raw", "--out", folder, ...more);
    await tried([
      {
        hint: "leave --host out, or take 0.0.0.0",
        wrong: () => taken("view", "--host", "no.such.address.invalid", "--runs", folder, "--port", "0"),
        right: async () => [await served(), await served("0.0.0.0")],
      },
      {
        hint: "its numbers are in the table across",
        wrong: () => exportPicture("ranks", { svg: "<svg/>" } as never, "csv"),
        right: () => exportTable(table as never, "csv"),
      },
      {
        hint: "name the classes in the order of the columns: --classes a,b,...",
        wrong: () => value(),
        right: () => value("--classes", "a,b,c"),
      },
      {
        hint: "save labels.reshape(-1)",
        wrong: async () => (await labelled(48, 1), await value()),
        right: async () => (await labelled(48), await value()),
      },
      {
        hint: "it seems to be transposed: save its .T",
        wrong: async () => (await Deno.writeFile(logits, noise(3, 48)), await value()),
        right: async () => (await Deno.writeFile(logits, noise(48, 3)), await value()),
      },
      { hint: "align by weights", wrong: () => merged([{}, {}] as never), right: () => merged() },
    ]);
  }));
