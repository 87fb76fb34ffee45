/**
 * What somebody says of a set: options of it, and how its files become values.
 *
 * @module
 */
import { z } from "zod";
import type { ByModality } from "../../core/modality.ts";
import type { SetModality, SetPlugin } from "../../core/kinds/mod.ts";
import type { OptionSpec, RawOptions } from "../../core/options.ts";
import { Refusal } from "../../core/refusal.ts";
import { didYouMean } from "../../core/suggest.ts";

/** What can be set of a modality, beside its kind. */
const settings = {
  scale: z.enum(["standard", "none"]),
  size: z.coerce.number().int().min(1).max(1024),
  frames: z.coerce.number().int().min(1).max(256),
  fields: z.coerce.number().int().min(1).max(64),
  stack: z.enum(["time", "channels"]),
  fps: z.coerce.number().positive().max(240),
  rate: z.coerce.number().int().min(1000).max(384_000),
  seconds: z.coerce.number().positive().max(600),
  front: z.enum(["log-mel", "stft", "waveform"]),
  bands: z.coerce.number().int().min(1).max(512),
  words: z.coerce.number().int().min(1).max(4096),
} as const;

/** Options of a set, and settings by modality that differ from its own. */
export interface SetSettings {
  readonly options: RawOptions;
  readonly modalities: ByModality<Partial<SetModality>>;
}

/** The value that a text stands for; whether it is allowed is checked where options are resolved. */
function valueOf(text: string, spec: OptionSpec | undefined): unknown {
  if (spec?.type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return spec?.type === "integer" || spec?.type === "number" ? Number(text) : text;
}

/**
 * Reads `NAME.OPTION=VALUE` and `NAME.MODALITY.SETTING=VALUE`; `set` may stand for the name.
 *
 * @throws {Refusal} If one names anything else, or a setting has no such value.
 */
export function setSettings(set: SetPlugin, given: readonly string[]): SetSettings {
  const options: Record<string, unknown> = {};
  const modalities: Record<string, Record<string, unknown>> = {};
  for (const text of given) {
    const refuse = (must: string, found: string, hint?: string) =>
      new Refusal({ what: `use --set ${JSON.stringify(text.slice(0, 80))}`, must, found, hint });
    const equals = text.indexOf("=");
    const [owner, first = "", setting, ...more] = text.slice(0, Math.max(0, equals)).split(".");
    if (![set.name, "set"].includes(owner) || first === "" || more.length > 0) {
      throw refuse(`it must be ${set.name}.OPTION=VALUE or ${set.name}.MODALITY.SETTING=VALUE`, "it is not");
    }
    const value = text.slice(equals + 1);
    if (setting === undefined) {
      const names = Object.keys(set.options);
      if (!names.includes(first)) {
        throw refuse(
          `${set.name} must have the option`,
          `it has ${names.join(", ") || "none"}`,
          didYouMean(first, names),
        );
      }
      options[first] = valueOf(value, set.options[first]);
      continue;
    }
    if (!Object.hasOwn(set.modalities, first)) {
      throw refuse("it must name a modality", `those are ${Object.keys(set.modalities).sort().join(", ")}`);
    }
    if (!Object.hasOwn(settings, setting)) {
      throw refuse("it must name a setting", `those are ${Object.keys(settings).join(", ")}`);
    }
    const read = settings[setting as keyof typeof settings].safeParse(value);
    if (!read.success) {
      const { message } = read.error.issues[0];
      throw refuse(`${setting} must have such a value`, message.charAt(0).toLowerCase() + message.slice(1));
    }
    (modalities[first] ??= {})[setting] = read.data;
  }
  return { options, modalities };
}
