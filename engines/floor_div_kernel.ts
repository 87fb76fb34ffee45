/**
 * `tf.floorDiv` where a backend gives floats instead of integers and rounds the quotient before its floor.
 *
 * @module
 */
import type { ComposedKernel } from "./composed_kernels.ts";

/**
 * What is left of (a - mod(a, b)) / b is a whole number up to rounding: the rounded quotient may be one above the exact
 * one's floor, as of 1 and 0.1.
 */
export const floorDiv: ComposedKernel = (k, inputs) => {
  if (inputs.a.dtype === "int32") return k.cast(k.run("FloorDiv/own", inputs), "int32");
  const [a, b] = [k.cast(inputs.a, "float32"), k.cast(inputs.b, "float32")];
  const rest = k.run("Mod", { a, b });
  return k.cast(k.run("Round", { x: k.run("RealDiv", { a: k.run("Sub", { a, b: rest }), b }) }), "int32");
};
