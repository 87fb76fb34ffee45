/**
 * What a dataset holds, as tables of text, and what is doubtful in it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { modalitiesOf } from "../core/modality.ts";
import type { Dataset, Split, SplitName } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { oddLabels } from "./odd_labels.ts";
import { bytesOf, chunksOf } from "./rows.ts";

/** Splits in their order. */
const splitNames: readonly SplitName[] = ["train", "validation", "test"];

/** A table: names of columns and rows of cells. */
export interface DataTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What a dataset holds. */
export interface DataInfo {
  readonly name: string;
  readonly fingerprint: string;
  readonly modalities: DataTable;
  /** Samples by class and split. */
  readonly classes: DataTable;
  readonly splits: DataTable;
}

/** Samples of a split that lack a modality. */
function lacking({ present, size }: Split, m: number, u: number): number {
  if (present === undefined) return 0;
  let count = 0;
  for (let n = 0; n < size; n++) if (present[n * m + u] === 0) count++;
  return count;
}

const share = (count: number, size: number) => count === 0 ? "0" : `${count} (${(100 * count / size).toFixed(1)} %)`;

/** Modalities, classes and splits of a dataset. */
export function dataInfo(dataset: Dataset): DataInfo {
  const { name, fingerprint, modalities, classes, splits } = dataset;
  const names = modalitiesOf(modalities);
  return {
    name,
    fingerprint,
    modalities: {
      columns: ["modality", "shape", "type", ...splitNames.map((split) => `missing in ${split}`), "about"],
      rows: names.map((modality, u) => {
        const { shape, dtype, vocabulary, about } = modalities[modality];
        return [
          modality,
          `[${shape.join(", ")}]`,
          vocabulary === undefined ? dtype : `ids 0..${vocabulary - 1}`,
          ...splitNames.map((split) => share(lacking(splits[split], names.length, u), splits[split].size)),
          about,
        ];
      }),
    },
    classes: {
      columns: ["class", ...splitNames],
      rows: classes.map((label, c) => [
        label,
        ...splitNames.map((split) => splits[split].labels.reduce((count, own) => count + (own === c ? 1 : 0), 0)),
      ]),
    },
    splits: {
      columns: ["split", "samples", "groups"],
      rows: splitNames.map((split) => [split, splits[split].size, new Set(splits[split].groups).size]),
    },
  };
}

/** Something doubtful in a dataset. */
export interface Finding {
  /** Whether results on it mean less than they say. */
  readonly serious: boolean;
  readonly about: string;
}

/** A digest of a sample's values: equal ones are copies of one sample. */
async function digests(split: Split, dataset: Dataset): Promise<string[]> {
  const names = modalitiesOf(dataset.modalities);
  const hashes = Array.from({ length: split.size }, () => createHash("sha256"));
  for (const name of names) {
    const info = dataset.modalities[name];
    const row = sizeOf(info.shape);
    for await (const { from, values } of chunksOf(split, name, info)) {
      for (let k = 0; k * row < values.length; k++) {
        hashes[from + k].update(bytesOf(values.subarray(k * row, (k + 1) * row)));
      }
    }
  }
  return hashes.map((hash, n) => {
    if (split.present !== undefined) hash.update(split.present.subarray(n * names.length, (n + 1) * names.length));
    return hash.digest("base64");
  });
}

const some = (texts: readonly string[]) => texts.slice(0, 5).join(", ") + (texts.length > 5 ? ", ..." : "");

/**
 * What is doubtful: copies of a sample in two splits, copies with different labels, classes that a split lacks or that are
 * rare, coordinates that never change, modalities that most samples lack, samples that look like another class.
 */
export async function findings(dataset: Dataset): Promise<Finding[]> {
  return [
    ...await copies(dataset),
    ...rareClasses(dataset),
    ...await emptyModalities(dataset),
    ...await oddLabels(dataset),
  ];
}

async function copies(dataset: Dataset): Promise<Finding[]> {
  const first = new Map<string, { split: SplitName; n: number; label: number }>();
  const across: string[] = [];
  const contradicting: string[] = [];
  let within = 0;
  for (const split of splitNames) {
    const { labels } = dataset.splits[split];
    (await digests(dataset.splits[split], dataset)).forEach((digest, n) => {
      const other = first.get(digest);
      if (other === undefined) {
        first.set(digest, { split, n, label: labels[n] });
        return;
      }
      const pair = `${other.split} ${other.n} = ${split} ${n}`;
      if (other.split !== split) across.push(pair);
      else within++;
      if (other.label !== labels[n]) contradicting.push(pair);
    });
  }
  const found: Finding[] = [];
  if (across.length > 0) {
    found.push({
      serious: true,
      about: `${across.length} samples are copies of one in another split: ${
        some(across)
      }; test and selection see training data`,
    });
  }
  if (contradicting.length > 0) {
    found.push({
      serious: false,
      about: `${contradicting.length} copies have another label than the first: ${
        some(contradicting)
      }; labels may be wrong`,
    });
  }
  if (within > 0) found.push({ serious: false, about: `${within} samples are copies of another in their own split` });
  return found;
}

function rareClasses({ classes, splits }: Dataset): Finding[] {
  return splitNames.flatMap((split) => {
    const counts = new Array<number>(classes.length).fill(0);
    for (const label of splits[split].labels) counts[label]++;
    const missing = classes.filter((_, c) => counts[c] === 0);
    const rare = classes.filter((_, c) => split === "train" && counts[c] > 0 && counts[c] < 5);
    return [
      ...missing.length === 0
        ? []
        : [{ serious: split === "train", about: `${split} has no sample of ${some(missing)}` }],
      ...rare.length === 0 ? [] : [{ serious: false, about: `train has fewer than 5 samples of ${some(rare)}` }],
    ];
  });
}

async function emptyModalities({ modalities, splits }: Dataset): Promise<Finding[]> {
  const { train } = splits;
  const names = modalitiesOf(modalities);
  const found: Finding[] = [];
  for (const [u, name] of names.entries()) {
    const without = lacking(train, names.length, u);
    let first: number | undefined;
    let constant = true;
    for await (const { values } of chunksOf(train, name, modalities[name])) {
      first ??= values[0];
      constant &&= values.every((value) => value === first);
      if (!constant) break;
    }
    found.push(
      ...without > train.size / 2
        ? [{ serious: false, about: `${share(without, train.size)} of train lack "${name}"` }]
        : [],
      ...constant ? [{ serious: true, about: `"${name}" has one value, ${first}, in all of train` }] : [],
    );
  }
  return found;
}

/** A table as aligned text. */
export function alignedTable({ columns, rows }: DataTable): string {
  const lines = [columns, ...rows].map((line) => line.map(String));
  const widths = columns.map((_, k) => Math.max(...lines.map((line) => line[k].length)));
  const numeric = columns.map((_, k) => rows.length > 0 && rows.every((row) => typeof row[k] === "number"));
  return lines.map((line) =>
    line.map((text, k) => numeric[k] ? text.padStart(widths[k]) : text.padEnd(widths[k])).join("  ").trimEnd()
  ).join("\n");
}
