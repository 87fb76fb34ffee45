/** VGGSound as people have it: its list, with the folders of OGM-GE's scripts, and with one folder of clips. */
import { join } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { listSet, verifySet, vggSound } from "../../../datasets/mod.ts";
import { prepareSet } from "../../../experiments/prepare_set.ts";
import { inFolder } from "../../helpers/cli.ts";
import { trainsOn } from "../../helpers/set_runs.ts";
import { frames, put, tone } from "../../helpers/sets.ts";

const SMALL = { audio: { seconds: 0.05, bands: 8 }, video: { size: 8, frames: 2 } };
const LABELS = ['"bird chirping, tweeting"', "people marching"];

const clips = (split: string, count: number) =>
  LABELS.flatMap((label, c) =>
    Array.from(
      { length: count },
      (_, n) => ({ video: `${split === "train" ? "-" : "_"}abcdefg${c}${n}x`, second: 10 * n, label }),
    )
  );

Deno.test("vggsound: the list with OGM-GE's folders; listed, verified, prepared without what is missing, trained on", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    const rows: string[] = [];
    for (const [split, count] of [["train", 9], ["test", 2]] as const) {
      for (const [n, { video, second, label }] of clips(split, count).entries()) {
        rows.push(`${video},${second},${label},${split}`);
        await frames(
          join(from, `${split}-videos/${split}-set-img/Image-01-FPS/${video}_${second}.mp4`),
          5 * n + rows.length,
        );
        await tone(join(from, `${split}-audios/${split}-set/${video}_${second}.wav`), 200 + 9 * rows.length);
      }
    }
    // Videos that are not there any more, as of every copy of this set.
    rows.push(`zzzzzzzzzzz,5,people marching,train`);
    await put(join(from, "vggsound.csv"), rows.join("\n") + "\n");
    const listed = await listSet(vggSound, from, {}, SMALL);
    assertEquals(listed.classes, ["bird chirping, tweeting", "people marching"]);
    assertEquals(listed.samples[0], {
      id: "-abcdefg00x_0",
      label: "bird chirping, tweeting",
      split: "train",
      group: "-abcdefg00x",
      files: {
        audio: "train-audios/train-set/-abcdefg00x_0.wav",
        video: "train-videos/train-set-img/Image-01-FPS/-abcdefg00x_0.mp4",
      },
    });
    const found = (await verifySet(listed, { readers: 0 })).map(({ about }) => about);
    assertEquals(found[0], "1 of 23 samples lack files: zzzzzzzzzzz_5 (audio, video)");
    assertStringIncludes(found[1], "train: all 18 of 183730");
    const { samples, missing } = await prepareSet(listed, to);
    assertEquals([samples, missing], [22, [{ id: "zzzzzzzzzzz_5", modalities: ["audio", "video"] }]]);
    await trainsOn(to, folder);
  });
});

Deno.test("vggsound: clips in one folder, seconds with zeros before them; a row that cannot be is refused with its line", async () => {
  await inFolder(async (folder) => {
    await put(join(folder, "video", "abcdefghijk_000030.mp4"), "");
    await put(join(folder, "vggsound.csv"), "abcdefghijk,30,air horn,train\n");
    const { samples: [{ files }] } = await listSet(vggSound, folder);
    assertEquals(files, { audio: "video/abcdefghijk_000030.mp4", video: "video/abcdefghijk_000030.mp4" });
    for (const row of ["abcdefghijk,x,air horn,train", "abcdefghijk,30,air horn,dev", "abcdefghijk,30,air horn"]) {
      await put(join(folder, "vggsound.csv"), `abcdefghijk,30,air horn,train\n${row}\n`);
      const { message } = await assertRejects(() => listSet(vggSound, folder), Refusal);
      assertStringIncludes(
        message,
        `Cannot read line 2 of "vggsound.csv" as it must be video, second, label, train or test`,
      );
    }
    await put(join(folder, "vggsound.csv"), `../../etc/x,30,air horn,train\n`);
    await assertRejects(() => listSet(vggSound, folder), Refusal, "must name a file, and no path");
  });
});
