/**
 * What was found in somebody's files, for people: a table, and the `dataset.json` to edit.
 *
 * @module
 */
import type { Dataset } from "../../core/kinds/mod.ts";
import { dataInfo, type DataTable } from "../views.ts";
import { datasetOf } from "./build.ts";
import { describe, type Described, samplesOf } from "./files.ts";
import { splitNames } from "./splits.ts";

/** Data that was read, and what is to be said of it. */
export interface Inspected {
  readonly described: Described;
  readonly dataset: Dataset;
  /** What each part is and where it comes from. */
  readonly table: DataTable;
  /** Samples that are left out as they are broken, each with its id. */
  readonly broken: readonly { readonly id: string; readonly why: string }[];
  /** What was guessed or decided. */
  readonly notes: readonly string[];
  /** The description as JSON. */
  readonly json: string;
}

/**
 * Reads data and says what it is; with `skip` without what is broken.
 *
 * @param tokenizers Of texts, by modality.
 * @throws {Refusal} If anything does not fit.
 */
export async function inspect(
  path: string,
  skip: boolean = false,
  tokenizers: Readonly<Record<string, string>> = {},
): Promise<Inspected> {
  const described = await describe(path, tokenizers);
  const { spec } = described;
  const samples = await samplesOf(described, { skip });
  const dataset = await datasetOf(spec, samples);
  const rows: string[][] = Object.entries(spec.modalities).map(([name, { from, kind, lengths }]) => {
    const { present } = samples.values[name];
    const info = dataset.modalities[name];
    // Of the samples that are used: broken ones are in no split.
    const used = (n: number) => samples.split[n] < splitNames.length;
    const missing = present.reduce((count, there, n) => count + (there === 0 && used(n) ? 1 : 0), 0);
    const more = [
      ...info.vocabulary === undefined ? [] : [`ids 0..${info.vocabulary - 1}`],
      ...lengths === undefined ? [] : [`lengths of ${lengths}`],
      ...missing === 0 ? [] : [`${missing} of ${samples.size} samples lack it`],
    ];
    return [name, `${kind} [${info.shape.join(", ")}]`, from, more.join("; ")];
  });
  const sizes = dataInfo(dataset).splits.rows.map(([name, size]) => `${name} ${size}`).join(", ");
  const { classes } = spec;
  const names = classes.slice(0, 8).join(", ") + (classes.length > 8 ? ", ..." : "");
  rows.push(["labels", `${classes.length} classes`, spec.labels, names]);
  if (spec.groups !== undefined) rows.push(["groups", String(new Set(samples.groups).size), spec.groups, ""]);
  if (spec.ids !== undefined) rows.push(["ids", String(samples.size), spec.ids, ""]);
  const from = "from" in spec.split ? spec.split.from : "folders" in spec.split ? "folders" : "made here";
  rows.push(["split", `${samples.size} samples`, from, sizes]);
  return {
    described,
    dataset,
    table: { columns: ["what", "is", "from", "with"], rows },
    broken: samples.broken.map(({ sample, why }) => ({ id: samples.ids[sample], why })),
    notes: [...described.notes, ...samples.notes],
    json: JSON.stringify({ ...spec, seen: seenOf(dataset) }, null, 2) + "\n",
  };
}

/** What the data was when its description was written, for people who read it. */
function seenOf(dataset: Dataset): unknown {
  const { modalities, splits } = dataInfo(dataset);
  const shape = modalities.columns.indexOf("shape");
  return {
    shapes: Object.fromEntries(modalities.rows.map((row) => [row[0], row[shape]])),
    samples: Object.fromEntries(splits.rows.map(([name, size]) => [name, size])),
  };
}
