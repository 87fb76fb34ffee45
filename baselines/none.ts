/**
 * No balancing at all.
 *
 * @module
 */
import { defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";

/** The fusion trained as it is: the reference that every method is compared with. */
export const none: MethodPlugin = defineMethod<Record<never, never>>({
  name: "none",
  about: "the fusion trained as it is",
  formula: "L = CE(l, y)",
  options: {},
  create: () => ({ name: "none" }),
});
