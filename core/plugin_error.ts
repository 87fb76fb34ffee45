/**
 * Defects of parts: which part, in which of its functions, at which line.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";

/** An error that is no refusal, thrown by a function of a part. Its `cause` is what was thrown, with its stack. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  /** `method "arm"`. */
  readonly plugin: string;
  /** Its function: `loss`, `create`. */
  readonly hook: string;
  /** `file:line:column` of the innermost call outside armlab's core, engines and tfjs, if one is known. */
  readonly place: string | null;

  constructor(plugin: string, hook: string, cause: unknown) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : `a value that is no error: ${cause}`;
    const place = placeOf(cause);
    super(`${plugin} failed in ${hook}${place === null ? "" : ` (${place})`}: ${text}`, { cause });
    this.plugin = plugin;
    this.hook = hook;
    this.place = place;
  }
}

/** What a function of a part gave is wrong: it has ended, so that no line of it is known. */
export function badResult(plugin: string, hook: string, found: Error): PluginError {
  found.stack = `${found.name}: ${found.message}`;
  return new PluginError(plugin, hook, found);
}

const root = new URL("../", import.meta.url).href;

/** Rooms whose files call parts or serve them, but are none. */
const harness = ["core", "tensor", "nn", "engines", "training", "contracts", "experiments", "cli"]
  .map((room) => `${root}${room}/`);

/** Whether a place is no part's: armlab's own, a package's or the runtime's. */
function served(place: string): boolean {
  return harness.some((room) => place.startsWith(room)) || /@tensorflow|seedrandom|^ext:|^node:/.test(place);
}

/** Frames of a stack, innermost first. */
function placesOf({ stack = "" }: Error): string[] {
  return stack.split("\n").flatMap((line) =>
    /((?:file|https?|npm|jsr|data):[^\s()]+:\d+:\d+)/.exec(line)?.slice(1) ?? []
  );
}

/** Where something was thrown: the innermost frame that belongs to a part. */
export function placeOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null;
  return placesOf(thrown).find((place) => !served(place)) ?? null;
}

/** Rooms whose refusals, met in the middle of a hook, say that the hook misuses them: nobody asked for that. */
const tools = ["nn", "tensor", "engines"].map((room) => `${root}${room}/`);

/** Whether a refusal is a part's own word, not that of what it calls. */
function isOwnRefusal(error: unknown): boolean {
  if (!(error instanceof Refusal)) return false;
  const from = placesOf(error).find((place) => !place.startsWith(`${root}core/`));
  return from === undefined || !tools.some((room) => from.startsWith(room));
}

function named(plugin: string, hook: string, error: unknown, passes: (error: unknown) => boolean): unknown {
  return passes(error) || error instanceof PluginError || isOurs(error) ? error : new PluginError(plugin, hook, error);
}

/** Errors of the harness that pass through hooks: a stop, a divergence, a kernel that cannot be traced. */
function isOurs(error: unknown): boolean {
  return error instanceof Error && passing.has(error.name);
}

const passing: ReadonlySet<string> = new Set([
  "InterruptedError",
  "DivergenceError",
  "TraceBreakError",
  "UnsupportedKernelError",
  "BrokenContract",
]);

/**
 * Runs a function of a part; what it throws names the part.
 *
 * @param plugin Kind and name: `method "arm"`.
 * @param hook Its function: `loss`.
 * @throws {PluginError} If it throws anything but a refusal or an error of the harness; also if its promise is rejected.
 */
export function inPlugin<T>(plugin: string, hook: string, run: () => T): T {
  return attempted(plugin, hook, run, (error) => error instanceof Refusal);
}

function attempted<T>(plugin: string, hook: string, run: () => T, passes: (error: unknown) => boolean): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    throw named(plugin, hook, error, passes);
  }
  if (!(result instanceof Promise)) return result;
  return result.catch((error) => {
    throw named(plugin, hook, error, passes);
  }) as T;
}

/** Frames that a stack must have for the part to be among them: a kernel lies a dozen below the line that asks for it. */
const FRAMES = 64;

/**
 * A value with functions, as one whose functions name the part in what they throw. Lists of functions count too.
 *
 * @param plugin Kind and name: `fusion "concat"`.
 * @param made What the part's `create` gave.
 * @param later Functions that may answer later; a promise of any other is a defect. @default all
 * @throws {PluginError} If it is no object.
 */
export function guarded<T extends object>(plugin: string, made: T, later?: readonly string[]): T {
  if (typeof made !== "object" || made === null || made instanceof Promise) {
    throw badResult(
      plugin,
      "create",
      new TypeError(
        `it must give an object with functions: found ${
          made instanceof Promise ? "a promise" : made === null ? made : typeof made
        }`,
      ),
    );
  }
  if (Error.stackTraceLimit < FRAMES) Error.stackTraceLimit = FRAMES;
  const result: Record<string, unknown> = {};
  const wrap = (hook: string, own: (...args: unknown[]) => unknown) => (...args: unknown[]) => {
    const result = attempted(plugin, hook, () => Reflect.apply(own, made, args), isOwnRefusal);
    if (!(result instanceof Promise) || later === undefined || later.includes(hook)) return result;
    result.catch(() => {}); // what it would have been is of no use: that it comes later is refused
    throw badResult(plugin, hook, new TypeError("it gave a promise, and nobody waits for it: leave async out"));
  };
  const wrapped = (name: string, value: unknown): unknown => {
    if (typeof value === "function") return wrap(name, value as (...args: unknown[]) => unknown);
    if (!Array.isArray(value) || value.length === 0 || value.some((own) => typeof own !== "function")) return value;
    return value.map((own, index) => wrap(`${name}[${index}]`, own));
  };
  // Own properties, then those of its class, if it is of one.
  for (let level: object = made; level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, { get, value, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (Object.hasOwn(result, name) || name === "constructor") continue;
      const descriptor = get === undefined
        ? { value: wrapped(name, value), writable: true }
        : { get: () => wrapped(name, (made as Record<string, unknown>)[name]) };
      Object.defineProperty(result, name, { ...descriptor, enumerable, configurable: true });
    }
  }
  return result as T;
}
