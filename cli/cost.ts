/**
 * What parts cost, for `armlab describe`.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { byModality } from "../core/modality.ts";
import type { EncoderPlugin, FusionPlugin, ModalityInfo } from "../core/kinds/mod.ts";
import { shortCount } from "../experiments/table.ts";
import { type Abstract, type Cost, encoderCost, misfit, modelCost } from "../training/mod.ts";

const float = (...shape: number[]): ModalityInfo => ({ shape, dtype: "float32", about: "" });

/** The inputs that costs of encoders are stated for. */
export const statedInputs: readonly { readonly words: string; readonly info: ModalityInfo }[] = [
  { words: "[28, 28, 1]", info: float(28, 28, 1) },
  { words: "[224, 224, 3]", info: float(224, 224, 3) },
  { words: "[8, 64, 64, 3], a film", info: float(8, 64, 64, 3) },
  { words: "[100, 64]", info: float(100, 64) },
  { words: "[512]", info: float(512) },
  { words: "[128] of 30522 ids", info: { shape: [128], dtype: "int32", vocabulary: 30522, about: "" } },
];

const words = ({ parameters, multiplyAdds }: Cost): string =>
  `${shortCount(parameters)} parameters, ${
    multiplyAdds === null ? "multiply-adds not known" : `${shortCount(multiplyAdds)} multiply-adds`
  }`;

/** Costs of an encoder with default options, one line per kind of input. */
function ofEncoder(plugin: EncoderPlugin, abstract: Abstract): string[] {
  const fits = statedInputs.filter(({ info }) => plugin.refuses(info, {}) === null);
  return fits.map(({ words: shape, info }) =>
    `${shape}: ${words(encoderCost(plugin.create({}, info), info, abstract))}`
  );
}

const classes = 10;

/** Costs of a fusion with default options on the first encoders that have what it needs, for two and three modalities. */
function ofFusion(plugin: FusionPlugin, library: Library, abstract: Abstract): string[] {
  const names = ["a", "b", "c"];
  const info = float(28, 28, 1);
  return [2, 3].flatMap((m) => {
    const context = { modalities: names.slice(0, m), classes };
    const fusion = plugin.create({}, context);
    for (const name of ["cnn", ...library.of("encoder").names()]) {
      const encoder = library.of("encoder").get(name);
      if (encoder.refuses(info, {}) !== null) continue;
      const encoders = byModality(context.modalities, () => encoder.create({}, info));
      if (misfit(fusion, "", encoders, byModality(context.modalities, () => name)) !== null) continue;
      const cost = modelCost(
        { context, encoders, fusion, methods: [] },
        byModality(context.modalities, () => info),
        abstract,
      );
      return [`${m} x ${name} on [28, 28, 1], ${classes} classes: ${words(cost.fusion)} (encoders apart)`];
    }
    return [];
  });
}

/** The lines on cost of a part; none for what has no cost of its own. */
export function costLines(
  plugin: { readonly kind: string },
  library: Library,
  abstract: Abstract,
): string[] {
  const lines = plugin.kind === "encoder"
    ? ofEncoder(plugin as EncoderPlugin, abstract)
    : plugin.kind === "fusion"
    ? ofFusion(plugin as FusionPlugin, library, abstract)
    : [];
  return lines.length === 0
    ? []
    : ["  Cost with default options, per sample and forward pass:", ...lines.map((l) => `    ${l}`)];
}
