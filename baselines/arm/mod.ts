/**
 * ARM, its presets and its parts as methods.
 *
 * @module
 */
import { defineMethod, type Fusion, type MethodPlugin, type ModelContext } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { tracedEstimator } from "../../miv/estimators/information.ts";
import { armMethod } from "./method.ts";
import { type ArmOptions, armOptions } from "./options.ts";
import { literalPreset, officialPreset, without } from "./presets.ts";

export { armMethod, warmupEpochs } from "./method.ts";
export {
  type ArmOptions,
  armOptions,
  type FeatureWeightOptions,
  type FusionRule,
  type Readout,
  type TestWeights,
  type ValuationGradient,
  type ValuationOptions,
} from "./options.ts";
export { literalPreset, officialPreset } from "./presets.ts";
export { crossedWeights } from "./released.ts";

const source = 'Gao et al., "Asymmetric Reinforcing against Multi-modal Representation Bias", AAAI 2025';
const valuation = `phi_i = p_y I_i + sum_{j != i} p_j (I_j - NCMI(f_y; f_j | f_i));  phi(X) = mean_i phi_i`;

/** Says why options do not fit each other or the model, or `null`. */
function refusal(fusion: Fusion, { modalities }: ModelContext, options: ArmOptions): string | null {
  const m = modalities.length;
  if (m < 2) return `it balances modalities and needs at least two: there is ${modalities.join(", ")}`;
  if (options.dfe === "crossed" && m !== 2) {
    return `crossed ratios are defined for two modalities: there are ${m}`;
  }
  if ((options.readout === "raw" || options.view === "official") && fusion.soloMode !== "split") {
    return "the joint head can be put on other vectors only where it is one linear map of the fused feature (concat, sum)";
  }
  try {
    tracedEstimator(options.estimator, 1);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
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
    // Raw features are compared with the fused one, coordinate by coordinate.
    // The released code's projection is one matrix over all features in sorted order.
    symmetric: changed.view !== "official",
    // Eqs. 13 and 15 as printed divide by contributions of some hundredths, of any sign.
    ...(changed.range === "raw" ? { amplifies: 10 } : {}),
    widths: changed.view === "raw" || changed.readout === "raw" ? "fused" : "any",
    // One valuation of the step's own forward pass; its losses are differentiated along with the task's.
    cost: { forwards: 1, backwards: 1 },
    refuses: refusal,
    create: (resolved, context) => armMethod(name, resolved, context),
  });
}

const loss = "L = CE + lambda1 (1 - p_y min_i I_i) + lambda2 sum_i |phi'_i - phi'(X)| / phi'(X)";

/** ARM: all three parts, and cross-entropy on the readouts that its probabilities come from. */
export const arm: MethodPlugin = preset(
  "arm",
  "asymmetric reinforcing: feature weights, balanced min-max loss and re-sampling from one valuation with trained readouts",
  `${valuation}
    FW_i = phi'_i / phi'(X), next epoch;  ${loss} + w sum_i CE(l_i)
    s(X) = round(k phi(X) - k m) extra copies`,
  {},
);

/** ARM as the paper prints it. */
export const armLiteral: MethodPlugin = preset(
  "arm-literal",
  "ARM as the paper prints it, errors included; needs encoders as wide as the fusion and may diverge",
  `${valuation}
    FW_i = phi_i / phi(X), next epoch;  L = CE + (1 - p_y log sum_i exp(-I_i)) + sum_i |phi_i - phi(X)| / phi(X)
    s(X) = round(k phi(X) - k m) extra copies`,
  literalPreset,
);

/** ARM as its code was released. */
export const armOfficial: MethodPlugin = preset(
  "arm-official",
  "ARM as its code was released: crossed ratios of batch scalars, which READ THE LABELS of what is predicted; for study only",
  `pcmi_i = p_y I_i + p_j (I_i - NCMI_i);  f_1 <- (pcmi_2 / pcmi_1) f_1, f_2 <- (pcmi_1 / pcmi_2) f_2;  L = CE`,
  officialPreset,
);

/** The part DFE alone. */
export const armDfe: MethodPlugin = preset(
  "arm-dfe",
  "ARM's dynamic feature-level fusion alone",
  `${valuation}\n    f_i <- FW_i f_i with FW_i = phi'_i / phi'(X) of the epoch before`,
  { ...without.bmml, ...without.dsr, ...without.readouts },
);

/** The part BMML alone. */
export const armBmml: MethodPlugin = preset(
  "arm-bmml",
  "ARM's balanced min-max loss alone",
  `${valuation}\n    ${loss}`,
  { ...without.dfe, ...without.dsr, ...without.readouts },
);

/** The part DSR alone. */
export const armDsr: MethodPlugin = preset(
  "arm-dsr",
  "ARM's dynamic sample re-sampling alone",
  `${valuation}\n    s(X) = round(k phi(X) - k m) extra copies`,
  { ...without.dfe, ...without.bmml, ...without.readouts },
);

/** No part yet: for a loss, an estimator or a sampler of one's own alone. */
export const armRecipe: MethodPlugin = preset(
  "recipe",
  "nothing but what one adds: --set recipe.losses=NAME,... --set recipe.sampler=NAME",
  "L = CE + w sum of the losses;  epochs as the sampler plans them past the warm-up",
  { ...without.dfe, ...without.bmml, ...without.dsr, ...without.readouts },
);

/** ARM, its presets and its parts. */
export const armMethods: readonly MethodPlugin[] = [arm, armLiteral, armOfficial, armDfe, armBmml, armDsr, armRecipe];
