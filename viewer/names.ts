/**
 * Names that tell configurations apart by as few settings as do.
 *
 * @module
 */
import { cutText } from "./table.ts";
import { differing, type Setting, type Settings, settingText } from "./settings.ts";

/** Settings that say what the beginning of a name says. */
const said = new Set(["dataset", "fusion", "method", "modalities"]);
/** Settings that tell configurations apart only where nothing else does. */
const last = new Set(["dataset.fingerprint", "engine.version", "armlab", "plugins", "engine.threads", "format"]);
/** Settings whose values are digests, of which the beginning does. */
const digests = /^(dataset\.fingerprint$|code\.)/;
/** Names that people use for long ones. */
const short: Readonly<Record<string, string>> = { learningRate: "lr", fingerprint: "data" };
/** Characters of a value in a name at most. */
const maxValue = 24;
/** Settings of which all subsets are tried; of more, one is left out after the other. */
const maxTried = 12;

/** What a configuration is, before any setting that tells it from others like it. */
function baseOf(settings: Settings, several: boolean): string {
  const modalities = String(settings.modalities ?? "");
  const method = settings.method === "none" ? "" : ` ${settings.method}`;
  const model = modalities.includes(",") ? String(settings.fusion) : `${modalities} only`;
  return `${several ? `${settings.dataset}: ` : ""}${model}${method}`;
}

/** A setting's own name, with what it belongs to where another has the same. */
function titleOf(name: string, names: readonly string[]): string {
  const parts = name.split(".");
  const own = parts.at(-1)!;
  const alone = names.filter((other) => other.split(".").at(-1) === own).length < 2;
  return short[own] ?? (alone || parts.length === 1 ? own : parts.slice(-2).join("."));
}

function valueOf(name: string, value: Setting): string {
  const text = settingText(value);
  if (digests.test(name)) return text.slice(0, 6);
  return cutText(text, maxValue);
}

/** The value that more configurations have than any other; `null` where two are as frequent. */
function usual(all: readonly Settings[], name: string): { readonly value: Setting | undefined } | null {
  const counts = new Map<Setting | undefined, number>();
  for (const settings of all) counts.set(settings[name], (counts.get(settings[name]) ?? 0) + 1);
  const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
  return second !== undefined && second[1] === first[1] ? null : { value: first[0] };
}

/** Whether these settings of one configuration are those of no other. */
function separates(names: readonly string[], own: Settings, others: readonly Settings[]): boolean {
  return others.every((other) => names.some((name) => other[name] !== own[name]));
}

/** As few of the settings as tell a configuration from all others; all of them where none do. */
function fewest(names: readonly string[], own: Settings, others: readonly Settings[]): readonly string[] {
  if (!separates(names, own, others)) return names;
  for (let size = 1; size <= 2 && names.length <= maxTried; size++) {
    const found = subsets(names, size).find((some) => separates(some, own, others));
    if (found !== undefined) return found;
  }
  return names.reduce<readonly string[]>((kept, name) => {
    const fewer = kept.filter((other) => other !== name);
    return separates(fewer, own, others) ? fewer : kept;
  }, names);
}

function subsets(names: readonly string[], size: number): string[][] {
  if (size === 1) return names.map((name) => [name]);
  return names.flatMap((name, i) => subsets(names.slice(i + 1), size - 1).map((rest) => [name, ...rest]));
}

/** Names of configurations that begin alike. */
function told(base: string, group: ReadonlyMap<string, Settings>, late: boolean): Map<string, string> {
  const all = [...group.values()];
  const names = differing(all).filter((name) => !said.has(name) || base.includes(" only") && name === "fusion")
    .filter((name) => late || !(last.has(name) || digests.test(name)));
  const usualOf = new Map(names.map((name) => [name, usual(all, name)]));
  return new Map([...group].map(([id, own]) => {
    const others = all.filter((settings) => settings !== own);
    const unusual = names.filter((name) =>
      own[name] !== undefined && (usualOf.get(name) === null || own[name] !== usualOf.get(name)!.value)
    );
    const text = fewest(unusual, own, others).map((name) => `${titleOf(name, names)} ${valueOf(name, own[name])}`);
    return [id, text.length === 0 ? base : `${base} · ${text.join(", ")}`];
  }));
}

/** Entries whose names others have, too. */
function shared(labels: ReadonlyMap<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const label of labels.values()) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...labels].filter(([_, label]) => counts.get(label)! > 1).map(([id]) => id);
}

/**
 * A short name per configuration: fusion and method ("audio only" for a model of one modality), then the fewest settings by
 * which it differs from what is usual among those that begin alike: `concat · lr 0.6`.
 *
 * @param all Settings by configuration id.
 */
export function labelsOf(all: ReadonlyMap<string, Settings>): Map<string, string> {
  const several = new Set([...all.values()].map((settings) => settings.dataset)).size > 1;
  const groups = new Map<string, Map<string, Settings>>();
  for (const [id, settings] of all) {
    const base = baseOf(settings, several);
    groups.set(base, (groups.get(base) ?? new Map()).set(id, settings));
  }
  const labels = new Map<string, string>();
  for (const [base, group] of groups) {
    let own = told(base, group, false);
    // What differs in versions or data alone is told apart by those.
    if (shared(own).length > 0) own = told(base, group, true);
    const same = shared(own);
    for (const [id, label] of own) labels.set(id, same.includes(id) ? `${label} (${same.indexOf(id) + 1})` : label);
  }
  return labels;
}
