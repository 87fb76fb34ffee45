/** What tfjs leaves to its kernels to check is checked while a program is recorded. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertThrows } from "@std/assert";
import { onnxCpu } from "../../engines/mod.ts";

const engine = await onnxCpu.create();
const zeros = (...shape: number[]) => tf.zeros(shape);
const ids = () => tf.tensor1d([0, 1], "int32");

/** Operations on inputs that do not fit, and what is said of them. */
const wrong: [string, () => unknown, string][] = [
  ["an uneven split", () => tf.split(zeros(1, 3), 2, 1), "evenly divide"],
  ["sizes of a split that do not add up", () => tf.split(zeros(1, 5), [2, 2], 1), "sum of sizes"],
  ["two open sizes of a split", () => tf.split(zeros(1, 5), [2, -1, -1], 1), "one negative"],
  [
    "rows of two widths",
    () => tf.concat([zeros(2, 3), zeros(3, 4)], 0),
    "to concatenate must have one shape but for axis 0: found [2, 3] and [3, 4]",
  ],
  ["a stack of two shapes", () => tf.stack([zeros(2), zeros(3)]), "to stack must have one shape: found [2] and [3]"],
  ["a slice beyond the end", () => tf.slice(zeros(2, 3), [0, 1], [2, 4]), "would overflow"],
  ["half a column", () => tf.tile(zeros(2, 3), [1, 1.5]), "whole extents: it would be [2, 4.5]"],
  ["a sum over no axis", () => tf.sum(zeros(2, 3), 2), "axis 2 is none of a tensor of rank 2"],
  ["an axis before the first", () => tf.reverse(zeros(2, 3), [-3]), "axis -3 is none"],
  ["gathering along no axis", () => tf.gather(zeros(2, 3), ids(), 2), "axis 2 is none"],
  ["too few segment numbers", () => tf.unsortedSegmentSum(zeros(3, 2), ids(), 2), "segments must be numbered"],
  ["inner extents of einsum", () => tf.einsum("ij,jk->ik", zeros(2, 3), zeros(4, 5)), "Expected dimension 3"],
];
for (const [what, run, message] of wrong) {
  Deno.test(`recording refuses ${what}`, () => {
    assertThrows(() => engine.abstract(run as () => void), Error, message);
  });
}

Deno.test("recording takes what fits, at the edges of its ranges", () => {
  const shapes: number[][] = [];
  engine.abstract(() => {
    const results = [
      ...tf.split(zeros(1, 5), [2, -1], -1),
      tf.concat([zeros(0, 3), zeros(2, 3)], 0),
      tf.stack([zeros(2), zeros(2)], -1),
      tf.slice(zeros(2, 3), [2, 0], [0, 3]),
      tf.sum(zeros(2, 3), -2),
      tf.unsortedSegmentSum(zeros(2, 4), ids(), 3),
    ];
    shapes.push(...results.map(({ shape }) => shape));
  });
  assertEquals(shapes, [[1, 2], [1, 3], [2, 3], [2, 2], [0, 3], [3], [3, 4]]);
});
