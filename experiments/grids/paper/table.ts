/**
 * Tables of the paper as grids with two profiles.
 *
 * @module
 */
import {
  type CellRequest,
  defineGrid,
  type GridPlugin,
  type GridProfile,
  type PrintedColumn,
} from "../../../core/kinds/mod.ts";
import { part } from "../../config.ts";
import { folderOf, FOOD, type PaperData } from "./data.ts";

/** A row: a fusion with methods. */
export interface PaperRow {
  readonly subject: string;
  readonly fusion: string;
  readonly methods: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
}

/** A row on concatenation, or on another fusion. */
export function row(
  subject: string,
  method: string | null,
  options: Readonly<Record<string, unknown>> = {},
  fusion: string = "concat",
): PaperRow {
  return { subject, fusion, methods: method === null ? [] : [[method, options]] };
}

/** A fusion alone. */
export const plainFusion = (subject: string, fusion: string): PaperRow => row(subject, null, {}, fusion);

/** ARM as the paper has it: its readouts are not trained. */
export const paperArm = (subject: string, options: Readonly<Record<string, unknown>> = {}, fusion?: string): PaperRow =>
  row(subject, "arm", { readoutWeight: 0, ...options }, fusion);

/** Rows that no table of the paper has, and without which none can be read. */
export const beside: readonly PaperRow[] = [row("uni-ce", "uni-ce"), row("arm (readouts trained)", "arm")];

/** Fusions of feature maps, which vectors do not have. */
const ON_MAPS = ["mmtm", "centralnet"];

function cellsOf(
  rows: readonly PaperRow[],
  data: readonly (Pick<CellRequest, "dataset" | "encoder" | "training"> & {
    readonly name: string;
    readonly maps: boolean;
  })[],
): CellRequest[] {
  return data.flatMap(({ name, maps, ...setting }) =>
    rows.filter(({ fusion }) => maps || !ON_MAPS.includes(fusion)).map(({ subject, fusion, methods }) => ({
      label: data.length === 1 ? subject : `${subject}, ${name}`,
      ...(data.length === 1 ? {} : { across: { subject, data: name } }),
      ...setting,
      fusion: part(fusion),
      methods: methods.map(([method, options]) => part(method, options)),
    }))
  );
}

/** What a grid of the paper is made of. */
export interface PaperGrid {
  readonly name: string;
  readonly question: string;
  /** As the paper names it: "Table 1". */
  readonly source: string;
  readonly data: readonly PaperData[];
  readonly rows: readonly PaperRow[];
  /** Empty where the values are not known. */
  readonly columns: readonly PrintedColumn[];
  readonly notes?: readonly string[];
}

/** Data sets by the names that cells have for them. */
const standing = (data: readonly PaperData[], nameOf: (own: PaperData) => string) =>
  Object.fromEntries(data.map((own) => [nameOf(own), own.name]));

/** A grid with the profiles `embedded`, which is its own, and `paper`. */
export function paperGrid({ name, question, source, data, rows, columns, notes = [] }: PaperGrid): GridPlugin {
  const seeds = [0, 1, 2];
  const embedded: GridProfile = {
    about: `${data.map((own) => own.embedded.name).join(", ")} ${data.length === 1 ? "stands" : "stand"} for ${
      data.map((own) => own.name).join(", ")
    }`,
    cells: cellsOf(rows, data.map((own) => own.embedded)),
    seeds,
    standsFor: standing(data, (own) => own.embedded.name),
  };
  const paper: GridProfile = {
    about: "the paper's own data under data/, with the settings that it states, at equal epochs",
    cells: cellsOf(
      rows,
      data.map(({ name, paper: { dataset, encoder, training } }) => ({
        dataset,
        encoder,
        training,
        name,
        maps: name !== FOOD.name,
      })),
    ),
    seeds,
    standsFor: standing(data, (own) => own.name),
    sets: Object.fromEntries(data.map(({ paper: { set } }) => [folderOf(set), set])),
  };
  return defineGrid({
    name,
    question,
    cells: embedded.cells,
    seeds,
    profiles: { embedded, paper },
    printed: { source: `ARM (AAAI 2025), ${source}`, reference: rows[0].subject, columns, notes },
  });
}
