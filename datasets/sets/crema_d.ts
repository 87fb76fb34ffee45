/**
 * CREMA-D: sentences spoken with one of six emotions, as recording and face.
 *
 * @module
 */
import { defineSet, type SetFolder, type SetListing, type SetPlugin, type SetSample } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { fileOf, idOf, listOf, rowRefusal } from "./folder.ts";
import { ogmGeSettings } from "./ogm_ge.ts";

/** Options of `crema-d`. */
export interface CremaDOptions {
  readonly split: "lists" | "speakers";
}

/** Classes in the order of OGM-GE's indices, by the code in the names of clips. */
const EMOTIONS: Readonly<Record<string, string>> = {
  NEU: "neutral",
  HAP: "happy",
  SAD: "sad",
  FEA: "fear",
  DIS: "disgust",
  ANG: "anger",
};

/** Speaker, sentence, emotion and level: 1001_DFA_ANG_XX. */
const NAME = /^(1\d{3})_[A-Z]{3}_(NEU|HAP|SAD|FEA|DIS|ANG)_(LO|MD|HI|XX|X)$/;

const FRAMES = ["Image-01-FPS", "Image-02-FPS", "Image-03-FPS", "Image-05-FPS", "VideoFlash"];
const SOUNDS = ["AudioWAV", "AudioMP3"];

/** Files of clips, by their names. */
async function filesIn(folder: SetFolder): Promise<(id: string) => SetSample["files"]> {
  const inside = async (names: readonly string[]) => {
    for (const name of names) {
      const found = await folder.entries(name);
      if (found.size > 0) return { name, found: await folder.media(name) };
    }
    throw new Refusal({
      what: `read "${folder.path}"`,
      must: `it must hold ${names.join(" or ")}`,
      found: `it holds ${[...(await folder.entries("")).keys()].slice(0, 10).join(", ") || "nothing"}`,
    });
  };
  const [sounds, faces] = [await inside(SOUNDS), await inside(FRAMES)];
  return (id) => ({
    audio: fileOf(sounds.name, sounds.found, id, [".wav", ".mp3"]),
    video: fileOf(faces.name, faces.found, id, ["", ".flv", ".mp4"]),
  });
}

/** Clips as `train.csv` and `test.csv` have them: name, emotion. */
async function listed(folder: SetFolder): Promise<SetListing> {
  const files = await filesIn(folder);
  const samples: SetSample[] = [];
  for (const split of ["train", "test"] as const) {
    const { file, rows } = await listOf(folder, [
      `${split}.csv`,
      `data/CREMAD/${split}.csv`,
      `annotations/${split}.csv`,
    ]);
    for (const row of rows) {
      const id = idOf(file, row, row.cells[0]);
      const found = NAME.exec(id);
      if (found === null) throw rowRefusal(file, row, "its first cell must be as 1001_DFA_ANG_XX", `found "${id}"`);
      if (row.cells[1] !== found[2]) {
        throw rowRefusal(
          file,
          row,
          `its second cell must be the emotion of the name, ${found[2]}`,
          `found "${row.cells[1]}"`,
        );
      }
      samples.push({ id, label: EMOTIONS[found[2]], split, group: "", files: files(id) });
    }
  }
  return {
    samples,
    official: "OGM-GE",
    notes: ["speakers stand in training and in test: --set crema-d.split=speakers"],
  };
}

/** All clips that there are, a speaker's in one split. */
async function bySpeakers(folder: SetFolder): Promise<SetListing> {
  const files = await filesIn(folder);
  const names = new Set<string>();
  for (const dir of [...SOUNDS, ...FRAMES]) {
    for (const name of (await folder.entries(dir)).keys()) names.add(name.replace(/\.[^.]*$/, ""));
  }
  const samples = [...names].sort().flatMap((id): SetSample[] => {
    const found = NAME.exec(id);
    return found === null ? [] : [{ id, label: EMOTIONS[found[2]], split: null, group: found[1], files: files(id) }];
  });
  return { samples, official: "all" };
}

/** crema-d: six emotions in voice and face. */
export const cremaD: SetPlugin = defineSet<CremaDOptions>({
  name: "crema-d",
  title: "CREMA-D",
  about: "7,442 clips of 91 speakers: one of six emotions in voice and face",
  source: "Cao et al., IEEE Trans. Affective Computing 2014; github.com/CheyneyComputerScience/CREMA-D",
  licence: "Open Database License 1.0, contents Database Contents License 1.0 (its README)",
  layout: [
    "AudioWAV/1001_DFA_ANG_XX.wav (or AudioMP3/….mp3)",
    "Image-01-FPS/1001_DFA_ANG_XX/*.jpg (or Image-02-FPS, …, as OGM-GE extracts them; or VideoFlash/….flv by ffmpeg)",
    "train.csv and test.csv: 1001_DFA_ANG_XX,ANG (or in data/CREMAD/ or annotations/; not for split=speakers)",
  ],
  classes: Object.values(EMOTIONS),
  modalities: {
    audio: { kind: "sound", rate: 22_050, seconds: 3, front: "log-mel" },
    video: { kind: "film", size: 224, frames: 1, fps: 1 },
  },
  official: {
    "OGM-GE": {
      about: "counted in its train.csv and test.csv",
      splits: {
        train: { samples: 6698, classes: [973, 1148, 1131, 1138, 1142, 1166] },
        test: { samples: 744, classes: [114, 123, 140, 133, 129, 105] },
      },
    },
    all: { about: "clips by emotion: 1,271, neutral 1,087", splits: {} },
  },
  paper: ogmGeSettings(
    "its loader repeats a clip to fill three seconds, as magnitudes; here silence follows, as log-mel spectrograms",
  ),
  options: {
    split: {
      type: "choice",
      choices: ["lists", "speakers"],
      default: "lists",
      about:
        "lists: train.csv and test.csv, in which speakers are in both; speakers: 70 : 10 : 20, a speaker in one split",
      source: "OGM-GE's lists, which published numbers are of",
    },
  },
  list: (folder, { split }) => split === "lists" ? listed(folder) : bySpeakers(folder),
});
