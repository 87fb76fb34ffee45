/**
 * Stopping a bench from outside, and how often it keeps checkpoints meanwhile.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import type { CheckpointInterval } from "../training/mod.ts";

/** Exit code of a run that was stopped and can be started again: EX_TEMPFAIL of sysexits.h. */
export const TRY_AGAIN = 75;

/** Exit codes by signal: after the checkpoints, and at once, when it comes a second time. */
const codes: Readonly<Partial<Record<Deno.Signal, { readonly after: number; readonly atOnce: number }>>> = {
  SIGINT: { after: 130, atOnce: 130 },
  SIGTERM: { after: TRY_AGAIN, atOnce: 143 },
  SIGUSR1: { after: TRY_AGAIN, atOnce: 138 },
  // At SIGUSR1 Deno opens a debugger's port as well, and nothing keeps it from that: what armlab asks for itself is this one.
  SIGUSR2: { after: TRY_AGAIN, atOnce: 140 },
};

/** Listens to signals. */
export interface Stopping {
  readonly signal: AbortSignal;
  /** What a command that was stopped exits with; 0 if nobody stopped it. */
  exit(): number;
  /** The signal that stopped it; `null` if none did. */
  by(): Deno.Signal | "time" | null;
  /** Stops after so many seconds, as SIGUSR2 does. */
  after(seconds: number): void;
  /** Listens no more. */
  dispose(): void;
}

/**
 * Stops at the first of Ctrl-C, SIGTERM, SIGUSR1 and SIGUSR2, and ends the process at the second.
 *
 * @param say Tells somebody.
 * @param text What is told at the first.
 */
export function listenForStop(
  say: (text: string) => void,
  text = "Stopping at the next step, with a checkpoint; once more to stop at once.",
): Stopping {
  const stop = new AbortController();
  let exit = 0;
  let by: Deno.Signal | "time" | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Windows knows only the first.
  const known = Object.entries(codes).filter(([signal]) => Deno.build.os !== "windows" || signal === "SIGINT");
  const handlers = known.map(([signal, { after, atOnce }]): [Deno.Signal, () => void] => [signal as Deno.Signal, () => {
    if (exit !== 0) return endAtOnce(signal as Deno.Signal, atOnce, dispose);
    exit = after;
    by = signal as Deno.Signal;
    say(text);
    stop.abort();
  }]);
  const after = (seconds: number) => {
    timer = setTimeout(() => {
      if (exit !== 0) return;
      exit = TRY_AGAIN;
      by = "time";
      say(`The time is up. ${text}`);
      stop.abort();
    }, 1000 * seconds);
    Deno.unrefTimer(timer);
  };
  const dispose = () => {
    clearTimeout(timer);
    for (const [signal, handler] of handlers.splice(0)) Deno.removeSignalListener(signal, handler);
  };
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  return { signal: stop.signal, exit: () => exit, by: () => by, after, dispose };
}

/**
 * Ends the process as the signal would have without anybody listening: an orderly exit takes programs from under the threads
 * that run them, which then complain.
 */
function endAtOnce(signal: Deno.Signal, code: number, dispose: () => void): void {
  dispose();
  if (Deno.build.os === "windows") Deno.exit(code);
  Deno.kill(Deno.pid, signal);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };

/** The longest time that a timer takes. */
const longestSeconds = (2 ** 31 - 1) / 1000;

/**
 * A time as typed, in seconds: `90s`, `30min`, `2h`.
 *
 * @throws {Refusal} If it is none.
 */
export function parseTime(flag: string, text: string): number {
  const interval = /^\s*\d{1,9}(?:\.\d{1,6})?(?:s|min|h)\s*$/.test(text) ? parseInterval(flag, text) : {};
  if ("seconds" in interval && interval.seconds !== undefined && interval.seconds <= longestSeconds) {
    return interval.seconds;
  }
  throw new Refusal({
    what: `use ${flag}`,
    must: "it must be a time of at most 596 hours",
    found: `found "${text}"`,
    hint: "write 90s, 30min or 2h",
  });
}

/**
 * An interval as typed: `30s`, `5min`, `2h`, or a number of steps.
 *
 * @throws {Refusal} If it is none.
 */
export function parseInterval(flag: string, text: string): CheckpointInterval {
  const found = /^(\d{1,9}(?:\.\d{1,6})?)(s|min|h)?$/.exec(text.trim());
  const [value, unit] = [Number(found?.[1]), found?.[2]];
  if (found === null || !(value > 0) || (unit === undefined && !Number.isInteger(value))) {
    throw new Refusal({
      what: `use ${flag}`,
      must: "it must be a number of steps or a time",
      found: `found "${text}"`,
      hint: "write 500, 30s, 5min or 2h",
    });
  }
  return unit === undefined ? { steps: value } : { seconds: value * SECONDS[unit] };
}
