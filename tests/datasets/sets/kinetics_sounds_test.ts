/** Kinetics-Sounds as people have it: OGM-GE's lists, frames and recordings; spectrograms; clips in folders of classes. */
import { join } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { float32 } from "../../../core/mod.ts";
import { Refusal } from "../../../core/refusal.ts";
import { files, kineticsSounds, listSet, verifySet } from "../../../datasets/mod.ts";
import { prepareSet } from "../../../experiments/prepare_set.ts";
import { encodeNpy } from "../../../formats/mod.ts";
import { inFolder } from "../../helpers/cli.ts";
import { trainsOn } from "../../helpers/set_runs.ts";
import { frames, put, tone } from "../../helpers/sets.ts";

const SMALL = { audio: { seconds: 0.05, bands: 8 }, video: { size: 8, frames: 2 } };
const CLASSES = [4, 13];

/** Names of a video of eleven characters: in training with both seconds, in test with the first alone. */
const name = (split: string, c: number, n: number) =>
  `-${split}_v${c < 10 ? "0" : ""}${c}${String.fromCharCode(97 + n)}xx`.padEnd(11, "x").slice(0, 11) +
  (split === "train" ? `_0000${10 + n}_0000${20 + n}` : `_${n}`);

/** Lists of OGM-GE with frames and recordings; two classes, ten clips to train on and two to test. */
async function written(root: string, sound: "wav" | "npy" = "wav"): Promise<void> {
  for (const [split, count] of [["train", 10], ["test", 2]] as const) {
    const rows: string[] = [];
    for (const c of CLASSES) {
      for (let n = 0; n < count; n++) {
        const id = name(split, c, n);
        rows.push(`${id},10,${c}`);
        await frames(join(root, "visual", id), 10 * c + 3 * n + (split === "test" ? 1 : 0), 3);
        if (sound === "wav") await tone(join(root, "audio", split, `${id}.wav`), 200 * c + 10 * n + split.length);
        else {
          const values = Array.from({ length: 6 }, (_, k) => c + n + k / 10 + split.length);
          await put(join(root, "spec", split, `${id}.npy`), encodeNpy(float32(values, [3, 2])));
        }
      }
    }
    await put(join(root, `my_${split}.txt`), rows.join("\r\n") + "\r\n");
  }
}

Deno.test("kinetics-sounds: OGM-GE's lists, frames and recordings; prepared, verified, trained on", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await written(from);
    const listed = await listSet(kineticsSounds, from, {}, SMALL);
    assertEquals(listed.samples.length, 24);
    assertEquals(listed.samples[0], {
      id: "-train_v04a_000010_000020",
      label: "dribbling basketball",
      split: "train",
      group: "-train_v04a",
      files: {
        audio: "audio/train/-train_v04a_000010_000020.wav",
        video: "visual/-train_v04a_000010_000020",
      },
    });
    const found = await verifySet(listed, { readers: 0 });
    assertEquals(found.map(({ serious }) => serious), [false]);
    assertStringIncludes(found[0].about, "numbers differ from OGM-GE's");
    assertStringIncludes(found[0].about, "train: all 20 of 14799, test: all 4 of 2597, train: blowing nose 0 of 268");
    const { samples, differing } = await prepareSet(listed, to, { readers: 2 });
    assertEquals([samples, differing.length], [24, 64]);
    const { splits, modalities, classes } = await files.load({ path: to });
    assertEquals(modalities["video"].shape, [2, 8, 8, 3]);
    assertEquals([splits.train.size + splits.validation.size, splits.test.size, classes.length], [20, 4, 2]);
    await trainsOn(to, folder);
  });
});

Deno.test("kinetics-sounds: spectrograms in .npy as they are; one of another shape, broken or with NaN is told", async () => {
  await inFolder(async (folder) => {
    await written(folder, "npy");
    const listing = () => listSet(kineticsSounds, folder, { audio: "spectrograms" }, { video: SMALL.video });
    await prepareSet(await listing(), join(folder, "to"));
    const { modalities } = await files.load({ path: join(folder, "to") });
    assertEquals(modalities["audio"].shape, [3, 2, 1]);
    const at = (n: number) => join(folder, "spec", "train", `${name("train", 4, n)}.npy`);
    await put(at(1), encodeNpy(float32([1, 2], [1, 2])));
    await put(at(2), encodeNpy(float32([1, NaN, 1, 1, 1, 1], [3, 2])));
    await put(at(3), "no array");
    const found = await verifySet(await listing(), { readers: 0 });
    const text = found.map(({ about }) => about).join("\n");
    assertStringIncludes(text, "it must have the shape of the first, [3, 2, 1]: found [1, 2, 1]");
    assertStringIncludes(text, "every value must be a finite number: it has NaN at position 1");
    assertStringIncludes(text, "it must be a .npy array");
    assertEquals(found.filter(({ serious }) => serious).length, 3);
  });
});

Deno.test("kinetics-sounds: lists between spaces, frames and sound in the clip's folder; frames that are named otherwise", async () => {
  await inFolder(async (folder) => {
    for (const [split, list] of [["train", "train_list_noempty.txt"], ["test", "val_list_noempty.txt"]]) {
      const id = name("train", 4, split.length);
      await frames(join(folder, split, id), 9);
      await tone(join(folder, split, id, "sound.wav"), 300);
      // The list has the first second alone, and the ending of the film.
      await put(join(folder, list), `${id.replace(/_0*(\d+)_\d+$/, "_$1")}.mp4 4\n`);
    }
    const { samples, official } = await listSet(kineticsSounds, folder);
    assertEquals(official, null);
    assertEquals(samples.map(({ files }) => files.audio), [
      "train/-train_v04f_000015_000025/sound.wav",
      "test/-train_v04e_000014_000024/sound.wav",
    ]);
  });
});

Deno.test("kinetics-sounds samples=folders: clips in folders of classes; validation tests where there is no test", async () => {
  await inFolder(async (folder) => {
    await put(join(folder, "train", "playing_guitar", "aaaaaaaaaaa_000001_000011.mp4"), "");
    await put(join(folder, "train", "abseiling", "ccccccccccc_000001_000011.mp4"), "");
    await put(join(folder, "val", "playing guitar", "bbbbbbbbbbb_000001_000011.mp4"), "");
    const { samples, notes } = await listSet(kineticsSounds, folder, { samples: "folders" });
    assertEquals(samples.map(({ id, split, label, files }) => [id.slice(0, 3), split, label, files.audio]), [
      ["aaa", "train", "playing guitar", "train/playing_guitar/aaaaaaaaaaa_000001_000011.mp4"],
      ["bbb", "test", "playing guitar", "val/playing guitar/bbbbbbbbbbb_000001_000011.mp4"],
    ]);
    assertEquals(notes, ["folders of no class of the set are left out: abseiling"]);
  });
});

Deno.test("kinetics-sounds: what cannot be is one sentence", async () => {
  await inFolder(async (folder) => {
    await written(folder);
    const says = async (text: string) => {
      const { message } = await assertRejects(() => listSet(kineticsSounds, folder), Refusal);
      assertStringIncludes(message, text);
    };
    await put(join(folder, "my_train.txt"), "../x,10,4\n");
    await says('Cannot read line 1 of "my_train.txt" as its first cell must name a file, and no path: found "../x"');
    await put(join(folder, "my_train.txt"), "x,10,31\n");
    await says('its last cell must be a class, 0..30: found "31"');
    await put(join(folder, "my_train.txt"), "");
    await Deno.remove(join(folder, "visual"), { recursive: true });
    await says("it must hold image/train, visual, video/train or train");
    const outside = await Deno.makeTempDir();
    try {
      await Deno.symlink(outside, join(folder, "visual"));
      await says('Cannot look into "visual" as it must lie in the folder of the set: it is a link out of it');
    } finally {
      await Deno.remove(outside);
    }
  });
});
