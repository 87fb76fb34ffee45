/**
 * Names that two entries export with two meanings: `deno task names`.
 *
 * Whoever imports from two rooms must not have to rename.
 *
 * @module
 */
import { dirname, join, normalize } from "node:path";
import manifest from "../deno.json" with { type: "json" };

/** Exported names with the file that defines each. */
type Exports = ReadonlyMap<string, string>;

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|interface|type|class|enum) (\w+)/gm;
const listed = /^export (?:type )?\{([^}]*)\}\s*from\s*"([^"]+)"/gm;
const starred = /^export \* from "([^"]+)"/gm;

/** What a module exports, by the text of its files. */
export function exportsOf(
  file: string,
  read: (file: string) => string,
  known: Map<string, Exports> = new Map(),
): Exports {
  const present = known.get(file);
  if (present !== undefined) return present;
  const text = read(file).replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const found = new Map<string, string>();
  known.set(file, found);
  const from = (specifier: string) => normalize(join(dirname(file), specifier));
  for (const [, name] of text.matchAll(declaration)) found.set(name, file);
  for (const [, names, specifier] of text.matchAll(listed)) {
    const other = exportsOf(from(specifier), read, known);
    for (const item of names.split(",").map((name) => name.trim().replace(/^type /, "")).filter(Boolean)) {
      const [own, as = own] = item.split(" as ");
      found.set(as, other.get(own) ?? `${from(specifier)}#${own}`);
    }
  }
  for (const [, specifier] of text.matchAll(starred)) {
    for (const [name, where] of exportsOf(from(specifier), read, known)) if (!found.has(name)) found.set(name, where);
  }
  return found;
}

/** Names with more than one meaning, each with the files that define it. */
export function ambiguous(entries: readonly string[], read: (file: string) => string): Map<string, string[]> {
  const meanings = new Map<string, Set<string>>();
  const known = new Map<string, Exports>();
  for (const entry of entries) {
    for (const [name, where] of exportsOf(normalize(entry), read, known)) {
      meanings.set(name, (meanings.get(name) ?? new Set()).add(where));
    }
  }
  return new Map(
    [...meanings].filter(([_, files]) => files.size > 1).map(([name, files]) => [name, [...files].sort()]),
  );
}

if (import.meta.main) {
  const found = ambiguous(Object.values(manifest.exports), (file) => Deno.readTextFileSync(file));
  for (const [name, files] of found) console.error(`${name}: ${files.join(", ")}`);
  console.log(`${Object.keys(manifest.exports).length} entries, ${found.size} names with two meanings`);
  if (found.size > 0) Deno.exit(1);
}
