/**
 * Which parameter groups a selector means.
 *
 * @module
 */

/** Whether a group is chosen by selectors; a trailing `*` fits any ending. */
export function selects(selectors: readonly string[], group: string): boolean {
  return selectors.some((selector) =>
    selector.endsWith("*") ? group.startsWith(selector.slice(0, -1)) : selector === group
  );
}
