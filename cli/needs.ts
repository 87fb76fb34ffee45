/**
 * What parts need of each other and give each other, for `armlab describe`.
 *
 * @module
 */
import type { EncoderPlugin, FusionPlugin, ModalityInfo, SoloMode } from "../core/kinds/mod.ts";

/** What each way of reading a modality alone means. */
const readouts: Readonly<Record<SoloMode, string>> = {
  split: "split: its exact part of the linear map, with its share of the biases",
  own: "own: a head of its own",
  "ablate-mean": "ablate-mean: the whole fusion with the other modalities at their training means",
  "ablate-zero": "ablate-zero: the whole fusion with the other modalities dropped",
};

/** What a fusion with default options needs of encoders, and how it reads one modality alone. */
function ofFusion(plugin: FusionPlugin): string[] {
  const { needs: { stages = 0, tokens = false, tokensIfAny = false, equalWidths = false }, soloMode } = plugin.create(
    {},
    {
      modalities: ["a", "b"],
      classes: 2,
    },
  );
  const needs = [
    stages === 0 ? "pooled features" : `pooled features and the ${stages} deepest stages`,
    ...tokens ? ["token sequences"] : [],
    ...tokensIfAny ? ["token sequences where the encoder gives them"] : [],
    ...equalWidths ? ["features of one width"] : [],
  ];
  return [`  Needs of encoders: ${needs.join(", ")}`, `  A modality's own readout: ${readouts[soloMode]}`];
}

/** What an encoder with default options gives, by the first of some inputs that it takes. */
function ofEncoder(plugin: EncoderPlugin, inputs: readonly ModalityInfo[]): string[] {
  const input = inputs.find((info) => plugin.refuses(info, {}) === null);
  if (input === undefined) return [];
  const { stages, tokens } = plugin.create({}, input);
  const count = `${stages.length} stage${stages.length === 1 ? "" : "s"}`;
  return [`  Gives: pooled features, ${count}${tokens ? ", token sequences" : ""}`];
}

/** The lines on what a part needs or gives. */
export function needLines(plugin: { readonly kind: string }, inputs: readonly ModalityInfo[]): string[] {
  if (plugin.kind === "fusion") return ofFusion(plugin as FusionPlugin);
  if (plugin.kind === "encoder") return ofEncoder(plugin as EncoderPlugin, inputs);
  return [];
}
