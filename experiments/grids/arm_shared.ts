/**
 * What the grids about ARM share: one setting, configurations that differ in options of `arm` alone.
 *
 * @module
 */
import type { CellRequest } from "../../core/kinds/mod.ts";
import type { PartConfig } from "../../core/record.ts";
import { part } from "../config.ts";

/** The seeds of all grids about ARM. */
export const ARM_SEEDS: readonly number[] = [0, 1, 2, 3, 4];

/** Every part of ARM switched off, and its readouts trained by the fused loss alone. */
const OFF = { dfe: "off", lambda1: 0, lambda2: 0, sampler: part("uniform"), readoutWeight: 0 };

/** The paper's ARM, without the loss of the readouts. */
export const PAPER: Readonly<Record<string, unknown>> = { readoutWeight: 0 };

/** What a cell may have besides its methods. */
interface Setting {
  readonly dataset?: Readonly<Record<string, unknown>>;
  readonly training?: Readonly<Record<string, unknown>>;
  readonly fusion?: string | PartConfig;
}

/** A configuration on av-digits with the small CNN, by default with concatenation. */
export function cell(
  label: string,
  methods: readonly [string, Readonly<Record<string, unknown>>][],
  { dataset = {}, training = {}, fusion = "concat" }: Setting = {},
): CellRequest {
  return {
    label,
    dataset: part("av-digits", dataset),
    encoder: part("cnn"),
    fusion: typeof fusion === "string" ? part(fusion) : fusion,
    methods: methods.map(([name, options]) => part(name, options)),
    training,
  };
}

/** Plain concatenation. */
export function plain(label = "concat", setting: Setting = {}): CellRequest {
  return cell(label, [], setting);
}

/** The preset `arm` with some options changed. */
export function armWith(
  label: string,
  options: Readonly<Record<string, unknown>> = {},
  setting: Setting = {},
): CellRequest {
  return cell(label, [["arm", options]], setting);
}

/** Only the parts of ARM that are named, with their options. */
export function armOnly(
  label: string,
  options: Readonly<Record<string, unknown>>,
  setting: Setting = {},
): CellRequest {
  return cell(label, [["arm", { ...OFF, ...options }]], setting);
}

/** The plain reference beside every balancing method. */
export function uniCe(label = "uni-ce", setting: Setting = {}): CellRequest {
  return cell(label, [["uni-ce", {}]], setting);
}
