/**
 * Mistakes in `augment/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const list: readonly Mutant[] = [
  ...mutantsOf("augment/augmenter.ts", ["tests/augment/augment_test.ts"], [
    ["split(epoch, sample, modality, place)", "split(sample, modality, place)"],
    ["split(epoch, sample, modality, place)", "split(epoch, modality, place)"],
    ["split(epoch, sample, mixing.place)", "split(epoch, sample, modality, mixing.place)"],
  ]),
];

export default list;
