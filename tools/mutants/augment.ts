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
  ...mutantsOf("augment/random_crop.ts", ["tests/augment/augment_test.ts"], [
    ["at < values.length; at += own", "at < own; at += own"],
  ]),
  ...mutantsOf("augment/flip.ts", ["tests/augment/augment_test.ts"], [
    ["y < values.length / (width * channels)", "y < shape[shape.length - 3]"],
  ]),
];

export default list;
