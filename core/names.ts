/**
 * Names of tensors on the device, in what a step is fed and gives, and in checkpoints: spelled here and nowhere else.
 *
 * A name is a prefix that says what it is and the rest, by which it is known: `param:encoder:audio/hidden1/kernel` is the
 * parameter of that full name. On the device lie `param`, `slot`, `buffer` and `updates`; a step is fed `input`, `blank`,
 * `rows` and `control`; prediction gives `solo`, `part`, `pooled` and `ablateMean`; a checkpoint adds `table`, `best` and `kept`.
 *
 * @module
 */

/** All names with one prefix. */
export interface NameFamily {
  /** The name of what is known by `rest`. */
  of(rest: string): string;
  /** Whether a name is of this family. */
  has(name: string): boolean;
  /** By what a name of this family is known. */
  rest(name: string): string;
  /** The values whose names are of this family, by the rest of their names. */
  under<T>(values: Readonly<Record<string, T>>): Record<string, T>;
  /** The same values under names of this family. */
  over<T>(values: Readonly<Record<string, T>>): Record<string, T>;
}

function family(kind: string): NameFamily {
  const prefix = `${kind}:`;
  const has = (name: string) => name.startsWith(prefix);
  const rest = (name: string) => name.slice(prefix.length);
  return {
    of: (name) => prefix + name,
    has,
    rest,
    under: (values) =>
      Object.fromEntries(
        Object.entries(values).filter(([name]) => has(name)).map(([name, value]) => [rest(name), value]),
      ),
    over: (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value])),
  };
}

/** Parameters, by full name. */
export const param: NameFamily = family("param");
/** Buffers, by full name. */
export const buffer: NameFamily = family("buffer");
/** Updates that the parameters of a group have had, by group. */
export const updates: NameFamily = family("updates");
/** What an optimiser keeps of a parameter, by `<slot>/<full name>`. */
export const slot: NameFamily = family("slot");
/** Raw inputs [B, ...], by modality. */
export const input: NameFamily = family("input");
/** What stands for an input of zeros [1, ...], by modality. */
export const blank: NameFamily = family("blank");
/** Rows of the per-sample table [B, width], by column; fed to a step, and given back by it. */
export const rows: NameFamily = family("rows");
/** Values that the host feeds, by control. */
export const control: NameFamily = family("control");
/** Unimodal logits [B, C], by modality. */
export const solo: NameFamily = family("solo");
/** Parts of the fused feature [B, d], by modality. */
export const part: NameFamily = family("part");
/** Pooled features [B, d_u], by modality. */
export const pooled: NameFamily = family("pooled");
/** Logits [B, C] with all other modalities at their training means, by modality. */
export const ablateMean: NameFamily = family("ablateMean");
/** Whole columns of the per-sample table in a checkpoint, by column. */
export const table: NameFamily = family("table");
/** Tensors of the selected epoch in a checkpoint, by device name. */
export const best: NameFamily = family("best");

/** Arrays of what else a checkpoint keeps, by number. */
export const kept: NameFamily = family("kept");

/** The slot of a parameter. */
export function slotOf(name: string, full: string): string {
  return slot.of(`${name}/${full}`);
}

/** The full name of the parameter that a slot belongs to. */
export function slotParam(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}
