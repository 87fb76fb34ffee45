/**
 * Stand-in for `jsr:@std/cli/parse-args`, for machines that cannot reach JSR.
 *
 * Long flags, single-letter flags, `--no-` negation, collecting, aliases, defaults and `--`, with the real package's
 * results. Left out, as this project does not use them: dotted names, groups of short flags (`-abc`), `stopEarly` and
 * `boolean: true`; a group of short flags throws.
 *
 * @module
 */

type Flags<T, V> = [T] extends [never] ? unknown : { [K in T & string]: V };

/** The flags and their types, as the real package infers them for flat names. */
type Values<
  B extends string,
  S extends string,
  C extends string,
  N extends string,
  D extends Record<string, unknown>,
> = [B | S | C] extends [never]
  // deno-lint-ignore no-explicit-any
  ? Record<string, any>
  :
    & Record<string, unknown>
    & { [K in Exclude<S, C | keyof D>]?: string | (K extends N ? false : never) }
    & { [K in Exclude<S & keyof D, C>]: string | D[K] | (K extends N ? false : never) }
    & { [K in Extract<S, C>]: string[] }
    & { [K in Exclude<B, C>]: boolean | (K extends keyof D ? D[K] : never) }
    & { [K in Extract<B, C>]: boolean[] }
    & Flags<Exclude<C, S | B>, unknown[]>;

/** What `parseArgs` returns. */
export type Args<
  // deno-lint-ignore no-explicit-any
  TArgs extends Record<string, unknown> = Record<string, any>,
  TDoubleDash extends boolean | undefined = undefined,
> =
  & TArgs
  & {
    /** Arguments that belong to no flag. */
    _: Array<string | number>;
  }
  & (true extends TDoubleDash ? {
      /** Arguments after `--`. */
      "--": string[];
    }
    : unknown);

/** Options of `parseArgs`. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  TDoubleDash extends boolean | undefined = boolean | undefined,
> {
  /** Whether what follows `--` is kept apart under `"--"`. @default {false} */
  "--"?: TDoubleDash;
  /** Other names by name. */
  alias?: Record<string, string | readonly string[]>;
  /** Flags without a value; `false` if not given. */
  boolean?: B | readonly B[];
  /** Values of flags that are not given. */
  default?: D;
  /** Flags with a text value. */
  string?: S | readonly S[];
  /** Flags that may be repeated; `[]` if not given. */
  collect?: C | readonly C[];
  /** Flags that `--no-<name>` sets to false. */
  negatable?: N | readonly N[];
  /** Called with every argument that is declared nowhere; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

function listOf(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

function looksNumeric(text: string): boolean {
  return /^0x[0-9a-f]+$/i.test(text) || /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/.test(text);
}

/**
 * Reads command line arguments into flags.
 *
 * @param args The arguments, without the program's name.
 * @returns Flags by name; positional arguments in `_`, numbers where they look like numbers.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const N extends string = never,
  // deno-lint-ignore ban-types
  D extends Record<string, unknown> = {},
  TDoubleDash extends boolean | undefined = undefined,
>(
  args: string[],
  options: ParseOptions<B, S, C, N, D, TDoubleDash> = {},
): Args<Values<B, S, C, N, D>, TDoubleDash> {
  const names = new Map<string, Set<string>>();
  for (const [name, others] of Object.entries(options.alias ?? {})) {
    const all = new Set([name, ...listOf(others)]);
    for (const each of all) names.set(each, all);
  }
  const withAliases = (list: string | readonly string[] | undefined): Set<string> =>
    new Set(listOf(list).flatMap((name) => [...(names.get(name) ?? [name])]));
  const booleans = withAliases(options.boolean);
  const strings = withAliases(options.string);
  const collected = withAliases(options.collect);
  const negatable = withAliases(options.negatable);

  const values = new Map<string, unknown>();
  const rest: (string | number)[] = [];

  function set(key: string, raw: string | boolean, arg: string, mayCollect = true): void {
    const declared = booleans.has(key) || strings.has(key) || names.has(key);
    if (!declared && options.unknown?.(arg, key, raw) === false) return;
    const value = typeof raw === "string" && !strings.has(key) && looksNumeric(raw) ? Number(raw) : raw;
    for (const name of names.get(key) ?? [key]) {
      const present = values.get(name);
      const collects = mayCollect && collected.has(key);
      if (!collects) values.set(name, value);
      else if (Array.isArray(present)) present.push(value);
      else values.set(name, present ? [present, value] : [value]);
    }
  }

  const end = args.indexOf("--");
  const flags = end === -1 ? args : args.slice(0, end);
  const after = end === -1 ? [] : args.slice(end + 1);

  for (let i = 0; i < flags.length; i++) {
    const arg = flags[i];
    const next = flags[i + 1];
    const long = arg.startsWith("--");
    if (!arg.startsWith("-") || arg === "-") {
      if (options.unknown?.(arg) !== false) rest.push(strings.has("_") || !looksNumeric(arg) ? arg : Number(arg));
      continue;
    }
    const body = arg.slice(long ? 2 : 1);
    // A "=" needs a value behind it to divide; "--key=" is a flag named "key=", as in the real package.
    const equals = body.indexOf("=", 1);
    const divided = equals !== -1 && equals < body.length - 1;
    const key = divided ? body.slice(0, equals) : body;
    if (!long && key.length > 1) {
      throw new RangeError(`Cannot read argument "${arg}" as short flags must be given one by one: found a group`);
    }
    if (divided) {
      const text = body.slice(equals + 1);
      set(key, long && booleans.has(key) ? text !== "false" : text, arg);
    } else if (long && key.startsWith("no-") && negatable.has(key.slice(3))) {
      set(key.slice(3), false, arg, false);
    } else if (next !== undefined && next !== "" && !isFlag(next, long) && !booleans.has(key)) {
      set(key, next, arg);
      i++;
    } else if (next === "true" || next === "false") {
      set(key, next === "true", arg);
      i++;
    } else {
      set(key, strings.has(key) ? "" : true, arg);
    }
  }

  for (const [key, value] of Object.entries(options.default ?? {})) {
    for (const name of names.get(key) ?? [key]) if (!values.has(key) || name !== key) setDefault(name, value);
  }
  function setDefault(name: string, value: unknown): void {
    if (!values.has(name)) values.set(name, value);
  }
  for (const name of booleans) setDefault(name, collected.has(name) ? [] : false);
  for (const name of strings) if (collected.has(name)) setDefault(name, []);

  const result: Record<string, unknown> = { _: rest };
  for (const [name, value] of values) {
    Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
  }
  if (options["--"]) result["--"] = after;
  else rest.push(...after);
  return result as Args<Values<B, S, C, N, D>, TDoubleDash>;
}

/** Whether the next argument is a flag and so no value: after a long flag, anything with a leading hyphen is. */
function isFlag(next: string, afterLong: boolean): boolean {
  return afterLong ? next.startsWith("-") : /^(-|--)[^-]/.test(next);
}
