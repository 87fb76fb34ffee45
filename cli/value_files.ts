/**
 * Saved arrays for `armlab value`: one `.npz` or `.safetensors` file, or a folder of `.npy` files.
 *
 * @module
 */
import { checkModalityName } from "../core/modality.ts";
import { Refusal } from "../core/refusal.ts";
import type { ArrayFile, ArrayHead, ForeignArray } from "../formats/mod.ts";
import type { SavedFeatures, ValuationInputs } from "../miv/saved.ts";

const naming = "labels [N], logits [N, C], fused [N, d], part.<modality> [N, d], solo.<modality> [N, C]";

/** What a file says, sorted. */
export interface SavedInputs {
  readonly inputs: ValuationInputs;
  /** Names of the classes, where labels are texts. */
  readonly classes?: readonly string[];
  /** What was taken for granted. */
  readonly notes: readonly string[];
}

/** Heads of the arrays that a valuation takes, by what they are. */
interface Sorted {
  readonly labels: ArrayHead;
  readonly logits: ArrayHead;
  readonly fused: ArrayHead;
  readonly parts: ReadonlyMap<string, ArrayHead>;
  readonly solo: ReadonlyMap<string, ArrayHead>;
  readonly subsets: ReadonlyMap<string, ArrayHead>;
}

const shapeText = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/** All arrays by shape: `[64, 3]: logits, solo.audio; [64]: labels`. */
function shapesText(heads: Iterable<ArrayHead>): string {
  const groups = new Map<string, string[]>();
  for (const { name, shape } of heads) {
    const key = shapeText(shape);
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].map(([shape, names]) => {
    const more = names.length > 12 ? ` and ${names.length - 12} more` : "";
    return `${names.slice(0, 12).join(", ")}${more} ${shape}`;
  }).join(", ");
}

/** Arrays by what they are. @throws {Refusal} If one is missing or of an unknown name. */
function sorted(file: ArrayFile, view: "aligned" | "raw"): Sorted {
  const { heads, path } = file;
  const names = [...heads.keys()].sort();
  const found = `found ${names.join(", ") || "nothing"}`;
  const strange = names.find((name) => !/^(labels|logits|fused|(part|feature|solo|subset)\..+)$/s.test(name));
  if (strange !== undefined) {
    throw new Refusal({
      what: `use array ${JSON.stringify(strange)} of "${path}"`,
      must: `names must be ${naming}, feature.<modality>, subset.<a>+<b>`,
      found,
      hint: "these are what a trained model gives; to train on arrays of your own: bench --data FILE",
    });
  }
  const need = (name: string): ArrayHead => {
    const head = heads.get(name);
    if (head !== undefined) return head;
    throw new Refusal({ what: `valuate "${path}"`, must: `it must hold ${naming}: "${name}" is missing`, found });
  };
  const under = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const prefix = view === "aligned" ? "part." : "feature.";
  const modalities = under(prefix);
  if (modalities.length === 0) {
    throw new Refusal({
      what: `valuate "${path}"`,
      must: `it must hold ${prefix}<modality>`,
      found,
      hint: under("feature.").length > 0 && view === "aligned"
        ? "to compare features as they are with the fused one (equal widths), say --view raw"
        : undefined,
    });
  }
  for (const modality of modalities) checkModalityName(modality, `"${path}"`);
  const readouts = under("solo.");
  const foreign = readouts.find((modality) => !modalities.includes(modality));
  if (foreign !== undefined) {
    throw new Refusal({
      what: `valuate "${path}"`,
      must: `each solo.<modality> must have its ${prefix}<modality>`,
      found: `"solo.${foreign}" has none: ${prefix}<modality> are of ${modalities.join(", ")}`,
    });
  }
  return {
    labels: need("labels"),
    logits: need("logits"),
    fused: need("fused"),
    parts: new Map(modalities.map((name) => [name, need(`${prefix}${name}`)])),
    solo: new Map(modalities.map((name) => [name, need(`solo.${name}`)])),
    subsets: new Map(under("subset.").map((name) => [name === "none" ? "" : name, need(`subset.${name}`)])),
  };
}

/** The extent that more arrays have than any other, or `null` at a tie. */
function majority(extents: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (const extent of extents) counts.set(extent, (counts.get(extent) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const winners = [...counts].filter(([_, count]) => count === most);
  return winners.length === 1 ? winners[0][0] : null;
}

/**
 * Checks every shape against N, C and d.
 *
 * Each of the three is what most arrays say it is, so that the blame falls on the one that differs; where as many say
 * one as the other, `labels` decide on N, `logits` on C and `fused` on d.
 *
 * @returns N, C and d.
 * @throws {Refusal} If one does not fit; the message names all shapes.
 */
function checkShapes(file: ArrayFile, arrays: Sorted): { size: number; classes: number; width: number } {
  const { labels, logits, fused, parts, solo, subsets } = arrays;
  const readouts = [logits, ...solo.values(), ...subsets.values()];
  const features = [fused, ...parts.values()];
  const all = [labels, ...readouts, ...features];
  const refuse = (head: ArrayHead, must: string, hint?: string): never => {
    throw new Refusal({
      what: `use "${head.name}" of "${file.path}"`,
      must,
      found: `found ${shapeText(head.shape)}; all shapes: ${shapesText(all)}`,
      hint,
    });
  };
  if (labels.shape.length !== 1) {
    refuse(
      labels,
      "it must be a list of class indices, [N]",
      labels.shape.length === 2 && labels.shape[1] === 1 ? "save labels.reshape(-1)" : undefined,
    );
  }
  for (const head of [...readouts, ...features]) {
    if (head.shape.length !== 2) refuse(head, "it must be a matrix of numbers, [N, ...]");
  }
  const rows = [...readouts, ...features].map(({ shape }) => shape[0]);
  const same = rows.every((count) => count === rows[0]);
  const size = same ? rows[0] : majority([labels.shape[0], ...rows]) ?? labels.shape[0];
  if (size === 0) refuse(labels, "there must be a sample");
  if (labels.shape[0] !== size) refuse(labels, `there must be a label for each of the ${size} rows`);
  const classes = majority(readouts.map(({ shape }) => shape[1])) ?? logits.shape[1];
  const width = majority(features.map(({ shape }) => shape[1])) ?? fused.shape[1];
  for (const [heads, columns, letter] of [[readouts, classes, "C"], [features, width, "d"]] as const) {
    for (const head of heads) {
      const turned = head.shape[0] !== size && head.shape[1] === size;
      if (head.shape[0] !== size || (head.shape[1] !== columns && !turned)) {
        const expected = head.shape[0] === size ? `[${size}, ${columns}]` : `[${size}, ${letter}]`;
        refuse(
          head,
          `its shape must be ${expected}, a row for each of the ${size} samples`,
          turned ? "it seems to be transposed: save its .T" : undefined,
        );
      }
    }
  }
  if (classes < 2) refuse(logits, "there must be at least 2 classes, a column each");
  if (width < 1) refuse(fused, "features must have a coordinate");
  return { size, classes, width };
}

/** Class indices. @throws {Refusal} If they are no integers, or texts whose order of classes is not clear. */
function indicesOf(
  labels: ForeignArray,
  path: string,
  classes: number,
  names: readonly string[] | undefined,
): { indices: Int32Array; classes?: readonly string[]; notes: string[] } {
  const what = `use "labels" of "${path}"`;
  if (labels.type !== "text") {
    const { data, type } = labels;
    if (data instanceof Int32Array) return { indices: data, notes: [] };
    if (data instanceof Uint8Array) return { indices: Int32Array.from(data), notes: [] };
    throw new Refusal({
      what,
      must: "they must be integers or texts",
      found: `found ${type}`,
      hint: "save labels.astype(int)",
    });
  }
  const present = [...new Set(labels.data)].sort();
  if (names === undefined && present.length !== classes) {
    throw new Refusal({
      what,
      must: `which text is which of the ${classes} columns of logits must be clear`,
      found: `found ${present.length} different texts`,
      hint: "name the classes in the order of the columns: --classes a,b,...",
    });
  }
  const order = names ?? present;
  const unknown = present.find((name) => !order.includes(name));
  if (unknown !== undefined) {
    throw new Refusal({
      what,
      must: `each must be one of --classes ${order.join(",")}`,
      found: `found ${JSON.stringify(unknown)}`,
    });
  }
  const index = new Map(order.map((name, c) => [name, c]));
  return {
    indices: Int32Array.from(labels.data, (name) => index.get(name)!),
    classes: order,
    notes: names === undefined ? [`labels are texts: columns of logits are taken as ${order.join(", ")}, sorted`] : [],
  };
}

/** Numbers as floats, 64 bits kept. @throws {Refusal} If they are texts. */
function floatsOf(array: ForeignArray, what: string): SavedFeatures {
  if (array.type === "text") {
    throw new Refusal({ what: `use ${what}`, must: "it must be a matrix of numbers", found: "found texts" });
  }
  const { data } = array;
  return data instanceof Float32Array || data instanceof Float64Array ? data : Float32Array.from(data);
}

/**
 * Sorts arrays into what a valuation needs: names and shapes are checked before any value is read.
 *
 * @param view `"raw"` takes `feature.<modality>` in place of parts; widths must be equal.
 * @param names Names of classes in the order of columns, for labels that are texts.
 * @throws {Refusal} If one is missing, of an unknown name, of a wrong shape or type, or damaged.
 */
export async function inputsOf(
  file: ArrayFile,
  view: "aligned" | "raw",
  names?: readonly string[],
): Promise<SavedInputs> {
  const arrays = sorted(file, view);
  const { classes, width } = checkShapes(file, arrays);
  const read = async ({ name, what }: ArrayHead) => floatsOf(await file.read(name), what);
  const readAll = async (heads: ReadonlyMap<string, ArrayHead>) => {
    const values: [string, SavedFeatures][] = [];
    for (const [name, head] of heads) values.push([name, await read(head)]);
    // Own properties, whatever the names.
    return Object.fromEntries(values);
  };
  const labels = indicesOf(await file.read(arrays.labels.name), file.path, classes, names);
  return {
    inputs: {
      labels: labels.indices,
      classes,
      width,
      logits: await read(arrays.logits),
      fused: await read(arrays.fused),
      parts: await readAll(arrays.parts),
      solo: await readAll(arrays.solo),
      subsets: await readAll(arrays.subsets),
    },
    classes: labels.classes,
    notes: labels.notes,
  };
}
