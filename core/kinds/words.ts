/**
 * Parts in words, for `describe`.
 *
 * @module
 */
import type { PartConfig } from "../record.ts";

/** Options that are set, or what stands for none. */
export const settingsText = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ") || "as it comes";

/** A part with the options that are set. */
export const partText = ({ name, options }: PartConfig): string =>
  Object.keys(options).length === 0 ? name : `${name} (${settingsText(options)})`;

/** Encoders of a configuration or a dataset: one of all modalities, or one each. */
export const encoderText = (encoder: PartConfig | Readonly<Record<string, PartConfig>>): string =>
  typeof encoder.name === "string"
    ? `${partText(encoder as PartConfig)} of every modality`
    : Object.entries(encoder).map(([modality, own]) => `${modality} ${partText(own)}`).join(", ");
