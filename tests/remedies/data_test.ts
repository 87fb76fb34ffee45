/** Remedies for people's files: what is advised is done, and the data is taken. */
import { join } from "node:path";
import sharp from "sharp";
import { Random } from "../../core/random.ts";
import { describe, files, inspect } from "../../datasets/mod.ts";
import { checkModalityName } from "../../core/modality.ts";
import { parseSpec } from "../../datasets/files/spec.ts";
import { parseTokenizers } from "../../datasets/files/tokenized.ts";
import { readTokenizer, tokenizerOf } from "../../datasets/transforms/tokenize.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { valuesOf } from "../../datasets/files/values.ts";
import { type ForeignArray, narrowFloats } from "../../formats/elements.ts";
import { checkHeld } from "../../formats/arrays.ts";
import { bytesSource } from "../../formats/source.ts";
import { parseTable } from "../../formats/csv.ts";
import { zipEntries } from "../../formats/zip.ts";
import { openArrays } from "../../formats/open.ts";
import { inputsOf } from "../../cli/value_files.ts";
import { inFolder } from "../helpers/cli.ts";
import { type Trial, tried } from "../helpers/remedies.ts";
import { stored } from "../helpers/zip.ts";

const random = new Random(0);
const load = (path: string, memory = 2048) => Promise.resolve(files.load({ path, memory }));
const noise = (...shape: number[]) =>
  encodeNpy({
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
    dtype: "float32",
  });
const integers = (data: number[], shape = [data.length]) =>
  encodeNpy({ data: Int32Array.from(data), shape, dtype: "int32" });
const rows = 24;
/** Of one sample, one value of five is no number. */
const holed = encodeNpy({
  data: Float32Array.from({ length: 24 * 5 }, (_, i) => i === 17 ? NaN : random.normal()),
  shape: [24, 5],
  dtype: "float32",
});
const labels = Array.from({ length: rows }, (_, n) => n % 2);

/** Writes files by path; `null` removes. */
async function put(root: string, given: Readonly<Record<string, Uint8Array | string | null>>): Promise<void> {
  await Deno.mkdir(root, { recursive: true });
  for (const [name, content] of Object.entries(given)) {
    const path = join(root, name);
    if (content === null) await Deno.remove(path, { recursive: true });
    else if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }
}

Deno.test("what is said of a folder of arrays is mended by what it says", () =>
  inFolder(async (folder) => {
    const good = { "sound.npy": noise(rows, 5), "labels.npy": integers(labels) };
    let count = 0;
    /** A folder that is refused with some files, and taken once others are put in their place. */
    const folderTrial = (
      hint: string,
      bad: Readonly<Record<string, Uint8Array | string | null>>,
      mended: Readonly<Record<string, Uint8Array | string | null>>,
    ): Trial => {
      const root = join(folder, String(count++));
      return {
        hint,
        wrong: async () => (await put(root, { ...good, ...bad }), await load(root)),
        right: async () => (await put(root, mended), await load(root)),
      };
    };
    const jsonl = join(folder, "all.jsonl");
    const lines = (extra: string) =>
      [...Array.from({ length: rows }, (_, n) => JSON.stringify({ x: n, label: "ab"[n % 2] })), extra].join("\n");
    const cycle = (n: number) => ["train", "validation", "test"][n % 6 < 4 ? 0 : n % 6 - 3];
    const table = (label: (n: number) => string, extra: (n: number) => string = cycle) =>
      `a,label,split\n${Array.from({ length: rows }, (_, n) => `${n},${label(n)},${extra(n)}`).join("\n")}\n`;
    const csv = (hint: string, bad: string, mended: string): Trial => {
      const path = join(folder, `${count++}.csv`);
      return {
        hint,
        wrong: async () => (await Deno.writeTextFile(path, bad), await load(path)),
        right: async () => (await Deno.writeTextFile(path, mended), await load(path)),
      };
    };
    const parity = (n: number) => "ab"[Math.floor(n / 6) % 2];
    const byThree = (n: number) => "ab"[Math.floor(n / 3) % 2];
    await tried([
      folderTrial("save array.argmax(1)", { "labels.npy": integers(labels.flatMap((c) => [c, 1 - c]), [rows, 2]) }, {
        "labels.npy": integers(labels),
      }),
      folderTrial("save it in one of these shapes", { "image.npy": noise(rows, 5, 6, 7) }, {
        "image.npy": noise(rows, 5, 6, 3),
      }),
      {
        hint: "leave others out: --skip-broken",
        wrong:
          async () => (await put(join(folder, "holes"), { ...good, "sound.npy": holed }),
            await load(join(folder, "holes"))),
        right: () => inspect(join(folder, "holes"), true),
      },
      folderTrial("save features as floats: array.astype(numpy.float32)", {
        "text.npy": integers(labels.flatMap((c) => [3, 1, -c, 2]), [rows, 4]),
      }, { "text.npy": noise(rows, 4) }),
      {
        hint: "these are what a trained model gives; to train on arrays of your own: bench --data FILE",
        wrong: async () => {
          await put(folder, { "own.npz": stored(good) });
          const file = await openArrays(join(folder, "own.npz"));
          try {
            await inputsOf(file, "aligned");
          } finally {
            file.close();
          }
        },
        right: () => load(join(folder, "own.npz")),
      },
      folderTrial("or take the other away", { "label.npy": integers(labels) }, { "label.npy": null }),
      folderTrial("name other labels", { "labels.npy": integers(labels.map(() => 1)) }, {
        "labels.npy": integers(labels),
      }),
      folderTrial("are these ids, or numbers to predict?", { "labels.npy": integers(labels.map((_, n) => n)) }, {
        "labels.npy": integers(labels),
        "ids.npy": integers(labels.map((_, n) => n)),
      }),
      folderTrial("save the same samples in the same order in each", { "sound.npy": noise(rows - 1, 5) }, good),
      {
        hint: "mend it, or take it away",
        wrong: async () => (await Deno.writeTextFile(jsonl, lines("{")), await load(jsonl)),
        right: async () => (await Deno.writeTextFile(jsonl, lines("")), await load(jsonl)),
      },
      folderTrial("rename one", { "more.npz": stored({ "sound.npy": noise(rows, 3) }) }, {
        "more.npz": stored({ "other.npy": noise(rows, 3) }),
      }),
      folderTrial("rename it", { "a+b.npy": noise(rows, 3) }, { "a+b.npy": null, "ab.npy": noise(rows, 3) }),
      folderTrial(
        "a made split needs about ten samples, or groups, of some class",
        { "sound.npy": noise(4, 5), "labels.npy": integers([0, 1, 0, 1]) },
        good,
      ),
      csv(
        "split by groups, or leave groups out of dataset.json",
        table(parity, cycle).replaceAll(/,(train|validation|test)$/gm, ",$1,g").replace("split", "split,group"),
        table(parity, cycle),
      ),
      csv("leave such rows out", table((n) => n === 3 ? "" : parity(n)), table(parity).replace(/^3,.*\n/m, "")),
      csv(
        "put cells that hold a separator between quotes",
        table(parity).replace("\n3,", "\n3,x,"),
        table(parity).replace("\n3,b", '\n3,"b"'),
      ),
      csv(
        "leave it out, or split otherwise",
        table((n) => cycle(n) === "test" ? "c" : byThree(n), cycle),
        table(byThree, cycle),
      ),
    ]);
    // Splits under names that nobody guesses: a description says which is which.
    const odd = join(folder, "odd");
    await put(odd, { "list.csv": table(parity, cycle) });
    const said = JSON.stringify((await describe(odd)).spec);
    const renamed = (text: string) => text.replaceAll(/\b(train|validation|test)\b/g, "fold-$1");
    await put(odd, { "list.csv": renamed(table(parity, cycle)) });
    await tried([{
      hint: "write which is which into dataset.json",
      wrong: () => load(odd),
      right: async () => {
        const own = said.replaceAll(/"(train|validation|test)"(?!:)/g, '"fold-$1"');
        await put(odd, { "dataset.json": own });
        await load(odd);
      },
    }]);
    const outside = join(folder, "outside.npy");
    await Deno.writeFile(outside, noise(rows, 5));
    const linked = join(folder, "linked");
    await put(linked, good);
    const { spec } = await describe(linked);
    const described = (change: (spec: Record<string, unknown>) => void) => {
      const copy = JSON.parse(JSON.stringify(spec));
      change(copy);
      return put(linked, { "dataset.json": JSON.stringify(copy) });
    };
    const from = (path: string) => (own: Record<string, unknown>) => {
      (own.modalities as Record<string, Record<string, unknown>>).sound.from = path;
    };
    const kind = (name: string) => (own: Record<string, unknown>) => {
      (own.modalities as Record<string, Record<string, unknown>>).sound.kind = name;
    };
    const loaded = async () => void await load(linked);
    await put(linked, { "two.npz": stored({ "a.npy": noise(rows, 5), "b.npy": noise(rows, 5) }) });
    const vector = (data: string[] | Float32Array) =>
      valuesOf("words", { from: "x", kind: "vector", channels: "none", scale: "none" }, {
        ...typeof data[0] === "string" ? { type: "text", data } : { type: "float32", data },
        shape: [2, 1],
      } as ForeignArray, undefined);
    await tried([
      {
        hint: "turn texts into token ids or features first",
        wrong: () => vector(["one", "two"]),
        right: () => vector(Float32Array.of(1, 2)),
      },
      {
        hint: "copy the file itself into it",
        wrong: async () => (await described(from("../outside.npy")), await loaded()),
        right: async () => {
          await Deno.copyFile(outside, join(linked, "inside.npy"));
          await described(from("inside.npy"));
          await loaded();
        },
      },
      {
        hint: "write two.npz#<array>",
        wrong: async () => (await described(from("two.npz")), await loaded()),
        right: async () => (await described(from("two.npz#b")), await loaded()),
      },
      {
        hint: 'say another "kind" in dataset.json',
        wrong: async () => (await described(kind("image")), await loaded()),
        right: async () => (await described(kind("vector")), await loaded()),
      },
      {
        hint: "or remove it to have it guessed anew",
        wrong: async () => (await put(linked, { "dataset.json": "{" }), await loaded()),
        right:
          async () => (await put(linked, { "dataset.json": null, "two.npz": null, "inside.npy": null }),
            await loaded()),
      },
      {
        hint: "write --data FOLDER_OR_FILE, or --set files.path=...",
        wrong: () => load(""),
        right: () => load(linked),
      },
      { hint: "check the path", wrong: () => load(join(folder, "nowhere")), right: () => load(linked) },
    ]);
    // Rows read by index take no memory; entries of an archive are held.
    await put(join(folder, "held"), {
      "all.npz": stored({ "sound.npy": noise(rows, 5), "labels.npy": integers(labels) }),
    });
    await tried([{
      hint: "save large modalities as .npy or .safetensors, row by row",
      wrong: () => load(join(folder, "held"), 0),
      right: async () => (await put(join(folder, "byrow"), good), await load(join(folder, "byrow"), 0)),
    }]);
  }));

Deno.test("what is said of media and of tokenizers is mended by what it says", () =>
  inFolder(async (folder) => {
    const picture = (r: number) =>
      sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g: 50, b: 90 } } }).png().toBuffer();
    for (const [c, name] of ["a", "b"].entries()) {
      await Deno.mkdir(join(folder, "media", name), { recursive: true });
      for (let n = 0; n < 10; n++) {
        await Deno.writeFile(join(folder, "media", name, `${n}.png`), await picture(90 * c + n));
      }
    }
    const media = join(folder, "media");
    const twin = join(media, "a", "3.jpg");
    const whole = await Deno.readFile(join(media, "a", "3.png"));
    const words = join(folder, "tokenizer.json");
    const json = { model: { type: "WordPiece", vocab: { "[PAD]": 0, "[UNK]": 1, one: 2 }, unk_token: "[UNK]" } };
    await Deno.writeTextFile(words, JSON.stringify(json));
    await tried([
      {
        hint: "keep one of them",
        wrong: async () => (await Deno.writeFile(twin, whole), await load(media)),
        right: async () => (await Deno.remove(twin), await load(media)),
      },
      {
        hint: "or leave broken ones out: --skip-broken",
        wrong: async () => (await Deno.writeFile(join(media, "a", "3.png"), whole.subarray(0, 40)), await load(media)),
        right: () => inspect(media, true),
      },
      {
        hint: "name a tokenizer.json",
        wrong: () => readTokenizer(join(folder, "none.json")),
        right: () => readTokenizer(words),
      },
      {
        hint: "add one before saving",
        wrong: () => tokenizerOf({ model: { ...json.model, vocab: { "[UNK]": 0, one: 1 } } }, "t"),
        right: () =>
          tokenizerOf({
            model: { ...json.model, vocab: { "[UNK]": 0, one: 1 } },
            added_tokens: [{
              id: 2,
              content: "[PAD]",
              single_word: false,
              lstrip: false,
              rstrip: false,
              normalized: false,
              special: true,
            }],
          }, "t"),
      },
      {
        hint: "write it as text=tokenizer.json",
        wrong: () => parseTokenizers("t.json"),
        right: () => parseTokenizers(`text=${words}`),
      },
      {
        hint: "mend it, or remove it",
        wrong: () => parseSpec("{", "d"),
        right: async () => parseSpec(JSON.stringify((await describe(media)).spec), "d"),
      },
      {
        hint: "rename it",
        wrong: () => checkModalityName("none", "x"),
        right: () => checkModalityName("nothing", "x"),
      },
    ]);
  }));

Deno.test("what is said of single files is mended by what it says", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.npy");
    await Deno.writeFile(path, noise(2, 3));
    const loop = join(folder, "loop.npy");
    await Deno.symlink(loop, loop);
    const head = (type: "float32" | "float64", held: number) => [{ name: "a", shape: [9], type, held }] as never;
    const archive = stored({ "a.npy": noise(2), "b.npy": noise(2) });
    const twice = archive.slice();
    // The second entry's name, in its own head and in the directory.
    for (let i = 0; i + 5 <= twice.length; i++) {
      if (new TextDecoder().decode(twice.subarray(i, i + 5)) === "b.npy") twice[i] = "a".charCodeAt(0);
    }
    await tried([
      {
        hint: "remove them",
        wrong: () => openArrays(loop),
        right: async () => {
          await Deno.remove(loop);
          await Deno.copyFile(path, loop);
          (await openArrays(loop)).close();
        },
      },
      {
        hint: "it is cut off: save or copy it again",
        wrong: async () => {
          await Deno.writeFile(loop, noise(2, 3).subarray(0, 140));
          await openArrays(loop);
        },
        right: async () => (await openArrays(path)).close(),
      },
      {
        hint: "scale it down before saving",
        wrong: () => narrowFloats(Float64Array.of(1e300), "x"),
        right: () => narrowFloats(Float64Array.of(1e300 / 1e290), "x"),
      },
      {
        hint: "or float32 in place of float64",
        wrong: () => checkHeld("x", head("float64", 72), 40),
        right: () => checkHeld("x", head("float32", 36), 40),
      },
      {
        hint: "save it as UTF-8",
        wrong: () => parseTable(Uint8Array.of(97, 0xff, 10, 49), "x"),
        right: () => parseTable(new TextEncoder().encode("aÿ\n1"), "x"),
      },
      {
        hint: "save each array once",
        wrong: () => zipEntries(bytesSource(twice as Uint8Array<ArrayBuffer>), "x"),
        right: () => zipEntries(bytesSource(archive as Uint8Array<ArrayBuffer>), "x"),
      },
    ]);
  }));
