/**
 * How a plugin is named on the command line.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A file path becomes a `file:` URL; URLs and `jsr:`, `npm:` specifiers stay as they are. */
export function pluginSpecifier(text: string): string {
  return /^(https?|file|jsr|npm|data):/.test(text) ? text : pathToFileURL(resolve(Deno.cwd(), text)).href;
}
