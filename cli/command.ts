/**
 * What every command of the command line is.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Refusal } from "../core/refusal.ts";

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

/**
 * Parses arguments by a table of flags.
 *
 * @throws {RangeError} If a flag is unknown or lacks its value.
 */
export function parseFlags(command: string, specs: Readonly<Record<string, Flag>>, args: string[]): Flags {
  const names = Object.keys(specs);
  const of = (type: Flag["type"]) => names.filter((name) => specs[name].type === type);
  const repeated = [...of("list"), ...of("each")];
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    boolean: of("boolean"),
    string: [...of("text"), ...repeated],
    collect: repeated,
    unknown: (arg: string, key?: string) => {
      if (key !== undefined) unknown.push(arg);
      return key === undefined;
    },
  }) as Record<string, unknown> & { _: (string | number)[] };
  if (unknown.length > 0) {
    throw new RangeError(
      `Cannot use option ${unknown[0]} of "${command}": its options are ${names.map((name) => `--${name}`).join(" ")}`,
    );
  }
  const text: Record<string, string | undefined> = {};
  const list: Record<string, string[]> = {};
  const boolean: Record<string, boolean> = {};
  for (const name of of("text")) {
    const value = parsed[name];
    if (value === "") throw new RangeError(`Cannot use option --${name} of "${command}" as it must have a value`);
    text[name] = value as string | undefined;
  }
  for (const name of repeated) {
    const values = (parsed[name] ?? []) as string[];
    if (values.includes("")) {
      throw new RangeError(`Cannot use option --${name} of "${command}" as it must have a value`);
    }
    // Saying a thing twice is saying it once.
    const split = values.flatMap((value) => value.split(",")).map((value) => value.trim());
    list[name] = specs[name].type === "each" ? values : [...new Set(split)];
  }
  for (const name of of("boolean")) boolean[name] = parsed[name] === true;
  return { text, list, boolean, positional: parsed._.map(String) };
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

/** An integer typed on the command line. @throws {RangeError} If it is none, or below the least. */
export function parseInteger(what: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || text.trim() === "") {
    throw new RangeError(`Cannot use ${what} as it must be an integer >= ${least}: found "${text}"`);
  }
  return value;
}

/**
 * Runs a command; returns the exit code.
 *
 * Errors that carry advice for the user are of a few classes and become one line on standard error; anything else is a
 * defect and shows its stack.
 *
 * @param name What stands before the advice.
 */
export async function runCommand(command: Command, args: string[], name: string = command.name): Promise<number> {
  try {
    return await command.run(args);
  } catch (error) {
    if (
      error instanceof Refusal || error instanceof RangeError || error instanceof TypeError ||
      (error instanceof Error && "code" in error)
    ) {
      console.error(`${name}: ${error.message}`);
      return 2;
    }
    throw error;
  }
}
