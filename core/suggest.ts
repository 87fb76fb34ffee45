/**
 * "Did you mean": what somebody may have wanted to write.
 *
 * @module
 */

/** Fewest single changes (insert, delete, replace, swap of neighbours) that make one text of the other. */
export function editDistance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}

/** Longer texts are no slips of the pen. */
const longest = 60;

/**
 * The name that is nearest to what was written, if it is near: at most a third of its letters changed, or one begins with
 * the other.
 */
export function nearest(written: string, names: readonly string[]): string | null {
  if (written === "" || written.length > longest) return null;
  const text = written.toLowerCase();
  const ranked = names.filter((name) => name.length <= longest).map((name) => {
    const known = name.toLowerCase();
    const within = text.length > 2 && known.length > 2 && (known.startsWith(text) || text.startsWith(known));
    const distance = editDistance(text, known);
    return {
      name,
      distance,
      near: within || distance <= Math.max(1, Math.floor(Math.max(text.length, known.length) / 3)),
    };
  }).filter(({ near }) => near).sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name ?? null;
}

/** The hint of a refusal: `did you mean "concat"?`; `undefined` where nothing is near. */
export function didYouMean(written: string, names: readonly string[]): string | undefined {
  const name = nearest(written, names);
  return name === null ? undefined : `did you mean "${name}"?`;
}
