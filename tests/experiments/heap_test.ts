/** Memory used up: the cell that uses it fails in time, and the same command goes on where it stopped. */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { checkHeap, heapNow, heapSpent } from "../../experiments/heap.ts";
import { inFolder, runsIn } from "../helpers/cli.ts";

const MIB = 2 ** 20;

Deno.test("checkHeap() refuses a step from 85 % of the heap's bound on, and this thread has a bound", () => {
  checkHeap({ used: 84 * MIB, bound: 100 * MIB });
  const error = assertThrows(() => checkHeap({ used: 86 * MIB, bound: 100 * MIB }), Refusal);
  assertStringIncludes(error.message, "must take at most 85 % of their worker's 100 MiB: they take 86 MiB");
  const { used, bound } = heapNow();
  assert(used > MIB && used < bound && !heapSpent({ used, bound }));
});

const source = `
import { defineMethod } from "@armlab/armlab";
const kept = [];
const grow = (count) => { for (let i = 0; i < count; i++) kept.push([i, { i }]); };
const about = "takes memory";
export const leaks = defineMethod({ name: "leaks", about, options: {}, create: () => ({ name: "leaks", afterStep: () => grow(40_000) }) });
export const bursts = defineMethod({ name: "bursts", about, options: {}, create: () => ({ name: "bursts", beforeEpoch: ({ epoch }) => {
  if (epoch === 2 && Deno.env.get("ARMLAB_TEST_BURST") === "on") for (;;) kept.push(new Array(3e6).fill(0.5));
} }) });
`;

/** Runs a bench in a process of its own, whose threads have so much memory. */
async function bench(folder: string, methods: string, mib: number, env: Record<string, string> = {}) {
  const main = new URL("../../cli/main.ts", import.meta.url).pathname;
  const training = ["--set", "training.epochs=5", "--set", "training.batchSize=16"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", main, "bench", "--dataset", "synthetic", "--set", "dataset.samples=256"],
      ...["--encoder", "mlp", "--plugin", join(folder, "memory.ts"), "--compare", methods, "--seeds", "1"],
      ...["--workers", "1", "--runs", join(folder, "runs"), ...training],
    ],
    env: { NO_COLOR: "1", ARMLAB_CACHE: "off", DENO_V8_FLAGS: `--max-old-space-size=${mib}`, ...env },
    stdout: "piped",
    stderr: "piped",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("a part that keeps more each step fails its cell, the others go on, and more memory lets it finish", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "memory.ts"), source);
    const first = await bench(folder, "leaks,none", 200);
    assertStringIncludes(first.text, "Cannot take a further step as objects must take at most 85 %");
    assertStringIncludes(
      first.text,
      "some part keeps what it made in earlier steps; DENO_V8_FLAGS=--max-old-space-size=MIB allows more",
    );
    assertMatch(first.text, /finished\s+concat, seed 0/);
    assertEquals(first.code, 1);
    const again = await bench(folder, "leaks,none", 1500);
    assertMatch(again.text, /finished\s+concat leaks, seed 0/);
    assertEquals(again.code, 0);
  }));

Deno.test("a step that takes all memory at once ends the process; the same command goes on from the last epoch", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "memory.ts"), source);
    const burst = await bench(folder, "bursts", 200, { ARMLAB_TEST_BURST: "on" });
    assertStringIncludes(burst.text, "JavaScript out of memory");
    assert(burst.code !== 0);
    const again = await bench(folder, "bursts", 200);
    assertEquals(again.code, 0, again.text);
    const [id] = runsIn(join(folder, "runs"));
    assertStringIncludes(
      await Deno.readTextFile(join(folder, "runs", id, "log.txt")),
      "resumed from its checkpoint (epoch 2)",
    );
  }));
