/** UCF-51 as people have it: UCF-101's lists, frames of 256 pixels and TV-L1's folders u and v. */
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { files, listSet, ucf51 } from "../../../datasets/mod.ts";
import { part } from "../../../experiments/mod.ts";
import { inFolder } from "../../helpers/cli.ts";
import { trainsOn } from "../../helpers/set_runs.ts";
import { data, grain, put } from "../../helpers/sets.ts";

/** Some have a part of it. */
const OWN = ["Archery", "Bowling", "HandstandPushups"];

/** Groups that train: one of each class, seven of Archery, so that validation has some. */
const groupsOf = (label: string) => label === "Archery" ? [8, 9, 10, 11, 12, 13, 14] : [8];

/** Clips of a class in the lists, of a group. */
const clipOf = (label: string, group: number) =>
  `v_${label.replace("HandstandPushups", "HandStandPushups")}_g${String(group).padStart(2, "0")}_c01`;

/** A frame and a field of each clip, and lists with clips of another class of UCF-101. */
async function written(root: string): Promise<void> {
  const train = ["YoYo/v_YoYo_g08_c01.avi 101"];
  const test: string[] = [];
  let seed = 0;
  for (const label of OWN) {
    for (const group of [1, ...groupsOf(label)]) {
      const clip = clipOf(label, group);
      (group === 1 ? test : train).push(
        `${label}/${clip}.avi${group === 1 ? "" : ` ${ucf51.classes.indexOf(label) + 1}`}`,
      );
      const flow = clip.replace("HandStand", "Handstand");
      await grain(join(root, "jpegs_256", clip, "frame000001.jpg"), ++seed);
      for (const side of ["u", "v"]) {
        await grain(join(root, "tvl1_flow", side, flow, "frame000001.jpg"), ++seed);
      }
    }
  }
  await grain(join(root, "jpegs_256", "v_YoYo_g08_c01", "frame000001.jpg"), 0);
  await put(join(root, "ucfTrainTestlist", "trainlist01.txt"), train.join("\r\n") + "\r\n");
  await put(join(root, "ucfTrainTestlist", "testlist01.txt"), test.join("\r\n") + "\r\n");
}

const small = ["rgb", "flow"].flatMap((name) => ["--set", `ucf-51.${name}.size=8`, "--set", `ucf-51.${name}.frames=2`]);

Deno.test("ucf-51 has 51 classes; its numbers of the first split are the 6,845 clips of the paper", () => {
  assertEquals(ucf51.classes.length, 51);
  assertEquals([...ucf51.classes], [...ucf51.classes].sort());
  const sizes = Object.entries(ucf51.official).map((
    [name, { splits: { train, test } }],
  ) => [
    name,
    train!.samples,
    test!.samples,
    train!.samples + test!.samples,
    train!.classes!.length,
    test!.classes!.length,
  ]);
  assertEquals(sizes, [
    ["split 1", 4901, 1944, 6845, 51, 51],
    ["split 2", 4930, 1915, 6845, 51, 51],
    ["split 3", 4945, 1900, 6845, 51, 51],
  ]);
});

Deno.test("ucf-51: clips of its classes with frames and both directions of flow, whichever way they are spelled; groups", async () => {
  await inFolder(async (folder) => {
    await written(folder);
    const { samples, unlisted, notes } = await listSet(ucf51, folder);
    assertEquals(samples.length, 12);
    assertEquals(samples.find(({ id, split }) => id.includes("HandStandPushups") && split === "train"), {
      id: "v_HandStandPushups_g08_c01",
      label: "HandstandPushups",
      split: "train",
      group: "HandstandPushups g08",
      files: {
        rgb: "jpegs_256/v_HandStandPushups_g08_c01",
        flow: "tvl1_flow/{u,v}/v_HandstandPushups_g08_c01",
      },
    });
    assert(samples.every(({ files }) => files.rgb !== "" && files.flow !== ""));
    // Clips of other classes are no files too many.
    assertEquals([unlisted, notes], [[], []]);
    await put(join(folder, "ucfTrainTestlist", "testlist01.txt"), "Archery/../v_Archery_g01_c01.avi\n");
    const { message } = await assertRejects(() => listSet(ucf51, folder), Refusal);
    assertStringIncludes(
      message,
      'Cannot read line 1 of "ucfTrainTestlist/testlist01.txt" as its first cell must be as ApplyLipstick/',
    );
    const other = await assertRejects(() => listSet(ucf51, folder, { split: 2 }), Refusal);
    assertStringIncludes(other.message, "it must hold the list ucfTrainTestlist/trainlist02.txt or trainlist02.txt");
  });
});

Deno.test("ucf-51: frames, films and flow in folders of classes, as other tools extract them", async () => {
  await inFolder(async (folder) => {
    const [archery, bowling] = ["v_Archery_g08_c01", "v_Bowling_g01_c01"];
    const at = join(folder, "rawframes", "Archery", archery);
    for (const [k, name] of ["img_00001", "flow_x_00001", "flow_y_00001"].entries()) {
      await grain(join(at, `${name}.jpg`), k);
    }
    await put(join(folder, "UCF-101", "Bowling", `${bowling}.avi`), "a film");
    await put(join(folder, "trainlist01.txt"), `Archery/${archery}.avi 3\n`);
    await put(join(folder, "testlist01.txt"), `Bowling/${bowling}.avi\n`);
    const { samples } = await listSet(ucf51, folder);
    const own = `rawframes/Archery/${archery}`;
    assertEquals(samples.map(({ files }) => files), [
      { rgb: own, flow: own },
      { rgb: `UCF-101/Bowling/${bowling}.avi`, flow: "" },
    ]);
  });
});

Deno.test("armlab data ucf-51: verify tells what is wrong, prepare what it leaves out, bench trains on frames and flow", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "ucf-51")];
    await written(from);
    const [torn, half] = [clipOf("Archery", 9), clipOf("Archery", 10)];
    const bad = join(from, "tvl1_flow", "u", torn, "frame000001.jpg");
    await Deno.writeFile(bad, (await Deno.readFile(bad)).subarray(0, 60));
    await Deno.remove(join(from, "tvl1_flow", "v", half), { recursive: true });
    const given = ["ucf-51", "--from", from, "--readers", "0", ...small];
    const verify = await data("verify", ...given);
    assertEquals(verify.code, 1, verify.out);
    for (
      const text of [
        `Problem: sample ${torn} cannot be read: "tvl1_flow/u/${torn}/frame000001.jpg": it must be a whole picture`,
        `Note: 1 of 12 samples lack files: ${half} (flow)`,
        "numbers differ from split 1's (counted in UCF-101's lists): train: all 8 of 4901, test: all 3 of 1944, train: ApplyEyeMakeup 0 of 101",
      ]
    ) assertStringIncludes(verify.out, text);
    assertEquals(verify.out.includes("have the files of another"), false, verify.out);
    const prepared = await data("prepare", ...given, "--to", to, "--skip-broken");
    assertEquals(prepared.code, 0, prepared.out);
    assertStringIncludes(prepared.out, "UCF-51: 10 samples written to");
    const { modalities, splits, classes } = await files.load({ path: to });
    assertEquals(classes, OWN);
    assertEquals(Object.entries(modalities).map(([name, { shape }]) => [name, shape]), [
      ["flow", [2, 8, 8, 2]],
      ["rgb", [2, 8, 8, 3]],
    ]);
    // Validation is made of groups of training.
    assertEquals([splits.train.size + splits.validation.size, splits.test.size], [7, 3]);
    await trainsOn(to, folder, part("cnn"));
  });
});
