/**
 * Dynamic sample re-sampling (ARM, AAAI 2025, Eq. 18) and its two comparisons.
 *
 * @module
 */
import { defineSampler, type SamplerPlugin } from "../core/kinds/mod.ts";
import type { SpecsFor } from "../core/options.ts";
import { Refusal } from "../core/refusal.ts";
import { matched, planWithCopies, round } from "./copies.ts";

/** Options of the three. */
export interface DsrOptions {
  readonly k: number;
  readonly match: number;
}

const options: SpecsFor<DsrOptions> = {
  k: {
    type: "number",
    default: -2,
    max: -0.01,
    tune: [-0.5, -1, -1.5, -2, -2.5, -3],
    about: "slope of the re-sampling, below 0",
    source: "the paper's Table 5 row that equals its main results",
  },
  match: {
    type: "number",
    default: 0,
    min: 0,
    tune: [0, 1, 2],
    about: "mean copies per sample (equal updates per epoch); 0 keeps what the formula gives",
    source: "chosen here: as Eq. 18 gives",
  },
};

/** Copies from a slope times a contribution: rounded, at least 0, at most ceil(|k| m). */
function copiesOf(values: ArrayLike<number>, k: number, m: number, copies: (phi: number) => number): Int32Array {
  if (!(k < 0)) throw new Refusal({ what: "re-sample", must: "the slope k must be negative", found: `found ${k}` });
  const most = Math.ceil(-k * m);
  return Int32Array.from(values, (phi) => Math.min(most, Math.max(0, round(copies(phi)))));
}

/**
 * Extra copies s(X) of each sample: round(k phi(X) - k m), at least 0, at most ceil(|k| m) (Eq. 18). Low joint contribution
 * is repeated more.
 *
 * @param joint Raw phi^CMI(X) of each sample, [N].
 * @param m Modalities.
 * @throws {Refusal} If the slope is not negative.
 */
export function dsrCopies(joint: ArrayLike<number>, k: number, m: number): Int32Array {
  return copiesOf(joint, k, m, (phi) => k * phi - k * m);
}

/** As many copies on average as `dsrCopies`, the same for every sample. */
export function randomCopies(joint: ArrayLike<number>, k: number, m: number): Int32Array {
  const copies = dsrCopies(joint, k, m);
  const mean = copies.reduce((sum, count) => sum + count, 0) / Math.max(1, copies.length);
  return new Int32Array(copies.length).fill(round(mean));
}

/** High joint contribution is repeated more: round(-k max(phi(X), 0)). */
export function inverseCopies(joint: ArrayLike<number>, k: number, m: number): Int32Array {
  return copiesOf(joint, k, m, (phi) => -k * Math.max(phi, 0));
}

function sampler(
  about: Pick<SamplerPlugin, "name" | "about" | "formula">,
  copies: (joint: ArrayLike<number>, k: number, m: number) => Int32Array,
): SamplerPlugin {
  return defineSampler<DsrOptions>({
    ...about,
    source: 'Gao et al., "Asymmetric Reinforcing against Multi-modal Representation Bias", AAAI 2025, Eq. 18, Table 5',
    needs: "joint",
    options,
    create: ({ k, match }, { modalities }) => ({
      plan: (base, { joint, random }) =>
        planWithCopies(base, matched(copies(joint!, k, modalities.length), match), random),
    }),
  });
}

/** Eq. 18 as a part. */
export const dsr: SamplerPlugin = sampler({
  name: "dsr",
  about: "ARM's dynamic sample re-sampling: repeats samples of low joint contribution",
  formula: "s(X) = round(k phi(X) - k m) extra copies",
}, dsrCopies);

/** The paper's comparison of equal frequency. */
export const randomSampler: SamplerPlugin = sampler({
  name: "random",
  about: "as many copies as dsr on average, the same for every sample",
  formula: "s = round(mean of s(X))",
}, randomCopies);

/** The paper's comparison of the opposite preference. */
export const inverseSampler: SamplerPlugin = sampler({
  name: "inverse",
  about: "repeats samples of high joint contribution: dsr's opposite",
  formula: "s(X) = round(-k max(phi(X), 0))",
}, inverseCopies);
