/**
 * A configuration as a flat list of settings, and names that tell configurations apart.
 *
 * @module
 */
import type { PartConfig, RunConfig } from "../core/record.ts";

/** A setting's value: plain, so that it can be compared and shown. */
export type Setting = string | number | boolean | null;

/** Settings by name: `fusion`, `training.epochs`, `arm.lambda1`, `encoder.audio.width`, `arm.sampler.k`. */
export type Settings = Readonly<Record<string, Setting>>;

function plain(value: unknown): Setting {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  return JSON.stringify(value);
}

/** Whether an option's value is a part with options of its own. */
function isPart(value: unknown): value is PartConfig {
  return typeof value === "object" && value !== null && typeof (value as PartConfig).name === "string" &&
    typeof (value as PartConfig).options === "object" && (value as PartConfig).options !== null;
}

/** Every setting of a configuration but its seed, in the order in which people look for them. */
export function settingsOf(config: Omit<RunConfig, "seed">): Settings {
  const settings: [string, Setting][] = [];
  const option = (name: string, value: unknown): void => {
    const parts = (Array.isArray(value) ? value : [value]).filter(isPart);
    if (parts.length === 0) {
      settings.push([name, plain(value)]);
      return;
    }
    settings.push([name, parts.map((part) => part.name).join(", ")]);
    for (const part of parts) options(parts.length === 1 ? name : `${name}.${part.name}`, part.options);
  };
  const options = (prefix: string, values: Readonly<Record<string, unknown>>): void => {
    for (const name of Object.keys(values).sort()) option(`${prefix}.${name}`, values[name]);
  };
  settings.push(["dataset", config.dataset.name]);
  options("dataset", config.dataset.options);
  settings.push(["dataset.fingerprint", config.dataset.fingerprint], ["modalities", config.modalities.join(", ")]);
  for (const modality of Object.keys(config.encoders).sort()) {
    const { name, options: own } = config.encoders[modality];
    settings.push([`encoder.${modality}`, name]);
    options(`encoder.${modality}`, own);
  }
  for (const [modality, { digest }] of Object.entries(config.weights ?? {})) {
    settings.push([`encoder.${modality}.weights`, digest.slice(0, 16)]);
  }
  if (config.freeze !== undefined) settings.push(["freeze", config.freeze.join(", ")]);
  for (const [group, factor] of Object.entries(config.rates ?? {})) settings.push([`rate.${group}`, factor]);
  settings.push(["fusion", config.fusion.name]);
  options("fusion", config.fusion.options);
  settings.push(["method", methodName(config)]);
  for (const { name, options: own } of config.methods) options(name, own);
  options("training", config.training as unknown as Record<string, unknown>);
  settings.push(
    ["engine", config.engine.name],
    ["engine.version", config.engine.version],
    ["engine.threads", config.engine.threads],
    ["armlab", config.version],
    ["plugins", config.plugins.join(", ")],
    ["format", config.format],
  );
  for (const [part, digest] of Object.entries(config.code ?? {})) settings.push([`code.${part}`, digest]);
  // A null prototype: a setting may have any name, "__proto__" included.
  return Object.assign(Object.create(null), Object.fromEntries(settings)) as Settings;
}

/** Names joined by `+`; `"none"` for plain training. */
export function methodName(config: Pick<RunConfig, "methods">): string {
  return config.methods.map(({ name }) => name).join("+") || "none";
}

/**
 * Names of settings of which two configurations have different values, in the order of the first that has them.
 *
 * An option that others lack does not count: that they lack its part (its method, its modality) is a setting of its own.
 */
export function differing(all: readonly Settings[]): string[] {
  const first = new Map<string, Setting>();
  const found = new Set<string>();
  for (const settings of all) {
    for (const [name, value] of Object.entries(settings)) {
      if (!first.has(name)) first.set(name, value);
      else if (first.get(name) !== value) found.add(name);
    }
  }
  return [...first.keys()].filter((name) => found.has(name));
}

/** A setting as text; a dash where a configuration has no such setting. */
export function settingText(value: Setting | undefined): string {
  if (value === undefined) return "–";
  if (value === "") return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
