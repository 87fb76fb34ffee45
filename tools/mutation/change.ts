/**
 * A kept mistake in a file's text: what it makes of it, where it stands, and in which function.
 *
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import type { Mutant } from "../mutant.ts";

/**
 * The text with a mutant's change.
 *
 * @throws {Refusal} If its fragment does not occur exactly once.
 */
export function changed(text: string, { file, from, to }: Mutant): string {
  const count = [...text.matchAll(new RegExp(patternOf(from), "g"))].length;
  if (count !== 1) {
    throw new Refusal({
      what: `change "${from}" of ${file}`,
      must: "it must occur once",
      found: `it occurs ${count} times`,
      hint: "mend the list under tools/mutants",
    });
  }
  return text.replace(new RegExp(patternOf(from)), () => to);
}

/** A fragment as an expression: what the formatter does to its blanks does not matter. */
function patternOf(fragment: string): string {
  return fragment.split(/\s+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+");
}

/** Where a mutant stands. */
export interface Place {
  /** Line of its fragment, from 1. */
  readonly line: number;
  /** Names that are declared nearest before it, innermost first: a function in a function has two. */
  readonly names: readonly string[];
}

const declaration =
  /^( *)(?:export )?(?:default )?(?:async )?(?:function\*? (\w+)|(?:class|interface|const|let) (\w+)|(?:static |readonly |#|get |set )*(\w+)\(.*\{$)/;
const notNames: ReadonlySet<string> = new Set(["if", "for", "while", "switch", "catch", "return", "super"]);

/** Where a mutant's fragment stands in a text that holds it. */
export function placeOf(text: string, { from }: Mutant): Place {
  const before = text.slice(0, text.search(new RegExp(patternOf(from))) + from.length).split("\n");
  const line = text.slice(0, text.search(new RegExp(patternOf(from)))).split("\n").length;
  const names: string[] = [];
  let depth = Infinity;
  for (let at = line - 1; at >= 0 && depth > 0; at--) {
    const found = declaration.exec(before[at]);
    const name = found?.[2] ?? found?.[3] ?? found?.[4];
    if (found === null || name === undefined || notNames.has(name) || found[1].length >= depth) continue;
    names.push(name);
    depth = found[1].length;
  }
  return { line, names };
}

/** Where a fragment stands, and what it becomes, on one line. */
export function described(text: string, mutant: Mutant): string {
  const short = (part: string) => JSON.stringify(part.replace(/\s+/g, " "));
  return `${mutant.file}:${placeOf(text, mutant).line}: ${short(mutant.from)} becomes ${short(mutant.to)}`;
}
