/** What people's folders hold besides what they should: each is a precise sentence, or a counted and listed skip. */
import { join } from "node:path";
import sharp from "sharp";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { describe, files, inspect } from "../../datasets/mod.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { encodeWav } from "../helpers/wav.ts";
import { stored } from "../helpers/zip.ts";

const load = (path: string, memory = 2048) => Promise.resolve(files.load({ path, memory }));
const random = new Random(0);
const noise = (size: number) => Float32Array.from({ length: size }, () => 0.1 * random.normal());
const picture = (r: number) =>
  sharp({ create: { width: 16, height: 12, channels: 3, background: { r, g: 50, b: 90 } } }).jpeg().toBuffer();

/** Two classes of ten samples: a JPEG and a WAV each. */
async function media(root: string): Promise<void> {
  for (const [c, name] of ["a", "b"].entries()) {
    await Deno.mkdir(join(root, name), { recursive: true });
    for (let n = 0; n < 10; n++) {
      await Deno.writeFile(join(root, name, `${n}.jpg`), await picture(100 * c + n));
      await Deno.writeFile(join(root, name, `${n}.wav`), encodeWav([noise(400 + n)], 8000));
    }
  }
}

/** That a folder is refused with a sentence, and taken without its one broken sample where that is skipped. */
async function refused(root: string, text: string, broken = true): Promise<void> {
  const error = await assertRejects(() => load(root), Refusal);
  assertStringIncludes(error.message, text);
  assertEquals(error.message.split("\n").length, 1);
  if (!broken) return;
  assertStringIncludes(error.message, "--skip-broken");
  const { dataset: { splits }, notes } = await inspect(root, true);
  assertEquals(Object.values(splits).reduce((sum, { size }) => sum + size, 0), 19);
  assertStringIncludes(notes.join(), "1 of 20 samples are broken and left out: sample");
}

Deno.test("a broken JPEG, in memory and decoded by batch; a WAV of length 0, one that is none", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    const [photo, voice] = [join(folder, "a", "3.jpg"), join(folder, "b", "4.wav")];
    const [whole, sound] = [await Deno.readFile(photo), await Deno.readFile(voice)];
    for (const bytes of [whole.subarray(0, whole.length - 60), whole.subarray(0, 20), new Uint8Array(0)]) {
      await Deno.writeFile(photo, bytes);
      await refused(folder, 'Cannot read "a/3.jpg" as it must be a whole picture');
    }
    await assertRejects(() => load(folder, 0), Refusal, 'Cannot read "a/3.jpg" as it must be a whole picture');
    await Deno.writeFile(photo, whole);
    for (
      const [bytes, text] of [
        [encodeWav([noise(0)], 8000), "it must hold sound: it has length 0"],
        [sound.subarray(0, 90), "its sound is cut off"],
        [new Uint8Array(0), "it is empty"],
        [sound.subarray(0, 30), "it must be a WAV file: it holds no sound"],
      ] as const
    ) {
      await Deno.writeFile(voice, bytes);
      await refused(folder, text);
    }
    // What no decoder knows goes to ffmpeg, or is refused with the command that would be run.
    await Deno.writeTextFile(voice, "no sound at all");
    await refused(folder, 'read "b/4.wav" as ffmpeg must');
  });
});

Deno.test("a WAV of another rate and of several channels is brought to the others' by the stated rule, and said so", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    const tone = Float32Array.from({ length: 1600 }, (_, n) => 0.5 * Math.sin(2 * Math.PI * 500 * n / 16_000));
    const half = Float32Array.from({ length: 800 }, (_, n) => 0.5 * Math.sin(2 * Math.PI * 500 * n / 8000));
    await Deno.writeFile(join(folder, "a", "0.wav"), encodeWav([tone], 16_000));
    await Deno.writeFile(
      join(folder, "a", "1.wav"),
      encodeWav([half, half.map((v) => 3 * v / 2), half.map((v) => v / 2)], 8000),
    );
    const { spec, kept } = await describe(folder);
    const audio = { ...spec.modalities["audio"], scale: "none", front: "waveform" };
    await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities: { audio } }));
    const { dataset, notes } = await inspect(folder);
    assertStringIncludes(
      notes.join(),
      '1 of 20 recordings of "@folders#audio" are brought to 8000 samples a second, the commonest rate',
    );
    assertEquals(dataset.modalities["audio"].shape, [800, 1]);
    // Both are the same tone: the one at half the samples, the other as the mean of its channels.
    const rows = Object.values(dataset.splits).flatMap(({ inputs, size }) =>
      Array.from({ length: size }, (_, n) => inputs["audio"].subarray(800 * n, 800 * n + 800))
    );
    const tones = rows.filter((row) => Math.abs(row[704] - half[704]) < 0.02 && Math.abs(row[701] - half[701]) < 0.02);
    assertEquals(tones.length, 2);
  });
});

Deno.test("empty lists, and labels that are none of dataset.json's classes", async () => {
  await inFolder(async (folder) => {
    const path = (name: string) => join(folder, name);
    await Deno.writeTextFile(path("t.csv"), "label,x_0,x_1\n");
    await refused(path("t.csv"), "Cannot", false);
    await Deno.writeTextFile(path("t.jsonl"), "");
    await refused(path("t.jsonl"), "Cannot", false);
    await Deno.mkdir(path("empty/a"), { recursive: true });
    await refused(path("empty"), "it must hold .npy", false);
    const rows = Array.from({ length: 40 }, (_, n) => `${n % 2},${n},${n * n}`);
    await Deno.writeTextFile(path("x.csv"), ["label,x_0,x_1", ...rows].join("\n"));
    const { spec, kept } = await describe(path("x.csv"));
    await Deno.writeTextFile(kept, JSON.stringify(spec));
    await Deno.writeTextFile(path("x.csv"), ["label,x_0,x_1", ...rows.with(7, "2,7,49")].join("\n"));
    await refused(path("x.csv"), 'each must be one of the 2 classes 0, 1: sample 7 has "2"', false);
  });
});

Deno.test("paths and links out of the folder: in lists, of media, of a class, of texts, in archives", async () => {
  await inFolder(async (folder) => {
    const own = join(folder, "own");
    await media(own);
    await Deno.writeFile(join(folder, "secret.jpg"), await picture(7));
    await Deno.writeTextFile(join(folder, "secret.txt"), "secret");
    const link = async (target: string, place: string, text: string) => {
      await Deno.symlink(target, join(own, place));
      await refused(own, text, false);
      await Deno.remove(join(own, place));
    };
    const photo = await Deno.readFile(join(own, "a", "5.jpg"));
    await Deno.remove(join(own, "a", "5.jpg"));
    await link(
      "../../secret.jpg",
      "a/5.jpg",
      'Cannot read "a/5.jpg" as it must lie in the folder of the dataset: it is a link out',
    );
    await Deno.writeFile(join(own, "a", "5.jpg"), photo);
    await link("../../secret.txt", "a/5.txt", 'Cannot read "a/5.txt" as it must lie in the folder');
    await media(join(folder, "other"));
    await link("../other/a", "c", 'Cannot read "c/0.jpg" as it must lie in the folder');
    for (const path of ["../secret.jpg", join(folder, "secret.jpg"), "a/../../secret.jpg"]) {
      const rows = Array.from({ length: 20 }, (_, n) => `${"ab"[n % 2]},${n === 5 ? path : "a/1.jpg"}`);
      await Deno.writeTextFile(join(own, "list.csv"), ["label,image", ...rows].join("\n"));
      await refused(join(own, "list.csv"), "its path leads out of it", false);
    }
    // Where broken ones are left out and none is left, it is said why.
    const outside = Array.from({ length: 20 }, (_, n) => `${"ab"[n % 2]},../secret.jpg`);
    await Deno.writeTextFile(join(own, "list.csv"), ["label,image", ...outside].join("\n"));
    const { message } = await assertRejects(() => inspect(join(own, "list.csv"), true), Refusal);
    assertStringIncludes(message, "none has, and 20 of 20 are broken, the first as ../secret.jpg: it must lie in");
    // Nothing is ever unpacked to a place: an entry's name is a modality's, and no such name is one.
    const entry = encodeNpy({ dtype: "float32", shape: [20, 2], data: noise(40) });
    const labels = encodeNpy({ dtype: "int32", shape: [20], data: Int32Array.from({ length: 20 }, (_, n) => n % 2) });
    await Deno.writeFile(join(own, "x.npz"), stored({ "../../x.npy": entry, "labels.npy": labels }));
    await refused(join(own, "x.npz"), '"../../x"', false);
  });
});

Deno.test("a head that promises 10 GB is refused by its size, before any memory is taken", async () => {
  await inFolder(async (folder) => {
    const before = Deno.memoryUsage().rss;
    const head = encodeNpy({ dtype: "float32", shape: [20, 2], data: noise(40) });
    const text = new TextDecoder("latin1").decode(head.subarray(0, 128));
    const bytes = head.slice();
    bytes.set(new TextEncoder().encode("(20, 125000000), }"), text.indexOf("(20, 2), }"));
    await Deno.mkdir(join(folder, "npy"));
    await Deno.writeFile(join(folder, "npy", "x.npy"), bytes);
    const labels = Int32Array.from({ length: 20 }, (_, n) => n % 2);
    await Deno.writeFile(join(folder, "npy", "labels.npy"), encodeNpy({ dtype: "int32", shape: [20], data: labels }));
    await refused(join(folder, "npy"), "Cannot read", false);
    const tensors = new Uint8Array(64);
    new DataView(tensors.buffer).setBigUint64(0, 10_000_000_000n, true);
    await Deno.writeFile(join(folder, "x.safetensors"), tensors);
    await refused(join(folder, "x.safetensors"), "Cannot read", false);
    assertEquals(Deno.memoryUsage().rss - before < 300e6, true);
  });
});

Deno.test("mixed types in a column; byte-order marks, CRLF and UTF-16 are read; other encodings are refused", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "t.csv");
    const rows = Array.from({ length: 40 }, (_, n) => `${n % 2 === 0 ? "näh" : "fern"},${n},${(n * 7) % 5}`);
    const text = ["label,x_0,x_1", ...rows].join("\r\n");
    const utf16 = new Uint8Array([
      0xff,
      0xfe,
      ...new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer),
    ]);
    const prints: string[] = [];
    for (const bytes of [new TextEncoder().encode(text), new TextEncoder().encode(`\uFEFF${text}`), utf16]) {
      await Deno.writeFile(path, bytes);
      const { classes, fingerprint } = await load(path);
      assertEquals(classes, ["fern", "näh"]);
      prints.push(fingerprint);
    }
    assertEquals(new Set(prints).size, 1);
    await Deno.writeFile(path, Uint8Array.from(text, (c) => c.charCodeAt(0)));
    await refused(path, "its text must be UTF-8: line 2 is not; save it as UTF-8", false);
    await Deno.writeTextFile(path, ["label,x_0,x_1", ...rows.with(9, "fern,nine,3")].join("\n"));
    await refused(path, 'row 10 holds "nine"', false);
    // Texts of media too.
    await media(join(folder, "m"));
    await Deno.writeFile(join(folder, "m", "a", "1.txt"), Uint8Array.of(0x66, 0xfc, 0x72));
    await refused(join(folder, "m"), 'Cannot read "a/1.txt" as its text must be UTF-8: line 1 is not', false);
  });
});

Deno.test("tables as other tools write them: a sentence with a remedy, and the remedy works", async () => {
  await inFolder(async (folder) => {
    const rows = (row: (n: number) => string) => Array.from({ length: 20 }, (_, n) => row(n)).join("\n");
    const decimals = rows((n) => `${"ab"[n % 2]};${n},5;2`);
    const plain = rows((n) => `{"label":"${"ab"[n % 2]}","x":[${n},1]}`);
    const cases: readonly (readonly [name: string, bad: string, said: string, mended: string])[] = [
      [
        "commas.csv",
        `label;x_0;x_1\n${decimals}`,
        'row 1 holds "0,5"; write numbers with a decimal point, and nothing between thousands',
        `label;x_0;x_1\n${decimals.replaceAll(",", ".")}`,
      ],
      [
        "thousands.csv",
        `label,x_0,x_1\n${rows((n) => `${"ab"[n % 2]},"1,00${n % 10}",${n}`)}`,
        'holds "1,000"; write numbers with a decimal point, and nothing between thousands',
        `label,x_0,x_1\n${rows((n) => `${"ab"[n % 2]},100${n % 10},${n}`)}`,
      ],
      [
        "percent.csv",
        `label,x_0,x_1\n${rows((n) => `${"ab"[n % 2]},${n}%,1`)}`,
        'row 1 holds "0%"; write plain numbers, and leave a cell empty (in JSON null) where nothing is',
        `label,x_0,x_1\n${rows((n) => `${"ab"[n % 2]},${n},1`)}`,
      ],
      [
        "comment.csv",
        `# made by hand\nlabel,x_0,x_1\n${rows((n) => `${"ab"[n % 2]},${n},1`)}`,
        "line 2 has 3; take away what stands before the line of names",
        `label,x_0,x_1\n${rows((n) => `${"ab"[n % 2]},${n},1`)}`,
      ],
      [
        "spaces.csv",
        `label x_0 x_1\n${rows((n) => `${"ab"[n % 2]} ${n} 1`)}`,
        "name one so; cells of a table stand between commas, tabs, semicolons or bars",
        `label|x_0|x_1\n${rows((n) => `${"ab"[n % 2]}|${n}|1`)}`,
      ],
      [
        "list.jsonl",
        `[${plain.replaceAll("\n", ",")}]`,
        'line 1 is none; write one object a line, as pandas does by to_json(FILE, orient="records", lines=True)',
        plain,
      ],
      [
        "ragged.jsonl",
        plain.replace("[0,1]", "[0]").replace("[3,1]", "[3,1,1]"),
        "1 as the first has: row 1 has 2; pad them to one length; null or no value is a row that is not there",
        plain,
      ],
      [
        "empty.csv",
        "label,x_0\n",
        "it must hold rows: it has a line of names alone",
        `label,x_0\na,1\n${rows((n) => `${"ab"[n % 2]},${n}`)}`,
      ],
    ];
    for (const [name, bad, said, mended] of cases) {
      const path = join(folder, name);
      await Deno.writeTextFile(path, bad);
      const error = await assertRejects(() => load(path), Refusal);
      assertStringIncludes(error.message, said);
      assertEquals(error.message.split("\n").length, 1);
      await Deno.writeTextFile(path, mended);
      assertEquals((await load(path)).classes, ["a", "b"]);
    }
    const records = join(folder, "records.jsonl");
    await Deno.writeTextFile(records, rows((n) => `{"label":"${"ab"[n % 2]}","point":{"x":${n}}}`));
    await refused(
      records,
      'column "point" of records.jsonl holds records and is left out: give each field a column of its own',
      false,
    );
    await Deno.writeTextFile(records, rows((n) => `{"label":"${"ab"[n % 2]}","x":${n},"point":{"x":${n}}}`));
    assertStringIncludes((await describe(records)).notes.join(), "holds records and is left out");
    await Deno.writeTextFile(join(folder, "all.json"), "[]");
    await refused(join(folder, "all.json"), "it must be a table of JSON lines: it is JSON; write one", false);
    await Deno.writeFile(join(folder, "all.tar"), new Uint8Array(512).fill(97));
    await refused(join(folder, "all.tar"), "it is a tar archive; unpack it first", false);
    const parts = join(folder, "parts");
    await Deno.mkdir(join(parts, "label=a"), { recursive: true });
    await refused(parts, "found label=a; write a table in folders of values as one file", false);
  });
});

Deno.test("media in folders of modalities, of classes above splits, or in none: a sentence whose remedy works", async () => {
  await inFolder(async (folder) => {
    const at = (...names: string[]) => join(folder, ...names);
    const put = async (n: number, ...names: string[]) => {
      await Deno.mkdir(join(at(...names), ".."), { recursive: true });
      await Deno.writeFile(at(...names), await picture(n));
    };
    for (let n = 0; n < 20; n++) {
      const label = "ab"[n % 2];
      const split = n < 12 ? "train" : n < 16 ? "val" : "test";
      await put(n, "views", "rgb", label, `${n}.jpg`);
      await put(n + 1, "views", "depth", label, `${n}.jpg`);
      await put(n, "inner", label, "rgb", `${n}.jpg`);
      await put(n + 1, "inner", label, "depth", `${n}.jpg`);
      await put(n, "turned", label, split, `${n}.jpg`);
      await put(n, "flat", `${label}_${n}.jpg`);
      // What the sentences ask for.
      await put(n, "splits", split, label, `${n}.jpg`);
      await put(n, "classes", label, `${n}.jpg`);
    }
    const beside = "put them there (class/sample.jpg, class/sample.wav), or name them in a table with a column label";
    await refused(
      at("views"),
      `the files of a sample must stand beside each other: found depth, rgb; ${beside}`,
      false,
    );
    await refused(
      at("inner"),
      `the files of a sample must stand beside each other: found depth, rgb; ${beside}`,
      false,
    );
    await refused(
      at("turned"),
      "above those of classes: found test, train, val; turn them around: train/class, test/class",
      false,
    );
    await refused(
      at("flat"),
      "put media into folders of classes (class/sample.jpg), or name them in a table with a column label",
      false,
    );
    const sizes = async (path: string) => Object.values((await load(path)).splits).map(({ size }) => size);
    assertEquals(await sizes(at("splits")), [12, 4, 4]);
    assertEquals(await sizes(at("classes")), [14, 2, 4]);
    const rows = Array.from({ length: 20 }, (_, n) => {
      const label = "ab"[n % 2];
      return `${label},rgb/${label}/${n}.jpg,depth/${label}/${n}.jpg`;
    });
    await Deno.writeTextFile(at("views", "list.csv"), ["label,rgb,depth", ...rows].join("\n"));
    assertEquals(Object.keys((await load(at("views", "list.csv"))).modalities), ["depth", "rgb"]);
  });
});

Deno.test("a list that names files which are not there: their samples lack them, counted; where none is there, it is refused", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    const list = join(folder, "list.csv");
    const write = async (sound: (label: string, k: number, n: number) => string) => {
      const rows = Array.from({ length: 20 }, (_, n) => {
        const [label, k] = ["ab"[n % 2], n >> 1];
        return `${label},${label}/${k}.jpg,${sound(label, k, n)}`;
      });
      await Deno.writeTextFile(list, ["label,image,sound", ...rows].join("\n"));
    };
    const masks = async () => {
      const { splits } = await load(list);
      return Object.values(splits).map(({ present }) => [...present ?? []]);
    };
    await write((label, k, n) => n === 6 || n === 7 ? `${label}/gone.wav` : `${label}/${k}.wav`);
    const { notes, table } = await inspect(list);
    assert(
      notes.includes(
        '2 of 20 samples lack "list.csv#sound", as no file is where their cells say: "a/gone.wav", "b/gone.wav"',
      ),
      notes.join("\n"),
    );
    assertStringIncludes(table.rows.flat().join(), "2 of 20 samples lack it");
    const named = await masks();
    assertEquals(named.flat().filter((there) => there === 0).length, 2);
    // The same as two empty cells.
    await write((label, k, n) => n === 6 || n === 7 ? "" : `${label}/${k}.wav`);
    assertEquals(await masks(), named);
    await write((label, k) => `sounds/${label}/${k}.wav`);
    await refused(
      list,
      'Cannot read "list.csv#sound" as files that it names must be there: none of 20 is, as "sounds/a/0.wav"; ' +
        `write their paths as they lead from ${folder}`,
      false,
    );
    await write((label, k) => `${label}/${k}.wav`);
    assertEquals((await masks()).flat().filter((there) => there === 0), []);
  });
});
