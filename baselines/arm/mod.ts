/**
 * ARM and its parts as methods.
 *
 * @module
 */
import { defineMethod, type MethodPlugin, type ModelContext } from "../../core/plugin.ts";
import { armMethod } from "./method.ts";
import { type ArmOptions, armOptions } from "./options.ts";

export { armMethod, warmupEpochs } from "./method.ts";
export { type ArmOptions, armOptions } from "./options.ts";

const source = 'Gao et al., "Asymmetric Reinforcing against Multi-modal Representation Bias", AAAI 2025';
const valuation = `phi_i = p_y I_i + sum_{j != i} p_j (I_j - NCMI(f_y; f_j | f_i));  phi(X) = mean_i phi_i`;

function needsTwo({ modalities }: ModelContext): string | null {
  return modalities.length < 2
    ? `it balances modalities and needs at least two: there is ${modalities.join(", ")}`
    : null;
}

/** A preset: ARM with other defaults. */
function preset(name: string, about: string, formula: string, changed: Partial<ArmOptions>): MethodPlugin {
  const options = Object.fromEntries(
    Object.entries(armOptions).map(([option, spec]) => [
      option,
      Object.hasOwn(changed, option) ? { ...spec, default: changed[option as keyof ArmOptions] } : spec,
    ]),
  ) as unknown as typeof armOptions;
  return defineMethod<ArmOptions>({
    name,
    about,
    formula,
    source,
    options,
    refuses: (_fusion, context) => needsTwo(context),
    create: (resolved, context) => armMethod(name, resolved, context),
  });
}

/** ARM: all three parts. */
export const arm: MethodPlugin = preset(
  "arm",
  "asymmetric reinforcing: feature weights, balanced min-max loss and re-sampling from one valuation",
  `${valuation}
    FW_i = phi'_i / phi'(X), next epoch;  L = CE + lambda1 (1 - p_y min_i I_i) + lambda2 sum_i |phi'_i - phi'(X)| / phi'(X)
    s(X) = round(k phi(X) - k m) extra copies`,
  {},
);

/** The part DFE alone. */
export const armDfe: MethodPlugin = preset(
  "arm-dfe",
  "ARM's dynamic feature-level fusion alone",
  `${valuation}\n    f_i <- FW_i f_i with FW_i = phi'_i / phi'(X) of the epoch before`,
  { bmmlMi: false, bmmlCmi: false, dsr: "off" },
);

/** The part BMML alone. */
export const armBmml: MethodPlugin = preset(
  "arm-bmml",
  "ARM's balanced min-max loss alone",
  `${valuation}\n    L = CE + lambda1 (1 - p_y min_i I_i) + lambda2 sum_i |phi'_i - phi'(X)| / phi'(X)`,
  { dfe: false, dsr: "off" },
);

/** The part DSR alone. */
export const armDsr: MethodPlugin = preset(
  "arm-dsr",
  "ARM's dynamic sample re-sampling alone",
  `${valuation}\n    s(X) = round(k phi(X) - k m) extra copies`,
  { dfe: false, bmmlMi: false, bmmlCmi: false },
);

/** ARM and its parts. */
export const armMethods: readonly MethodPlugin[] = [arm, armDfe, armBmml, armDsr];
