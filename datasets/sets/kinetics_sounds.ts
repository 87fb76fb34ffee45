/**
 * Kinetics-Sounds: clips of Kinetics-400 whose class can be seen and heard.
 *
 * @module
 */
import {
  defineSet,
  type SetFolder,
  type SetListing,
  type SetPlugin,
  type SetSample,
  type SplitName,
} from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { className, type ClipIndex, clipKey, firstClips, soundInside, SPLIT_FOLDERS, videoOf } from "./clips.ts";
import { idOf, listOf, rowRefusal } from "./folder.ts";

/** Options of `kinetics-sounds`. */
export interface KineticsSoundsOptions {
  readonly samples: "lists" | "folders";
  readonly audio: "recordings" | "spectrograms";
}

/** In the order of the lists' indices, which is that of the alphabet. */
const CLASSES: readonly string[] = [
  "blowing nose",
  "blowing out candles",
  "bowling",
  "chopping wood",
  "dribbling basketball",
  "finger snapping",
  "laughing",
  "mowing lawn",
  "playing accordion",
  "playing bagpipes",
  "playing bass guitar",
  "playing clarinet",
  "playing drums",
  "playing guitar",
  "playing harmonica",
  "playing keyboard",
  "playing organ",
  "playing piano",
  "playing saxophone",
  "playing trombone",
  "playing trumpet",
  "playing violin",
  "playing xylophone",
  "ripping paper",
  "shoveling snow",
  "shuffling cards",
  "singing",
  "tap dancing",
  "tapping guitar",
  "tapping pen",
  "tickling",
];
const KNOWN: ReadonlySet<string> = new Set(CLASSES);

/** Lists, in the order in which they are looked for: OGM-GE's, and those of its followers. */
const LISTS: Readonly<Record<"train" | "test", readonly string[]>> = {
  train: ["my_train.txt", "data/KineticSound/my_train.txt", "train_list_noempty.txt", "ks_train_real.txt", "train.txt"],
  test: ["my_test.txt", "data/KineticSound/my_test.txt", "val_list_noempty.txt", "ks_test_real.txt", "test.txt"],
};

/** Folders that lie in one for each split, or in none. */
const places = (split: SplitName, roots: readonly string[]) =>
  roots.flatMap((root) => [...SPLIT_FOLDERS[split].map((own) => `${root}/${own}`), root]);

/** What there is of the clips of a split. */
async function filesOf(
  folder: SetFolder,
  split: SplitName,
  audio: KineticsSoundsOptions["audio"],
): Promise<(key: string) => Promise<SetSample["files"]>> {
  const films = await firstClips(
    folder,
    [...places(split, ["image", "visual", "frames", "video", "videos"]), ...SPLIT_FOLDERS[split]],
    KNOWN,
  );
  if (films === null) {
    throw new Refusal({
      what: `read the ${split} clips of "${folder.path}"`,
      must: `it must hold image/${split}, visual, video/${split} or ${split}`,
      found: `it holds ${[...(await folder.entries("")).keys()].slice(0, 10).join(", ") || "nothing"}`,
    });
  }
  const roots = audio === "recordings" ? ["audio", "wav", `${split}_wav`] : ["spec", `${split}_spec`, "audio_spec"];
  const sounds = await firstClips(folder, places(split, roots), KNOWN);
  return async (key) => {
    const film = films.get(key);
    return { video: film?.path ?? "", audio: sounds?.get(key)?.path ?? await soundOf(folder, film, audio) };
  };
}

/** Where no folder of sounds has it: inside of the clip's folder, or of the film itself. */
async function soundOf(
  folder: SetFolder,
  film: ReturnType<ClipIndex["get"]>,
  audio: KineticsSoundsOptions["audio"],
): Promise<string> {
  if (film === undefined || audio === "spectrograms") return "";
  return film.folder ? await soundInside(folder, film.path) : film.path;
}

/** `x_000058_000068,10,4` as OGM-GE has it, or `x_000058_000068 4`; names may end with `.mp4`. */
async function listed(folder: SetFolder, audio: KineticsSoundsOptions["audio"]): Promise<SetListing> {
  const samples: SetSample[] = [];
  let ours = true;
  for (const split of ["train", "test"] as const) {
    const { file, rows } = await listOf(folder, LISTS[split]);
    ours &&= file.endsWith(`my_${split}.txt`);
    const files = await filesOf(folder, split, audio);
    for (const row of rows) {
      const id = idOf(file, row, row.cells[0].replace(/\.mp4$/, ""));
      const index = Number(row.cells.at(-1));
      if (row.cells.length < 2 || !Number.isInteger(index) || index < 0 || index >= CLASSES.length) {
        throw rowRefusal(
          file,
          row,
          `its last cell must be a class, 0..${CLASSES.length - 1}`,
          `found "${row.cells.at(-1)}"`,
        );
      }
      samples.push({ id, label: CLASSES[index], split, group: videoOf(id), files: await files(clipKey(id)) });
    }
  }
  return { samples, ...(ours ? { official: "OGM-GE" } : {}) };
}

/** Folders of the splits: where there is no `test`, Kinetics' own validation clips test, as papers do. */
async function splitFolders(folder: SetFolder): Promise<readonly (readonly [SplitName, string])[]> {
  const names = [...(await folder.entries("")).keys()];
  const validation = names.find((name) => SPLIT_FOLDERS.validation.includes(name));
  const test = names.includes("test") ? "test" : validation;
  if (names.includes("train") && test !== undefined) {
    const between = test === "test" && validation !== undefined ? [["validation", validation] as const] : [];
    return [["train", "train"], ...between, ["test", test]];
  }
  throw new Refusal({
    what: `read "${folder.path}"`,
    must: "it must hold train, and test or val",
    found: `it holds ${names.slice(0, 10).join(", ") || "nothing"}`,
  });
}

/** `train/bowling/x_000058_000068.mp4`, as Kinetics is downloaded. */
async function byFolders(folder: SetFolder): Promise<SetListing> {
  const samples: SetSample[] = [];
  const others = new Set<string>();
  for (const [split, at] of await splitFolders(folder)) {
    for (const [name, isFolder] of await folder.entries(at)) {
      const label = className(name);
      if (!KNOWN.has(label) || !isFolder) {
        if (isFolder) others.add(name);
        continue;
      }
      for (const [file, inner] of await folder.media(`${at}/${name}`)) {
        const path = `${at}/${name}/${file}`;
        const audio = inner ? await soundInside(folder, path) : path;
        const id = file.replace(/\.\w+$/, "");
        samples.push({ id, label, split, group: videoOf(id), files: { audio, video: path } });
      }
    }
  }
  const left = [...others].slice(0, 8).join(", ");
  return { samples, notes: left === "" ? [] : [`folders of no class of the set are left out: ${left}`] };
}

/** kinetics-sounds: 31 classes that are seen and heard. */
export const kineticsSounds: SetPlugin = defineSet<KineticsSoundsOptions>({
  name: "kinetics-sounds",
  title: "Kinetics-Sounds",
  about: "17,396 clips of ten seconds in OGM-GE's lists: one of 31 classes that are seen and heard",
  source: "Arandjelovic and Zisserman, ICCV 2017, of Kinetics-400; lists: Peng et al. (OGM-GE), CVPR 2022",
  licence: "Kinetics' annotations CC BY 4.0 (its publisher); the videos are their uploaders', under YouTube's terms",
  layout: [
    "my_train.txt and my_test.txt: x_000058_000068,10,4 (or in data/KineticSound/); also train_list_noempty.txt and val_list_noempty.txt: x_000058_000068 4",
    "image/train/x_000058_000068/*.jpg (or visual/…, frames/…, train/…; or clips, video/train/….mp4, train/<class>/….mp4, by ffmpeg)",
    "audio/train/x_000058_000068.wav (or in the clip's own folder; else the clip's sound, by ffmpeg)",
    "spec/train/x_000058_000068.npy, for audio=spectrograms",
    "without lists, samples=folders: train/<class>/….mp4 and val/<class>/… or test/<class>/…",
  ],
  classes: CLASSES,
  modalities: {
    audio: { kind: "sound", rate: 16_000, seconds: 10, front: "log-mel", bands: 128 },
    video: { kind: "film", size: 224, frames: 3, fps: 1 },
  },
  official: {
    "OGM-GE": {
      about: "counted in its my_train.txt and my_test.txt; no clip or video is in both",
      splits: {
        train: {
          samples: 14_799,
          classes: [
            ...[268, 690, 607, 512, 497, 445, 635, 478, 457, 605, 563, 486, 604, 592, 366, 339, 333, 489, 653, 538],
            ...[654, 386, 281, 493, 395, 672, 197, 523, 433, 354, 254],
          ],
        },
        test: {
          samples: 2597,
          classes: [
            ...[81, 92, 87, 87, 87, 68, 90, 90, 86, 79, 91, 88, 73, 85, 86, 91, 82, 84, 90, 90, 83, 91, 80, 92, 79, 66],
            ...[85, 84, 91, 76, 63],
          ],
        },
      },
    },
  },
  paper: {
    about: [
      "Gao et al., AAAI 2025: ResNet-18, SGD, learning rate 0.001, batches of 64, 80 epochs; at equal epochs",
      "OGM-GE's loader takes three frames of a clip, ARM's released one the first",
      "recordings become log-mel spectrograms of 128 bands; OGM-GE's script makes Kaldi's filter banks (audio=spectrograms takes them)",
    ],
    encoder: { name: "resnet18", options: {} },
    training: {
      schedule: "constant",
      momentum: 0.9,
      weightDecay: 5e-4,
      learningRate: 1e-3,
      batchSize: 64,
      epochs: 80,
    },
  },
  options: {
    samples: {
      type: "choice",
      choices: ["lists", "folders"],
      default: "lists",
      about: "which clips: those of the lists, or those in folders of classes",
      source: "OGM-GE's lists, which published numbers are of",
    },
    audio: {
      type: "choice",
      choices: ["recordings", "spectrograms"],
      default: "recordings",
      about: "recordings, or the .npy spectrograms that pre-processing made, as they are",
      source: "chosen here: recordings can be checked",
    },
  },
  async list(folder, { samples, audio }): Promise<SetListing> {
    const listing = samples === "lists" ? await listed(folder, audio) : await byFolders(folder);
    if (audio === "recordings") return listing;
    const { video } = kineticsSounds.modalities;
    return { ...listing, modalities: { audio: { kind: "array" }, video } };
  },
});
