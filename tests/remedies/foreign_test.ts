/**
 * Remedies for files of other programs: what the program writes once it is told so is read. These files are those that NumPy,
 * PyTorch, pandas and others wrote (tests/golden/foreign.py).
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { describe, files, inspect } from "../../datasets/mod.ts";
import { tokenizerOf } from "../../datasets/transforms/tokenize.ts";
import { decodeSound, decodeWav, encodeNpy, openArrays } from "../../formats/mod.ts";
import { openWeights } from "../../formats/weights.ts";
import { inFolder } from "../helpers/cli.ts";
import { ffmpegIsThere } from "../helpers/ffmpeg.ts";
import { tried } from "../helpers/remedies.ts";
import { golden } from "../helpers/tensors.ts";
import { encodeWav } from "../helpers/wav.ts";
import { stored } from "../helpers/zip.ts";

const seeds = golden<Record<string, string>>("foreign");
const seed = (name: string) => Uint8Array.from(atob(seeds[name]), (letter) => letter.charCodeAt(0));

/** Reads all arrays of files, one after the other under one path. */
function readerIn(folder: string): (...given: readonly (string | Uint8Array)[]) => Promise<void> {
  return async (...given) => {
    for (const own of given) {
      const path = join(folder, "x");
      await Deno.writeFile(path, typeof own === "string" ? seed(own) : own);
      const file = await openArrays(path);
      try {
        assert(file.heads.size > 0);
        for (const name of file.heads.keys()) await file.read(name);
      } finally {
        file.close();
      }
    }
  };
}

/** An archive whose directory says how many entries it has where archives of more than 65,535 say it. */
function counted(entries: number): Uint8Array {
  const small = stored({ "x.npy": seed("npy <f4") });
  const [body, end] = [small.subarray(0, -22), small.slice(-22)];
  const [old, record, locator] = [end, new Uint8Array(56), new Uint8Array(20)].map((own) => new DataView(own.buffer));
  record.setUint32(0, 0x06064b50, true);
  record.setBigUint64(32, BigInt(entries), true);
  record.setBigUint64(40, BigInt(old.getUint32(12, true)), true);
  record.setBigUint64(48, BigInt(old.getUint32(16, true)), true);
  locator.setUint32(0, 0x07064b50, true);
  locator.setBigUint64(8, BigInt(body.length), true);
  old.setUint16(8, 0xffff, true);
  old.setUint16(10, 0xffff, true);
  return Uint8Array.of(...body, ...new Uint8Array(record.buffer), ...new Uint8Array(locator.buffer), ...end);
}

/** A file of arrays with a text of its head replaced by one of the same length. */
function reworded(name: string, from: string, to: string): Uint8Array {
  const bytes = seed(name);
  bytes.set(new TextEncoder().encode(to), new TextDecoder("latin1").decode(bytes).indexOf(from));
  return bytes;
}

Deno.test("what is said of arrays that other programs wrote is mended by what it says", () =>
  inFolder(async (folder) => {
    const read = readerIn(folder);
    const locked = seed("npz");
    locked[new TextDecoder("latin1").decode(locked).indexOf("PK\x01\x02") + 8] = 1;
    const unpacked = async (name: string) => {
      const stream = new Blob([seed(name)]).stream().pipeThrough(new DecompressionStream("gzip"));
      await read(new Uint8Array(await new Response(stream).arrayBuffer()));
    };
    const table = join(folder, "table.csv");
    await Deno.writeTextFile(
      table,
      ["a,label", ..."xyxyxyxyxyxyxyxyxyxy"].map((c, n) => n ? `${n},${c}` : c).join("\n"),
    );
    await tried([
      { hint: "save one array per file", wrong: () => read("npy two arrays"), right: () => read("npy <i8", "npy <i8") },
      {
        hint: "save each field as an array of its own",
        wrong: () => read("npy record"),
        right: () => read("npy <i4", "npy <f4"),
      },
      {
        hint: "save numbers, or texts by array.astype(str)",
        wrong: () => read("npy object"),
        right: () => read("npy text", "npy <f8"),
      },
      {
        hint: "save real and imaginary parts as two arrays",
        wrong: () => read("npy complex"),
        right: () => read("npy <f4", "npy <f4"),
      },
      {
        hint: "save array.astype(numpy.float32), or each field as an array of its own",
        wrong: () => read("npy bfloat16"),
        right: () => read("npy <f4"),
      },
      {
        hint: "save array.astype(str), or numbers",
        wrong: () => read("npy date"),
        right: () => read("npy text", "npy <i8"),
      },
      { hint: "save numbers", wrong: () => read("npy span"), right: () => read("npy <i8") },
      {
        hint: "save array.astype(numpy.float64)",
        wrong: () => read("npy longdouble"),
        right: () => read("npy <f8"),
      },
      { hint: "save float32", wrong: () => read(reworded("npy <f4", "<f4", "<q4")), right: () => read("npy <f4") },
      { hint: "save float32", wrong: () => read("safetensors f8e4m3"), right: () => read("safetensors f4") },
      { hint: "save arrays by numpy.savez", wrong: () => read("hdf5"), right: () => read("npz", "npz compressed") },
      {
        hint: "save tensors by safetensors.torch.save_file, or numpy.savez of tensor.numpy()",
        wrong: () => read("torch zip"),
        right: () => read("safetensors bf16", "npz"),
      },
      ...[stored({ "[Content_Types].xml": new Uint8Array(9) }), "pandas feather"].map((office) => ({
        hint: "save arrays by numpy.savez, or a table for a dataset as CSV",
        wrong: () => read(office),
        right: async () => [await read("npz"), await files.load({ path: table })],
      })),
      { hint: "unpack it first", wrong: () => read("gzip"), right: () => unpacked("gzip") },
      { hint: "fetch it: git lfs pull", wrong: () => read("git lfs"), right: () => read("npz") },
      { hint: "download the file anew", wrong: () => read("web page"), right: () => read("safetensors f4") },
      { hint: "save at most 100000", wrong: () => read(counted(100_001)), right: () => read(counted(1)) },
      { hint: "save it without a password", wrong: () => read(locked), right: () => read("npz") },
      {
        hint: "save it stored or deflated",
        wrong: () => read("npz bzip2"),
        right: () => read("npz", "npz compressed"),
      },
      {
        hint: 'convert it: python -c "import torch; from safetensors.torch import save_file; ',
        wrong: () => openWeights(join(folder, "x.pt")),
        right: async () => {
          await Deno.writeFile(join(folder, "x.safetensors"), seed("safetensors bf16"));
          (await openWeights(join(folder, "x.safetensors"))).close();
        },
      },
    ]);
  }));

Deno.test("what is said of tables in folders and of tokenizers is mended by what it says", () =>
  inFolder(async (folder) => {
    const [parts, whole, texts, ids] = ["parts", "whole", "texts", "ids"].map((name) => join(folder, name));
    for (const path of [join(parts, "label=cat"), whole, texts, ids]) await Deno.mkdir(path, { recursive: true });
    await Deno.writeFile(join(parts, "label=cat", "0.parquet"), seed("pandas parquet"));
    const json = { model: { type: "WordPiece", vocab: { "[UNK]": 0, one: 1, "[PAD]": 2 }, unk_token: "[UNK]" } };
    await Deno.writeTextFile(join(texts, "t.json"), JSON.stringify(json));
    const list = join(texts, "list.csv");
    const row = (_: unknown, n: number) => `${"ab"[n % 2]},one two ${n}`;
    await Deno.writeTextFile(list, ["label,text", ...Array.from({ length: 20 }, row)].join("\n"));
    await tried([
      {
        hint:
          'write a table in folders of values as one file, as pandas does by read_parquet(FOLDER).to_parquet("all.parquet")',
        wrong: () => describe(parts),
        right: async () => {
          await Deno.writeFile(join(whole, "all.parquet"), seed("pandas parquet"));
          assertEquals(Object.keys((await describe(whole)).spec.modalities), ["all"]);
        },
      },
      {
        hint: "tokenize the texts yourself, with 0 for padding, and give the ids",
        wrong: () => inspect(list, false, { text: join(texts, "t.json") }),
        right: async () => {
          const tokens = Int32Array.from({ length: 60 }, (_, i) => i % 3 === 2 ? 0 : 1 + i % 7);
          const labels = Int32Array.from({ length: 20 }, (_, n) => n % 2);
          await Deno.writeFile(join(ids, "text.npy"), encodeNpy({ data: tokens, shape: [20, 3], dtype: "int32" }));
          await Deno.writeFile(join(ids, "labels.npy"), encodeNpy({ data: labels, shape: [20], dtype: "int32" }));
          const { modalities } = await files.load({ path: ids });
          assertEquals([modalities.text.dtype, modalities.text.shape], ["int32", [3]]);
        },
      },
      {
        hint: "save it by tokenizer.save_pretrained",
        wrong: () => tokenizerOf({ model: { ...json.model, vocab: {} } }, "t"),
        right: () => tokenizerOf(json, "t"),
      },
    ]);
  }));

const absent = !await ffmpegIsThere();
if (absent) console.log("skipped: sounds converted as advised, as ffmpeg is not on the PATH");
Deno.test({
  name: "what is said of sounds is mended by the command that it says",
  ignore: absent,
  fn: () =>
    inFolder(async (folder) => {
      const path = (name: string) => join(folder, name);
      await Deno.writeFile(
        path("tone.wav"),
        encodeWav([Float32Array.from({ length: 800 }, (_, i) => Math.sin(i / 5))], 8000),
      );
      /** Does what is advised. */
      const run = async (advice: string, from: string, to: string) => {
        const [program, ...args] = advice.replace("IN", path(from)).replace("OUT.wav", path(to)).split(" ");
        const { success, stderr } = await new Deno.Command(program, { args: ["-v", "error", ...args] }).output();
        assert(success, new TextDecoder().decode(stderr));
      };
      await run("ffmpeg -i IN OUT.wav", "tone.wav", "tone.au");
      await run("ffmpeg -i IN -c:a pcm_mulaw OUT.wav", "tone.wav", "mulaw.wav");
      const [plain, pcm] = ["ffmpeg -i IN OUT.wav", "ffmpeg -i IN -c:a pcm_s16le OUT.wav"];
      const bytes = (name: string) => Deno.readFile(path(name));
      await tried([
        {
          hint: `convert it: ${plain}`,
          wrong: async () => await decodeSound(await bytes("tone.au"), "tone.au"),
          right: async () => {
            await run(plain, "tone.au", "converted.wav");
            assertEquals((await decodeSound(await bytes("converted.wav"), "x")).signal.length, 800);
          },
        },
        {
          hint: `convert it: ${pcm}`,
          wrong: async () => decodeWav(await bytes("mulaw.wav"), "mulaw.wav"),
          right: async () => {
            await run(pcm, "mulaw.wav", "pcm.wav");
            assertEquals(decodeWav(await bytes("pcm.wav"), "x").signal.length, 800);
          },
        },
      ]);
    }),
});
