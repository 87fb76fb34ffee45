/**
 * What a part works with and what it refuses, found out from the registries by building things.
 *
 * @module
 */
import type { AnyPart, Library } from "../core/library.ts";
import { byModality } from "../core/modality.ts";
import type { EncoderPlugin, FusionPlugin, MethodPlugin, ModelContext } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { incompatibility } from "../training/compose.ts";
import { fusionsFor, INPUTS } from "../contracts/mod.ts";
import { misfit } from "../training/model.ts";

const context = (m: number): ModelContext => ({ modalities: ["a", "b", "c", "d"].slice(0, m), classes: 3 });

/** Names by what is said of them, in order of first appearance. */
function grouped(pairs: readonly { readonly name: string; readonly reason: string }[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const { name, reason } of pairs) groups.set(reason, [...(groups.get(reason) ?? []), name]);
  return [...groups];
}

function refusalLines(pairs: readonly { readonly name: string; readonly reason: string }[]): string[] {
  return grouped(pairs).map(([reason, names]) => `  Refuses ${names.join(", ")}: ${reason}`);
}

function methodLines(plugin: MethodPlugin, library: Library): string[] {
  const counts = [1, 2, 3, 4].filter((m) => fusionsFor(plugin, library, m).fits.length > 0);
  if (counts.length === 0) return ["  Works with: no registered fusion"];
  const m = counts.includes(2) ? 2 : counts[0];
  const { fits, refused } = fusionsFor(plugin, library, m);
  const every = fits.length === library.of("fusion").list().length;
  const names = every ? "every fusion" : fits.map(({ name }) => name).join(", ");
  const lines = [`  Works with: ${names}; ${counts.join(", ")} modalities (of 1 to 4)`, ...refusalLines(refused)];
  if (plugin.worksWith !== undefined) lines.push(`  That is: ${plugin.worksWith}`);
  if (plugin.widths === "fused") lines.push("  Needs encoders as wide as the fused feature");
  const own = plugin.create({}, context(m));
  const [composes, not]: [string[], { name: string; reason: string }[]] = [[], []];
  for (const other of library.of("method").list()) {
    if (other === plugin || other.name === "none") continue;
    const second = other.create({}, context(m));
    const [before, after] = [incompatibility([own, second]), incompatibility([second, own])];
    if (before === null) composes.push(`${plugin.name}+${other.name}`);
    else if (after === null) composes.push(`${other.name}+${plugin.name}`);
    else not.push({ name: other.name, reason: before.reason });
  }
  if (composes.length > 0) lines.push(`  Composes: ${composes.join(", ")}`);
  for (const [reason, others] of grouped(not)) lines.push(`  Not together with ${others.join(", ")}: ${reason}`);
  return lines;
}

/** Why an encoder with default options does not serve a fusion on any input that it takes, or `null`. */
function encoderMisfit(encoder: EncoderPlugin, plugin: FusionPlugin): string | null {
  let reason: string | null = null;
  for (const info of INPUTS) {
    if (encoder.refuses(info, {}) !== null) continue;
    const built = encoder.create({}, info);
    const fusion = plugin.create({}, context(2));
    const names = context(2).modalities;
    const encoders = byModality(names, () => built);
    const found = misfit(fusion, plugin.name, encoders, byModality(names, () => encoder.name));
    if (found === null) return null;
    // What names both parts the caller's line does already.
    reason = found.refusal.reason;
  }
  return reason ?? "it takes none of the usual inputs";
}

function fusionLines(plugin: FusionPlugin, library: Library): string[] {
  const counts = [1, 2, 3, 4].filter((m) => {
    try {
      plugin.create({}, context(m));
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  });
  const encoders = library.of("encoder").list().map((encoder) => ({
    name: encoder.name,
    reason: encoderMisfit(encoder, plugin),
  }));
  const fits = encoders.filter(({ reason }) => reason === null).map(({ name }) => name);
  const lines = [
    `  Modalities: ${counts.join(", ")} (of 1 to 4)`,
    `  Encoders that fit with default options: ${fits.join(", ") || "none"}`,
  ];
  const misfits = encoders.flatMap(({ name, reason }) => reason === null ? [] : [{ name, reason }]);
  for (const [reason, names] of grouped(misfits)) lines.push(`  Not ${names.join(", ")}: ${reason}`);
  const m = counts.includes(2) ? 2 : counts[0];
  const methods = library.of("method").list().map((method) => {
    const { fits: own, refused } = fusionsFor(method, library, m);
    const refusal = refused.find(({ name }) => name === plugin.name);
    return {
      name: method.name,
      reason: own.includes(plugin) ? null : refusal?.reason ?? "its feature has another width",
    };
  });
  const takes = methods.filter(({ reason }) => reason === null).map(({ name }) => name);
  lines.push(`  Methods: ${takes.join(", ") || "none"}`);
  const refusals = methods.flatMap(({ name, reason }) => reason === null ? [] : [{ name, reason }]);
  for (const [reason, names] of grouped(refusals)) lines.push(`  Refused by ${names.join(", ")}: ${reason}`);
  return lines;
}

function encoderLines(plugin: EncoderPlugin, library: Library): string[] {
  const shapeOf = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  const takes = INPUTS.filter((info) => plugin.refuses(info, {}) === null);
  const refusals = INPUTS.flatMap((info) => {
    const reason = plugin.refuses(info, {});
    return reason === null ? [] : [{ name: `${info.about} ${shapeOf(info.shape)}`, reason }];
  });
  const lines = [`  Takes, for instance: ${takes.map(({ about, shape }) => `${about} ${shapeOf(shape)}`).join(", ")}`];
  lines.push(...refusalLines(refusals));
  if (takes.length === 0) return lines;
  const fusions = library.of("fusion").list().map((fusion) => ({
    name: fusion.name,
    reason: encoderMisfit(plugin, fusion),
  }));
  lines.push(
    `  Fusions that fit with default options: ${
      fusions.filter(({ reason }) => reason === null).map(({ name }) => name).join(", ") || "none"
    }`,
  );
  const misfits = fusions.flatMap(({ name, reason }) => reason === null ? [] : [{ name, reason }]);
  for (const [reason, names] of grouped(misfits)) lines.push(`  Not ${names.join(", ")}: ${reason}`);
  return lines;
}

/** Lines for `describe` about what a part goes with. */
export function compatibilityLines(part: AnyPart, library: Library): string[] {
  const lines: Readonly<Record<string, (() => string[]) | undefined>> = {
    method: () => methodLines(part as MethodPlugin, library),
    fusion: () => fusionLines(part as FusionPlugin, library),
    encoder: () => encoderLines(part as EncoderPlugin, library),
  };
  return lines[part.kind]?.() ?? [];
}
