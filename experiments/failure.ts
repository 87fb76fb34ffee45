/**
 * Failures in words.
 *
 * @module
 */
import { placeOf, PluginError } from "../core/plugin_error.ts";
import { Refusal } from "../core/refusal.ts";
import { DivergenceError } from "../training/errors.ts";

/** The stack of a defect, of a part's where the part threw; `null` for what was refused and what diverged. */
export function stackOf(error: unknown): string | null {
  if (error instanceof DivergenceError || error instanceof Refusal || !(error instanceof Error)) return null;
  const thrown = error instanceof PluginError && error.cause instanceof Error ? error.cause : error;
  return thrown.stack ?? null;
}

/** How the runtime says that memory is not to be had. */
const allocation = /^(?:Array buffer allocation failed|Invalid (?:typed )?array(?: buffer)? length)/;

/** What was thrown, in one line: a refusal by its sentence, anything else by its name, with the place it came from. */
export function failureOf(error: unknown): string {
  const told = error instanceof PluginError || error instanceof DivergenceError || error instanceof Refusal;
  if (told) return (error as Error).message;
  if (error instanceof RangeError && allocation.test(error.message)) {
    return `Cannot hold in memory what the configuration asks for: ${error.message}; take smaller widths, batches or data`;
  }
  const text = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replaceAll(
    /\s*\n\s*/g,
    " ",
  );
  const place = placeOf(error);
  return place === null ? text : `${text} (${place})`;
}
