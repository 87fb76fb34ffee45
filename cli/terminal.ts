/**
 * The terminal that is written to.
 *
 * @module
 */
import { wrapText } from "../experiments/text_table.ts";

/** Columns of standard output; without end where it is no terminal: a file takes lines of any width. */
export function outputWidth(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}

/** Lines for standard output, broken where a terminal ends. */
export function toWidth(lines: readonly string[]): string {
  return wrapped(lines, outputWidth()).join("\n");
}

/** Lines broken between words, what follows indented as their content is, and two further. */
export function wrapped(lines: readonly string[], width: number): string[] {
  return lines.flatMap((line) => {
    if (line.length <= width) return [line];
    const indent = /^ */.exec(line)![0];
    const [first, ...others] = wrapText(line.slice(indent.length), Math.max(20, width - indent.length - 2));
    return [`${indent}${first}`, ...others.map((rest) => `${indent}  ${rest}`)];
  });
}
