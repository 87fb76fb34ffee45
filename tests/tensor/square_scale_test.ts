/** Which numbers are made smaller before they are squared. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { squareScale } from "../../tensor/mod.ts";
import { values } from "../helpers/tensors.ts";

Deno.test("squareScale() is 1 up to 2^50 and for no numbers, 2^-100 above, by group, so that ordinary bits stay", () =>
  tf.tidy(() => {
    const rows = tf.tensor2d([[1, -(2 ** 50)], [3, -(2 ** 51)], [NaN, 1], [0, Infinity], [-3e38, 1e-45]]);
    assertEquals(values(squareScale(rows, 1)), [1, 2 ** -100, 1, 2 ** -100, 2 ** -100]);
    assertEquals(squareScale(rows, 1).shape, [5, 1]);
    assertEquals([squareScale(tf.tensor1d([2, -4])).shape, values(squareScale(tf.tensor1d([2, -4])))], [[], [1]]);
  }));
