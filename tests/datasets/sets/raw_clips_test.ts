/** Sets as clips that nobody has taken apart yet: what ffmpeg makes of them. Skipped where it is not on the PATH. */
import { join } from "node:path";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { describe, samplesOf } from "../../../datasets/files/files.ts";
import type { FilesSpec } from "../../../datasets/files/spec.ts";
import { cremaD, kineticsSounds, type ListedSet, listSet, ucf51, verifySet, vggSound } from "../../../datasets/mod.ts";
import { prepareSet } from "../../../experiments/prepare_set.ts";
import { decodeNpy } from "../../../formats/mod.ts";
import { inFolder } from "../../helpers/cli.ts";
import { ffmpegIsThere } from "../../helpers/ffmpeg.ts";
import { trainsOn } from "../../helpers/set_runs.ts";
import { grain, put, tone } from "../../helpers/sets.ts";

const absent = !await ffmpegIsThere();
if (absent) console.log("raw clips: skipped, as ffmpeg is not on the PATH");

/** Seconds of a clip. */
const LENGTH = 0.5;
/** Brightness of a clip's pictures, 0..255: of luminance 16 + 13 n in 16..235. */
const greyOf = (n: number) => 13 * n * 255 / 219;

/** Cuts a film into clips, each a grey of its own with a tone of its own. */
async function clips(folder: string, count: number, ending: string, ...codec: string[]): Promise<Uint8Array[]> {
  await Deno.mkdir(folder, { recursive: true });
  const seconds = count * LENGTH;
  const step = `floor((T+0.01)/${LENGTH})`;
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: [
      ...["-v", "error", "-f", "lavfi", "-i"],
      `nullsrc=s=32x24:r=12:d=${seconds},format=yuv420p,geq=lum='16+13*${step}':cb=128:cr=128`,
      ...["-f", "lavfi", "-i", `aevalsrc='0.5*sin(2*PI*t*(300+200*floor(t/${LENGTH})))':d=${seconds}:s=44100`],
      ...["-force_key_frames", `expr:gte(t,n_forced*${LENGTH})`, "-threads", "1", ...codec],
      ...["-f", "segment", "-segment_time", `${LENGTH}`, "-reset_timestamps", "1", join(folder, `%02d.${ending}`)],
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return await Promise.all(
    Array.from({ length: count }, (_, n) => Deno.readFile(join(folder, `${String(n).padStart(2, "0")}.${ending}`))),
  );
}

async function withoutSound(path: string): Promise<void> {
  const to = `${path}.silent.mp4`;
  const args = ["-v", "error", "-i", path, "-an", "-c", "copy", to];
  assert((await new Deno.Command("ffmpeg", { args }).output()).success);
  await Deno.rename(to, path);
}

const SMALL = { audio: { seconds: LENGTH, bands: 8 }, video: { size: 8, frames: 2, fps: 12 } };
const whys = async (listed: ListedSet) =>
  (await verifySet(listed, { readers: 0 })).filter(({ serious }) => serious).map(({ about }) => about);
const arrayOf = async (path: string) => decodeNpy(await Deno.readFile(path), path);

Deno.test({
  name: "raw clips in folders: cut off and empty ones are broken, silent ones lack sound, the others are their colours",
  ignore: absent,
  fn: () =>
    inFolder(async (folder) => {
      const [from, to] = [join(folder, "from"), join(folder, "to")];
      const made = await clips(join(folder, "made"), 12, "mp4");
      const pathOf = (n: number) => {
        const [split, label] = [n < 8 ? "train" : n < 10 ? "val" : "test", n % 2 === 0 ? "bowling" : "laughing"];
        return join(from, split, label, `clip:abcd_${String(n).padStart(6, "0")}.mp4`);
      };
      for (const [n, bytes] of made.entries()) await put(pathOf(n), bytes);
      await put(pathOf(2), made[2].slice(0, made[2].length >> 1));
      await put(pathOf(3), "");
      await withoutSound(pathOf(4));
      const listed = await listSet(kineticsSounds, from, { samples: "folders", audio: "recordings" }, SMALL);
      const found = await verifySet(listed, { readers: 0 });
      const told = found.filter(({ serious }) => serious).map(({ about }) => about);
      assertEquals(told.length, 2);
      assertStringIncludes(told[0], "_000002 cannot be read");
      assertStringIncludes(told[0], "ffmpeg must decode it");
      assertStringIncludes(told[1], "_000003 cannot be read");
      assertStringIncludes(told[1], "it must hold sound: it is empty");
      const lighter = found.filter(({ serious }) => !serious).map(({ about }) => about);
      assertEquals(lighter[0], "1 samples have a film without sound: clip:abcd_000004 (audio)");

      // The remedy of the refusal is the same command with --skip-broken.
      const { message } = await assertRejects(() => prepareSet(listed, to), Refusal);
      assertStringIncludes(message, "leave broken ones out: --skip-broken");
      const { broken, missing, silent, samples } = await prepareSet(listed, to, { skip: true, readers: 2 });
      assertEquals([samples, broken.map(({ id }) => id.slice(-1)).sort()], [9, ["2", "3"]]);
      assertEquals([missing, silent], [[], [{ id: "clip:abcd_000004", modalities: ["audio"] }]]);
      const { data: greys } = await arrayOf(join(to, "video.npy"));
      const idsIn = async (folder: string) =>
        (await Deno.readTextFile(join(folder, "samples.csv"))).trim().split("\n").slice(1)
          .map((line) => Number(line.split(",")[2].slice(-6)));
      const ids = await idsIn(to);
      // Two frames of 8 x 8 x 3 a clip, all of its grey; the codec's loss is a few levels.
      ids.forEach((n, row) => {
        assertAlmostEquals(Number(greys[2 * 192 * row]), greyOf(n), 6);
        assertAlmostEquals(Number(greys[2 * 192 * row + 383]), greyOf(n), 6);
      });
      await trainsOn(to, folder);

      // Kept with a mask.
      const whole = join(folder, "whole");
      const kept = await prepareSet(listed, whole, { skip: true, incomplete: true });
      assertEquals([kept.samples, kept.missing, kept.silent], [10, [], []]);
      const { shape, data: sounds } = await arrayOf(join(whole, "audio.npy"));
      const width = sounds.length / shape[0];
      const lacks = Array.from({ length: shape[0] }, (_, n) => Number.isNaN(Number(sounds[n * width])));
      assertEquals((await idsIn(whole)).filter((_, row) => lacks[row]), [4]);
    }),
});

Deno.test({
  name: "raw clips as one's own data: the sound of a silent film is a mask, and said",
  ignore: absent,
  fn: () =>
    inFolder(async (folder) => {
      const made = await clips(join(folder, "made"), 6, "mp4");
      const data = join(folder, "data");
      for (const [n, bytes] of made.entries()) await put(join(data, "ab"[n % 2], `${n}.mp4`), bytes);
      for (const n of [4, 5]) await withoutSound(join(data, "ab"[n % 2], `${n}.mp4`));
      const own = { scale: "standard", channels: "last" } as const;
      const spec: FilesSpec = {
        format: 1,
        name: "clips",
        labels: "@folders#label",
        classes: ["a", "b"],
        modalities: {
          film: { from: "@folders#film", kind: "film", size: 8, frames: 2, ...own },
          sound: { from: "@folders#film", kind: "sound", bands: 8, ...own },
        },
        split: { shares: [0.7, 0.1, 0.2], seed: 0 },
      };
      await put(join(data, "dataset.json"), JSON.stringify(spec));
      for (const decode of ["if they fit", "by batch"] as const) {
        const samples = await samplesOf(await describe(data), { decode });
        assertEquals(samples.notes.slice(-1), ['2 films of "@folders#film" have no sound: their samples lack it']);
        // 0, 2 and 4 are of a, 1, 3 and 5 of b.
        assertEquals([...samples.values["sound"].present].flatMap((there, n) => there === 1 ? [] : [n]), [2, 5]);
        assert(samples.values["film"].present.every((there) => there === 1));
      }
    }),
});

Deno.test({
  name: "raw clips: .flv of crema-d, .avi of ucf-51, .mp4 of vggsound's list; one that ends in the middle is broken",
  ignore: absent,
  fn: () =>
    inFolder(async (folder) => {
      const at = (...names: string[]) => join(folder, ...names);
      const flv = await clips(at("flv"), 3, "flv", "-c:v", "flv1");
      const avi = await clips(at("avi"), 3, "avi", "-c:v", "mpeg4");
      for (const [n, name] of ["1001_DFA_ANG_XX", "1002_DFA_HAP_XX", "1003_DFA_SAD_XX"].entries()) {
        const bytes = n === 2 ? flv[n].slice(0, 200) : flv[n];
        await put(at("crema", "VideoFlash", `${name}.flv`), bytes);
        await tone(at("crema", "AudioWAV", `${name}.wav`), 300 + 50 * n);
      }
      await put(at("crema", "train.csv"), "1001_DFA_ANG_XX,ANG\n1002_DFA_HAP_XX,HAP\n1003_DFA_SAD_XX,SAD\n");
      await put(at("crema", "test.csv"), "");
      const faces = await listSet(cremaD, at("crema"), { split: "lists" }, SMALL);
      const [cut, ...others] = await whys(faces);
      assertStringIncludes(cut, 'sample 1003_DFA_SAD_XX cannot be read: "VideoFlash/1003_DFA_SAD_XX.flv"');
      assertEquals(others, []);
      assertEquals((await prepareSet(faces, at("faces"), { skip: true })).samples, 2);

      for (const n of [0, 1, 2]) {
        const clip = `v_Archery_g0${n + 1}_c01`;
        const bytes = n === 2 ? avi[n].slice(0, Math.floor(0.6 * avi[n].length)) : avi[n];
        await put(at("ucf", "UCF-101", "Archery", `${clip}.avi`), bytes);
        for (const way of "uv") await grain(at("ucf", "tvl1_flow", way, clip, "frame000001.jpg"), n);
      }
      const lines = [1, 2, 3].map((n) => `Archery/v_Archery_g0${n}_c01.avi 1`);
      await put(at("ucf", "trainlist01.txt"), lines.join("\n"));
      await put(at("ucf", "testlist01.txt"), "");
      const sizes = { rgb: { ...SMALL.video }, flow: { size: 8, frames: 2 } };
      const archery = await listSet(ucf51, at("ucf"), { split: 1 }, sizes);
      const [short, ...rest] = await whys(archery);
      assertStringIncludes(short, "sample v_Archery_g03_c01 cannot be read");
      assertEquals(rest, []);
      assertEquals((await prepareSet(archery, at("archery"), { skip: true })).samples, 2);
      const { data: greys } = await arrayOf(at("archery", "rgb.npy"));
      assertAlmostEquals(Number(greys[384]), greyOf(1), 6);

      const [mp4] = await clips(at("mp4"), 1, "mp4");
      await put(at("vgg", "video", "train", "abcdefghijk_000030.mp4"), mp4);
      await put(at("vgg", "vggsound.csv"), "abcdefghijk,30,air horn,train\n");
      assertEquals(await whys(await listSet(vggSound, at("vgg"), {}, SMALL)), []);
    }),
});
