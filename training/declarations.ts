/**
 * What all methods of a run declare, merged: controls, columns of the per-sample table, programs.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ColumnSpec, Declarations, ProgramSpec } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";

/** Values that the harness itself feeds at every step. */
export const HARNESS_CONTROLS: Readonly<Record<string, number>> = { learningRate: 0, epoch: 0, progress: 0 };

/** A column of the per-sample table, its width known. */
export type Column = ColumnSpec & { readonly width: number };

/** What all methods of a run declare, merged. */
export interface Merged {
  readonly controls: Readonly<Record<string, readonly number[]>>;
  /** Whether a control is a scalar. */
  readonly scalars: ReadonlySet<string>;
  readonly columns: Readonly<Record<string, Column>>;
  /** Buffers that start as copies of parameters: groups by name. */
  readonly copies: Readonly<Record<string, readonly string[]>>;
  readonly keep: boolean;
  /** Whether a method reads the groups of rows. */
  readonly groups: boolean;
  /** Whether a method's predictions read labels. */
  readonly readsLabels: boolean;
  /** Training programs by name: `main` and those declared. */
  readonly programs: ReadonlyMap<string, ProgramSpec>;
}

function unknownWidth(modality: string): number {
  throw new Error(`Cannot size a column as the feature width of "${modality}" must be known: nobody said it`);
}

/**
 * Merges declarations. Methods may share a column or control of the same name and shape.
 *
 * @param widthOf Width of a modality's features, for columns that hold such.
 * @throws {Refusal} If two methods declare the same name differently.
 */
export function mergeDeclarations(
  declarations: readonly (Declarations | undefined)[],
  widthOf: (modality: string) => number = unknownWidth,
): Merged {
  const controls: Record<string, readonly number[]> = {};
  const scalars = new Set<string>();
  const columns: Record<string, Column> = {};
  const copies: Record<string, readonly string[]> = {};
  let keep = false;
  let groups = false;
  let readsLabels = false;
  const programs = new Map<string, ProgramSpec>([["main", { name: "main" }]]);
  const add = (name: string, value: number | readonly number[]) => {
    const values = typeof value === "number" ? [value] : value;
    if (Object.hasOwn(controls, name) && controls[name].join() !== values.join()) {
      throw new Refusal({
        what: `declare control "${name}"`,
        must: "a shared control must start at one value",
        found: `found ${controls[name]} and ${values}`,
      });
    }
    controls[name] = values;
    if (typeof value === "number") scalars.add(name);
  };
  for (const [name, value] of Object.entries(HARNESS_CONTROLS)) add(name, value);
  for (const declared of declarations) {
    for (const [name, value] of Object.entries(declared?.controls ?? {})) add(name, value);
    for (const [name, spec] of Object.entries(declared?.columns ?? {})) {
      const present = columns[name];
      const width = typeof spec.width === "number" ? spec.width : widthOf(spec.width.featuresOf);
      if (present !== undefined && (present.width !== width || present.init !== spec.init)) {
        throw new Refusal({
          what: `declare column "${name}"`,
          must: "a shared column must have one width and start",
          found: `found ${present.width}, ${present.init} and ${width}, ${spec.init}`,
        });
      }
      columns[name] = { ...spec, width };
    }
    Object.assign(copies, declared?.copies ?? {});
    for (const spec of declared?.programs ?? []) {
      if (programs.has(spec.name)) {
        throw new Refusal({
          what: `declare program "${spec.name}"`,
          must: "program names must be unique",
          found: "the name is taken",
        });
      }
      programs.set(spec.name, spec);
    }
    keep ||= declared?.keep ?? false;
    groups ||= declared?.groups ?? false;
    readsLabels ||= declared?.reads === "labels";
  }
  return { controls, scalars, columns, copies, keep, groups, readsLabels, programs };
}

/**
 * The start value of a column as a batch of rows [B, width]: what evaluation sees in place of the table.
 *
 * @throws {RangeError} If no method declares the column.
 */
export function startRows(merged: Merged, column: string, batch: number): tf.Tensor2D {
  const spec = merged.columns[column];
  if (spec === undefined) {
    throw new RangeError(
      `Cannot read column "${column}" as no method declares it: declared are ${
        Object.keys(merged.columns).sort().join(", ") || "none"
      }`,
    );
  }
  return tf.fill([batch, spec.width], spec.init);
}
