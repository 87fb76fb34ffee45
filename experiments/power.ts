/**
 * How many seeds a paired t-test needs to show a difference.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { leastSeeds, tQuantile } from "./statistics.ts";

/** P(Z <= x) for a standard normal Z, by Marsaglia's series; to 1e-15 absolutely. */
export function normalProbability(x: number): number {
  if (x > 8) return 1;
  if (x < -8) return 0;
  let term = x;
  let sum = x;
  for (let k = 3; sum + term !== sum; k += 2) {
    term *= x * x / k;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** ln Gamma(k / 2) for a whole k >= 1. */
function logGammaHalf(k: number): number {
  let log = k % 2 === 0 ? 0 : Math.log(Math.PI) / 2;
  for (let j = k - 2; j > 0; j -= 2) log += Math.log(j / 2);
  return log;
}

/** Steps of Simpson's rule: the error is below 1e-8. */
const steps = 600;

/**
 * Power of the two-sided paired t-test: P(|T| >= c) for a noncentral T with n - 1 degrees of freedom and noncentrality
 * delta = effect sqrt(n), where c is the test's critical value.
 *
 * T = (Z + delta) / U with U^2 = chi^2_k / k; given U = u the chance is Phi(delta - c u) + Phi(-delta - c u), which is
 * integrated over U's density 2 (k/2)^(k/2) / Gamma(k/2) u^(k-1) exp(-k u^2 / 2).
 *
 * @param effect Mean difference in standard deviations of the differences.
 * @param n Pairs, at least 2.
 * @param alpha Level of the test. @default {0.05}
 * @throws {Refusal} If n is not a whole number of at least 2, or alpha is not within (0, 1).
 */
export function pairedPower(effect: number, n: number, alpha: number = 0.05): number {
  if (!Number.isInteger(n) || n < 2) {
    throw new Refusal({ what: "compute a test's power", must: "there must be at least 2 pairs", found: `found ${n}` });
  }
  if (!(alpha > 0 && alpha < 1)) {
    throw new Refusal({ what: "compute a test's power", must: "its level must be in (0, 1)", found: `found ${alpha}` });
  }
  const k = n - 1;
  const delta = Math.abs(effect) * Math.sqrt(n);
  const critical = tQuantile(1 - alpha / 2, k);
  const front = Math.log(2) + k / 2 * Math.log(k / 2) - logGammaHalf(k);
  const chance = (u: number) => normalProbability(delta - critical * u) + normalProbability(-delta - critical * u);
  const density = (u: number) =>
    u === 0 ? (k === 1 ? Math.exp(front) : 0) : Math.exp(front + (k - 1) * Math.log(u) - k * u * u / 2);
  // U is about 1 with a deviation of 1 / sqrt(2 k); twelve of them leave nothing out. Steps grow as squares from the lower
  // end, as with two pairs the chance falls within a hundredth of it.
  const spread = 12 / Math.sqrt(2 * k);
  const low = Math.max(0, 1 - spread);
  const width = 1 + spread - low;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const s = i / steps;
    const u = low + width * s * s;
    sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * chance(u) * density(u) * 2 * width * s;
  }
  return Math.min(1, sum / (3 * steps));
}

/** Seeds looked for at most. */
export const mostSeeds = 1000;

/**
 * Fewest seeds with which the paired t-test would show a difference as large and as variable as the one found, with a
 * chance of 80 %.
 *
 * @param effect Mean difference in standard deviations of the differences.
 * @param alpha Level of the test. @default {0.05}
 * @returns At least `leastSeeds`; `null` if more than `mostSeeds` would be needed.
 */
export function seedsNeeded(effect: number, alpha: number = 0.05): number | null {
  const enough = (n: number) => pairedPower(effect, n, alpha) >= 0.8;
  // Of a normal distribution, (z + .84)^2 / effect^2 do; Student's needs a few more.
  const first = Math.ceil(((normalQuantile(1 - alpha / 2) + 0.8416) / effect) ** 2);
  if (!(first <= mostSeeds)) return null;
  let n = Math.max(leastSeeds, first);
  while (n < mostSeeds && !enough(n)) n++;
  while (n > leastSeeds && enough(n - 1)) n--;
  return enough(n) ? n : null;
}

/** The z with Phi(z) = p, by bisection. */
function normalQuantile(p: number): number {
  let [low, high] = [-9, 9];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < p) low = middle;
    else high = middle;
  }
  return high;
}
