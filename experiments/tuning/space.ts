/**
 * What is tried when a method is tuned: its own `tune` ranges and the learning rate, at fixed quasi-random points.
 *
 * @module
 */
import type { CellRequest } from "../../core/kinds/mod.ts";
import type { Library } from "../../core/library.ts";
import type { OptionSpec, OptionSpecs, RawOptions } from "../../core/options.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { trainingOptions } from "../config.ts";
import { mostDimensions, sobol } from "./sobol.ts";

/** An option that is tuned. */
export interface Dimension {
  /** As `--set` names it: `arm.sampler.k`. */
  readonly key: string;
  /** Values worth trying, in order. */
  readonly values: readonly number[] | readonly string[];
  /** Whether values between them are worth trying as well. */
  readonly between: boolean;
  /** It counts only where this part is chosen: key of the part's option, name of the part. */
  readonly within?: readonly [key: string, part: string];
}

/** The learning rate, which every method is tuned in. */
const LEARNING_RATE = "training.learningRate";

/**
 * What is tuned of a configuration: the learning rate, and of its methods every option with a `tune` range, those of their
 * default parts included. What was set stays as it was set, but for a learning rate that the configuration comes with
 * (`fixed` does not name it): that is tuned by the factors by which the default is.
 *
 * @param fixed Options that somebody set for all configurations, as `--set` names them.
 * @throws {Refusal} If nothing is left to tune, or there is more than quasi-random points have dimensions.
 */
export function searchSpace(
  { label, methods, training }: CellRequest,
  library: Library,
  fixed: readonly string[] = [],
): Dimension[] {
  const found: Dimension[] = methods.flatMap(({ name, options }) =>
    optionsOf(name, library.of("method").get(name).options, options)
  );
  if (!fixed.includes(LEARNING_RATE)) found.unshift(rateOf(training));
  if (found.length > 0 && found.length <= mostDimensions) return found;
  throw new Refusal({
    what: `tune "${label}"`,
    must: `1 to ${mostDimensions} of its options must be tuned`,
    found: `found ${found.length}`,
    hint: found.length === 0 ? "leave --set out for what is to be tuned" : "set some of them with --set",
  });
}

/** The learning rate: around what is given as its list lies around the default. */
function rateOf(training: CellRequest["training"]): Dimension {
  const spec = trainingOptions.learningRate;
  const own = dimensionOf(LEARNING_RATE, spec)!;
  if (!Object.hasOwn(training, "learningRate")) return own;
  const factor = Number(training.learningRate) / (spec as { readonly default: number }).default;
  return { ...own, values: (own.values as readonly number[]).map((value) => Number((value * factor).toPrecision(3))) };
}

function optionsOf(owner: string, specs: OptionSpecs, given: RawOptions, within?: Dimension["within"]): Dimension[] {
  return Object.entries(specs).flatMap(([name, spec]) => {
    if (Object.hasOwn(given, name)) return [];
    const key = `${owner}.${name}`;
    const own = dimensionOf(key, spec, within);
    const found = own === null ? [] : [own];
    if (spec.type !== "part") return found;
    const { name: part, options, plugin } = spec.default;
    return [...found, ...optionsOf(key, plugin.options, options, own === null ? within : [key, part])];
  });
}

function dimensionOf(key: string, spec: OptionSpec, within?: Dimension["within"]): Dimension | null {
  if (!("tune" in spec) || spec.tune === undefined) return null;
  const values = spec.type === "part" ? [...spec.tune] : [...spec.tune].sort((a, b) => a - b);
  return { key, values, between: spec.type === "number", ...(within === undefined ? {} : { within }) };
}

/**
 * A place in [0, 1) for each option: the same for equal keys, whatever else is tuned beside them in the same place of the
 * list. The Sobol' point is moved by digits that the key alone draws, so that the first points are no corners.
 */
export function placesOf(space: readonly Dimension[], index: number): number[] {
  return space.map(({ key }, dimension) => {
    const shift = new Random(0, `tune/${key}`).uint32();
    return ((sobol(index, dimension) ^ shift) >>> 0) / 2 ** 32;
  });
}

/**
 * The value at a place: numbers between neighbours in the list, where both are positive at equal ratios, to three digits;
 * integers and parts from the list itself, as values between them may mean something else.
 */
export function valueAt({ values, between }: Pick<Dimension, "values" | "between">, place: number): number | string {
  if (!between) return values[Math.min(values.length - 1, Math.floor(place * values.length))];
  const numbers = values as readonly number[];
  const at = place * (numbers.length - 1);
  const low = Math.min(numbers.length - 2, Math.floor(at));
  if (low < 0) return numbers[0];
  const [a, b] = [numbers[low], numbers[low + 1]];
  const share = at - low;
  const value = a > 0 ? a * (b / a) ** share : a + (b - a) * share;
  return Math.min(numbers.at(-1)!, Math.max(numbers[0], Number(value.toPrecision(3))));
}

/** The settings of a point, as `--set` takes them. */
export function settingsAt(space: readonly Dimension[], index: number): string[] {
  const places = placesOf(space, index);
  const values = new Map(space.map((dimension, i) => [dimension.key, valueAt(dimension, places[i])]));
  return space.flatMap(({ key, within }) => {
    // Options of a part that was not chosen are nobody's.
    if (within !== undefined && values.get(within[0]) !== within[1]) return [];
    return [`${key}=${values.get(key)}`];
  });
}
