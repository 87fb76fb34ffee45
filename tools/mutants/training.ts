/**
 * Mistakes in `training/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const list: readonly Mutant[] = [
  ...mutantsOf("training/batches.ts", ["tests/training/present_test.ts"], [
    ["present?.[index * m + u] ?? 1", "1"],
    [
      "this.#present[i * m + u] = present?.[index * m + u] ?? 1;",
      "this.#present[i * m + u] = present?.[i * m + u] ?? 1;",
    ],
  ]),
];

export default list;
