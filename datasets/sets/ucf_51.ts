/**
 * UCF-51: actions of UCF-101 in 51 classes, as frames and as the optical flow between them.
 *
 * @module
 */
import { defineSet, type SetFolder, type SetListing, type SetPlugin, type SetSample } from "../../core/kinds/mod.ts";
import { listOf, rowRefusal } from "./folder.ts";

/** Options of `ucf-51`. */
export interface Ucf51Options {
  readonly split: number;
}

/** Classes of UCF-101 for which yanbeic/CCL (Apache-2.0) has sound. */
const CLASSES = `ApplyEyeMakeup ApplyLipstick Archery BabyCrawling BalanceBeam BandMarching BasketballDunk BlowDryHair
BlowingCandles BodyWeightSquats Bowling BoxingPunchingBag BoxingSpeedBag BrushingTeeth CliffDiving CricketBowling
CricketShot CuttingInKitchen FieldHockeyPenalty FloorGymnastics FrisbeeCatch FrontCrawl Haircut HammerThrow Hammering
HandstandPushups HandstandWalking HeadMassage IceDancing Knitting LongJump MoppingFloor ParallelBars PlayingCello
PlayingDaf PlayingDhol PlayingFlute PlayingSitar Rafting ShavingBeard Shotput SkyDiving SoccerPenalty StillRings
SumoWrestling Surfing TableTennisShot Typing UnevenBars WallPushups WritingOnBoard`.split(/\s+/);

/** A clip in a list: ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi. */
const CLIP = /^([A-Za-z]+)\/(v_[A-Za-z]+_(g\d\d)_c\d\d)\.avi$/;

/** Where frames or films are: clips themselves, or in folders of classes. */
const FILMS = ["jpegs_256", "ucf101_jpegs_256/jpegs_256", "rawframes", "frames", "UCF-101"];
/** Where folders `u` and `v` of optical flow are. */
const FLOWS = ["tvl1_flow", "ucf101_tvl1_flow/tvl1_flow", "flow"];

/** Lists write HandStandPushups in names of clips, TV-L1's folders HandstandPushups. */
const spellings = (clip: string) => [clip, clip.replace("HandStand", "Handstand")];

/** The folder or film of a clip in one of some folders; "" if none has it. */
async function filmIn(folder: SetFolder, roots: readonly string[], label: string, clip: string): Promise<string> {
  for (const root of roots) {
    for (const at of [root, `${root}/${label}`]) {
      const names = await folder.media(at, (name) => CLASSES.some((own) => nameOf(own).test(name)));
      for (const name of spellings(clip)) {
        if (names.get(name) === true) return `${at}/${name}`;
        if (names.get(`${name}.avi`) === false) return `${at}/${name}.avi`;
      }
    }
  }
  return "";
}

const patterns = new Map<string, RegExp>();

/** What the names of a class's clips look like. */
function nameOf(label: string): RegExp {
  let pattern = patterns.get(label);
  if (pattern === undefined) patterns.set(label, pattern = new RegExp(`^v_${label}_g\\d\\d_c\\d\\d(\\.avi)?$`, "i"));
  return pattern;
}

/** The flow of a clip: of folders `u` and `v`, or beside its frames as `flow_x_…` and `flow_y_…`; "" if there is none. */
async function flowOf(folder: SetFolder, label: string, clip: string, film: string): Promise<string> {
  for (const root of FLOWS) {
    const across = await filmIn(folder, [`${root}/u`], label, clip);
    if (across === "") continue;
    const rest = across.slice(`${root}/u`.length);
    return await filmIn(folder, [`${root}/v`], label, clip) === `${root}/v${rest}` ? `${root}/{u,v}${rest}` : "";
  }
  const beside = film === "" ? [] : [...(await folder.entries(film)).keys()];
  return beside.some((name) => name.startsWith("flow_x")) ? film : "";
}

async function listed(folder: SetFolder, { split }: Ucf51Options): Promise<SetListing> {
  const samples: SetSample[] = [];
  for (const [part, list] of [["train", "trainlist"], ["test", "testlist"]] as const) {
    const name = `${list}0${split}.txt`;
    const { file, rows } = await listOf(folder, [`ucfTrainTestlist/${name}`, name]);
    for (const row of rows) {
      const found = CLIP.exec(row.cells[0]);
      if (found === null) {
        throw rowRefusal(
          file,
          row,
          "its first cell must be as ApplyLipstick/v_ApplyLipstick_g01_c01.avi",
          `found ${JSON.stringify(row.cells[0])}`,
        );
      }
      const [, label, clip, group] = found;
      if (!CLASSES.includes(label)) continue;
      const rgb = await filmIn(folder, FILMS, label, clip);
      const flow = await flowOf(folder, label, clip, rgb);
      samples.push({ id: clip, label, split: part, group: `${label} ${group}`, files: { rgb, flow } });
    }
  }
  return { samples, official: `split ${split}` };
}

/** Clips of a class in a list, as counted in the lists of UCF-101. */
const counted = (train: readonly number[], test: readonly number[]) => {
  const sum = (counts: readonly number[]) => counts.reduce((all, own) => all + own, 0);
  return { train: { samples: sum(train), classes: train }, test: { samples: sum(test), classes: test } };
};

/** ucf-51: actions in frames and optical flow. */
export const ucf51: SetPlugin = defineSet<Ucf51Options>({
  name: "ucf-51",
  title: "UCF-51",
  about: "6,845 clips of UCF-101 in 51 classes of actions: frames and optical flow",
  source: "Soomro et al., UCF101, CRCV-TR-12-01, 2012; the 51 classes as in github.com/yanbeic/CCL (Apache-2.0)",
  licence: "none is known here for the clips: ask UCF's Center for Research in Computer Vision",
  layout: [
    "trainlist01.txt and testlist01.txt (02, 03), themselves or in ucfTrainTestlist/",
    "jpegs_256/v_Archery_g01_c01/*.jpg, or in folders of classes, or as .avi by ffmpeg (also in rawframes/, frames/, UCF-101/)",
    "tvl1_flow/u/v_Archery_g01_c01/*.jpg and tvl1_flow/v/…, or flow_x_00001.jpg and flow_y_00001.jpg beside the frames",
  ],
  classes: CLASSES,
  modalities: {
    rgb: { kind: "film", size: 224, frames: 3, fps: 4 },
    flow: { kind: "flow", size: 224, frames: 3, fields: 1 },
  },
  official: {
    "split 1": {
      about: "counted in UCF-101's lists",
      splits: counted(
        // deno-fmt-ignore
        [
          101, 82, 104, 97, 77, 112, 94, 93, 76, 82, 112, 114, 97, 95, 99, 103, 118, 77, 86, 89, 89, 100, 97, 105, 107,
          100, 77, 106, 112, 89, 92, 76, 77, 120, 110, 115, 107, 113, 83, 118, 98, 79, 96, 80, 82, 93, 101, 93, 76, 95, 107,
        ],
        // deno-fmt-ignore
        [
          44, 32, 41, 35, 31, 43, 37, 38, 33, 30, 43, 49, 37, 36, 39, 36, 49, 33, 40, 36, 37, 37, 33, 45, 33, 28, 34, 41,
          46, 34, 39, 34, 37, 44, 41, 49, 48, 44, 28, 43, 46, 31, 41, 32, 34, 33, 39, 43, 28, 35, 45,
        ],
      ),
    },
    "split 2": {
      about: "counted in UCF-101's lists",
      splits: counted(
        // deno-fmt-ignore
        [
          106, 85, 104, 97, 79, 110, 95, 91, 79, 80, 112, 122, 94, 97, 97, 100, 118, 79, 89, 90, 92, 99, 93, 104, 99, 91,
          83, 107, 116, 87, 89, 82, 81, 119, 110, 116, 113, 114, 78, 118, 102, 81, 97, 82, 83, 88, 107, 90, 76, 94, 115,
        ],
        // deno-fmt-ignore
        [
          39, 29, 41, 35, 29, 45, 36, 40, 30, 32, 43, 41, 40, 34, 41, 39, 49, 31, 37, 35, 34, 38, 37, 46, 41, 37, 28, 40,
          42, 36, 42, 28, 33, 45, 41, 48, 42, 43, 33, 43, 42, 29, 40, 30, 33, 38, 33, 46, 28, 36, 37,
        ],
      ),
    },
    "split 3": {
      about: "counted in UCF-101's lists",
      splits: counted(
        // deno-fmt-ignore
        [
          108, 81, 107, 93, 77, 112, 91, 97, 81, 82, 112, 118, 97, 97, 100, 97, 124, 82, 96, 88, 89, 98, 95, 114, 98, 86,
          80, 106, 116, 89, 97, 78, 86, 117, 106, 123, 113, 111, 77, 113, 109, 76, 102, 81, 83, 87, 100, 105, 72, 88, 110,
        ],
        // deno-fmt-ignore
        [
          37, 33, 38, 39, 31, 43, 40, 34, 28, 30, 43, 45, 37, 34, 38, 42, 43, 28, 30, 37, 37, 39, 35, 36, 42, 42, 31, 41,
          42, 34, 34, 32, 28, 47, 45, 41, 42, 46, 34, 48, 35, 34, 35, 31, 33, 39, 40, 31, 32, 42, 42,
        ],
      ),
    },
  },
  paper: {
    about: [
      "Gao et al., AAAI 2025: ResNet-18, SGD with these numbers; it states no number of epochs: that of Kinetics-Sounds stands",
      "it states no number of frames: three, each with its flow, as in BalanceBenchmark's loader",
    ],
    encoder: { name: "resnet18", options: {} },
    training: {
      optimizer: "sgd",
      learningRate: 5e-4,
      momentum: 0.9,
      weightDecay: 5e-4,
      schedule: "constant",
      batchSize: 16,
      epochs: 80,
    },
  },
  options: {
    split: {
      type: "integer",
      default: 1,
      min: 1,
      max: 3,
      about: "which of UCF-101's three splits",
      source: "the first is what published numbers of UCF-51 are of, by its count of 6,845",
    },
  },
  list: listed,
});
