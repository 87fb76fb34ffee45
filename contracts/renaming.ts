/**
 * Other names for the same modalities: what treats all alike must not care.
 *
 * @module
 */
import * as prefixes from "../core/names.ts";
import type { NamedHostTensors } from "../core/program.ts";
import { type ContractTools, difference, must } from "./contract.ts";
import { ROUNDING } from "./checks.ts";
import { withSteps } from "./steps.ts";
import type { Rig } from "./toy.ts";

/** A name with modalities exchanged wherever they stand as a whole word. */
export function renamed(name: string, to: Readonly<Record<string, string>>): string {
  return name.split(/([^A-Za-z0-9]+)/).map((word) => Object.hasOwn(to, word) ? to[word] : word).join("");
}

/** Other names that sort as the usual ones do. */
const OTHERS: readonly string[] = ["left", "middle", "right", "top"];

/**
 * Gives every modality's data, encoder and parameters to another name, and expects the same outputs, losses and statistics.
 *
 * @param rig Builds a model over these names; widths go by position, so that other orders are other names for one thing.
 * @param symmetric Whether the names may change their order too.
 */
export async function namesDoNotMatter(
  rig: (names: readonly string[]) => Rig,
  names: readonly string[],
  symmetric: boolean,
  { eager }: ContractTools,
): Promise<void> {
  const others = symmetric ? [...names.slice(1), names[0]] : OTHERS.slice(0, names.length);
  const to = Object.fromEntries(names.map((name, u) => [name, others[u]]));
  const plain = rig(names);
  const other = rig(others);
  await withSteps(plain, eager, async (steps) => {
    const values: NamedHostTensors = {};
    for (const [name, value] of Object.entries(steps.values)) values[renamed(name, to)] = value;
    await withSteps(other, eager, async (turned) => {
      for (const [name, { shape }] of Object.entries(turned.values)) {
        must(
          values[name] !== undefined && values[name].shape.join() === shape.join(),
          `"${name}" has no counterpart under other names of modalities; what belongs to a modality should carry its name, ` +
            "and no modality should be treated apart (else set symmetric: false)",
        );
      }
      const feeds = { ...turned.feeds() };
      for (const [name, value] of Object.entries(steps.feeds())) {
        // Rows of a table that belong to a modality are part of its data.
        const own = prefixes.input.has(name) || (prefixes.rows.has(name) && renamed(name, to) !== name);
        if (own) feeds[renamed(name, to)] = value;
      }
      const [one, two] = [await steps.predict(), await turned.predict(feeds)];
      const compare = (what: string, found: ArrayLike<number>, expected: ArrayLike<number>) => {
        const text = difference(found, expected, ROUNDING);
        must(text === null, () => `${what} changes with the names of modalities: ${text} (else set symmetric: false)`);
      };
      for (const [name, { data }] of Object.entries(one)) {
        compare(`output "${name}"`, two[renamed(name, to)].data, data);
      }
      const [step, again] = [await steps.train(), await turned.train(feeds)];
      for (const [name, value] of Object.entries(step.stats)) {
        const counterpart = renamed(name, to);
        must(counterpart in again.stats, `statistic "${name}" has no counterpart under other names of modalities`);
        compare(`"${name}" of a step`, [again.stats[counterpart]], [value]);
      }
    }, { values });
  });
}
