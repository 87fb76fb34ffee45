/** UPMC Food-101 as people have it: lists of titles, pictures in folders of splits and classes. */
import { join } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { food101, listSet } from "../../../datasets/mod.ts";
import { part } from "../../../experiments/mod.ts";
import { inFolder } from "../../helpers/cli.ts";
import { trainsOn } from "../../helpers/set_runs.ts";
import { data, grain, put } from "../../helpers/sets.ts";

const CLASSES = ["apple_pie", "baby_back_ribs", "ramen"];

/** Ten pictures of a class train, three test; titles with commas, quotes and other scripts. */
async function written(root: string, head = ""): Promise<void> {
  let seed = 0;
  for (const [split, count] of [["train", 10], ["test", 3]] as const) {
    const rows: string[] = head === "" ? [] : [head];
    for (const label of CLASSES) {
      for (let n = 0; n < count; n++) {
        const name = `${label}_${n}.jpg`;
        rows.push(`${name},"The ""best"" ${label.replaceAll("_", " ")}, by número ${n}",${label}`);
        await grain(join(root, "images", split, label, name), ++seed);
      }
    }
    await put(join(root, "texts", `${split}_titles.csv`), rows.join("\n") + "\n");
  }
}

Deno.test("food-101: pictures and titles, with a line of names or without", async () => {
  await inFolder(async (folder) => {
    await written(folder);
    const { samples, classes, unlisted, notes } = await listSet(food101, folder);
    assertEquals([classes, samples.length, unlisted], [CLASSES, 39, []]);
    assertEquals(samples[11], {
      id: "train/baby_back_ribs/baby_back_ribs_1.jpg",
      label: "baby_back_ribs",
      split: "train",
      group: "",
      files: {
        image: "images/train/baby_back_ribs/baby_back_ribs_1.jpg",
        text: 'The "best" baby back ribs, by número 1',
      },
    });
    assertEquals(notes, ["there are 3 classes, and not 101"]);
    await Deno.rename(join(folder, "texts"), join(folder, "annotations"));
    assertEquals((await listSet(food101, folder)).samples, samples);
  });
  await inFolder(async (folder) => {
    await written(folder, "Image_path,text,label");
    assertEquals((await listSet(food101, folder)).samples.length, 39);
  });
});

Deno.test("food-101: a row that cannot be is refused with its line; paths lead nowhere", async () => {
  await inFolder(async (folder) => {
    await written(folder);
    for (
      const [row, text] of [
        ["../x.jpg,a title,ramen", 'its first cell must name a file, and no path: found "../x.jpg"'],
        ["x.jpg,a title,../ramen", 'its third cell must be a class: found "../ramen"'],
        ["x.jpg,a title,", 'its third cell must be a class: found ""'],
        ["x.jpg,ramen", "it must have three cells: picture, title, class: found 2"],
      ]
    ) {
      await put(join(folder, "texts", "test_titles.csv"), `ramen_0.jpg,title,ramen\n${row}\n`);
      const { message } = await assertRejects(() => listSet(food101, folder), Refusal);
      assertStringIncludes(message, `Cannot read line 2 of "texts/test_titles.csv" as ${text}`);
    }
  });
});

Deno.test("armlab data food-101: verify tells what is wrong, prepare what it leaves out, bench trains on pictures and titles", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "food-101")];
    await written(from);
    const images = join(from, "images", "train");
    await Deno.remove(join(images, "ramen", "ramen_3.jpg"));
    await put(join(images, "ramen", "ramen_4.jpg"), "<html>not found</html>");
    await grain(join(images, "ramen", "ramen_77.jpg"), 77);
    await Deno.copyFile(join(images, "apple_pie", "apple_pie_1.jpg"), join(images, "apple_pie", "apple_pie_2.jpg"));
    const given = ["food-101", "--from", from, "--readers", "0", "--set", "food-101.image.size=8"];
    const verify = await data("verify", ...given);
    assertEquals(verify.code, 1);
    for (
      const text of [
        'Problem: sample train/ramen/ramen_4.jpg cannot be read: "images/train/ramen/ramen_4.jpg": it must be a whole picture',
        "Problem: 1 samples have the files of another: train/apple_pie/apple_pie_2.jpg = train/apple_pie/apple_pie_1.jpg",
        "Note: 1 of 39 samples lack files: train/ramen/ramen_3.jpg (image)",
        "Note: 1 files are of no sample: images/train/ramen/ramen_77.jpg",
      ]
    ) assertStringIncludes(verify.out, text);
    const prepared = await data("prepare", ...given, "--to", to, "--skip-broken");
    assertEquals(prepared.code, 0, prepared.out);
    assertStringIncludes(prepared.out, "UPMC Food-101: 37 samples written to");
    await trainsOn(to, folder, { image: part("cnn"), text: part("bert", { width: 8, depth: 1, heads: 2, hidden: 8 }) });
  });
});
