/**
 * VGGSound: clips of YouTube by what is heard and seen, in the list that is published.
 *
 * @module
 */
import { defineSet, type SetFolder, type SetListing, type SetPlugin, type SetSample } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { type ClipIndex, clipKey, firstClips, soundInside } from "./clips.ts";
import { idOf, listOf, rowRefusal } from "./folder.ts";
import { ogmGeSettings } from "./ogm_ge.ts";

/** Folders of frames and of recordings of a split, as OGM-GE's scripts name them, and others do. */
const frames = (split: string) => [
  ...["01", "02", "03"].map((fps) => `${split}-videos/${split}-set-img/Image-${fps}-FPS`),
  ...["video", "videos", "frames", "visual", "image"].flatMap((root) => [`${root}/${split}`, root]),
  `${split}-videos/${split}-set`,
  split,
];
const sounds = (split: string) => [
  `${split}-audios/${split}-set`,
  ...["audio", "audios", "wav"].flatMap((root) => [`${root}/${split}`, root]),
];

async function filesOf(folder: SetFolder, split: string): Promise<(key: string) => Promise<SetSample["files"]>> {
  const films = await firstClips(folder, frames(split));
  if (films === null) {
    throw new Refusal({
      what: `read the ${split} clips of "${folder.path}"`,
      must: `it must hold ${split}-videos/${split}-set-img/Image-01-FPS, video/${split}, video or ${split}`,
      found: `it holds ${[...(await folder.entries("")).keys()].slice(0, 10).join(", ") || "nothing"}`,
    });
  }
  const heard = await firstClips(folder, sounds(split));
  const inside = async (film: ReturnType<ClipIndex["get"]>) =>
    film === undefined ? "" : film.folder ? await soundInside(folder, film.path) : film.path;
  return async (key) => {
    const film = films.get(key);
    return { video: film?.path ?? "", audio: heard?.get(key)?.path ?? await inside(film) };
  };
}

/** vggsound: 309 sounds of things that are seen. */
export const vggSound: SetPlugin = defineSet<Record<string, never>>({
  name: "vggsound",
  title: "VGGSound",
  about: "lists of clips by video, second, label and split, as vggsound.csv: 309 sounds of things that are seen",
  source: "Chen et al., ICASSP 2020; github.com/hche11/VGGSound",
  licence:
    "CC BY 4.0 (its LICENCE.txt, with further conditions); the videos are their uploaders', under YouTube's terms",
  layout: [
    'vggsound.csv: ---g-f_I2yQ,1,"people marching",test (or in data/ or data/VGGSound/): video, first second, label, split',
    "train-videos/train-set-img/Image-01-FPS/x_1.mp4/*.jpg (or video/train/x_000001…, video/…: folders of frames, or clips by ffmpeg)",
    "train-audios/train-set/x_1.wav (or audio/train/…, audio/…; or in the clip's own folder; else the clip's sound, by ffmpeg)",
    "the same with test in place of train",
  ],
  classes: [],
  modalities: {
    audio: { kind: "sound", rate: 16_000, seconds: 10, front: "log-mel", bands: 128 },
    video: { kind: "film", size: 224, frames: 3, fps: 1 },
  },
  official: {
    "vggsound.csv": {
      about: "its repository's stat.csv (199,176 clips in all) and test.csv",
      splits: { train: { samples: 183_730 }, test: { samples: 15_446 } },
    },
  },
  paper: ogmGeSettings(
    "its loader takes five of ten seconds at random, as magnitudes; here all ten, as log-mel spectrograms",
  ),
  options: {},
  async list(folder): Promise<SetListing> {
    const { file, rows } = await listOf(folder, ["vggsound.csv", "data/vggsound.csv", "data/VGGSound/vggsound.csv"]);
    const files = { train: await filesOf(folder, "train"), test: await filesOf(folder, "test") };
    const samples: SetSample[] = [];
    for (const row of rows) {
      const [video, second, label, split] = row.cells;
      if (row.cells.length !== 4 || !/^\d+$/.test(second) || label === "" || (split !== "train" && split !== "test")) {
        throw rowRefusal(
          file,
          row,
          "it must be video, second, label, train or test",
          `found ${row.cells.join(",").slice(0, 80)}`,
        );
      }
      const id = idOf(file, row, `${video}_${second}`);
      samples.push({ id, label, split, group: video, files: await files[split](clipKey(id)) });
    }
    return { samples, official: "vggsound.csv" };
  },
});
