/**
 * Mistakes in `tensor/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const list: readonly Mutant[] = [
  ...mutantsOf("tensor/autodiff.ts", ["tests/tensor/autodiff_test.ts"], [
    ["tf.add(present, tf.onesLike(root))", "tf.onesLike(root)"],
    ["tf.add(present, gradient)", "gradient"],
    ["info.backend.incRef(tensor.dataId);", ""],
  ]),
];

export default list;
