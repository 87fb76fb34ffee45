/**
 * What the files of a folder are, where nobody said so: by names, shapes and types. What was guessed is shown and kept.
 *
 * @module
 */
import { basename, dirname, join, parse } from "node:path";
import { checkModalityName } from "../../core/modality.ts";
import { Refusal } from "../../core/refusal.ts";
import type { ForeignArray } from "../../formats/mod.ts";
import { classesOf, splitOf, splitValues, textsOf } from "./labels.ts";
import { FOLDERS, holdsMedia } from "./folders.ts";
import { holdsFlow, twoFolders } from "./films.ts";
import { FILM, PICTURE, SOUND } from "./media_files.ts";
import { columnNumber, DATA_FILE, DataFiles, isTable, nameOf } from "./refs.ts";
import { FILES_FORMAT, type FilesModality, type FilesSpec } from "./spec.ts";

/** A guess, and what people should know of it. */
export interface Guess {
  readonly spec: FilesSpec;
  readonly notes: readonly string[];
}

/** An array that was found, and how it is referred to. */
interface Found {
  /** Its own name: of the array, column or file. */
  readonly name: string;
  readonly reference: string;
  readonly shape: readonly number[];
  readonly type: ForeignArray["type"];
  /** Of texts that are media or lead to them. */
  readonly media?: "picture" | "sound" | "film" | "flow" | "text";
}

/** Columns whose texts are read themselves. */
const writing = /^(texts?|titles?|captions?|sentences?|transcripts?|descriptions?|words|reviews?|questions?)$/i;

/** Columns of folders of frames. */
const filming = /^(frames?|films?|videos?|clips?|movies?|(optical[_-]?)?flow)([_-](dir|folder|path)s?)?$/i;

/** What the texts of a column are, if they are media or lead to them. */
async function mediaOf(root: string, name: string, cells: readonly string[]): Promise<Found["media"]> {
  const filled = cells.filter((cell) => cell !== "");
  if (filled.length > 0 && filled.every((cell) => twoFolders(cell) !== null && !/\s/.test(cell))) return "flow";
  const media = mediaByName(name, cells);
  if (media !== "film") return media;
  // What is not there, or lies elsewhere, is told where it is read.
  const first = join(root, filled[0]);
  const folder = await Deno.stat(first).then(({ isDirectory }) => isDirectory, () => false);
  return folder && await holdsFlow(root, filled[0]) ? "flow" : media;
}

function mediaByName(name: string, cells: readonly string[]): Found["media"] {
  const filled = cells.filter((cell) => cell !== "");
  if (filled.length > 0 && filled.every((cell) => PICTURE.test(cell))) return "picture";
  if (filled.length > 0 && filled.every((cell) => SOUND.test(cell))) return "sound";
  if (filled.length > 0 && filled.every((cell) => FILM.test(cell) || cell.endsWith("/"))) return "film";
  if (filled.length > 0 && filming.test(name) && filled.every((cell) => !/\s/.test(cell))) return "film";
  return writing.test(name) ? "text" : undefined;
}

/** Roles by name. */
const roles: readonly (readonly ["labels" | "groups" | "split" | "ids", RegExp])[] = [
  ["labels", /^(labels?|y|targets?|class(es)?)$/i],
  ["groups", /^groups?([_-]?ids?)?$/i],
  ["split", /^(splits?|subset|partition)$/i],
  ["ids", /^(ids?|(sample|row)[_-]?ids?|sample|names?)$/i],
];
/** Columns that number the rows, as pandas writes its index. */
const index = /^(|Unnamed: 0|index|__index_level_0__)$/;
const lengthsOf = /^(.+?)[._-](lengths?|lens?)$/i;
const idsName = /token|text|word|sentence|caption|title|input_?ids/i;

/** Files and folders that hold a dataset. */
interface Layout {
  readonly root: string;
  /** Files to look into; with `{split}` in place of the split's name where it has folders or files of its own. */
  readonly files: readonly string[];
  readonly folders: { readonly train: string; readonly validation?: string; readonly test: string } | null;
}

/** What is in a folder, or a file by itself. @throws {Refusal} If there is nothing to read. */
async function layoutOf(path: string): Promise<Layout> {
  const info = await Deno.stat(path);
  if (info.isFile) return { root: dirname(path), files: [basename(path)], folders: null };
  const entries: { name: string; folder: boolean }[] = [];
  const others: string[] = [];
  for await (const { name } of Deno.readDir(path)) {
    if (name.startsWith(".")) continue;
    const { isDirectory } = await Deno.stat(join(path, name)).catch(() => ({ isDirectory: false }));
    if (isDirectory || DATA_FILE.test(name)) entries.push({ name, folder: isDirectory });
    else others.push(name);
  }
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  const stem = ({ name, folder }: { name: string; folder: boolean }) => folder ? name : parse(name).name;
  const named = entries.filter((entry) => splitOf(stem(entry)) !== null);
  const of = (split: string) => named.find((entry) => splitOf(stem(entry)) === split);
  const [train, validation, test] = [of("train"), of("validation"), of("test")];
  const media = train?.folder === true && await holdsMedia(path);
  if (
    train !== undefined && test !== undefined && !media &&
    named.length === new Set(named.map((entry) => splitOf(stem(entry)))).size
  ) {
    const folders = { train: stem(train), ...validation ? { validation: stem(validation) } : {}, test: stem(test) };
    if (!train.folder) return { root: path, files: [`{split}${parse(train.name).ext}`], folders };
    const files: string[] = [];
    for await (const { name } of Deno.readDir(join(path, train.name))) {
      if (DATA_FILE.test(name) && !name.startsWith(".")) files.push(`{split}/${name}`);
    }
    return { root: path, files: files.sort(), folders };
  }
  const files = entries.filter(({ folder }) => !folder).map(({ name }) => name);
  if (files.length > 0) return { root: path, files, folders: null };
  if (await holdsMedia(path)) return { root: path, files: [FOLDERS], folders: null };
  throw new Refusal({
    what: `read "${path}" as a dataset`,
    must:
      "it must hold .npy, .npz, .safetensors, .csv, .tsv, .jsonl or .parquet files, or folders of classes with media",
    found: `found ${[...entries.map(({ name }) => name), ...others.sort()].slice(0, 10).join(", ") || "none"}`,
    hint: entries.some(({ name }) => /^[^=]+=/.test(name))
      ? 'write a table in folders of values as one file, as pandas does by read_parquet(FOLDER).to_parquet("all.parquet")'
      : "put media into folders of classes (class/sample.jpg), or name them in a table with a column label",
  });
}

/** Everything that is found in the files, columns of tables put together by their names. */
async function arraysOf(files: DataFiles, layout: Layout): Promise<{ found: Found[]; notes: string[] }> {
  const found: Found[] = [];
  const notes: string[] = [];
  for (const file of layout.files) {
    const real = file.replaceAll("{split}", layout.folders?.train ?? "");
    const open = await files.file(real);
    const stem = parse(file).name;
    if (isTable(file)) {
      const table = await tableOf(files, file, real, stem, layout.files.length === 1);
      found.push(...table.found);
      notes.push(...table.notes);
      continue;
    }
    for (const { name, shape, type } of open.heads.values()) {
      const alone = /\.npy$/i.test(file);
      found.push({ name: alone ? stem : name, reference: alone ? file : `${file}#${name}`, shape, type });
    }
  }
  return { found, notes };
}

/** Why a column of what are no numbers is left out. */
function leftOut({ odd }: ForeignArray & { readonly type: "text" }): string {
  if (odd === "bytes") return "bytes and is left out: write them as files, and name their paths in a column";
  if (odd === "records") return "records and is left out: give each field a column of its own";
  return "texts and is left out";
}

/** Columns of a table: those of one name with numbers are a matrix, other numbers one named after the file. */
async function tableOf(
  files: DataFiles,
  file: string,
  real: string,
  stem: string,
  only: boolean,
): Promise<{ found: Found[]; notes: string[] }> {
  const open = await files.file(real);
  const found: Found[] = [];
  const notes: string[] = [];
  const stems = new Map<string, string[]>();
  const single: string[] = [];
  const reference = (name: string) => `${file}#${name}`;
  for (const name of open.heads.keys()) {
    if (index.test(name)) continue;
    const array = await open.read(name);
    const { shape, type } = array;
    const media = array.type === "text" && array.odd === undefined && !roles.some(([_, pattern]) => pattern.test(name))
      ? await mediaOf(files.root, name, array.data)
      : undefined;
    if (media !== undefined) {
      found.push({
        name: name.replace(/[_-](path|file|name|dir|folder)$/i, ""),
        reference: reference(name),
        shape,
        type,
        media,
      });
      continue;
    }
    const number = columnNumber(name);
    if (roles.some(([_, pattern]) => pattern.test(name)) || lengthsOf.test(name) || shape.length > 1) {
      found.push({ name, reference: reference(name), shape, type });
    } else if (array.type === "text" && number === null) {
      notes.push(`column "${name}" of ${file} holds ${leftOut(array)}`);
    } else if (number === null) single.push(name);
    else stems.set(number.stem, [...stems.get(number.stem) ?? [], name]);
  }
  const rows = (await open.read([...open.heads.keys()][0])).shape[0];
  for (const [name, columns] of stems) {
    if (columns.length === 1 && name !== "") single.push(columns[0]);
    else {
      const own = name === "" ? stem : name;
      found.push({ name: own, reference: reference(`${name}*`), shape: [rows, columns.length], type: "float64" });
    }
  }
  const header = "header" in open ? open.header : true;
  if (header === false && stems.has("")) notes.push(`${file} has no line of names: its columns are one matrix`);
  // A table of one column of labels needs no name for it.
  if (single.length === 1 && found.length === 0 && roles.some(([_, pattern]) => pattern.test(stem))) {
    found.push({ name: stem, reference: reference(single[0]), shape: [rows], type: "float64" });
  } else if (single.length > 0) {
    const name = only && stems.size === 0 ? stem : found.some((other) => other.name === stem) ? `${stem}-rest` : stem;
    found.push({
      name: name.replace("{split}", "table"),
      reference: reference(single.join(",")),
      shape: [rows, single.length],
      type: "float64",
    });
  }
  return { found, notes };
}

const shapesText = (found: readonly Found[]) =>
  found.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ") || "nothing";

/** What kind of modality an array is. @throws {Refusal} If its shape is of none. */
function modalityOf(
  { name, reference, shape, type, media }: Found,
  lengths: string | undefined,
): FilesModality {
  const own = (kind: FilesModality["kind"], more: Partial<FilesModality> = {}): FilesModality => ({
    from: reference,
    kind,
    ...lengths === undefined ? {} : { lengths },
    scale: kind === "tokens" ? "none" : "standard",
    channels: "last",
    ...more,
  });
  if (media === "film" || media === "flow") return own(media, { stack: "time" });
  if (media !== undefined) return own(media, media === "text" ? { scale: "none" } : {});
  const whole = type !== "text" && /^u?int/.test(type);
  switch (shape.length) {
    case 1:
      return own("vector");
    case 2:
      if (whole && (lengths !== undefined || idsName.test(name))) return own("tokens");
      return own(lengths === undefined ? "vector" : "sequence");
    case 3:
      return type === "uint8" && lengths === undefined ? own("image", { channels: "none" }) : own("sequence");
    case 4:
      if (shape[3] <= 4) return own("image");
      if (shape[1] <= 4) return own("image", { channels: "first" });
      break;
    case 5:
      if (shape[4] <= 4) return own("clip");
      if (shape[2] <= 4) return own("clip", { channels: "first" });
  }
  throw new Refusal({
    what: `use array "${name}" (${reference}) as a modality`,
    must:
      "its shape must be [N, d], [N, T, d], [N, H, W, c], [N, c, H, W], [N, T, H, W, c] or [N, T, c, H, W] with c <= 4",
    found: `found [${shape.join(", ")}]`,
    hint: "save it in one of these shapes",
  });
}

/** Sorts what was found into roles and modalities. */
function sorted(found: readonly Found[], notes: readonly string[], path: string) {
  const taken: Partial<Record<"labels" | "groups" | "split" | "ids", Found>> = {};
  const lengths = new Map<string, Found>();
  const rest: Found[] = [];
  for (const array of found) {
    const role = array.shape.length <= 2 ? roles.find(([_, pattern]) => pattern.test(array.name))?.[0] : undefined;
    const own = lengthsOf.exec(array.name)?.[1];
    if (role !== undefined) {
      const other = taken[role];
      if (other !== undefined && role === "labels") {
        throw new Refusal({
          what: `read "${path}" as a dataset`,
          must: "one array must be the labels",
          found: `found ${other.reference} and ${array.reference}`,
          hint: "say which in dataset.json, or take the other away",
        });
      }
      if (other === undefined) taken[role] = array;
    } else if (own !== undefined && found.some(({ name }) => name === own)) lengths.set(own, array);
    else rest.push(array);
  }
  if (taken.labels === undefined) {
    throw new Refusal({
      what: `read "${path}" as a dataset`,
      must: "an array or column must be named labels (or label, y, target, class)",
      found: [`found ${shapesText(found)}`, ...notes].join("; "),
      hint: "name one so; cells of a table stand between commas, tabs, semicolons or bars",
    });
  }
  const [rows] = taken.labels.shape;
  const odd = [...rest, ...Object.values(taken)].find(({ shape }) => shape[0] !== rows);
  if (odd !== undefined) {
    throw new Refusal({
      what: `read "${path}" as a dataset`,
      must: `every array must have a row for each of the ${rows} labels`,
      found: `"${odd.name}" has shape [${odd.shape.join(", ")}]; found ${shapesText(found)}`,
      hint: "save the same samples in the same order in each",
    });
  }
  if (rest.length === 0) {
    throw new Refusal({
      what: `read "${path}" as a dataset`,
      must: "there must be a modality beside the labels",
      found: [`found ${shapesText(found)}`, ...notes].join("; "),
    });
  }
  return { taken, lengths, rest, labels: taken.labels };
}

/**
 * Guesses what a folder or file holds.
 *
 * @throws {Refusal} If there are no labels or modalities, numbers of rows differ, or something cannot be read.
 */
export async function guess(path: string): Promise<Guess> {
  const layout = await layoutOf(path);
  const files = new DataFiles(layout.root);
  try {
    const { found, notes } = await arraysOf(files, layout);
    const { taken, lengths, rest, labels } = sorted(found, notes, path);
    const modalities: Record<string, FilesModality> = {};
    for (const array of rest) {
      checkModalityName(array.name, `"${array.reference}"`);
      if (array.type === "text" && array.media === undefined) {
        notes.push(`"${array.name}" (${array.reference}) holds texts and is left out`);
        continue;
      }
      if (Object.hasOwn(modalities, array.name)) {
        throw new Refusal({
          what: `read "${path}" as a dataset`,
          must: "every modality must have a name of its own",
          found: `"${array.name}" is ${modalities[array.name].from} and ${array.reference}`,
          hint: "rename one",
        });
      }
      modalities[array.name] = modalityOf(array, lengths.get(array.name)?.reference);
    }
    if (Object.keys(modalities).length === 0) {
      throw new Refusal({
        what: `read "${path}" as a dataset`,
        must: "a modality must hold numbers",
        found: `found ${shapesText(found)}`,
        hint: "turn texts into token ids or features first",
      });
    }
    const read = async (reference: string) => {
      let texts: string[] = [];
      const { folders } = layout;
      for (const folder of folders === null ? [""] : Object.values(folders)) {
        texts = texts.concat(textsOf(await files.read(reference.replaceAll("{split}", folder!)), "labels"));
      }
      return texts;
    };
    return {
      spec: {
        format: FILES_FORMAT,
        name: nameOf(path),
        labels: labels.reference,
        classes: classesOf(await read(labels.reference)),
        modalities,
        ...taken.groups === undefined ? {} : { groups: taken.groups.reference },
        ...taken.ids === undefined ? {} : { ids: taken.ids.reference },
        split: layout.folders !== null
          ? { folders: layout.folders }
          : taken.split === undefined
          ? { shares: [0.7, 0.1, 0.2], seed: 0 }
          : { from: taken.split.reference, ...splitValues(await read(taken.split.reference)) },
      },
      notes,
    };
  } finally {
    await files.close();
  }
}
