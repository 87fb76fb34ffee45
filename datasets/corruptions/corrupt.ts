/**
 * Corrupted and missing modalities: a view of any dataset, drawn from (seed, split, index, modality, corruption).
 *
 * @module
 */
import { byModality, modalitiesOf } from "../../core/modality.ts";
import type { Dataset, ModalityInfo, Split, SplitName } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { didYouMean } from "../../core/suggest.ts";
import { chunksOf } from "../rows.ts";
import type { Scale } from "./image.ts";
import { type CorruptedSample, corruptible, corruptions, corruptionsOf } from "./kinds.ts";

export { corruptions, corruptionsOf };

/** A corruption of one modality at one severity. */
export interface Corruption {
  readonly modality: string;
  /** A name of `corruptions`. */
  readonly name: string;
  readonly severity: number;
}

/** How a corruption is done to a modality: to its values, or to the texts that they are made of. */
type Way =
  | { readonly values: (place: CorruptedSample) => void }
  | { readonly texts: (text: string, severity: number, random: Random) => string };

/** Checks one corruption against a dataset. @throws {Refusal} If it lacks the modality, or that does not take it so. */
function checked(dataset: Dataset, { modality, name, severity }: Corruption): Way {
  const what = `corrupt "${modality}.${name}" of dataset "${dataset.name}"`;
  const all = modalitiesOf(dataset.modalities);
  if (!all.includes(modality)) {
    throw new Refusal({
      what,
      must: "the dataset must have the modality",
      found: `it has ${all.join(", ")}`,
      hint: didYouMean(modality, all),
    });
  }
  const info = dataset.modalities[modality];
  const read = Object.hasOwn(dataset.reads ?? {}, modality);
  const names = corruptionsOf(info, read);
  if (!names.includes(name)) {
    throw new Refusal({
      what,
      must: `it must be a corruption of ${corruptible(info)}`,
      found: `there are ${names.join(", ")}`,
      hint: didYouMean(name, names),
    });
  }
  const [least, most] = corruptions[name].range;
  if (!(severity >= least && severity <= most)) {
    throw new Refusal({
      what,
      must: `its severity must be ${least} to ${most} (${corruptions[name].about})`,
      found: `found ${severity}`,
    });
  }
  const values = corruptions[name].on[corruptible(info)];
  return values === undefined ? { texts: corruptions[name].texts! } : { values };
}

/** @throws {Refusal} If a text is to be changed after its values, which are read from it anew. */
function checkOrder(dataset: Dataset, steps: readonly (Corruption & { readonly way: Way })[]): void {
  steps.forEach(({ modality, name, way }, k) => {
    const before = steps.slice(0, k).find((other) => other.modality === modality && "values" in other.way);
    if ("values" in way || before === undefined) return;
    throw new Refusal({
      what: `corrupt "${modality}.${name}" of dataset "${dataset.name}"`,
      must: "what changes texts must stand before what changes their values",
      found: `it stands after "${modality}.${before.name}"`,
      hint: `write "${modality}.${name}" first`,
    });
  });
}

/** Mean, standard deviation and ends of a modality's values in a split, samples that lack it left out. */
export async function scaleOf(
  dataset: Dataset,
  modality: string,
  split: Split = dataset.splits.train,
): Promise<Scale> {
  const info = dataset.modalities[modality];
  const width = sizeOf(info.shape);
  const m = modalitiesOf(dataset.modalities);
  const u = m.indexOf(modality);
  let [count, mean, squares, least, most] = [0, 0, 0, Infinity, -Infinity];
  for await (const { from, values } of chunksOf(split, modality, info)) {
    for (let i = 0; i < values.length; i++) {
      if (split.present?.[(from + Math.floor(i / width)) * m.length + u] === 0) continue;
      const value = values[i];
      // Welford's running moments: one pass, and no loss where the mean is large.
      const before = value - mean;
      mean += before / ++count;
      squares += before * (value - mean);
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return count === 0 ? { mean: 0, std: 1, least: 0, most: 1 } : { mean, std: Math.sqrt(squares / count), least, most };
}

/** What is done to a dataset's splits. */
export interface CorruptOptions {
  /** In the order in which they are applied. @default none */
  readonly corrupt?: readonly Corruption[];
  /** By modality, the share of samples that lack it: each sample by its own chance. @default none */
  readonly drop?: Readonly<Record<string, number>>;
  /** Splits that are corrupted. */
  readonly splits: readonly SplitName[];
  readonly seed: number;
}

/**
 * A dataset whose samples are corrupted or lack modalities, in some of its splits; the given one is left as it is.
 *
 * A sample that would lose all it has keeps one of them, drawn with equal chances.
 *
 * @throws {Refusal} If a modality is not there or does not take the corruption, or a number is out of range.
 */
export async function corrupted(
  dataset: Dataset,
  { corrupt = [], drop = {}, splits, seed }: CorruptOptions,
): Promise<Dataset> {
  const steps: (Corruption & { way: Way; scale: Scale })[] = [];
  for (const one of corrupt) {
    steps.push({ ...one, way: checked(dataset, one), scale: await scaleOf(dataset, one.modality) });
  }
  checkOrder(dataset, steps);
  checkDrops(dataset, drop);
  const change = (name: SplitName): Split => {
    const split = dataset.splits[name];
    if (!splits.includes(name)) return split;
    const random = new Random(seed).split("corrupt", name);
    const inputs = { ...split.inputs };
    const rows = { ...split.rows };
    for (const modality of new Set(steps.map((step) => step.modality))) {
      const info = dataset.modalities[modality];
      const own = steps.filter((step) => step.modality === modality);
      const width = sizeOf(info.shape);
      const mistyped = (values: Float32Array | Int32Array, n: number) => {
        const given = split.texts?.[modality]?.[n] ?? "";
        const text = own.reduce(
          (text, { name: kind, severity, way }) =>
            "texts" in way ? way.texts(text, severity, random.split(n, modality, kind)) : text,
          given,
        );
        if (text !== given) values.set(dataset.reads![modality](text));
      };
      const apply = (values: Float32Array | Int32Array, n: number) => {
        mistyped(values, n);
        for (const { name: kind, severity, way, scale } of own) {
          if (!("values" in way)) continue;
          for (const frame of framesOf(values, info)) {
            way.values({ ...frame, scale, severity, random: random.split(n, modality, kind) });
          }
        }
      };
      if (Object.hasOwn(inputs, modality)) {
        const copy = inputs[modality].slice();
        for (let n = 0; n < split.size; n++) {
          if (hasModality(dataset, split, n, modality)) apply(copy.subarray(n * width, (n + 1) * width), n);
        }
        inputs[modality] = copy;
      } else {
        const source = rows[modality];
        rows[modality] = {
          width,
          async copy(sample, into, at) {
            await source.copy(sample, into, at);
            if (hasModality(dataset, split, sample, modality)) apply(into.subarray(at, at + width), sample);
          },
        };
      }
    }
    return dropped(dataset, { ...split, inputs, ...split.rows === undefined ? {} : { rows } }, drop, random);
  };
  // What a dataset shows of its samples it shows of them as they were.
  const { preview: _, ...rest } = dataset;
  return {
    ...rest,
    splits: { train: change("train"), validation: change("validation"), test: change("test") },
  };
}

/** A sample's own values; of a film [T, H, W, c] those of each frame, which are corrupted alike. */
function framesOf(
  values: Float32Array | Int32Array,
  info: ModalityInfo,
): Pick<CorruptedSample, "values" | "info">[] {
  const [frames, ...shape] = info.shape;
  if (corruptible(info) !== "image" || shape.length < 3) return [{ values, info }];
  const width = sizeOf(shape);
  const own = { ...info, shape };
  return Array.from({ length: frames }, (_, t) => ({
    values: values.subarray(t * width, (t + 1) * width),
    info: own,
  }));
}

function hasModality({ modalities }: Dataset, { present }: Split, n: number, modality: string): boolean {
  const all = modalitiesOf(modalities);
  return present === undefined || present[n * all.length + all.indexOf(modality)] === 1;
}

function checkDrops(dataset: Dataset, drop: Readonly<Record<string, number>>): void {
  const all = modalitiesOf(dataset.modalities);
  for (const [modality, share] of Object.entries(drop)) {
    const what = `drop "${modality}" of dataset "${dataset.name}"`;
    if (!all.includes(modality)) {
      throw new Refusal({
        what,
        must: "the dataset must have the modality",
        found: `it has ${all.join(", ")}`,
        hint: didYouMean(modality, all),
      });
    }
    if (!(share >= 0 && share <= 1)) {
      throw new Refusal({ what, must: "its share of samples must be 0 to 1", found: `found ${share}` });
    }
  }
}

/** A split some of whose samples lack modalities. */
function dropped(dataset: Dataset, split: Split, drop: Readonly<Record<string, number>>, random: Random): Split {
  if (Object.values(drop).every((share) => share === 0)) return split;
  const all = modalitiesOf(dataset.modalities);
  const present = new Uint8Array(split.size * all.length);
  for (let n = 0; n < split.size; n++) {
    const own = random.split(n, "drop");
    const had = all.filter((modality) => hasModality(dataset, split, n, modality));
    // A number each for all modalities: what one loses does not hang on another's share.
    const chances = new Map(all.map((modality) => [modality, own.uniform()]));
    const kept = had.filter((modality) =>
      chances.get(modality)! >= (Object.hasOwn(drop, modality) ? drop[modality] : 0)
    );
    const left = kept.length > 0 || had.length === 0 ? kept : [had[own.integer(had.length)]];
    for (const modality of left) present[n * all.length + all.indexOf(modality)] = 1;
  }
  const blank = (modality: string, n: number) => present[n * all.length + all.indexOf(modality)] === 0;
  const inputs = byModality(Object.keys(split.inputs), (modality) => {
    const values = split.inputs[modality].slice();
    const width = sizeOf(dataset.modalities[modality].shape);
    for (let n = 0; n < split.size; n++) if (blank(modality, n)) values.fill(0, n * width, (n + 1) * width);
    return values;
  });
  const rows = byModality(Object.keys(split.rows ?? {}), (modality) => ({
    width: split.rows![modality].width,
    async copy(sample: number, into: Float32Array | Int32Array, at: number) {
      if (blank(modality, sample)) into.fill(0, at, at + split.rows![modality].width);
      else await split.rows![modality].copy(sample, into, at);
    },
  }));
  return { ...split, inputs, ...split.rows === undefined ? {} : { rows }, present };
}
