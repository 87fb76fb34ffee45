/**
 * ARM: dynamic feature-level fusion (DFE), balanced min-max loss (BMML) and dynamic sample re-sampling (DSR), three parts
 * that share one valuation per step.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../tensor/autodiff.ts";
import { at } from "../../core/modality.ts";
import type { Host, Method, ModelContext, TrainStep } from "../../core/kinds/mod.ts";
import type { Scope } from "../../core/scope.ts";
import { crossEntropy } from "../../losses/cross_entropy.ts";
import { fusionWeights, jointContribution, ranged } from "../../miv/valuation.ts";
import { multiplicities, withCopies } from "../../sampling/dsr.ts";
import { whereKept } from "../../losses/kept.ts";
import { balancedMinMax } from "./losses.ts";
import type { ArmOptions } from "./options.ts";
import { addPercentiles, columnOf, copyReport, measuredNames, type Report, weightReport } from "./report.ts";
import { estimatorFloor, meanCosine, readoutLogits, valuate, type Valuation, weightedMeans } from "./valuation.ts";
import { weightedFeatures } from "./weights.ts";

/** Table columns of ARM. Named once for all its parts, so that composed parts share them. */
const COLUMNS = {
  /** Fusion weights that act in this epoch, [m]. */
  weights: "arm/fw",
  /** Fusion weights measured in this epoch, [m]. */
  nextWeights: "arm/fw-next",
  /** Raw phi^CMI(X). */
  joint: "arm/phi",
  /** What `measuredNames` lists. */
  measured: "arm/measured",
} as const;

/** First epoch of DFE and DSR. */
export function warmupEpochs(warmup: number, epochs: number): number {
  return warmup >= 0 ? warmup : Math.max(1, Math.round(epochs / 8));
}

/** Cross-entropy of each modality's readout; a sample counts for the modalities that it keeps. */
function readoutLosses(step: TrainStep, options: ArmOptions, weight: number): Record<string, tf.Tensor> {
  const logits = readoutLogits(step, options, "train");
  return Object.fromEntries(step.modalities.map((modality) => {
    const loss = whereKept(crossEntropy(at(logits, modality), step.labels), step.keep, modality);
    return [`readout:${modality}`, tf.mul(loss, weight)];
  }));
}

/**
 * 1 for rows whose valuation is kept, 0 for those whose table rows stay as they were; `null` if all are kept. One sample
 * alone has no batch to be centred by, and a sample that lacks a modality says nothing about all of them.
 */
function valuedRows({ weights, keep }: TrainStep, { center }: ArmOptions): tf.Tensor | null {
  const enough = center === "none"
    ? null
    : tf.cast(tf.greater(tf.sum(tf.cast(tf.greater(weights, 0), "float32")), 1), "float32");
  const whole = keep === null ? null : Object.values(keep).reduce<tf.Tensor>((a, b) => tf.mul(a, b), tf.scalar(1));
  return enough === null ? whole : whole === null ? enough : tf.mul(enough, whole);
}

/** The hooks of ARM with some of its parts switched on. */
export function armMethod(name: string, options: ArmOptions, context: ModelContext): Method {
  const { modalities } = context;
  const m = modalities.length;
  const useMi = options.bmmlMi && options.lambda1 > 0;
  const useCmi = options.bmmlCmi && options.lambda2 > 0;
  const useLoss = useMi || useCmi;
  const resamples = options.dsr !== "off";
  // With every part off nothing is added to the step: the run equals the bare fusion's, bit for bit.
  if (!options.dfe && !useLoss && !resamples) return { name };
  // Heads of ARM's own move nothing else: their weight has no meaning.
  const readoutWeight = options.readout === "auxiliary" ? 1 : options.readoutWeight;
  const tabled = options.dfe && options.fusionRule === "ratio";
  const names = measuredNames(modalities);
  const lambda = { phiMI: `${name}/lambda1`, phiCMI: `${name}/lambda2` } as const;
  const meanWeights = `${name}/fw-mean`;
  let copies: Int32Array = new Int32Array(0);

  const started = (host: Host) => host.epoch >= warmupEpochs(options.warmup, host.epochs);
  const value = (step: TrainStep) =>
    valuate(step, { classes: step.labels, output: step.output, weights: step.weights }, options, true);
  // Weights of the batch itself come from a valuation before fusion. Where no loss needs another one behind it, that is
  // the batch's valuation: one a step, and what is logged is what acted.
  const weighed = new WeakMap<Scope, Valuation>();
  const valued = (step: TrainStep) => useLoss ? value(step) : weighed.get(step.scope) ?? value(step);
  const lossNow = (step: TrainStep) => step.memo(`${name}/losses`, () => balancedMinMax(valued(step), options));

  return {
    name,
    declares: {
      solo: true,
      claims: [
        ...(options.dfe ? ["scale features by ARM's fusion weights"] : []),
        ...(useMi ? ["add ARM's loss L_phiMI"] : []),
        ...(useCmi ? ["add ARM's loss L_phiCMI"] : []),
        ...(readoutWeight > 0 && options.readout === "solo" ? ["train every modality's readout"] : []),
        ...(resamples ? ["repeat samples by ARM's contributions"] : []),
      ],
      leaksLabels: options.dfe && options.fwTest === "leaky",
      controls: {
        // Weights of terms are fed, so that a schedule or an ablation compiles nothing anew.
        ...(useMi ? { [lambda.phiMI]: 0 } : {}),
        ...(useCmi ? { [lambda.phiCMI]: 0 } : {}),
        ...(tabled && options.fwTest === "dataset-mean" ? { [meanWeights]: new Array<number>(m).fill(1) } : {}),
      },
      columns: {
        ...(tabled ? { [COLUMNS.weights]: { width: m, init: 1 }, [COLUMNS.nextWeights]: { width: m, init: 1 } } : {}),
        [COLUMNS.joint]: { width: 1, init: 0 },
        [COLUMNS.measured]: { width: names.length, init: 0 },
      },
    },
    features: options.dfe
      ? (step) => {
        const { features, value } = weightedFeatures(step, options, COLUMNS.weights, meanWeights);
        if (value !== undefined) weighed.set(step.scope, value);
        return { features: features ?? step.features };
      }
      : undefined,
    loss: useLoss || readoutWeight > 0
      ? (step) => {
        const terms: Record<string, tf.Tensor> = readoutWeight > 0 ? readoutLosses(step, options, readoutWeight) : {};
        if (useMi) terms["phiMI"] = tf.mul(lossNow(step).phiMI, step.scope.control(lambda.phiMI));
        if (useCmi) terms["phiCMI"] = tf.mul(lossNow(step).phiCMI, step.scope.control(lambda.phiCMI));
        return terms;
      }
      : undefined,
    emit(step) {
      const found = valued(step);
      const { phi } = found;
      const joint = jointContribution(phi);
      const { phiMI, phiCMI } = lossNow(step);
      // Behind each entry of the diagonal stand the m of other pairs before the next one.
      const flat = tf.reshape(found.ncmi, [-1, m * m]) as tf.Tensor2D;
      const measured = tf.concat([
        tf.expandDims(found.p, 1),
        found.solo,
        found.nmi,
        phi,
        ...modalities.slice(1).map((_, i) => tf.slice(flat, [0, i * (m + 1) + 1], [-1, m])),
      ], 1) as tf.Tensor2D;
      const logged = {
        "phi": joint,
        "negative": tf.cast(tf.less(joint, 0), "float32"),
        "cosine": meanCosine(found),
        "L:phiMI": stopGradient(phiMI),
        "L:phiCMI": stopGradient(phiCMI),
      };
      // One product for all means: as many small ones cost more.
      const columns = tf.concat([measured, tf.stack(Object.values(logged), 1)], 1) as tf.Tensor2D;
      const means = tf.split(weightedMeans(columns, step.weights), columns.shape[1], 1);
      const floor = estimatorFloor(found, step.weights);
      const stats: Record<string, tf.Scalar> = { "floor:nmi": floor.nmi, "floor:ncmi": floor.ncmi };
      [...names, ...Object.keys(logged)].forEach((name, index) => stats[name] = tf.reshape(means[index], []));
      const counts = valuedRows(step, options);
      const unless = (name: string, rows: tf.Tensor2D) =>
        counts === null
          ? rows
          : tf.add(tf.mul(rows, counts), tf.mul(step.rows(name), tf.sub(1, counts))) as tf.Tensor2D;
      const rows: Record<string, tf.Tensor2D> = {
        [COLUMNS.joint]: unless(COLUMNS.joint, tf.expandDims(joint, 1) as tf.Tensor2D),
        [COLUMNS.measured]: unless(COLUMNS.measured, measured),
      };
      if (tabled) {
        rows[COLUMNS.nextWeights] = unless(COLUMNS.nextWeights, fusionWeights(ranged(phi, options.range)));
      }
      return { rows, stats };
    },
    beforeEpoch(host) {
      const on = host.epoch >= options.lossFrom ? 1 : 0;
      if (useMi) host.setControl(lambda.phiMI, on * options.lambda1);
      if (useCmi) host.setControl(lambda.phiCMI, on * options.lambda2);
      // Eq. 13's weights act in the epoch after the one that measured them.
      if (tabled && started(host)) host.table(COLUMNS.weights).set(host.table(COLUMNS.nextWeights));
      if (tabled && options.fwTest === "dataset-mean") {
        const weights = host.table(COLUMNS.weights);
        host.setControl(
          meanWeights,
          modalities.map((_, u) => columnOf(weights, m, u).reduce((sum, w) => sum + w, 0) * m / weights.length),
        );
      }
    },
    plan: resamples
      ? (host, base) => {
        copies = new Int32Array(0);
        if (!started(host)) return base;
        const { dsr: mode, k: slope, match } = options;
        // Epoch by epoch: the table of the epoch before decides, so that copies are never copied again.
        copies = multiplicities(host.table(COLUMNS.joint), { mode, slope, match, modalities: m });
        const random = host.random.split("arm", "copies");
        return base.map((segment, index) => {
          if (segment.keep !== undefined) {
            throw new RangeError(
              `Cannot re-sample with "${name}" a plan with keep masks: put it before the other method`,
            );
          }
          return { ...segment, items: withCopies(segment.items, copies, random.split(index)) };
        });
      }
      : undefined,
    report(host) {
      const report: Report = {};
      const measured = host.table(COLUMNS.measured);
      names.forEach((quantity, index) => addPercentiles(report, quantity, columnOf(measured, names.length, index)));
      addPercentiles(report, "phi", host.table(COLUMNS.joint));
      if (tabled) Object.assign(report, weightReport(host.table(COLUMNS.weights), modalities));
      if (resamples) {
        Object.assign(report, copyReport(copies.length > 0 ? copies : new Int32Array(host.labels("train").length)));
      }
      return report;
    },
  };
}
