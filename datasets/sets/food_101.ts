/**
 * UPMC Food-101: pictures of dishes with the titles of the pages that they are from.
 *
 * @module
 */
import { defineSet, type SetFolder, type SetListing, type SetPlugin, type SetSample } from "../../core/kinds/mod.ts";
import { idOf, listOf, rowRefusal } from "./folder.ts";

const LISTS = ["texts", "annotations", "meta_data"];
const PICTURES = ["images", "images/images"];
const CLASSES = 101;

/** The folder of a split's pictures. */
async function picturesOf(folder: SetFolder, split: string): Promise<string> {
  for (const at of PICTURES) if ((await folder.entries(at)).get(split) === true) return `${at}/${split}`;
  return `${PICTURES[0]}/${split}`;
}

async function listed(folder: SetFolder): Promise<SetListing> {
  const samples: SetSample[] = [];
  for (const split of ["train", "test"] as const) {
    const name = `${split}_titles.csv`;
    const { file, rows } = await listOf(folder, [...LISTS.map((at) => `${at}/${name}`), name]);
    const pictures = await picturesOf(folder, split);
    // Some copies have a line of names, others none.
    const named = rows.length > 0 && !/\.(jpe?g|png)$/i.test(rows[0].cells[0]);
    for (const row of named ? rows.slice(1) : rows) {
      if (row.cells.length !== 3) {
        throw rowRefusal(file, row, "it must have three cells: picture, title, class", `found ${row.cells.length}`);
      }
      const [, text, label] = row.cells;
      const id = idOf(file, row, row.cells[0]);
      if (label === "" || /[\\/]/.test(label) || label.startsWith(".")) {
        throw rowRefusal(file, row, "its third cell must be a class", `found ${JSON.stringify(label)}`);
      }
      const at = `${pictures}/${label}`;
      const image = (await folder.media(at)).get(id) === false ? `${at}/${id}` : "";
      samples.push({ id: `${split}/${label}/${id}`, label, split, group: "", files: { image, text: text.trim() } });
    }
  }
  const found = new Set(samples.map(({ label }) => label)).size;
  return { samples, notes: found === CLASSES ? [] : [`there are ${found} classes, and not ${CLASSES}`] };
}

/** food-101: dishes in pictures and titles. */
export const food101: SetPlugin = defineSet({
  name: "food-101",
  title: "UPMC Food-101",
  about: "about 90,000 pictures of 101 dishes, with the titles of their pages",
  source: "Wang et al., Recipe Recognition with Large Multimodal Food Dataset, ICME workshops 2015",
  licence: "none is known here: pictures and texts are of the pages that they were found on",
  layout: [
    "texts/train_titles.csv and texts/test_titles.csv: apple_pie_0.jpg,its title,apple_pie (or in annotations/, meta_data/, or by themselves; with a line of names or without)",
    "images/train/apple_pie/apple_pie_0.jpg, images/test/… (or images/images/…)",
  ],
  classes: [],
  modalities: {
    image: { kind: "picture", size: 224 },
    text: { kind: "text", words: 40 },
  },
  official: {},
  paper: {
    about: [
      "Gao et al., AAAI 2025: ViT-B and BERT-base, AdamW with these numbers; it states no number of epochs: that of " +
      "Kinetics-Sounds stands",
      "40 words of a title: as in BalanceBenchmark's loader, which counts tokens (--tokenizer text=tokenizer.json)",
    ],
    encoder: { image: { name: "vit-base", options: {} }, text: { name: "bert-base", options: {} } },
    training: {
      optimizer: "adamw",
      learningRate: 1e-4,
      weightDecay: 5e-4,
      schedule: "constant",
      batchSize: 64,
      epochs: 80,
    },
  },
  options: {},
  list: listed,
});
