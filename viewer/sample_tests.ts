/**
 * A comparison by samples: what kept predictions say of differences, beside the test over seeds.
 *
 * @module
 */
import { Random } from "../core/random.ts";
import type { Predictions } from "../core/record.ts";
import { type Bootstrap, bootstrap, type McNemar, mcNemar, seedPairs } from "../experiments/sample_tests.ts";
import { pointsText, pText } from "../experiments/versus.ts";
import type { ComparedItem, Comparison } from "./compare.ts";
import type { RunStore } from "./store.ts";
import { cell, type Table } from "./table.ts";

/** A difference by samples. */
export interface SampleDifference {
  readonly item: ComparedItem;
  /** `null` without common seeds that kept predictions of the same samples. */
  readonly bootstrap: Bootstrap | null;
  /** By seed. */
  readonly mcNemar: readonly (McNemar & { readonly seed: number })[];
}

type Found = Omit<SampleDifference, "item">;

/** Comparisons kept in memory: what finished runs predicted does not change. */
const maxKept = 400;
const known = new Map<string, Found>();

async function predictionsOf(store: RunStore, { runs }: ComparedItem): Promise<Map<number, Predictions>> {
  const found = new Map<number, Predictions>();
  for (const { id, config, state } of runs) {
    if (state !== "finished") continue;
    const { predictions } = await store.predictions(id, "test");
    if (predictions !== null) found.set(config.seed, predictions);
  }
  return found;
}

const key = (store: RunStore, items: readonly ComparedItem[]) =>
  JSON.stringify([
    store.folder,
    ...items.map(({ runs }) => runs.filter(({ state }) => state === "finished").map(({ id }) => id)),
  ]);

/** Differences of a comparison by samples; none where no two have predictions in common. */
export async function sampleDifferences(store: RunStore, comparison: Comparison): Promise<SampleDifference[]> {
  const { reference, differences } = comparison;
  if (reference === null) return [];
  const all: SampleDifference[] = [];
  for (const { item } of differences) {
    const name = key(store, [item, reference]);
    let found = known.get(name);
    if (found === undefined) {
      const pairs = seedPairs(await predictionsOf(store, item), await predictionsOf(store, reference));
      found = {
        bootstrap: bootstrap(pairs, new Random(0, "bootstrap")),
        mcNemar: pairs.map(({ seed, first, second }) => ({ seed, ...mcNemar(first, second) })),
      };
      known.set(name, found);
      if (known.size > maxKept) known.delete(known.keys().next().value!);
    }
    all.push({ item, ...found });
  }
  return all.some(({ bootstrap }) => bootstrap !== null) ? all : [];
}

/** The differences as a table. */
export function sampleTable({ reference }: Comparison, differences: readonly SampleDifference[]): Table {
  const draws = differences.find((own) => own.bootstrap !== null)?.bootstrap?.draws ?? 0;
  return {
    title: `Differences from ${reference?.label ?? "the reference"} by samples`,
    columns: [
      { title: "Configuration", align: "left" },
      { title: "Seeds", align: "right" },
      { title: "Difference in points", align: "right", raw: ["difference"] },
      { title: "95 % over seeds and samples", align: "right", raw: ["low", "high"] },
      { title: "McNemar's p by seed", align: "right" },
      { title: "Right alone : wrong alone", align: "right" },
    ],
    rows: differences.map(({ item, bootstrap: found, mcNemar: tests }) => [
      cell(item.label),
      cell(tests.length),
      cell(found?.difference ?? null, found === null ? "–" : pointsText(found.difference, 2)),
      found === null
        ? { text: "–", raw: [null, null] }
        : { text: `${pointsText(found.low)} to ${pointsText(found.high)}`, raw: [found.low, found.high] },
      cell(tests.map(({ p }) => pText(p)).join(", ") || null),
      cell(tests.map(({ onlyFirst, onlySecond }) => `${onlyFirst}:${onlySecond}`).join(", ") || null),
    ]),
    notes: [
      `From kept predictions of the same test samples: bootstrap of ${draws} draws over seeds and groups of samples, and ` +
      "McNemar's exact test for each seed (not corrected). A test over seeds takes the test split as given; these do not.",
    ],
  };
}
