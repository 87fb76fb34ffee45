/**
 * Weights trained elsewhere for parameters and buffers of ours: which belongs to which, and what is done to those that do
 * not fit.
 *
 * @module
 */
import { float32, type HostTensor, type NamedHostTensors, sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { fromTorch, torchName, torchShape } from "./torch.ts";

/** What became of weights. Names of ours are within the encoder: `layer1/0/conv1/kernel`. */
export interface LoadReport {
  /** What stands before their names in the file: `bert.`. */
  readonly prefix: string;
  /** Ours that were found. */
  readonly matched: readonly string[];
  /** Of these, those that were changed to fit, and how. */
  readonly reshaped: readonly { readonly name: string; readonly how: string }[];
  /** Ours that the file lacks; they start as drawn. */
  readonly missing: readonly string[];
  /** The file's that are not used: heads, counters. */
  readonly unexpected: readonly string[];
}

/** Names of the file without what is written differently in older releases. */
function plain(name: string): string {
  return name.replace(/\.gamma$/, ".weight").replace(/\.beta$/, ".bias");
}

/** What stands before most of our names in the file; the shortest where several fit as well. */
function prefixOf(ours: readonly string[], theirs: ReadonlySet<string>): string {
  const candidates = new Set<string>([""]);
  for (const name of theirs) {
    for (const own of ours) if (name.endsWith(`.${own}`)) candidates.add(name.slice(0, -own.length));
  }
  const fits = (prefix: string) => ours.filter((own) => theirs.has(prefix + own)).length;
  return [...candidates].sort((a, b) => fits(b) - fits(a) || a.length - b.length || (a < b ? -1 : 1))[0];
}

/**
 * Finds weights for what an encoder asks, by PyTorch's names (`nn/torch.ts`).
 *
 * @param asked Shapes of the encoder's parameters and buffers by their names within it.
 * @param theirs Names of the file.
 * @throws {Refusal} If less than half of what is asked is there: weights of another architecture.
 */
export function matchWeights(
  asked: Readonly<Record<string, readonly number[]>>,
  theirs: readonly string[],
  what: string,
): Omit<LoadReport, "reshaped"> & { readonly names: Readonly<Record<string, string>> } {
  const byPlain = new Map(theirs.map((name) => [plain(name), name]));
  const known = new Set(byPlain.keys());
  const ours = Object.keys(asked).sort();
  const prefix = prefixOf(ours.map(torchName), known);
  const matched = ours.filter((name) => known.has(prefix + torchName(name)));
  if (2 * matched.length < ours.length) {
    throw new Refusal({
      what,
      must: `at least half of the encoder's ${ours.length} tensors must be among them`,
      found: `${matched.length} are; it asks for ${ours.slice(0, 3).map(torchName).join(", ")}, … and the file has ` +
        `${[...theirs].sort().slice(0, 3).join(", ")}, …`,
      hint: "these are weights of another architecture, or under other names",
    });
  }
  const names = Object.fromEntries(matched.map((name) => [name, byPlain.get(prefix + torchName(name))!]));
  const used = new Set(Object.values(names));
  return {
    prefix,
    names,
    matched,
    missing: ours.filter((name) => !known.has(prefix + torchName(name))),
    unexpected: theirs.filter((name) => !used.has(name)).sort(),
  };
}

/** Weights of an input layer for another number of channels: [out, in, ...] to [out, channels, ...]. */
function otherChannels({ data, shape }: HostTensor, channels: number): HostTensor {
  const [out, own, ...window] = shape;
  const size = sizeOf(window);
  const values = new Float32Array(out * channels * size);
  for (let o = 0; o < out; o++) {
    for (let k = 0; k < size; k++) {
      let sum = 0;
      for (let c = 0; c < own; c++) sum += data[(o * own + c) * size + k];
      for (let c = 0; c < channels; c++) values[(o * channels + c) * size + k] = sum / channels;
    }
  }
  return float32(values, [out, channels, ...window]);
}

/** Bilinear sampling of a grid [h, w, D] at the centres of another's cells. */
function resampled(data: ArrayLike<number>, [h, w]: readonly number[], [h2, w2]: readonly number[], d: number) {
  const values = new Float32Array(h2 * w2 * d);
  const place = (k: number, from: number, to: number): [number, number, number] => {
    const at = Math.min(from - 1, Math.max(0, (k + 0.5) * from / to - 0.5));
    const low = Math.floor(at);
    return [low, Math.min(from - 1, low + 1), at - low];
  };
  for (let y = 0; y < h2; y++) {
    const [y0, y1, fy] = place(y, h, h2);
    for (let x = 0; x < w2; x++) {
      const [x0, x1, fx] = place(x, w, w2);
      for (let k = 0; k < d; k++) {
        const of = (row: number, column: number) => data[(row * w + column) * d + k];
        const top = of(y0, x0) * (1 - fx) + of(y0, x1) * fx;
        const bottom = of(y1, x0) * (1 - fx) + of(y1, x1) * fx;
        values[(y * w2 + x) * d + k] = top * (1 - fy) + bottom * fy;
      }
    }
  }
  return values;
}

/** Positions of a square grid behind a class token, [1, 1 + n^2, D], for another grid. */
function otherPositions({ data, shape }: HostTensor, grid: readonly [number, number]): HostTensor | null {
  const [, count, d] = shape;
  const side = Math.round(Math.sqrt(count - 1));
  if (side * side !== count - 1 || side === 0) return null;
  const patches = resampled(data.subarray(d), [side, side], grid, d);
  const values = new Float32Array((1 + grid[0] * grid[1]) * d);
  values.set(data.subarray(0, d) as Float32Array);
  values.set(patches, d);
  return float32(values, [1, 1 + grid[0] * grid[1], d]);
}

/** A tensor made to fit, and how; `null` if it cannot be. */
function fitted(
  name: string,
  found: HostTensor,
  wanted: readonly number[],
  grid: readonly [number, number] | null,
): { readonly tensor: HostTensor; readonly how: string } | null {
  const same = (axes: readonly number[]) => axes.every((axis) => found.shape[axis] === wanted[axis]);
  const rank = wanted.length;
  if (found.shape.length !== rank) return null;
  if (name.endsWith("/kernel") && rank === 4 && same([0, 2, 3])) {
    return {
      tensor: otherChannels(found, wanted[1]),
      how: `${found.shape[1]} input channels to ${wanted[1]}: their mean, scaled so that equal channels give the same`,
    };
  }
  if (name.endsWith("pos_embed") && grid !== null && same([0, 2])) {
    const tensor = otherPositions(found, grid);
    if (tensor === null || tensor.shape[1] !== wanted[1]) return null;
    const side = Math.round(Math.sqrt(found.shape[1] - 1));
    return { tensor, how: `positions of ${side} x ${side} patches to ${grid.join(" x ")}, bilinear` };
  }
  if (name.endsWith("position_embeddings/table") && same([1]) && found.shape[0] > wanted[0]) {
    const data = found.data.slice(0, wanted[0] * wanted[1]);
    return { tensor: { ...found, data, shape: wanted }, how: `the first ${wanted[0]} of ${found.shape[0]} positions` };
  }
  return null;
}

/**
 * Values for an encoder's parameters and buffers from weights that match.
 *
 * Input channels are adapted (the mean over the file's, scaled by their ratio, so that an input whose channels are equal
 * gives what it gave); positions of patches are sampled bilinearly, a longer table of positions is cut off.
 *
 * @param names Their names by ours.
 * @param grid Patches of the input by rows and columns, where positions belong to patches.
 * @throws {Refusal} If a tensor is of another shape, or holds what is no number.
 */
export function adaptWeights(
  asked: Readonly<Record<string, readonly number[]>>,
  names: Readonly<Record<string, string>>,
  tensors: Readonly<NamedHostTensors>,
  grid: readonly [number, number] | null,
  what: string,
): { readonly values: NamedHostTensors; readonly reshaped: LoadReport["reshaped"] } {
  const reshaped: { name: string; how: string }[] = [];
  const found: NamedHostTensors = {};
  for (const [name, theirs] of Object.entries(names)) {
    const wanted = torchShape(name, asked[name]);
    let tensor = tensors[theirs];
    const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) {
      throw new Refusal({
        what,
        must: "every weight must be a number",
        found: `value ${bad} of "${theirs}" is ${tensor.data[bad]}`,
        hint: "the file is damaged or its model diverged: take another",
      });
    }
    if (wanted.length !== tensor.shape.length || wanted.some((extent, axis) => extent !== tensor.shape[axis])) {
      const fit = fitted(name, tensor, wanted, grid);
      if (fit === null) {
        throw new Refusal({
          what,
          must: `"${theirs}" must be [${wanted.join(", ")}]`,
          found: `it is [${tensor.shape.join(", ")}]`,
          hint: theirs.includes("word_embeddings")
            ? `set the encoder's vocabulary to ${tensor.shape[0]}`
            : "set the encoder's width, depth, heads, patch or hidden to that of the weights",
        });
      }
      tensor = fit.tensor;
      reshaped.push({ name, how: fit.how });
    }
    found[torchName(name)] = tensor;
  }
  const own = Object.fromEntries(Object.keys(names).map((name) => [name, { shape: asked[name] }]));
  return { values: fromTorch(own, found), reshaped };
}

/** A report in one line. */
export function reportText({ prefix, matched, reshaped, missing, unexpected }: LoadReport): string {
  const some = (names: readonly string[]) =>
    names.length <= 6 ? names.join(", ") : `${names.slice(0, 6).join(", ")} and ${names.length - 6} more`;
  return [
    `${matched.length} tensors matched${prefix === "" ? "" : ` behind "${prefix}"`}`,
    ...reshaped.map(({ name, how }) => `${name}: ${how}`),
    ...missing.length === 0 ? [] : [`missing, started as drawn: ${some(missing)}`],
    ...unexpected.length === 0 ? [] : [`not used: ${some(unexpected)}`],
  ].join("; ");
}
