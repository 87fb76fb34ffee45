/**
 * What inputs augmentations take.
 *
 * @module
 */
import type { ModalityInfo } from "../core/kinds/mod.ts";
import type { TextOption } from "../core/options.ts";

/** The option of every augmentation. */
export const modality: TextOption = {
  type: "text",
  default: "",
  about: "the modality that it is for",
  source: "yours: what may be changed depends on what the values mean",
};

const shapeText = ({ shape }: ModalityInfo) => `its shape is [${shape.join(", ")}]`;

/** Why an input is neither a picture [H, W, c] nor a film of pictures [T, H, W, c], or `null`. */
export function noPicture(info: ModalityInfo): string | null {
  const { length } = info.shape;
  return length === 3 || length === 4 ? null : `it takes pictures [H, W, c] and films [T, H, W, c]: ${shapeText(info)}`;
}

/** Why an input has no axis of time, or `null`: [T], [T, d] or [T, bands, 1] of numbers. */
export function noTime(info: ModalityInfo): string | null {
  if (info.vocabulary !== undefined) return "it takes numbers, not ids";
  return info.shape[0] > 1 ? null : `it takes values along time, [T, ...]: ${shapeText(info)}`;
}

/** Values of one step along the first axis. */
export function stepOf({ shape }: ModalityInfo): number {
  return shape.slice(1).reduce((product, extent) => product * extent, 1);
}
