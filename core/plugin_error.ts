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

const root = new URL("../", import.meta.url).href;

/** Rooms whose files call parts or serve them, but are none. */
const harness = ["core", "tensor", "nn", "engines", "training", "contracts", "experiments", "cli"]
  .map((room) => `${root}${room}/`);

/** Whether a place is no part's: armlab's own, a package's or the runtime's. */
function served(place: string): boolean {
  return harness.some((room) => place.startsWith(room)) || /@tensorflow|seedrandom|^ext:|^node:/.test(place);
}

/** Where something was thrown: the innermost frame that belongs to a part. */
export function placeOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return null;
  const places: string[] = [];
  for (const line of thrown.stack.split("\n")) {
    const found = /((?:file|https?|npm|jsr|data):[^\s()]+:\d+:\d+)/.exec(line);
    if (found !== null) places.push(found[1]);
  }
  return places.find((place) => !served(place)) ?? null;
}

function named(plugin: string, hook: string, error: unknown): unknown {
  return error instanceof Refusal || error instanceof PluginError || isOurs(error)
    ? error
    : new PluginError(plugin, hook, error);
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
  let result: T;
  try {
    result = run();
  } catch (error) {
    throw named(plugin, hook, error);
  }
  if (!(result instanceof Promise)) return result;
  return result.catch((error) => {
    throw named(plugin, hook, error);
  }) as T;
}
