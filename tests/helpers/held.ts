/**
 * A method that changes nothing and waits where a file says so, for tests that stop a bench: however busy the machine is, it is
 * then in the middle of what the test means.
 *
 * The file, whose path is the variable `ARMLAB_TEST_HOLD`, holds `epoch N` (wait before the epoch of that index, in which the
 * thread hears signals) or `step N` (wait after the Nth step of this process). Beside it, `<file>.reached` says that something
 * waits; without the file, and without the variable, nothing does.
 */
import { defineMethod, type MethodPlugin } from "../../mod.ts";

const place = Deno.env.get("ARMLAB_TEST_HOLD");
/** Steps of this thread, over all of its runs. */
let steps = 0;

/** Whether to wait here; says so to the test. */
function holds(here: string): boolean {
  if (place === undefined) return false;
  try {
    if (Deno.readTextFileSync(place) !== here) return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  Deno.writeTextFileSync(`${place}.reached`, here);
  return true;
}

/** The method. */
export const held: MethodPlugin = defineMethod({
  name: "held",
  about: "waits where a test says so",
  options: {},
  create: () => ({
    name: "held",
    async beforeEpoch({ epoch }) {
      while (holds(`epoch ${epoch}`)) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    afterStep() {
      steps++;
      while (holds(`step ${steps}`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    },
  }),
});
