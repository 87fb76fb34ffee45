/**
 * The search of the grid: words, and conditions on settings and measures.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import type { Configuration } from "./configurations.ts";
import { type Measure, measured } from "./measures.ts";
import { numberOf, numberText } from "./numbers.ts";
import { settingText } from "./settings.ts";

/** A search that was read. */
export interface Search {
  /** Whether a configuration meets every word and condition that could be read. */
  meets(configuration: Configuration): boolean;
  /** What could not be read, and counts for nothing. */
  readonly problems: readonly Refusal[];
  /** How some conditions are read. */
  readonly notes: readonly string[];
}

type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";
type Test = (configuration: Configuration) => boolean;

/** Words of a search at most. */
const maxWords = 20;
const condition = /^([^\s=<>!]+)(!=|<=|>=|=|<|>)(.*)$/;

function holds(a: number, operator: Operator, b: number): boolean {
  switch (operator) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/** The number that a condition names; a measure in percent may have its sign. @throws {Refusal} If it is none. */
function numberIn(word: string, operator: string, text: string): number {
  const bare = text.replace(/%$/, "").trim();
  const value = Number(bare);
  if (bare !== "" && Number.isFinite(value)) return value;
  throw new Refusal({
    what: `search for ${JSON.stringify(word.slice(0, 80))}`,
    must: `a number must stand after ${operator}`,
    found: `found ${JSON.stringify(text.slice(0, 40))}`,
  });
}

/** A measure is compared in the unit and with the digits that the table shows. */
function onMeasure(measure: Measure, operator: Operator, wanted: number): Test {
  return ({ runs }) => {
    const mean = measured(runs, measure)?.mean;
    if (mean === undefined) return operator === "!=";
    if (operator === "=" || operator === "!=") {
      const shown = numberOf(numberText(mean, measure.unit, false));
      return holds(shown, operator, wanted);
    }
    return holds(measure.unit === "percent" ? 100 * mean : mean, operator, wanted);
  };
}

function onSetting(name: string, operator: Operator, text: string, word: string): Test {
  if (operator === "=" || operator === "!=") {
    return ({ settings }) => {
      const value = settings[name];
      if (value === undefined || value === null) return operator === "!=";
      return (settingText(value) === text) === (operator === "=");
    };
  }
  const wanted = numberIn(word, operator, text);
  return ({ settings }) => typeof settings[name] === "number" && holds(settings[name], operator, wanted);
}

function onWord(word: string): Test {
  const needle = word.toLowerCase();
  return ({ label, id, settings, runs }) =>
    [label, id, ...Object.values(settings).map(String), ...runs.map((run) => run.id)]
      .some((text) => text.toLowerCase().includes(needle));
}

/**
 * Reads a search.
 *
 * @param q Words and conditions, apart by spaces.
 * @param settings Names of all settings that there are.
 */
export function readSearch(q: string, measures: readonly Measure[], settings: ReadonlySet<string>): Search {
  const tests: Test[] = [];
  const problems: Refusal[] = [];
  const notes: string[] = [];
  const words = q.split(/\s+/).filter((word) => word !== "");
  if (words.length > maxWords) {
    const must = `it must have at most ${maxWords} words`;
    problems.push(new Refusal({ what: "search for all of it", must, found: `found ${words.length}` }));
  }
  for (const word of words.slice(0, maxWords)) {
    const [, name, operator, text] = condition.exec(word) ?? [];
    if (name === undefined) {
      tests.push(onWord(word));
      continue;
    }
    try {
      const measure = measures.find(({ key }) => key === name);
      if (measure !== undefined) {
        const wanted = numberIn(word, operator, text);
        tests.push(onMeasure(measure, operator as Operator, wanted));
        if (measure.unit === "percent" && wanted > 0 && wanted < 1) {
          notes.push(
            `"${word}" is read as ${wanted} %, the unit of the table; write ${name}${operator}${100 * wanted}.`,
          );
        }
      } else if (settings.has(name)) tests.push(onSetting(name, operator as Operator, text, word));
      else {throw unknown(
          `search for ${JSON.stringify(word.slice(0, 80))}`,
          "a measure or setting",
          name,
          measures,
          settings,
        );}
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problems.push(error);
    }
  }
  return { meets: (configuration) => tests.every((test) => test(configuration)), problems, notes };
}

/** That there is no measure or setting of a name, with those that there are. */
export function unknown(
  what: string,
  kind: string,
  name: string,
  measures: readonly Measure[],
  settings: Iterable<string>,
): Refusal {
  const keys = [...measures.map(({ key }) => key), ...settings];
  return new Refusal({
    what,
    must: `${kind} must have that name`,
    found: `there are ${listed(keys)}`,
    hint: didYouMean(name, keys),
  });
}

/** Names listed at most. */
const maxListed = 60;

/** Names as a sentence lists them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxListed).join(", ");
  if (names.length === 0) return "none";
  return names.length > maxListed ? `${shown} and ${names.length - maxListed} more` : shown;
}
