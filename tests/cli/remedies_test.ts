/** Remedies of the command line: what a refusal advises is done, and then nothing is refused. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { main } from "../../cli/main.ts";
import { Random } from "../../core/random.ts";
import { writeSafetensors } from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { twoRuns } from "../helpers/two_runs.ts";

/** Runs a command line in this process. */
async function run(args: readonly string[]): Promise<{ code: number; err: string }> {
  const [log, error] = [console.log, console.error];
  const err: string[] = [];
  console.log = () => {};
  console.error = (...text: unknown[]) => void err.push(text.join(" "));
  try {
    return { code: await main(args), err: err.join("\n") };
  } finally {
    [console.log, console.error] = [log, error];
  }
}

/** A wrong call, the end of what is said to it, and the call that this advises. */
type Remedy = readonly [wrong: readonly string[], hint: string, right: readonly string[]];

Deno.test("what refusals of the command line advise is taken when it is done", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const [one, other] = await twoRuns(runs);
    const config = join(one, "config.json");
    const csv = join(folder, "list.csv");
    const rows = Array.from({ length: 60 }, (_, n) => `${n % 7},${n % 5},${n % 3 === 0 ? "a" : "b"}`);
    await Deno.writeTextFile(csv, `sound:1,sound:2,label\n${rows.join("\n")}\n`);
    const known = Object.fromEntries(rows.map((_, n) => [`w${n}`, n + 2]));
    const vocab = { "[PAD]": 0, "[UNK]": 1, ...known };
    const tokens = { model: { type: "WordPiece", vocab, unk_token: "[UNK]" } };
    const [words, texts] = [join(folder, "tokenizer.json"), join(folder, "texts.csv")];
    await Deno.writeTextFile(words, JSON.stringify(tokens));
    await Deno.writeTextFile(
      texts,
      `words,label\n${rows.map((_, n) => `w${n},${n % 2}`).join("\n")}\n`,
    );
    const random = new Random(0);
    const array = (...shape: number[]) => ({
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
      shape,
      dtype: "float32" as const,
    });
    const saved = {
      logits: array(48, 2),
      fused: array(48, 4),
      "feature.a": array(48, 4),
      "feature.b": array(48, 4),
      "solo.a": array(48, 2),
      "solo.b": array(48, 2),
    };
    const [arrays, fractions] = [join(folder, "saved.safetensors"), join(folder, "fractions.safetensors")];
    const labels = Int32Array.from({ length: 48 }, (_, n) => n % 2);
    await writeSafetensors(arrays, { ...saved, labels: { data: labels, shape: [48], dtype: "int32" } });
    await writeSafetensors(fractions, {
      ...saved,
      labels: { ...array(48), data: Float32Array.from(labels, (c) => c + 0.5) },
    });
    const data = ["--dataset", "synthetic", "--set", "dataset.samples=60", "--encoder", "mlp", "--seeds", "1"];
    // As JSON: how long the runs would take is not measured.
    const dry = ["--dry-run", "--json", "--runs", runs];
    const bench = (...args: string[]) => ["bench", ...data, ...args, ...dry];
    const remedies: readonly Remedy[] = [
      [["bench", "quick", "--fusion", "sum", ...dry], "name a grid or parts", bench("--fusion", "sum")],
      [
        ["bench", "--config", config, "--fusion", "concat", ...dry],
        "change options with --set",
        ["bench", "--config", config, "--set", "training.epochs=2", ...dry],
      ],
      [bench("--set", "epochs5"), "write it as training.epochs=5 or", bench("--set", "training.epochs=5")],
      [bench("--rate", "audio"), "write it as encoder:image=0.1", bench("--rate", "encoder:first=0.1")],
      [bench("--shard", "0/4"), "write 1/4 for the first of four", bench("--shard", "1/4")],
      [bench("--max-time", "5"), "write 90s, 30min or 2h", bench("--max-time", "30min")],
      [bench("--checkpoint-every", "x"), "write 500, 30s, 5min or 2h", bench("--checkpoint-every", "5min")],
      [
        bench("--set", "training.loss=minimum-information"),
        "add it to the task's by --method recipe --set recipe.losses=minimum-information",
        bench("--method", "recipe", "--set", "recipe.losses=minimum-information"),
      ],
      [
        ["bench", "--config", config, "--launch", "plan", "--runs", runs],
        "leave --launch out",
        ["bench", "--config", config, ...dry],
      ],
      [
        ["tune", ...data, "--set", "training.learningRate=0.1", ...dry],
        "leave --set out for what is to be tuned",
        ["tune", ...data, ...dry],
      ],
      [
        ["tune", ...data, "--try", "training.learningRate=0.1", "--trials", "2", ...dry],
        "leave one of them out",
        ["tune", ...data, "--trials", "2", ...dry],
      ],
      [["data", "info", csv, "--set", "dataset.x=1"], "edit its dataset.json", ["data", "info", csv]],
      [["export", one], "*.onnx or *.safetensors", ["export", one, "--to", join(folder, "x.safetensors")]],
      [
        ["export-results", "--to", "mlflow", "--runs", runs],
        "name one with --out mlruns",
        ["export-results", "--to", "mlflow", "--runs", runs, "--out", join(folder, "mlruns")],
      ],
      [["value", csv, "--split", "test"], "leave it out", ["value", one, "--split", "test", "--out", folder]],
      [
        ["export-results", "--view", "/compare", "--to", "tensorboard", "--runs", runs, "--out", join(folder, "tb")],
        'write "/" or "/?experiment=NAME"',
        ["export-results", "--view", "/", "--to", "tensorboard", "--runs", runs, "--out", join(folder, "tb")],
      ],
      [["merge", one, other, "--share", "2"], "from 0 to 1", ["merge", one, other, "--share", "1"]],
      ...["=mlp", "mlp,cnn"].map((text): Remedy => [
        ["bench", "--dataset", "synthetic", "--encoder", text, "--seeds", "1", ...dry],
        "as image=resnet18,text=bert",
        ["bench", "--dataset", "synthetic", "--encoder", "first=mlp,second=mlp", "--seeds", "1", ...dry],
      ]),
      [
        bench("--corrupt-at", "test"),
        "name one, as --corrupt image.blur=3",
        bench("--corrupt-at", "test", "--drop", "first=0.5"),
      ],
      [
        ["bench", "--data", csv, "--dataset", "synthetic", ...dry],
        "leave one out",
        ["bench", "--data", csv, ...dry],
      ],
      [bench("--tokenizer", `words=${words}`), "name your data too: --data list.csv", [
        "bench",
        "--data",
        texts,
        "--tokenizer",
        `words=${words}`,
        ...dry,
      ]],
      [["data", "info", csv, "--to", folder], "leave it out", ["data", "info", csv]],
      [["export"], "name it as runs/0123456789abcdef", ["export", one, "--to", join(folder, "y.safetensors")]],
      [
        ["bench", "--config", join(folder, "nothing.json"), ...dry],
        "name the config.json of a run's folder",
        ["bench", "--config", config, ...dry],
      ],
      [["reproduce", "quick", "--dry-run"], "deno task bench quick runs it", ["bench", "quick", ...dry]],
      [
        ["reproduce", "table1", "--set", "training.epochs=1,2", ...dry],
        "deno task bench table1 --set … makes rows",
        ["bench", "table1", "--set", "training.epochs=1,2", ...dry],
      ],
      [["value", arrays], "say --view raw", ["value", arrays, "--view", "raw", "--out", folder]],
      [["value", fractions, "--view", "raw"], "save labels.astype(int)", [
        "value",
        arrays,
        "--view",
        "raw",
        "--out",
        folder,
      ]],
    ];
    for (const [wrong, hint, right] of remedies) {
      const refused = await run(wrong);
      assertEquals(refused.code, 2, `${wrong.join(" ")}: ${refused.err}`);
      assertStringIncludes(refused.err, hint);
      const taken = await run(right);
      assert(taken.code === 0, `${right.join(" ")}: ${taken.err}`);
    }
  }));
