import { assertEquals } from "@std/assert";
import { type Look, verdicts } from "../../../tools/benchmarks/run_soak.ts";

/** Forty looks, a figure of which is changed by its place. */
function looks(change: (at: number) => Partial<Look> = () => ({})): Look[] {
  const flat = { wallMs: 2, processorMs: 1, residentMiB: 500, heapMiB: 40, heapTakenMiB: 60, descriptors: 20 };
  return Array.from({ length: 40 }, (_, at) => ({ ...flat, steps: 5000 * (at + 1), ...change(at) }));
}

/** What is not flat. */
const grown = (all: readonly Look[]) => verdicts(all).filter(({ flat }) => !flat).map(({ name }) => name);

Deno.test("verdicts(): what grows is said, what is noise or only filled caches is not", () => {
  assertEquals(grown(looks()), []);
  // 100 KiB a look, which would be 4 MiB; files that are not closed; a step that gets slower.
  assertEquals(grown(looks((at) => ({ heapMiB: 40 + 0.1 * at }))), ["JavaScript, MiB"]);
  assertEquals(grown(looks((at) => ({ residentMiB: 500 + 3 * at }))), ["resident memory, MiB"]);
  assertEquals(grown(looks((at) => ({ descriptors: at > 30 ? 21 : 20 }))), ["descriptors"]);
  assertEquals(grown(looks((at) => ({ processorMs: 1 + at / 100 }))), ["processor ms a step"]);
  assertEquals(grown(looks((at) => ({ processorMs: at % 2 === 0 ? 1 : 9, heapMiB: at === 0 ? 10 : 40 }))), []);
});

Deno.test("verdicts() judges by wall time where the system tells no processor time, and no descriptors where it tells none", () => {
  const elsewhere = looks((at) => ({ processorMs: null, descriptors: null, wallMs: 2 + at }));
  assertEquals(verdicts(elsewhere).map(({ name, flat }) => [name, flat]), [
    ["JavaScript, MiB", true],
    ["resident memory, MiB", true],
    ["processor ms a step", false],
  ]);
});
