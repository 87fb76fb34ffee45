/**
 * Errors that callers may want to catch.
 *
 * @module
 */

/** A traced function used a tfjs kernel that has no row in the rule table. */
export class UnsupportedKernelError extends Error {
  /** The kernel's name, as tfjs registers it. */
  readonly kernel: string;
  /** What to do about it. */
  readonly mend: string;
  /** Where it was used in the caller's code, `file:line:column`, if the stack tells. */
  readonly source: string | null;

  /** @param why What about the kernel is unsupported, if not the kernel as a whole. */
  constructor(kernel: string, why?: string) {
    const mend = "express the computation by supported operations (SUPPORT.md lists them), run it on an eager engine " +
      "(--engine cpu), or add a row to the rule table";
    const source = sourceLine();
    super(`Cannot trace kernel ${kernel} as ${why ?? "it has no lowering to ONNX"}: ${mend}${at(source)}`);
    this.name = "UnsupportedKernelError";
    this.kernel = kernel;
    this.source = source;
    this.mend = mend;
  }
}

/** What a traced function did that no graph can hold. */
export type TraceBreakReason = "value read" | "unseeded randomness" | "foreign tensor";

/** A traced function read a tensor's value, drew unseeded randomness or used a tensor of another trace. */
export class TraceBreakError extends Error {
  /** What happened. */
  readonly reason: TraceBreakReason;
  /** Where it happened in the caller's code, `file:line:column`, if the stack tells. */
  readonly source: string | null;

  /**
   * @param what The clause after "Cannot trace".
   * @param mend What to do instead.
   */
  constructor(reason: TraceBreakReason, what: string, mend: string) {
    const source = sourceLine();
    super(`Cannot trace ${what}: ${mend}${at(source)}`);
    this.name = "TraceBreakError";
    this.reason = reason;
    this.source = source;
  }
}

/** The place at the end of a message. */
function at(source: string | null): string {
  return source === null ? "" : ` (at ${source})`;
}

const ownFolder = new URL(".", import.meta.url).href;

/** The innermost stack frame outside tfjs and this folder. */
function sourceLine(): string | null {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 64;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = limit;
  for (const line of stack.split("\n").slice(1)) {
    if (/@tensorflow|seedrandom|<anonymous>|ext:|node:/.test(line) || line.includes(ownFolder)) continue;
    const place = line.match(/((?:file|https?|npm|jsr):[^\s()]+:\d+:\d+)/);
    if (place !== null) return place[1];
  }
  return null;
}
