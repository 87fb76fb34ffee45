/** CREMA-D as people have it: OGM-GE's lists and frames. */
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { cremaD, files, listSet } from "../../../datasets/mod.ts";
import { prepareSet } from "../../../experiments/prepare_set.ts";
import { armlab, inFolder, said } from "../../helpers/cli.ts";
import { frames, put, tone } from "../../helpers/sets.ts";

const SPEAKERS = [1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1090, 1091];
const CODES = ["NEU", "HAP", "SAD", "FEA", "DIS", "ANG"];

/** As little as tells samples apart. */
const SMALL = { audio: { seconds: 0.05, bands: 8 }, video: { size: 8 } };

/** Clips of ten speakers: eight train, two test. */
async function written(root: string): Promise<void> {
  const lists: Record<"train" | "test", string[]> = { train: [], test: [] };
  for (const [c, code] of CODES.entries()) {
    for (const speaker of SPEAKERS) {
      const id = `${speaker}_DFA_${code}_XX`;
      lists[speaker > 1089 ? "test" : "train"].push(`${id},${code}`);
      await tone(join(root, "AudioWAV", `${id}.wav`), 300 + 200 * c + (speaker % 10));
      await frames(join(root, "Image-01-FPS", id), 40 * c + (speaker % 10), 1);
    }
  }
  // Lists as they are published: a byte-order mark, lines that end with CR and LF.
  for (const [split, rows] of Object.entries(lists)) {
    await put(join(root, `${split}.csv`), `\uFEFF${rows.join("\r\n")}\r\n`);
  }
}

Deno.test("crema-d: lists, recordings and frames are its samples; classes in OGM-GE's order", async () => {
  await inFolder(async (folder) => {
    await written(folder);
    const { samples, classes, unlisted, repeated } = await listSet(cremaD, folder);
    assertEquals(classes, ["neutral", "happy", "sad", "fear", "disgust", "anger"]);
    assertEquals(samples.length, 60);
    assertEquals(samples[0], {
      id: "1001_DFA_NEU_XX",
      label: "neutral",
      split: "train",
      group: "",
      files: { audio: "AudioWAV/1001_DFA_NEU_XX.wav", video: "Image-01-FPS/1001_DFA_NEU_XX" },
    });
    assertEquals([unlisted, repeated], [[], []]);
  });
});

Deno.test("crema-d split=speakers: no speaker in two splits, whatever the lists say", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await written(from);
    await Deno.remove(join(from, "train.csv"));
    await prepareSet(await listSet(cremaD, from, { split: "speakers" }, SMALL), to);
    const { splits } = await files.load({ path: to });
    const speakers = Object.values(splits).map(({ groups }) => [...new Set(groups)].sort());
    assertEquals(speakers.flat().sort(), SPEAKERS.map(String));
  });
});

Deno.test("crema-d: a row that cannot be is refused with its line; paths lead nowhere", async () => {
  await inFolder(async (folder) => {
    await written(folder);
    for (
      const [row, text] of [
        [
          "../../x,ANG",
          'Cannot read line 2 of "train.csv" as its first cell must name a file, and no path: found "../../x"',
        ],
        ["1001_DFA_ANG_XX,SAD", 'its second cell must be the emotion of the name, ANG: found "SAD"'],
        ["clip,ANG", 'its first cell must be as 1001_DFA_ANG_XX: found "clip"'],
      ]
    ) {
      await put(join(folder, "train.csv"), `1001_DFA_NEU_XX,NEU\n${row}\n`);
      const { message } = await assertRejects(() => listSet(cremaD, folder), Refusal);
      assertStringIncludes(message, text);
    }
    await Deno.remove(join(folder, "train.csv"));
    const { message } = await assertRejects(() => listSet(cremaD, folder), Refusal);
    assertStringIncludes(
      message,
      "as it must hold the list train.csv or data/CREMAD/train.csv or annotations/train.csv",
    );
  });
});

Deno.test("armlab data crema-d: verify tells what is wrong, prepare what it leaves out, bench trains on it", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await written(from);
    const bad = join(from, "Image-01-FPS", "1001_DFA_SAD_XX", "00000.jpg");
    await Deno.writeFile(bad, (await Deno.readFile(bad)).subarray(0, 100));
    await Deno.remove(join(from, "AudioWAV", "1002_DFA_FEA_XX.wav"));
    await tone(join(from, "AudioWAV", "1011_DFA_FEA_XX.wav"), 99);
    const small = Object.entries(SMALL).flatMap(([modality, own]) =>
      Object.entries(own).flatMap(([key, value]) => ["--set", `crema-d.${modality}.${key}=${value}`])
    );
    const given = ["crema-d", "--from", from, "--readers", "1", ...small];
    const verify = await said("data", "verify", ...given);
    assertEquals(verify.code, 1, verify.err);
    for (
      const text of [
        'Problem: sample 1001_DFA_SAD_XX cannot be read: "Image-01-FPS/1001_DFA_SAD_XX/00000.jpg": it must be a whole picture',
        "Note: 1 of 60 samples lack files: 1002_DFA_FEA_XX (audio)",
        "Note: 1 files are of no sample: AudioWAV/1011_DFA_FEA_XX.wav",
        "numbers differ from OGM-GE's (counted in its train.csv and test.csv): train: all 47 of 6698, test: all 12 of 744, train: neutral 8 of 973",
      ]
    ) assertStringIncludes(verify.out, text);
    const prepared = await said("data", "prepare", ...given, "--to", to, "--skip-broken");
    assertEquals(prepared.code, 0, prepared.err);
    assertStringIncludes(prepared.out, "CREMA-D: 58 samples written to");
    assertStringIncludes(prepared.out, "1 are left out as files are not there: 1002_DFA_FEA_XX (audio)");
    const report = JSON.parse(await Deno.readTextFile(join(to, "report.json")));
    assertEquals(report.missing, [{ id: "1002_DFA_FEA_XX", modalities: ["audio"] }]);
    assertEquals(report.broken.map(({ id }: { id: string }) => id), ["1001_DFA_SAD_XX"]);
    const run = await armlab(
      ...["bench", "--data", to, "--encoder", "mlp", "--runs", join(folder, "runs"), "--seeds", "1", "--epochs", "1"],
      ...["--workers", "1", "--engine", "cpu"],
    );
    assertEquals(run.code, 0, run.err);
    assert(run.out.includes("concat"), run.out);
  });
});
