/**
 * What every command of the command line is.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { storeErrorOf } from "../store/files.ts";
import { brief, printable, printableLine } from "./printable.ts";

/** A command. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly about: string;
  /** Runs with the arguments after the command's name; returns the exit code. */
  run(args: string[]): Promise<number>;
}

/** A flag of a command. */
export interface Flag {
  /** `list` may repeat the flag or separate values by commas; `each` may repeat it, and takes its value as it is. */
  readonly type: "text" | "list" | "each" | "boolean";
  /** What its value is, in capitals, for help. */
  readonly value?: string;
  readonly about: string;
}

/** Parsed flags: text by name, lists by name, booleans by name, and what stood without a flag. */
export interface Flags {
  readonly text: Readonly<Record<string, string | undefined>>;
  readonly list: Readonly<Record<string, readonly string[]>>;
  readonly boolean: Readonly<Record<string, boolean>>;
  readonly positional: readonly string[];
}

/** What may stand without a flag. */
export interface Words {
  /** How many at most. @default {0} */
  readonly most?: number;
  /** What they are, after "it takes": `the name of one grid`. @default {"options only"} */
  readonly about?: string;
}

/** A text that somebody typed, short and on one line. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** Takes arguments apart. */
class Parser {
  readonly #command: string;
  readonly #specs: Readonly<Record<string, Flag>>;
  readonly given: Map<string, string[]> = new Map();
  readonly words: string[] = [];

  constructor(command: string, specs: Readonly<Record<string, Flag>>) {
    this.#command = command;
    this.#specs = specs;
  }

  /** A refusal of a flag. */
  refuse(name: string, must: string, found?: string, hint?: string): Refusal {
    return new Refusal({ what: `use option --${name} of "${this.#command}"`, must, found, hint });
  }

  #unknown(text: string): Refusal {
    const names = Object.keys(this.#specs).map((name) => `--${name}`);
    return new Refusal({
      what: `use option ${text.length > 40 ? `${text.slice(0, 40)}…` : text} of "${this.#command}"`,
      found: `its options are ${names.join(" ")}`,
      hint: didYouMean(text, names),
    });
  }

  take(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (arg === "--") {
        this.words.push(...args.slice(i + 1));
        return;
      }
      if (arg === "-h") this.#add("help", "");
      // A lone minus and a negative number are words.
      else if (!arg.startsWith("-") || arg === "-" || /^-\.?\d/.test(arg)) this.words.push(arg);
      else if (!arg.startsWith("--")) throw this.#unknown(arg);
      else i += this.#flag(arg.slice(2), args[i + 1]);
    }
  }

  /** Takes one flag; returns how many further arguments it took. */
  #flag(text: string, following: string | undefined): number {
    const equals = text.indexOf("=");
    const name = equals === -1 ? text : text.slice(0, equals);
    if (!Object.hasOwn(this.#specs, name)) throw this.#unknown(`--${name}`);
    const own = equals === -1 ? undefined : text.slice(equals + 1);
    if (this.#specs[name].type === "boolean") {
      if (own !== undefined) throw this.refuse(name, "it takes no value", `found ${quoted(own)}`);
      this.#add(name, "");
      return 0;
    }
    const value = own ?? following;
    if (value === undefined || value === "") throw this.refuse(name, "it must have a value", "found none");
    if (own === undefined && value.startsWith("--")) {
      throw this.refuse(
        name,
        "it must have a value",
        `found option ${value}`,
        `write --${name}=${value} if that is one`,
      );
    }
    this.#add(name, value);
    return own === undefined ? 1 : 0;
  }

  #add(name: string, value: string): void {
    const values = this.given.get(name);
    if (values === undefined) this.given.set(name, [value]);
    else if (this.#specs[name].type === "text") throw this.refuse(name, "it must stand once", "it stands twice");
    else values.push(value);
  }
}

/**
 * Parses arguments by a table of flags.
 *
 * @throws {Refusal} If a flag is unknown, lacks its value, has one too many or is repeated, or a word has no place.
 */
export function parseFlags(
  command: string,
  specs: Readonly<Record<string, Flag>>,
  args: readonly string[],
  { most = 0, about = "options only" }: Words = {},
): Flags {
  const parser = new Parser(command, specs);
  parser.take(args);
  const text: Record<string, string | undefined> = {};
  const list: Record<string, string[]> = {};
  const boolean: Record<string, boolean> = {};
  for (const [name, { type }] of Object.entries(specs)) {
    const values = parser.given.get(name) ?? [];
    if (type === "text") text[name] = values[0];
    else if (type === "boolean") boolean[name] = values.length > 0;
    else if (type === "each") list[name] = values;
    else {
      const split = values.flatMap((value) => value.split(",")).map((value) => value.trim());
      if (split.includes("")) throw parser.refuse(name, "something must stand between commas", "nothing does");
      // Saying a thing twice is saying it once.
      list[name] = [...new Set(split)];
    }
  }
  if (!boolean.help && parser.words.length > most) {
    throw new Refusal({
      what: `use argument ${quoted(parser.words[most])} of "${command}"`,
      must: `it takes ${about} (see --help)`,
    });
  }
  return { text, list, boolean, positional: parser.words };
}

/** Help text of a command. */
export function helpOf(
  usage: string,
  about: string,
  specs: Readonly<Record<string, Flag>>,
  examples: readonly string[],
): string {
  const left = Object.entries(specs).map(([name, { value }]) => `--${name}${value === undefined ? "" : ` ${value}`}`);
  const width = Math.max(...left.map((item) => item.length));
  const lines = Object.values(specs).map((flag, index) => `  ${left[index].padEnd(width)}  ${flag.about}`);
  return [
    about,
    "",
    `Usage: ${usage}`,
    "",
    "Options:",
    ...lines,
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}

/** Seeds are of 32 bits, and no count on a command line comes near that. */
export const largestInteger = 2 ** 32 - 1;

/** An integer typed on the command line, in digits. @throws {Refusal} If it is none, or out of range. */
export function parseInteger(what: string, text: string, least: number, most: number = largestInteger): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Refusal({
    what: `use ${what}`,
    must: `it must be an integer >= ${least}${value > most ? ` and <= ${most}` : ""}`,
    found: `found ${quoted(text)}`,
  });
}

/** One of a few words typed on the command line. @throws {Refusal} If it is none of them. */
export function parseChoice<T extends string>(what: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new Refusal({
    what: `use ${what}`,
    must: `it must be one of ${choices.join(", ")}`,
    found: `found ${quoted(text)}`,
    hint: didYouMean(text, choices),
  });
}

/**
 * Runs a command; returns the exit code.
 *
 * A refusal becomes one line on standard error, and so does what the operating system refuses; anything else is a defect,
 * of armlab or of a plugin, which its message names, and shows its stack.
 *
 * @param name What stands before the advice.
 */
export async function runCommand(command: Command, args: string[], name: string = command.name): Promise<number> {
  try {
    return await command.run(args);
  } catch (thrown) {
    const error = storeErrorOf(thrown, "go on with", pathOf(thrown));
    if (error instanceof Refusal) {
      console.error(`${name}: ${printableLine(brief(error.message))}`);
      return 2;
    }
    console.error(`${name}: ${defectOf(error)}`);
    return 1;
  }
}

/** The path that an error of the operating system names, if it names one; a part may have named itself before it. */
function pathOf(thrown: unknown): string {
  let own = thrown;
  while (own instanceof Error && own.cause instanceof Error) own = own.cause;
  const path = own instanceof Error ? /'([^']+)'|"([^"]+)"/.exec(own.message) : null;
  return path?.[1] ?? path?.[2] ?? "a file";
}

/** A defect with the stack of where it happened. */
function defectOf(error: unknown): string {
  if (!(error instanceof Error)) return `a value that is no error was thrown: ${printableLine(String(error))}`;
  const { cause } = error;
  const stack = cause instanceof Error ? cause.stack : error.stack;
  return printable(`${printableLine(error.message)}\n${stack ?? ""}`.trimEnd());
}
