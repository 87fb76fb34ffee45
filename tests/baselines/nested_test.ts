/** Methods with teachers, stages and programs of their own: steps, plans and formulas against autograd over NumPy. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  blendingWeights,
  boostedLoss,
  type BranchLosses,
  clippedGapWeight,
  confidence,
  fittedShare,
  gradientFlags,
  informationGain,
  keptEncoders,
  kMeans,
  leastOf,
  purity,
  regulation,
  scaledColumns,
  setbacks,
  squaredGradients,
  stageOf,
} from "../../baselines/mod.ts";
import { cpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import type { TrainStep } from "../../core/kinds/mod.ts";
import { crossEntropy, jensenShannon, klDivergence, labelProbability } from "../../losses/mod.ts";
import { type ReferenceOptions, referenceRun } from "../helpers/reference_run.ts";
import { assertClose, golden, values } from "../helpers/tensors.ts";

interface Case extends ReferenceOptions {
  readonly options: Record<string, unknown>;
  readonly first: Record<string, number[]>;
  readonly last: Record<string, number[]>;
  readonly stats: Record<string, number>;
  readonly logits?: number[];
  readonly solo?: Record<string, number[]>;
}
interface Formulas {
  readonly lfm: { fitted: Record<string, number>; js: number[]; reversed: number[] };
  readonly g2d: { kl: Record<string, number[]>; confidences: number[] };
  readonly infoReg: { gains: number[]; reopened: number[]; beta: Record<string, number> };
  readonly dataRemixing: { surety: number[][] };
  readonly reconBoost: { boosted: number };
  readonly gBlending: { branches: [[number, number], [number, number]][]; weights: number[] }[];
  readonly reLearning: {
    rows: number[];
    width: number;
    starts: number[];
    scaled: number[];
    assigned: number[];
    purity: number;
  }[];
}
const { formulas, ...reference } = golden<Record<string, readonly Case[]> & { formulas: Formulas }>("nested");
const library = createLibrary();
const engine = await cpu.create();

for (const [name, cases] of Object.entries(reference as Record<string, readonly Case[]>)) {
  for (const found of cases) {
    const where = `${found.m} modalities on ${found.fusion}, epoch ${found.epoch}, ${JSON.stringify(found.options)}`;
    Deno.test(`${name}: steps and predictions of a linear model; ${where}`, async () => {
      const run = await referenceRun(library, engine, name, found.options, found);
      for (const [stat, value] of Object.entries(found.stats)) {
        const own = run.stats[stat.startsWith("loss/") ? stat : `${name}/${stat}`];
        assertAlmostEquals(own, value, 1e-4 * Math.max(1, Math.abs(value)), stat);
      }
      for (const [full, values] of Object.entries(found.first)) assertClose(run.first[full], values, 1e-4);
      for (const [full, values] of Object.entries(found.last)) assertClose(run.last[full], values, 3e-4);
      if (found.logits !== undefined) assertClose(run.logits, found.logits, 1e-3);
      for (const [modality, values] of Object.entries(found.solo ?? {})) assertClose(run.solo[modality], values, 1e-3);
    });
  }
}

// ---------------------------------------------------------------------------------------------------------- formulas

const AUDIO = () => tf.tensor2d([[2, 0, -1], [0.5, 1, 0], [0, 0, 1]]);
const IMAGE = () => tf.tensor2d([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0]]);
const LABELS = () => tf.tensor1d([0, 1, 2], "int32");

Deno.test("lfm: the fitted schedule, its bounds, and both divergences", () => {
  for (const [epoch, expected] of Object.entries(formulas.lfm.fitted)) {
    assertAlmostEquals(fittedShare(Number(epoch)), expected, 1e-6);
  }
  assertEquals([-3, 0, 0.5, 0.97].map(clippedGapWeight), [0.05, 0.05, 0.5, 0.95]);
  tf.tidy(() => {
    assertClose(values(jensenShannon(AUDIO(), IMAGE())), formulas.lfm.js, 1e-6);
    assertClose(values(jensenShannon(AUDIO(), IMAGE(), true)), formulas.lfm.reversed, 1e-6);
    const sure = tf.tensor2d([[60, 0, 0]]);
    const other = tf.tensor2d([[0, 60, 0]]);
    assertClose(values(jensenShannon(sure, other)), [Math.LN2], 1e-5);
    assertClose(values(jensenShannon(AUDIO(), AUDIO())), [0, 0, 0], 1e-6);
  });
});

Deno.test("g2d: divergence by temperature, who keeps a gradient, and the parts of the window", () => {
  tf.tidy(() => {
    const fused = tf.tensor2d([[0.5, 0.1, 0], [0.05, 0.5, 0], [0, 0, 0.4]]);
    for (const [temperature, expected] of Object.entries(formulas.g2d.kl)) {
      const T = Number(temperature);
      const found = [AUDIO(), IMAGE()].map((own) => values(tf.mul(tf.mean(klDivergence(own, fused, T)), T * T))[0]);
      assertClose(found, expected, 1e-6);
    }
    const scores = [AUDIO(), IMAGE()].map((own) => tf.mean(labelProbability(own, LABELS())) as tf.Scalar);
    assertClose(scores.map((score) => values(score)[0]), formulas.g2d.confidences, 1e-6);
    const flags = (own: number[], kept: number) =>
      gradientFlags(own.map((score) => tf.scalar(score)), tf.scalar(kept)).map((flag) => values(flag)[0]);
    assertEquals(flags(formulas.g2d.confidences, 1), [0, 1]);
    assertEquals(flags([0.5, 0.5], 1), [1, 1]); // no modulation where confidences are equal
    assertEquals([1, 2, 3].map((kept) => flags([0.9, 0.1, 0.5], kept)), [[0, 1, 0], [0, 1, 1], [1, 1, 1]]);
  });
  assertEquals([0, 1, 4, 5, 10, 11].map((epoch) => keptEncoders(epoch, 1, 10, 2)), [2, 1, 1, 1, 1, 2]);
  assertEquals([0, 1, 5, 6, 10, 11].map((epoch) => keptEncoders(epoch, 1, 10, 3)), [3, 1, 1, 2, 2, 3]);
  assertEquals([0, 1, 2, 3].map((epoch) => keptEncoders(epoch, 0, 2, 4)), [1, 2, 3, 4]);
});

Deno.test("info-reg: growth of information, coefficients, squared gradients", () => {
  const gains = (traces: number[], span: number) =>
    Array.from({ length: traces.length + 1 }, (_, e) => informationGain(traces.slice(0, e), span));
  assertClose(gains([4, 3, 2, 1, 0.5, 0.4], 10), formulas.infoReg.gains, 1e-8);
  assertClose(gains([1, 1, 0, 0, 5, 0, 1], 2), formulas.infoReg.reopened, 1e-8);
  tf.tidy(() => {
    const scores = (how: string) =>
      [AUDIO(), IMAGE()].map((own) => {
        const p = labelProbability(own, LABELS());
        return (how === "mean" ? tf.mean(p) : tf.sum(p)) as tf.Scalar;
      });
    for (const [key, expected] of Object.entries(formulas.infoReg.beta)) {
      const [c, how] = key.split(" ");
      const beta = regulation(scores(how), [Number(c), Number(c)]).map((own) => values(own)[0]);
      assertClose(beta, [expected, 0], 1e-5);
    }
    assertEquals(regulation([tf.scalar(0.4), tf.scalar(0.4)], [1, 1]).map((own) => values(own)[0]), [0, 0]);
    const steps = [
      { a: tf.tensor2d([[0.1, -0.2], [0.3, 0]]), b: tf.tensor2d([[0.4], [0.2]]), bias: tf.tensor1d([9]) },
      { a: tf.tensor2d([[0.2, 0.1], [0, 0.1]]), b: tf.tensor2d([[0.1], [0]]), bias: tf.tensor1d([9]) },
    ];
    const trace = steps.reduce((sum, gradients) => sum + values(squaredGradients(gradients))[0], 0);
    assertAlmostEquals(trace, 0.155, 1e-6);
  });
});

Deno.test("data-remixing: how sure a readout is, and the least sure of several; the first of equals", () => {
  const rows = [AUDIO, IMAGE].map((own) =>
    tf.tidy(() => [0, 1, 2].map((n) => confidence(values(tf.slice(own(), [n, 0], [1, 3])))))
  );
  rows.forEach((own, u) => assertClose(own, formulas.dataRemixing.surety[u], 1e-6));
  assertEquals([0, 1, 2].map((n) => leastOf(rows.map((own) => own[n]))), [1, 1, 0]);
  assertEquals(confidence([0, 0, 0, 0]), 0);
  assertAlmostEquals(confidence([900, 0, 0]), Math.log(3), 1e-9);
});

Deno.test("recon-boost: the boosted loss, and whose turn it is", () => {
  tf.tidy(() => {
    const solved = labelProbability(IMAGE(), LABELS());
    const terms = boostedLoss(AUDIO(), LABELS(), solved, { own: 5, others: 1 });
    assertAlmostEquals(values(tf.mean(terms))[0], formulas.reconBoost.boosted, 1e-6);
  });
  const turns = [0, 1, 2, 3, 4, 5, 6].map((epoch) => {
    const { stage, turn, phase, begins } = stageOf(epoch, 2, 1, 2);
    return `${stage}${turn}${phase[0]}${begins ? "!" : ""}`;
  });
  assertEquals(turns, ["00b!", "00b", "00r!", "11b!", "11b", "11r!", "20b!"]);
});

Deno.test("g-blending: weights by gain over squared overfitting; floors, and equal weights where nothing was gained", () => {
  for (const { branches, weights } of formulas.gBlending) {
    const given: BranchLosses[] = branches.map(([train, validation]) => ({ train, validation }));
    assertClose(blendingWeights(given), weights, 1e-7);
  }
});

Deno.test("g-blending: each readout's loss by its own weight, the task's terms by the last", () => {
  const modalities = ["audio", "image"];
  const method = library.of("method").get("g-blending").create({}, { modalities, classes: 3 });
  tf.tidy(() => {
    const step = {
      modalities,
      keep: null,
      labels: LABELS(),
      solo: () => ({ logits: { audio: AUDIO(), image: IMAGE() } }),
      scope: { control: () => tf.tensor1d([0.2, 0.3, 0.5]) },
    } as unknown as TrainStep;
    const plain = [AUDIO(), IMAGE()].map((own) => values(tf.mean(crossEntropy(own, LABELS())))[0]);
    const found = method.loss!(step);
    const means = ["uni:audio", "uni:image"].map((key) => values(tf.mean(found[key]))[0]);
    assertClose(means, [0.2 * plain[0], 0.3 * plain[1]], 1e-6);
    const task = method.taskLoss!({ one: tf.tensor1d([1, 2, 3]), other: tf.tensor1d([0, 1, 0]) }, step);
    assertEquals(Object.keys(task), ["joint"]);
    assertClose(values(task.joint), [0.5, 1.5, 1.5], 1e-6);
  });
});

Deno.test("re-learning: scaled columns, clusters, purity and setbacks", () => {
  for (const { rows, width, starts, scaled, assigned, purity: expected } of formulas.reLearning) {
    const own = scaledColumns(Float32Array.from(rows), width);
    assertClose([...own], scaled, 1e-6);
    const clusters = kMeans(own, width, starts);
    assertEquals([...clusters], assigned);
    const labels = Int32Array.from(clusters, (_, n) => n % 3);
    assertAlmostEquals(purity(clusters, labels, 3), expected, 1e-9);
  }
  const { audio, image } = setbacks({ audio: 0.9, image: 0.3 }, { audio: 0.8, image: 0.3 }, 3);
  assertAlmostEquals(audio, 0.291313, 1e-6);
  assertEquals(image, 0);
  assertAlmostEquals(setbacks({ audio: 0.5 }, { audio: 0.6 }, 1e9).audio, 1, 1e-12);
  assert(setbacks({ audio: 0.5 }, { audio: 0.6 }, 0).audio === 0);
});
