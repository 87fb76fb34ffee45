/** Encoders that start from weights and stay as they are, from the command line. */
import { join } from "node:path";
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { decodeSafetensors } from "../../formats/mod.ts";
import { armlab, inFolder } from "../helpers/cli.ts";

const small = ["--set", "dataset.size=mini", "--epochs", "1", "--seeds", "1", "--workers", "1", "--json"];

/** The only run in a folder but some. */
function newRun(runs: string, ...known: string[]): string {
  const [run] = [...Deno.readDirSync(runs)].map(({ name }) => name)
    .filter((name) => /^[0-9a-f]{16}$/.test(name) && !known.includes(name));
  return run;
}

async function model(runs: string, id: string) {
  const path = join(runs, id, "model.safetensors");
  return (await decodeSafetensors(await Deno.readFile(path), path)).tensors;
}

Deno.test("bench --weights starts an encoder from a file, --freeze leaves it so, and both are part of the run", async () => {
  await inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const encoders = ["--encoder", "audio=mlp,image=cnn", "--set", "cnn.width=8", "--set", "encoder.audio.width=6"];
    const first = await armlab("bench", ...encoders, ...small, "--runs", runs);
    assertEquals(first.code, 0, first.err);
    const teacher = newRun(runs);
    const file = join(folder, "w.safetensors");
    assertEquals((await armlab("export", join(runs, teacher), "--to", file)).code, 0);

    const args = ["bench", ...encoders, ...small, "--runs", runs, "--weights", `image=${file}`];
    const second = await armlab(...args, "--freeze", "encoder:image", "--set", "training.learningRate=0.01");
    assertEquals(second.code, 0, second.err);
    const frozen = newRun(runs, teacher);
    const [a, b] = [await model(runs, teacher), await model(runs, frozen)];
    const kernels = Object.keys(a).filter((name) => name.includes("kernel"));
    const image = kernels.filter((name) => name.includes("encoder:image"));
    assert(image.length >= 4);
    for (const name of image) assertEquals(b[name].data, a[name].data, name);
    for (const name of kernels.filter((name) => name.includes("encoder:audio"))) {
      assertNotEquals(b[name].data, a[name].data, name);
    }
    const config = JSON.parse(await Deno.readTextFile(join(runs, frozen, "config.json")));
    assertEquals(config.freeze, ["encoder:image"]);
    assertEquals(config.weights.image.path, file);
    assertStringIncludes(
      await Deno.readTextFile(join(runs, frozen, "log.txt")),
      '8 tensors matched behind "encoder.image."',
    );

    // A moved file is the same run; the same command finds it finished.
    const moved = join(folder, "moved.safetensors");
    await Deno.rename(file, moved);
    const again = [
      "bench",
      ...encoders,
      ...small,
      "--runs",
      runs,
      "--weights",
      `image=${moved}`,
      "--freeze",
      "encoder:image",
    ];
    const third = await armlab(...again, "--set", "training.learningRate=0.01");
    assertEquals(third.code, 0, third.err);
    assertEquals(newRun(runs, teacher, frozen), undefined);

    const refused = async (...extra: string[]) => {
      const ended = await armlab("bench", ...encoders, ...small, "--runs", runs, ...extra);
      assertEquals(ended.code, 2, ended.out + ended.err);
      return ended.err;
    };
    assertStringIncludes(await refused("--freeze", "encoder:video"), 'Cannot freeze "encoder:video"');
    assertStringIncludes(await refused("--weights", `video=${moved}`), '"video" is none of audio, image');
    assertStringIncludes(await refused("--weights", moved), "it must name each modality once, with its file");
    const wider = await refused("--weights", `audio=${moved}`, "--set", "encoder.audio.width=7");
    assertStringIncludes(wider, "set the encoder's width");
    assertStringIncludes(await refused("--weights", "image=resnet18.pth"), "python -c");
    assertStringIncludes(await refused("--tokenizer", "image=t.json"), "there is no --data; name your data too");
  });
});

/** Texts of two kinds with a tokenizer for their words, and a column of numbers. */
async function reviews(folder: string): Promise<{ data: string; tokenizer: string }> {
  const words = ["good", "fine", "bad", "poor", "film", "play"];
  const row = (n: number) => {
    const kind = n % 2;
    const text = [words[2 * kind + (n >> 1) % 2], words[4 + (n >> 2) % 2], words[2 * kind + (n >> 3) % 2]].join(" ");
    return `${kind === 0 ? "up" : "down"},${text},${(n * 7) % 5},${n}`;
  };
  const data = join(folder, "reviews.csv");
  await Deno.writeTextFile(data, ["label,text,stars,id", ...Array.from({ length: 60 }, (_, n) => row(n))].join("\n"));
  const tokenizer = join(folder, "tokenizer.json");
  const vocab = Object.fromEntries(["[PAD]", "[UNK]", ...words].map((word, id) => [word, id]));
  await Deno.writeTextFile(
    tokenizer,
    JSON.stringify({
      model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab },
      pre_tokenizer: { type: "Whitespace" },
      added_tokens: [],
    }),
  );
  return { data, tokenizer };
}

Deno.test("bench --data --tokenizer --weights --freeze: texts through a pretrained encoder, whose features are made once", async () => {
  await inFolder(async (folder) => {
    const { data, tokenizer } = await reviews(folder);
    const args = ["--data", data, "--tokenizer", `text=${tokenizer}`, "--encoder", "text=bert", "--seeds", "1"];
    const sizes = ["width=8", "depth=1", "heads=2", "hidden=8"].flatMap((size) => ["--set", `encoder.text.${size}`]);
    const rest = [...sizes, "--epochs", "2", "--workers", "1", "--json", "--runs", join(folder, "runs")];
    const first = await armlab("bench", ...args, ...rest);
    assertEquals(first.code, 0, first.err);
    const teacher = newRun(join(folder, "runs"));
    const file = join(folder, "w.safetensors");
    assertEquals((await armlab("export", join(folder, "runs", teacher), "--to", file)).code, 0);
    const frozen = [...args, "--weights", `text=${file}`, "--freeze", "encoder:text"];
    Deno.env.set("ARMLAB_CACHE", join(folder, "cache"));
    try {
      const second = await armlab("bench", ...frozen, "--compare", "none,uni-ce", ...rest);
      assertEquals(second.code, 0, second.err);
    } finally {
      Deno.env.delete("ARMLAB_CACHE");
    }
    assertEquals([...Deno.readDirSync(join(folder, "cache", "features"))].length, 2); // with its lock
    const ids = [...Deno.readDirSync(join(folder, "runs"))].map(({ name }) => name)
      .filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== teacher);
    const own = await model(join(folder, "runs"), teacher);
    const logs = await Promise.all(ids.map(async (id) => {
      const tensors = await model(join(folder, "runs"), id);
      for (const name of Object.keys(own).filter((name) => name.includes("encoder:text"))) {
        assertEquals(tensors[name], own[name], name);
      }
      return await Deno.readTextFile(join(folder, "runs", id, "log.txt"));
    }));
    // One worker serves both: the second run finds them in memory.
    assertEquals(logs.filter((log) => log.includes('features of frozen "text" made in')).length, 1);
  });
});
