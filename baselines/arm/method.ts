/**
 * ARM as a recipe: a valuation, weights of features (DFE), losses (BMML) and a sampler (DSR) that share it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../tensor/autodiff.ts";
import type { Host, Loss, LossContext, Method, ModelContext, TrainStep } from "../../core/kinds/mod.ts";
import type { Scope } from "../../core/scope.ts";
import { readouts } from "../../losses/readouts.ts";
import { fusionWeights, jointContribution, ranged } from "../../miv/valuation.ts";
import { type Piece, recipe, weighted } from "../recipe.ts";
import type { ArmOptions } from "./options.ts";
import { addPercentiles, columnOf, copiesIn, copyReport, measuredNames, type Report, weightReport } from "./report.ts";
import {
  estimatorFloor,
  meanCosine,
  readoutLogits,
  valuate,
  type Valuation,
  valuationOptionsOf,
  type Valuing,
  weightedMeans,
} from "./valuation.ts";
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

/** First epoch of DFE and of the sampler. */
export function warmupEpochs(warmup: number, epochs: number): number {
  return warmup >= 0 ? warmup : Math.max(1, Math.round(epochs / 8));
}

/** What the pieces of one ARM share. */
interface Shared {
  readonly name: string;
  readonly options: ArmOptions;
  readonly context: ModelContext;
  readonly valuing: Valuing;
  /** The valuation that acts and is logged: behind fusion, or before it where weights come from the batch itself. */
  readonly valued: (step: TrainStep) => Valuation;
  /** Remembers a step's valuation before fusion. */
  readonly weighed: WeakMap<Scope, Valuation>;
  /** Whether an epoch is past the warm-up. */
  readonly started: (host: Host) => boolean;
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

/** Table rows [B, width] that take new values where a row was valued, and keep their old ones elsewhere. */
function rowsWhereValued(step: TrainStep, options: ArmOptions): (column: string, rows: tf.Tensor2D) => tf.Tensor2D {
  const counts = valuedRows(step, options);
  return (column, rows) =>
    counts === null ? rows : tf.add(tf.mul(rows, counts), tf.mul(step.rows(column), tf.sub(1, counts))) as tf.Tensor2D;
}

/** Measures every sample in every epoch, and logs what it finds. */
function valuationPiece({ options, context: { modalities }, valued }: Shared, logs: readonly Loss[]): Piece {
  const m = modalities.length;
  const names = measuredNames(modalities);
  return {
    declares: {
      solo: true,
      groups: true,
      columns: { [COLUMNS.joint]: { width: 1, init: 0 }, [COLUMNS.measured]: { width: names.length, init: 0 } },
    },
    emit(step) {
      const found = valued(step);
      const joint = jointContribution(found.phi);
      // Behind each entry of the diagonal stand the m of other pairs before the next one.
      const flat = tf.reshape(found.ncmi, [-1, m * m]) as tf.Tensor2D;
      const measured = tf.concat([
        tf.expandDims(found.p, 1),
        found.solo,
        found.nmi,
        found.phi,
        ...modalities.slice(1).map((_, i) => tf.slice(flat, [0, i * (m + 1) + 1], [-1, m])),
      ], 1) as tf.Tensor2D;
      const logged: Record<string, tf.Tensor> = {
        "phi": joint,
        "negative": tf.cast(tf.less(joint, 0), "float32"),
        "cosine": meanCosine(found),
      };
      for (const loss of logs) {
        for (const [key, term] of Object.entries(loss.terms(step))) logged[`L:${key}`] = stopGradient(term);
      }
      // One product for all means: as many small ones cost more.
      const columns = tf.concat([measured, tf.stack(Object.values(logged), 1)], 1) as tf.Tensor2D;
      const means = tf.split(weightedMeans(columns, step.weights), columns.shape[1], 1);
      const floor = estimatorFloor(found, step.weights);
      const stats: Record<string, tf.Scalar> = { "floor:nmi": floor.nmi, "floor:ncmi": floor.ncmi };
      [...names, ...Object.keys(logged)].forEach((name, index) => stats[name] = tf.reshape(means[index], []));
      const kept = rowsWhereValued(step, options);
      return {
        rows: {
          [COLUMNS.joint]: kept(COLUMNS.joint, tf.expandDims(joint, 1) as tf.Tensor2D),
          [COLUMNS.measured]: kept(COLUMNS.measured, measured),
        },
        stats,
      };
    },
    report(host) {
      const report: Report = {};
      const measured = host.table(COLUMNS.measured);
      names.forEach((quantity, index) => addPercentiles(report, quantity, columnOf(measured, names.length, index)));
      addPercentiles(report, "phi", host.table(COLUMNS.joint));
      return report;
    },
  };
}

/** DFE: features times their weights, f_i <- FW_i f_i. Weights of Eq. 13 act in the epoch after the one that measured them. */
function featurePiece({ name, options, context: { modalities }, valuing, valued, weighed, started }: Shared): Piece {
  const m = modalities.length;
  const tabled = options.dfe === "ratio";
  const meanWeights = `${name}/fw-mean`;
  const mean = tabled && options.fwTest === "dataset-mean";
  return {
    declares: {
      claims: ["scale features by ARM's fusion weights"],
      ...options.fwTest === "leaky" ? { reads: "labels" as const } : {},
      controls: mean ? { [meanWeights]: new Array<number>(m).fill(1) } : {},
      columns: tabled ? { [COLUMNS.weights]: { width: m, init: 1 }, [COLUMNS.nextWeights]: { width: m, init: 1 } } : {},
    },
    features(step) {
      const { features, value } = weightedFeatures(step, options, valuing, COLUMNS.weights, meanWeights);
      if (value !== undefined) weighed.set(step.scope, value);
      return { features: features ?? step.features };
    },
    emit: tabled
      ? (step) => {
        const weights = fusionWeights(ranged(valued(step).phi, options.range));
        return { rows: { [COLUMNS.nextWeights]: rowsWhereValued(step, options)(COLUMNS.nextWeights, weights) } };
      }
      : undefined,
    beforeEpoch(host) {
      if (tabled && started(host)) host.table(COLUMNS.weights).set(host.table(COLUMNS.nextWeights));
      if (!mean) return;
      const weights = host.table(COLUMNS.weights);
      host.setControl(
        meanWeights,
        modalities.map((_, u) => columnOf(weights, m, u).reduce((sum, w) => sum + w, 0) * m / weights.length),
      );
    },
    report: tabled ? (host) => weightReport(host.table(COLUMNS.weights), modalities) : undefined,
  };
}

/** A loss whose weight is fed, so that a schedule or an ablation compiles nothing anew. */
function lossPiece(control: string, loss: Loss, lambda: number, from: number, claim: string): Piece {
  return {
    declares: { solo: true, claims: [claim], controls: { [control]: 0 } },
    loss: weighted(loss, (step) => step.scope.control(control) as tf.Scalar),
    beforeEpoch: (host) => host.setControl(control, host.epoch >= from ? lambda : 0),
  };
}

/** The sampler: what an epoch draws past the warm-up, by the table of the epoch before, so that copies are never copied. */
function samplerPiece({ options: { sampler }, context, started }: Shared): Piece {
  const { modalities } = context;
  const { plan } = sampler.plugin.create(sampler.options, context);
  const measured = measuredNames(modalities);
  let copies: Int32Array | null = null;
  return {
    declares: { keep: sampler.plugin.keep, claims: ["repeat samples by ARM's contributions"] },
    plan(host, base) {
      copies = null;
      if (!started(host)) return base;
      const labels = host.labels("train");
      const random = host.random.split("arm", "copies");
      if (sampler.plugin.needs === undefined) return plan(base, { labels, random });
      const joint = host.table(COLUMNS.joint);
      const table = host.table(COLUMNS.measured);
      const first = measured.indexOf(`phi:${modalities[0]}`);
      const contributions = Float32Array.from(
        { length: labels.length * modalities.length },
        (_, k) => table[Math.floor(k / modalities.length) * measured.length + first + k % modalities.length],
      );
      const items = Int32Array.from(labels, (_, n) => n);
      const planned = plan(base, { labels, random, joint, valued: { items, contributions } });
      copies = copiesIn(planned, base, labels.length);
      return planned;
    },
    report: (host) => copyReport(copies ?? new Int32Array(host.labels("train").length)),
  };
}

/** The hooks of ARM with some of its parts switched on. */
export function armMethod(name: string, options: ArmOptions, context: ModelContext): Method {
  const { dfe, fwTest, center, lambda1, lambda2, lossFrom, lossWeight, sampler } = options;
  const resamples = sampler.plugin.idle !== true;
  const useLoss = lambda1 > 0 || lambda2 > 0;
  const further = lossWeight > 0 ? options.losses : [];
  // With every part off nothing is added to the step: the run equals the bare fusion's, bit for bit.
  if (dfe === "off" && !useLoss && !resamples && further.length === 0) return { name };

  const valuing: Valuing = {
    options: valuationOptionsOf(options),
    remembers: center === "batch" && dfe !== "off" && (fwTest === "confidence" || fwTest === "leaky"),
  };
  const weighed = new WeakMap<Scope, Valuation>();
  const value = (step: TrainStep) =>
    valuate(step, { stage: "output", classes: step.labels, output: step.output, weights: step.weights }, valuing, true);
  // Weights of the batch itself come from a valuation before fusion. Where no loss needs another one behind it, that is
  // the batch's valuation: one a step, and what is logged is what acted.
  const valued = (step: TrainStep) => useLoss ? value(step) : weighed.get(step.scope) ?? value(step);
  const shared: Shared = {
    name,
    options,
    context,
    valuing,
    valued,
    weighed,
    started: (host) => host.epoch >= warmupEpochs(options.warmup, host.epochs),
  };
  const losses: LossContext = {
    ...context,
    valuation: valued,
    readouts: (step) => readoutLogits(step, options, "train"),
  };
  // One set of terms a step, for the objective and for the log.
  const once = ({ terms }: Loss, slot: string): Loss => ({
    terms: (step) => step.memo(`${name}/${slot}`, () => terms(step)),
  });
  const minimum = once(options.minimum.plugin.create(options.minimum.options, losses), "minimum");
  const gap = once(options.gap.plugin.create(options.gap.options, losses), "gap");
  // Heads of ARM's own move nothing else: their weight has no meaning.
  const readoutWeight = options.readout === "auxiliary" ? 1 : options.readoutWeight;
  const values = dfe !== "off" || useLoss || sampler.plugin.needs !== undefined ||
    further.some(({ plugin }) => plugin.needs?.includes("valuation"));

  return recipe(
    name,
    ...dfe === "off" ? [] : [featurePiece(shared)],
    ...readoutWeight === 0 ? [] : [{
      declares: { claims: options.readout === "solo" ? ["train every modality's readout"] : [] },
      loss: weighted(readouts.create({}, losses), readoutWeight),
    }],
    ...lambda1 === 0 ? [] : [lossPiece(`${name}/lambda1`, minimum, lambda1, lossFrom, "add ARM's loss L_phiMI")],
    ...lambda2 === 0 ? [] : [lossPiece(`${name}/lambda2`, gap, lambda2, lossFrom, "add ARM's loss L_phiCMI")],
    ...further.map(({ name: own, plugin, options }) =>
      lossPiece(`${name}/weight:${own}`, plugin.create(options, losses), lossWeight, lossFrom, `add the loss ${own}`)
    ),
    ...values ? [valuationPiece(shared, [minimum, gap])] : [],
    ...resamples ? [samplerPiece(shared)] : [],
  );
}
