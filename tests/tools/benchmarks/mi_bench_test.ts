import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Random } from "../../../core/random.ts";
import {
  cmiRows,
  miRows,
  neighbourCheck,
  neighbourDifference,
  rankAgreement,
  referenceTasks,
  spearman,
} from "../../../tools/benchmarks/mi_bench.ts";
import { benchmarkTasks, triples } from "../../../tools/benchmarks/mi_tasks.ts";
import "../../helpers/tensors.ts";

const reference = await referenceTasks();

Deno.test("our rendering of the public benchmark's tasks has its names, widths and truths", () => {
  const own = new Map(benchmarkTasks().map((task) => [task.name, task]));
  assertEquals([...own.keys()].sort(), reference.map(({ name }) => name).sort());
  for (const { name, truth, x, y } of reference) {
    const task = own.get(name)!;
    assertAlmostEquals(task.truth.mi[0], truth, 1e-6, name);
    const { sources, target } = task.sample(2, new Random(0));
    assertEquals([sources["x1"].width, target.width], [x, y], name);
  }
});

Deno.test("ksgMi() equals the public package's estimate on the package's own samples of all its tasks", () => {
  assertEquals(reference.length, 40);
  for (const task of reference) assert(neighbourDifference(task) < 1e-9, task.name);
});

Deno.test("NMI ranks distributions as their true information does: Spearman above 0.95 from 512 samples on", () => {
  assert(rankAgreement(512, 2) > 0.95);
});

Deno.test("KSG is as near the truth as the public package's on some of its tasks", () => {
  const tasks = new Map(benchmarkTasks().map((task) => [task.name, task]));
  for (
    const name of ["1v1-normal-0.75", "1v1-additive-0.1", "multinormal-dense-3-3-0.5", "asinh-student-identity-2-2-1"]
  ) {
    const rows = miRows(tasks.get(name)!, 1000, 4);
    const check = neighbourCheck(
      rows.find(({ estimator }) => estimator === "ksg")!,
      4,
      reference.find((task) => task.name === name)!,
      reference.length,
    )!;
    assert(check.error <= check.allowed, `${name}: ${check.error} against ${check.allowed}`);
  }
});

Deno.test("rows of a triple name every estimator; the Gaussian and nearest-neighbour ones are near the truth", () => {
  const rows = cmiRows(triples()[0], 1024, 3);
  assertEquals(rows.map(({ estimator }) => estimator), [
    "hard",
    "soft",
    "official",
    "gaussian",
    "gaussian-determinants",
    "frenzel-pompe",
  ]);
  for (const { estimator, mean, truth } of rows) {
    if (/gaussian|frenzel/.test(estimator)) assertAlmostEquals(mean, truth, 0.05, estimator);
  }
  // What the released code has for CMI is not information: far from the truth.
  assert(Math.abs(rows[2].mean - rows[2].truth) > 0.5);
});

Deno.test("spearman() of ranks with and without ties", () => {
  assertEquals(spearman([1, 2, 3], [10, 20, 30]), 1);
  assertEquals(spearman([1, 2, 3], [3, 2, 1]), -1);
  // Ranks 1.5, 1.5, 3 against 1, 2, 3: covariance 1.5 over sqrt(1.5 x 2).
  assertAlmostEquals(spearman([5, 5, 9], [1, 2, 3]), 1.5 / Math.sqrt(3), 1e-12);
});
