/**
 * ARM: dynamic feature-level fusion (DFE), balanced min-max loss (BMML) and dynamic sample re-sampling (DSR), three parts
 * that share one valuation per step.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../core/autodiff.ts";
import { at, byModality, mapByModality } from "../../core/modality.ts";
import type { Host, Method, ModelContext, Step, TrainStep } from "../../core/plugin.ts";
import { gapLoss, minimumLoss } from "../../losses/balanced_min_max.ts";
import { labelProbability } from "../../losses/cross_entropy.ts";
import { informationOf } from "../../miv/estimators/information.ts";
import {
  centred,
  contributions,
  fusionWeights,
  gated,
  jointContribution,
  lowerBound,
  ranged,
} from "../../miv/valuation.ts";
import { ones } from "../../nn/initializers.ts";
import { histogram, multiplicities, withCopies } from "../../sampling/dsr.ts";
import type { ArmOptions } from "./options.ts";

/** Table columns of ARM. Named once for all its parts, so that composed parts share them. */
const COLUMNS = { weights: "arm/fw", nextWeights: "arm/fw-next", joint: "arm/phi", each: "arm/phi-each" } as const;

/** What one step's valuation gives. */
interface Valuation {
  readonly p: tf.Tensor1D;
  readonly solo: tf.Tensor2D;
  readonly nmi: tf.Tensor2D;
  readonly ncmi: tf.Tensor3D;
  /** Raw phi^CMI(x^i), without gradient, [B, m]. */
  readonly phi: tf.Tensor2D;
}

/** First epoch of DFE and DSR. */
export function warmupEpochs(warmup: number, epochs: number): number {
  return warmup >= 0 ? warmup : Math.max(1, Math.round(epochs / 8));
}

/** The valuation of this step; parts with the same estimator share it. */
function valuate(step: TrainStep, options: ArmOptions): Valuation {
  const { bins, gradient, center, norm, conditionalNorm, index } = options;
  const key = `arm/valuation/${JSON.stringify([bins, gradient, center, norm, conditionalNorm, index])}`;
  return step.memo(key, () => {
    const { parts, fused, logits } = step.solo();
    const centre = (vectors: tf.Tensor2D) => center === "batch" ? centred(vectors, step.weights) : vectors;
    const differentiable = gradient === "straight-through" || gradient === "soft";
    const cut = (vectors: tf.Tensor2D) => gated(vectors, differentiable);
    const { nmi, ncmi } = informationOf(
      mapByModality(parts, (part) => centre(cut(part))),
      centre(cut(fused)),
      { bins, norm, conditionalNorm, estimator: differentiable ? gradient : "hard" },
    );
    const keep = gradient !== "none";
    const p = gated(labelProbability(step.output.logits, step.labels), keep);
    const solo = gated(
      tf.stack(
        step.modalities.map((modality) => labelProbability(at(logits, modality), step.labels)),
        1,
      ) as tf.Tensor2D,
      keep,
    );
    const phi = contributions(stopGradient(p), stopGradient(solo), stopGradient(nmi), stopGradient(ncmi), index);
    return { p, solo, nmi, ncmi, phi };
  });
}

/** The hooks of ARM with some of its parts switched on. */
export function armMethod(name: string, options: ArmOptions, context: ModelContext): Method {
  const m = context.modalities.length;
  const useMi = options.bmmlMi && options.lambda1 > 0;
  const useCmi = options.bmmlCmi && options.lambda2 > 0;
  const useLoss = useMi || useCmi;
  const resamples = options.dsr !== "off";
  const valuates = options.dfe || useLoss || resamples;
  // With every part off nothing is added to the step: the run equals the bare fusion's, bit for bit.
  if (!valuates) return { name };
  const on = `${name}/loss-on`;
  let copies: Int32Array = new Int32Array(0);

  const started = (host: Host) => host.epoch >= warmupEpochs(options.warmup, host.epochs);
  const scale = (step: Step): tf.Tensor2D[] => {
    if (step.scope.mode === "train") return tf.split(step.rows(COLUMNS.weights), m, 1) as tf.Tensor2D[];
    const mean = step.scope.group("aux:arm").buffer("fusion-weights", [1, m], ones);
    return tf.split(mean, m, 1) as tf.Tensor2D[];
  };

  return {
    name,
    declares: {
      solo: true,
      claims: [
        ...(options.dfe ? ["scale features by ARM's fusion weights"] : []),
        ...(useMi ? ["add ARM's loss L_phiMI"] : []),
        ...(useCmi ? ["add ARM's loss L_phiCMI"] : []),
        ...(resamples ? ["repeat samples by ARM's contributions"] : []),
      ],
      controls: useLoss ? { [on]: 0 } : {},
      columns: {
        ...(options.dfe
          ? { [COLUMNS.weights]: { width: m, init: 1 }, [COLUMNS.nextWeights]: { width: m, init: 1 } }
          : {}),
        [COLUMNS.joint]: { width: 1, init: 0 },
        [COLUMNS.each]: { width: m, init: 0 },
      },
    },
    features: options.dfe
      ? (step) => {
        // In prediction the weights are 1 unless their training mean is asked for; labels are never involved.
        if (step.scope.mode === "eval" && options.fwTest === "one") return { features: step.features };
        const weights = scale(step);
        const features = byModality(step.modalities, (modality, index) => {
          const own = at(step.features, modality);
          return { ...own, pooled: tf.mul(own.pooled, weights[index]) as tf.Tensor2D };
        });
        if (step.scope.mode === "train" && options.fwTest === "dataset-mean") {
          const group = step.scope.group("aux:arm");
          const before = group.buffer("fusion-weights", [1, m], ones);
          const now = tf.mean(step.rows(COLUMNS.weights), 0, true);
          group.update("fusion-weights", tf.add(tf.mul(before, 0.99), tf.mul(now, 0.01)));
        }
        return { features };
      }
      : undefined,
    loss: useLoss
      ? (step) => {
        const value = valuate(step, options);
        const active = step.scope.control(on);
        const terms: Record<string, tf.Tensor> = {};
        if (useMi) {
          const bound = lowerBound(value.p, value.nmi, options.minimum, options.tau);
          terms["phiMI"] = tf.mul(tf.mul(minimumLoss(bound), active), options.lambda1);
        }
        if (useCmi) {
          const phi = contributions(
            gated(value.p, options.probGradient),
            gated(value.solo, options.probGradient),
            value.nmi,
            value.ncmi,
            options.index,
          );
          const gap = gapLoss(ranged(phi, options.range), {
            denominatorGradient: options.denominatorGradient,
            asymmetric: options.asymmetric,
          });
          terms["phiCMI"] = tf.mul(tf.mul(gap, active), options.lambda2);
        }
        return terms;
      }
      : undefined,
    emit(step) {
      const { p, nmi, ncmi, phi } = valuate(step, options);
      const joint = jointContribution(phi);
      const stats: Record<string, tf.Scalar> = {
        "p": step.mean(stopGradient(p)),
        "phi": step.mean(joint),
        "negative": step.mean(tf.cast(tf.less(joint, 0), "float32")),
      };
      const column = (values: tf.Tensor2D, index: number) =>
        tf.reshape(tf.slice(values, [0, index], [-1, 1]), [-1]) as tf.Tensor1D;
      step.modalities.forEach((modality, index) => {
        stats[`nmi:${modality}`] = step.mean(column(nmi, index));
        stats[`phi:${modality}`] = step.mean(column(phi, index));
      });
      stats["ncmi"] = step.mean(tf.div(tf.sum(ncmi, [1, 2]), Math.max(1, m * (m - 1))) as tf.Tensor1D);
      return {
        rows: {
          ...(options.dfe ? { [COLUMNS.nextWeights]: fusionWeights(ranged(phi, options.range)) } : {}),
          [COLUMNS.joint]: tf.expandDims(joint, 1) as tf.Tensor2D,
          [COLUMNS.each]: phi,
        },
        stats,
      };
    },
    beforeEpoch(host) {
      if (useLoss) host.setControl(on, host.epoch >= options.lossFrom ? 1 : 0);
      // Eq. 13's weights act in the epoch after the one that measured them.
      if (options.dfe && started(host)) host.table(COLUMNS.weights).set(host.table(COLUMNS.nextWeights));
    },
    plan: resamples
      ? (host, base) => {
        copies = new Int32Array(0);
        if (!started(host)) return base;
        const { dsr: mode, k: slope, match } = options;
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
      const report: Record<string, number | Record<string, number>> = {};
      if (options.dfe) {
        const weights = host.table(COLUMNS.weights);
        context.modalities.forEach((modality, index) => {
          const own = weights.filter((_, position) => position % m === index).sort();
          for (const q of [5, 50, 95]) report[`fw:${modality}:p${q}`] = own[Math.floor((own.length - 1) * q / 100)];
          report[`fw:${modality}`] = binned(own);
        });
      }
      if (resamples) report["copies"] = copies.length === 0 ? { "0": host.labels("train").length } : histogram(copies);
      return report;
    },
  };
}

/** Counts of fusion weights in steps of 0.1, by the lower end of the bin. */
function binned(values: Float32Array): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) {
    const bin = (Math.floor(value * 10 + 1e-6) / 10).toFixed(1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
