import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { mostSeeds, normalProbability, pairedPower, seedsNeeded } from "../../experiments/power.ts";
import { tQuantile } from "../../experiments/statistics.ts";
import golden from "../golden/power.json" with { type: "json" };

/** Density of the standard normal distribution. */
const density = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);

Deno.test("normalCdf() has the values of tables, and is symmetric", () => {
  // Abramowitz and Stegun, table 26.1.
  assertAlmostEquals(normalProbability(1), 0.841344746068543, 1e-14);
  assertAlmostEquals(normalProbability(1.96), 0.975002104851780, 1e-14);
  assertAlmostEquals(normalProbability(-3), 0.001349898031630, 1e-14);
  assertEquals([normalProbability(0), normalProbability(9), normalProbability(-9)], [0.5, 1, 0]);
});

Deno.test("pairedPower() of no effect is the level of the test", () => {
  for (const n of [2, 3, 5, 20, 500]) {
    for (const alpha of [0.05, 0.01]) assertAlmostEquals(pairedPower(0, n, alpha), alpha, 1e-8);
  }
});

Deno.test("pairedPower() of three pairs equals Owen's closed form for two degrees of freedom", () => {
  // P(T <= t) = Phi(-d) + sqrt(2 pi) A sqrt(B) phi(d sqrt(B)) Phi(d A sqrt(B)), A = t / sqrt(2), B = 2 / (2 + t^2):
  // Owen, "A Survey of Properties and Applications of the Noncentral t-Distribution", Technometrics 1968.
  const owen = (t: number, d: number) => {
    const [a, b] = [t / Math.sqrt(2), Math.sqrt(2 / (2 + t * t))];
    return normalProbability(-d) + Math.sqrt(2 * Math.PI) * a * b * density(d * b) * normalProbability(d * a * b);
  };
  for (const alpha of [0.05, 0.01]) {
    const critical = tQuantile(1 - alpha / 2, 2);
    for (const effect of [0, 0.2, 1, 2.5, 6]) {
      const d = effect * Math.sqrt(3);
      assertAlmostEquals(pairedPower(effect, 3, alpha), 1 - owen(critical, d) + owen(-critical, d), 1e-8);
      assertEquals(pairedPower(-effect, 3, alpha), pairedPower(effect, 3, alpha));
    }
  }
});

Deno.test("pairedPower() equals SciPy's noncentral t", () => {
  for (const [effect, n, alpha, power] of golden.power) assertAlmostEquals(pairedPower(effect, n, alpha), power, 1e-7);
});

Deno.test("seedsNeeded() is the fewest with a power of 80 %, as SciPy finds", () => {
  for (const [effect, alpha, seeds] of golden.seeds) assertEquals(seedsNeeded(effect!, alpha!), seeds);
  assertEquals(seedsNeeded(0.01), null);
  // By the normal distribution 1,000 would do, by Student's they do not.
  assertEquals(pairedPower(0.0886, 1000) < 0.8, true);
  assertEquals(seedsNeeded(0.0886), null);
  assertEquals(seedsNeeded(50), 3);
  assertEquals(mostSeeds, 1000);
});

Deno.test("pairedPower() refuses what is no test", () => {
  assertThrows(() => pairedPower(1, 1), Refusal, "at least 2 pairs: found 1");
  assertThrows(() => pairedPower(1, 2.5), Refusal, "found 2.5");
  assertThrows(() => pairedPower(1, 3, 0), Refusal, "its level must be in (0, 1): found 0");
});
