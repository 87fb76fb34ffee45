/**
 * How somebody else's parts get into a library.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { complete, type Kind } from "./kinds/mod.ts";
import type { AnyPart, Library } from "./library.ts";
import { setOrigin } from "./origin.ts";
import { Refusal } from "./refusal.ts";
import { VERSION } from "./version.ts";

/** Whether an export is a part of a kind that the library has, or at least looks like one. */
function isPart(value: unknown, library: Library): value is AnyPart {
  return typeof value === "object" && value !== null && "kind" in value && "name" in value && "options" in value &&
    library.kinds().some(({ name }) => name === value.kind);
}

/** Whether an export is a kind of its own. */
function isKind(value: unknown): value is Kind {
  return typeof value === "object" && value !== null && "plural" in value && "functions" in value && "name" in value;
}

/** Whether what one version made can be used by another: the first number that is not 0 is the same. */
export function compatible(made: string, own: string): boolean {
  const significant = (version: string) => /^(0\.)?\d+/.exec(version)?.[0];
  return significant(made) === significant(own);
}

/**
 * A part that resolves its options, as `define…` makes it: a package that does not import armlab exports plain values.
 *
 * @throws {Refusal} If another version of armlab made it, which this one does not fit, or it lacks a function of its kind.
 */
function completed(part: AnyPart, library: Library, specifier: string): AnyPart {
  const { madeWith } = part;
  if (madeWith !== undefined) {
    if (compatible(madeWith, VERSION)) return part;
    throw new Refusal({
      what: `use ${part.kind} "${part.name}" of "${specifier}"`,
      must: `its armlab must fit this one, ${VERSION}`,
      found: `found ${madeWith}`,
      hint: `take a version of it that imports armlab ${VERSION}, or that armlab`,
    });
  }
  const { kind } = library.of(part.kind);
  for (const [name, { otherwise }] of Object.entries(kind.functions)) {
    const own = (part as unknown as Record<string, unknown>)[name];
    if (typeof own === "function" || (own === undefined && otherwise !== undefined)) continue;
    throw new Refusal({
      what: `use ${part.kind} "${part.name}" of "${specifier}"`,
      must: `a ${part.kind} must have a function "${name}"`,
      found: own === undefined ? "it has none" : `found ${typeof own}`,
    });
  }
  return complete(kind, part) as AnyPart;
}

/**
 * Imports a module.
 *
 * Copies of tfjs share one engine. Another copy replaces its kernels and gradients as it loads, those that armlab mended
 * among them, with a warning for each.
 *
 * @throws {Refusal} If the module cannot be imported, or brings another copy of tfjs.
 */
async function imported(specifier: string): Promise<Record<string, unknown>> {
  const gradient = tf.getGradient("Square");
  const silent = tf.env().getBool("PROD");
  let exported: Record<string, unknown>;
  try {
    tf.env().set("PROD", true);
    exported = await import(specifier);
  } catch (cause) {
    throw new Refusal({
      what: `import plugin "${specifier}"`,
      // What the operating system said is told without its number.
      found: (cause instanceof Error ? cause.message : String(cause)).replaceAll(/ \(os error \d+\)/g, ""),
    }, { cause });
  } finally {
    tf.env().set("PROD", silent);
  }
  if (tf.getGradient("Square") !== gradient) {
    throw new Refusal({
      what: `use plugin "${specifier}"`,
      must: `it must import the copy of tfjs that armlab uses, npm:@tensorflow/tfjs@${tf.version.tfjs}`,
      found: "it brings another",
    });
  }
  return exported;
}

/**
 * Imports a module and registers every part that it exports, of whatever kind, and every kind of its own: values that
 * `define…` made, or plain ones.
 *
 * @param specifier A URL, a JSR or npm specifier, or an absolute file path as a `file:` URL.
 * @returns The registered parts.
 * @throws {Refusal} If the module cannot be imported, brings another copy of tfjs or exports no part; if an armlab made a
 * part that does not fit this one; or on a clash of names.
 */
export async function importPlugins(library: Library, specifier: string): Promise<readonly AnyPart[]> {
  const exported = await imported(specifier);
  const values = [...new Set(Object.values(exported))];
  const kinds = values.filter(isKind);
  for (const kind of kinds) library.addKind(kind);
  const parts = values.filter((value) => isPart(value, library)).map((part) => completed(part, library, specifier));
  if (parts.length === 0 && kinds.length === 0) {
    throw new Refusal({
      what: `use "${specifier}" as a plugin`,
      must:
        "it must export a part made by defineFusion, defineMethod, defineEncoder, defineDataset, defineAugmentation, " +
        "defineEstimator, defineLoss or defineSampler",
      found: `its exports are ${Object.keys(exported).join(", ") || "none"}`,
    });
  }
  for (const part of parts) {
    library.add(part);
    setOrigin(part, specifier);
  }
  return parts;
}
