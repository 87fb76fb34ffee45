/**
 * Saved arrays that a valuation is made of: their shapes, checked, and features as 32-bit floats.
 *
 * @module
 */
import { checkFinite } from "../core/check.ts";
import { type ByModality, checkModalityName, modalitiesOf } from "../core/modality.ts";
import { Refusal } from "../core/refusal.ts";
import type { MeasureOptions } from "./measure.ts";
import { membersOf } from "./shapley.ts";

/** Floats of 32 or 64 bits. SavedFeatures of 64 bits are centred before they are narrowed. */
export type SavedFeatures = Float32Array | Float64Array;

/** Saved arrays of N samples, row-major; modalities by name. */
export interface ValuationInputs {
  /** Class indices [N]. */
  readonly labels: Int32Array;
  /** C: columns of all logits. */
  readonly classes: number;
  /** d: columns of the fused feature and of every part. */
  readonly width: number;
  /** Logits of the whole model, [N, C]. */
  readonly logits: SavedFeatures;
  /** Logits of each modality's own readout, [N, C]. */
  readonly solo: ByModality<SavedFeatures>;
  /** Fused feature f_y, [N, d]. */
  readonly fused: SavedFeatures;
  /** Each modality's part z_u in the fused feature, [N, d]: the fused feature when only it is there. */
  readonly parts: ByModality<SavedFeatures>;
  /**
   * Logits [N, C] when only some modalities are kept, by their sorted names joined with `+` (`""` for none). For Shapley
   * values with three or more modalities all proper subsets of two or more are needed; single ones default to `solo`, all
   * to `logits`, none to the class frequencies.
   */
  readonly subsets?: Readonly<Record<string, SavedFeatures>>;
  /** What each sample belongs to (a clip, a patient), [N]: mismatched samples are of different groups. @default none */
  readonly groups?: readonly (string | number)[];
}

/** Name of a subset: its members joined by `+`. */
export function subsetName(subset: number, modalities: readonly string[]): string {
  return membersOf(subset, modalities).join("+");
}

/** The largest value of what is compared is brought to 2^10 .. 2^11: no square overflows, vanishes or meets a floor. */
const LARGEST_EXPONENT = 10;

/**
 * SavedFeatures as 32-bit floats, centred and scaled in double precision: the mean per coordinate is subtracted, or per row where
 * coordinates are not to be centred (each row is standardised later, so that its mean does not matter), then each row is
 * multiplied by a power of two. So neither what all samples have in common nor the features' unit is seen in the result.
 *
 * @param granularity `"batch"`: samples are the observations, so that all rows are scaled alike.
 */
export function narrowed(
  values: SavedFeatures,
  width: number,
  centring: "batch" | "none",
  granularity: MeasureOptions["granularity"],
): Float32Array {
  const size = values.length / width;
  const together = granularity === "batch";
  const byColumn = centring === "batch" || together;
  const mean = new Float64Array(byColumn ? width : size);
  const group = (k: number) => byColumn ? k % width : Math.floor(k / width);
  values.forEach((value, k) => mean[group(k)] += value / (byColumn ? size : width));
  const centred = Float64Array.from(values, (value, k) => value - mean[group(k)]);
  const narrow = new Float32Array(centred.length);
  const extent = together ? centred.length : width;
  for (let from = 0; from < centred.length; from += extent) {
    const row = centred.subarray(from, from + extent);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // In two steps, as one power could be beyond the largest number itself.
    const shift = largest === 0 ? 0 : LARGEST_EXPONENT - Math.floor(Math.log2(largest));
    const [half, rest] = [2 ** Math.trunc(shift / 2), 2 ** (shift - Math.trunc(shift / 2))];
    row.forEach((value, k) => narrow[from + k] = value * half * rest);
  }
  return narrow;
}

/**
 * Checks that every array has as many values as its shape says.
 *
 * @throws {Refusal} If not; the message names all arrays and their numbers of values.
 */
export function checkedInputs(inputs: ValuationInputs): { modalities: string[]; size: number } {
  const { labels, logits, solo, fused, parts, subsets = {}, classes, width } = inputs;
  const modalities = modalitiesOf(parts);
  if (modalities.length === 0) {
    throw new Refusal({ what: "valuate", must: "at least one modality must have a part", found: "found none" });
  }
  for (const modality of modalities) checkModalityName(modality, "a valuation");
  if (modalitiesOf(solo).join() !== modalities.join()) {
    throw new Refusal({
      what: "valuate",
      must: "parts and solo logits must be of the same modalities",
      found: `found ${modalities.join(", ")} and ${modalitiesOf(solo).join(", ") || "none"}`,
    });
  }
  const size = labels.length;
  if (size === 0) throw new Refusal({ what: "valuate", must: "there must be a label per sample", found: "found none" });
  const counted = (what: string, count: number, least: number) => {
    if (!Number.isInteger(count) || count < least) {
      throw new Refusal({ what: "valuate", must: `${what} must be an integer >= ${least}`, found: `found ${count}` });
    }
  };
  counted("classes", classes, 2);
  counted("width", width, 1);
  const all: [string, SavedFeatures, number][] = [
    ["logits", logits, classes],
    ["fused", fused, width],
    ...modalities.map((name): [string, SavedFeatures, number] => [`part "${name}"`, parts[name], width]),
    ...modalities.map((name): [string, SavedFeatures, number] => [`solo logits "${name}"`, solo[name], classes]),
    ...Object.entries(subsets).map((
      [name, values],
    ): [string, SavedFeatures, number] => [`subset "${name}"`, values, classes]),
  ];
  for (const [what, values, columns] of all) {
    if (values.length !== size * columns) {
      throw new Refusal({
        what: `use ${what}`,
        must: `its shape must be [${size}, ${columns}], ${size * columns} values`,
        found: `found ${values.length}, beside ${
          all.slice(0, 24).map(([other, { length }]) => `${other} ${length}`).join(", ")
        }`,
      });
    }
    checkFinite(what, values);
  }
  if (inputs.groups !== undefined && inputs.groups.length !== size) {
    throw new Refusal({ what: "use groups", must: `there must be ${size}`, found: `found ${inputs.groups.length}` });
  }
  for (const name of Object.keys(subsets)) checkSubset(name, modalities);
  const bad = labels.findIndex((label) => label < 0 || label >= classes);
  if (bad !== -1) {
    throw new Refusal({
      what: "use labels",
      must: `they must be 0..${classes - 1}, a column of logits each`,
      found: `found ${labels[bad]} at sample ${bad}`,
    });
  }
  return { modalities, size };
}

/** @throws {Refusal} If a name of a subset is none. */
function checkSubset(name: string, modalities: readonly string[]): void {
  const members = name === "" ? [] : name.split("+");
  const ordered = members.every((member, i) => i === 0 || members[i - 1] < member);
  if (ordered && members.every((member) => modalities.includes(member))) return;
  throw new Refusal({
    what: `use subset "${name}"`,
    must: `it must name modalities in sorted order, joined by +: they are ${modalities.join(", ")}`,
    found: `found "${name}"`,
  });
}
