/** Every method's core step against NumPy. */
import { copiesFor, gapDifference, keptOfCopy, repeatedShare } from "../../sampling/mod.ts";
import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  curationOf,
  discrepancyRatios,
  gradientStd,
  modulation,
  type OgmOptions,
  relativeSpeed,
  uniCe,
} from "../../baselines/mod.ts";
import { sampleContributions } from "../../baselines/valuation.ts";
import type { Host, TrainStep } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { labelProbability } from "../../losses/mod.ts";
import { interactionIndex, shapleyValues } from "../../miv/mod.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

interface Golden {
  ogm: {
    scores: number[];
    ratios: number[];
    k: Record<string, number[]>;
    three: Record<OgmOptions["others"], number[]>;
    enhanced: number[][];
  };
  uniCe: { terms: number[]; masked: number[] };
  greedy: { steps: { main: number[]; bypass: number[]; lead: number; fastest: number }[]; runningGate: number[][] };
  sampleValuation: {
    subsets: Record<string, number[][]>;
    cases: { m: number; right: number[]; phi: number[]; copies: number[] }[];
  };
  shapley: { phi: number[]; imbalance: number; interaction: number };
  modalityValuation: {
    gaps: number[];
    difference: number;
    share: Record<"linear" | "tanh" | "power", number>;
    probabilities: number[];
  };
}
const reference = golden<Golden>("baselines");

const labels = () => tf.tensor1d([0, 1, 2], "int32");
const logits = () => ({
  audio: tf.tensor2d([[2, 0, -1], [0.5, 1, 0], [0, 0, 1]]),
  video: tf.tensor2d([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0]]),
  text: tf.tensor2d([[0, 0.3, 0], [0, 0, 0.6], [0.2, 0, 0.4]]),
});
const scoreOf = (own: tf.Tensor2D) => tf.sum(labelProbability(own, labels())) as tf.Scalar;

Deno.test("OGM: scores, ratios, coefficients, and the gradient with GE's noise", () => {
  tf.tidy(() => {
    const { audio, video, text } = logits();
    const scores = [audio, video].map(scoreOf);
    assertClose(scores.map((score) => values(score)[0]), reference.ogm.scores, 1e-6);
    const ratios = discrepancyRatios(scores);
    assertClose(ratios.map((ratio) => values(ratio)[0]), reference.ogm.ratios, 1e-6);
    for (const [alpha, expected] of Object.entries(reference.ogm.k)) {
      assertClose(ratios.map((ratio) => values(modulation(ratio, Number(alpha)))[0]), expected, 1e-6);
    }
    for (const others of ["mean", "sum", "least"] as const) {
      const three = discrepancyRatios([audio, video, text].map(scoreOf), others);
      assertClose(three.map((ratio) => values(modulation(ratio, 0.5))[0]), reference.ogm.three[others], 1e-6);
    }
    const gradient = wave([3, 4], 0.7, 0.4);
    const damped = tf.mul(gradient, modulation(ratios[0], 0.8));
    const enhanced = tf.add(damped, tf.mul(wave([3, 4], 1.3, 1.1), gradientStd(gradient)));
    assertClose(values(enhanced), reference.ogm.enhanced.flat(), 1e-6);
  });
});

Deno.test("uni-ce: weighted cross-entropies of the readouts; a dropped modality does not count", () => {
  const method = uniCe.create({ weight: 0.3 }, { modalities: ["audio", "video"], classes: 3 });
  tf.tidy(() => {
    const terms = (keep: TrainStep["keep"]) => {
      const step = { modalities: ["audio", "video"], labels: labels(), keep, solo: () => ({ logits: logits() }) };
      const found = method.loss!(step as unknown as TrainStep);
      return ["readout:audio", "readout:video"].map((key) => values(tf.mean(found[key]))[0]);
    };
    assertClose(terms(null), reference.uniCe.terms, 1e-6);
    const column = (flags: number[]) => tf.tensor2d(flags, [3, 1]);
    assertClose(terms({ audio: column([1, 0, 1]), video: column([1, 1, 0]) }), reference.uniCe.masked, 1e-6);
  });
});

Deno.test("greedy: accumulated speeds, and the lead that decides", () => {
  tf.tidy(() => {
    let main = [0, 0];
    let bypass = [0, 0];
    reference.greedy.steps.forEach((step, t) => {
      const speeds = (name: string, gradients: tf.Tensor[], params: tf.Tensor[]) => {
        const named = (tensors: tf.Tensor[]) => Object.fromEntries(tensors.map((x, i) => [`${name}${i}`, x]));
        return values(relativeSpeed(Object.keys(named(params)), named(gradients), named(params)))[0];
      };
      main = main.map((sum, u) => sum + speeds("encoder", [wave([2, 3], 0.1 + 0.1 * u, t)], [wave([2, 3], 1, 5 + u)]));
      bypass = bypass.map((sum, u) =>
        sum + speeds("excite", [wave([4], 0.3 - 0.1 * u, t), wave([2], 0.2, t)], [wave([4], 1, 7), wave([2], 1, 8)])
      );
      assertClose(main, step.main, 1e-6);
      assertClose(bypass, step.bypass, 1e-6);
      const curated = (epsilon: number) => values(curationOf(tf.tensor1d(main), tf.tensor1d(bypass), epsilon));
      assertEquals(curated(step.lead - 1e-4), [0, 1].map((u) => u === step.fastest ? 1 : 0));
      assertEquals(curated(step.lead + 1e-4), [0, 0]);
    });
  });
});

Deno.test("sample-valuation: every pattern of right and wrong predictions of two and three modalities", async () => {
  const names = ["audio", "text", "video"];
  for (const m of [2, 3]) {
    const modalities = names.slice(0, m);
    const cases = reference.sampleValuation.cases.filter((one) => one.m === m);
    const subsets = reference.sampleValuation.subsets[m].map((members) => members.map((u) => names[u]).join());
    const host = {
      modalities,
      classes: 2,
      random: new Random(0),
      labels: () => new Int32Array(cases.length),
      logits: (_split: string, kept: readonly string[] = modalities) => {
        const which = subsets.indexOf(kept.join());
        return Promise.resolve(Float32Array.from(cases.flatMap(({ right }) => right[which] === 1 ? [1, 0] : [0, 1])));
      },
    } as unknown as Host;
    const phi = await sampleContributions(host, Int32Array.from(cases, (_, i) => i));
    assertClose(phi, cases.flatMap((one) => one.phi), 1e-6);
    assertEquals([...phi].map((own) => copiesFor(own)), cases.flatMap(({ copies }) => copies));
  }
});

Deno.test("Shapley values, imbalance and interaction of the worked example", () => {
  const v = (subset: number) => [0.1, 0.5, 0.3, 0.6, 0.2, 0.55, 0.4, 0.7][subset];
  const phi = shapleyValues(3, v);
  assertClose(phi, reference.shapley.phi, 1e-8);
  assertAlmostEquals(gapDifference(phi), reference.shapley.imbalance, 1e-8);
  assertAlmostEquals(interactionIndex(3, 0, 1, v), reference.shapley.interaction, 1e-8);
});

Deno.test("modality-valuation: difference of gaps, shares by curve, and whom the copies keep", () => {
  const { gaps, difference, share, probabilities } = reference.modalityValuation;
  assertAlmostEquals(gapDifference(gaps), difference, 1e-8);
  for (const [curve, expected] of Object.entries(share)) {
    assertAlmostEquals(repeatedShare(difference, 1.5, curve as keyof typeof share), expected, 1e-8);
  }
  // Over evenly spaced draws, each modality is kept as often as its share says.
  const counts = [0, 0, 0];
  for (let i = 0; i < 1000; i++) keptOfCopy(gaps, (i + 0.5) / 1000).forEach((kept, u) => counts[u] += kept / 1000);
  assertClose(counts, probabilities, 1e-3);
});
