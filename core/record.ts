/**
 * What a run leaves on disk, as types. The folder `<runs>/<id>/` is the truth; everything else is derived.
 *
 * - `config.json`: `RunConfig`, written first.
 * - `metrics.jsonl`: one `EpochRecord` a line, appended after each epoch.
 * - `valuation.jsonl`: one `ValuationRecord` a line, appended before each epoch's record.
 * - `checkpoint.safetensors`: tensors, tables and the place in the schedule in one file, replaced atomically.
 * - `progress.json`: `RunProgress`, replaced while the run goes on; of no meaning afterwards.
 * - `failure.json`: `RunFailure`, if the run stopped by an error; removed when it is run again.
 * - `summary.json`: `RunSummary`, written last, atomically: its presence means finished.
 * - `timing.json`: `RunTiming`. Apart from the others because those are equal, byte for byte, for equal configurations.
 * - `predictions-<split>.safetensors`: `Predictions` of validation and test by the tested parameters.
 * - `features-test.safetensors`: `PooledFeatures`, where a bench was asked to keep them.
 * - `test-curve.jsonl`: one `TestPoint` a line, where a bench was asked to keep them; read by nothing that chooses.
 * - `log.txt`: what happened, a line with its time each, for people.
 *
 * Beside the runs, `<runs>/experiments/<name>.json` holds what a bench asked: `Experiment`.
 *
 * @module
 */
import type { ByModality } from "./modality.ts";
import type { RawOptions } from "./options.ts";

/** A part chosen by name, with all its options resolved. */
export interface PartConfig {
  readonly name: string;
  readonly options: RawOptions;
}

/** How a run is trained; the same for every method of a grid. */
export interface TrainingConfig {
  /** `"samples"`: stop when `epochs` x N samples are drawn, whatever a method repeats. `"epochs"`: count epochs. */
  readonly budget: "samples" | "epochs";
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: "sgd" | "adamw";
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: "constant" | "cosine" | "linear" | "step";
  /** Fraction of the budget after which `"step"` multiplies the rate by 0.1. */
  readonly stepAt: number;
  /** Share of the budget over which the rate first rises linearly from 0. @default {0} */
  readonly warmup?: number;
  /** Factor on the learning rate from each layer of an encoder to the one before it. @default {1} */
  readonly layerDecay?: number;
  /** Largest global gradient norm; 0 turns clipping off. */
  readonly clipNorm: number;
  /** Which epoch's parameters are tested. */
  readonly select: "best" | "last";
  /** The task's loss of the fused logits. @default cross-entropy */
  readonly loss?: PartConfig;
  /** What changes the samples that training draws, in order. Absent if nothing does. */
  readonly augment?: readonly PartConfig[];
}

/** Weights that an encoder starts from. */
export interface WeightsConfig {
  /** As given; not part of the run's id, as files may be moved. */
  readonly path: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly digest: string;
}

/**
 * Everything that is needed to repeat a run. Its canonical JSON is hashed into the run's id, but for `git`, `plugins` and
 * the paths of weights, which say where things were and not what was run.
 */
export interface RunConfig {
  /** 2; 1 is that of older versions, whose runs are shown and never gone on with. */
  readonly format: 1 | 2;
  readonly dataset: PartConfig & {
    readonly fingerprint: string;
    /** Options that say where the data lies. Absent if there are none. */
    readonly places?: readonly string[];
  };
  /** The modalities that are used, sorted. */
  readonly modalities: readonly string[];
  readonly encoders: ByModality<PartConfig>;
  /** Weights of encoders that do not start as drawn, by modality. Absent if there are none. */
  readonly weights?: ByModality<WeightsConfig>;
  /** Selectors of parameter groups that are not trained, sorted. Absent if all are. */
  readonly freeze?: readonly string[];
  /** Factors on the learning rate by selector of parameter groups. Absent if all are 1. */
  readonly rates?: Readonly<Record<string, number>>;
  readonly fusion: PartConfig;
  readonly methods: readonly PartConfig[];
  readonly training: TrainingConfig;
  readonly seed: number;
  readonly engine: { readonly name: string; readonly version: string; readonly threads: number };
  /** Version of armlab. */
  readonly version: string;
  /**
   * What the parts that armlab does not bring were made of, by kind and name, `fusion my-fusion`: the SHA-256 of their
   * module with all that it imports from files, or a package with its version. Absent if all parts are built in.
   */
  readonly code?: Readonly<Record<string, string>>;
  /** Modules that registered the parts which are used, as given; not part of the id, as files may be moved. */
  readonly plugins: readonly string[];
  /** Commit of the working tree, if there is one; not part of the id. */
  readonly git?: string;
}

/** Accuracy of one modality's own readout. */
export interface ModalityMetrics {
  /** Accuracy of the fusion's own readout, named by `readout`. */
  readonly accuracy: number;
  readonly readout: string;
  /** Accuracy with all other modalities' features replaced by their training mean. */
  readonly ablateMean: number;
  /** Mean normalised mutual information I(f_y; f_u), 0..1. */
  readonly nmi: number;
  /** Mean probability of the true class by this modality's readout. */
  readonly probability: number;
  /** Mean raw contribution phi^CMI(x^u), in [-(m-1), m] (methods: ARM Eq. 11). */
  readonly phi: number;
}

/** What is measured over one split. */
export interface SplitMetrics {
  readonly size: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly perModality: ByModality<ModalityMetrics>;
  /** Mean over samples and pairs of |phi_i - phi_j|. */
  readonly contributionGap: number;
  /** Mean over samples of phi^CMI(X) (ARM Eq. 12). */
  readonly jointContribution: number;
  /** Recall of each class, in class order. */
  readonly recall: readonly number[];
}

/** One line of `metrics.jsonl`. Holds no wall-clock time, so that equal runs write equal bytes. */
export interface EpochRecord {
  /** From 0. */
  readonly epoch: number;
  /** Optimiser steps so far. */
  readonly steps: number;
  /** Training samples drawn so far, copies included. */
  readonly samplesDrawn: number;
  readonly learningRate: number;
  /** Mean of each loss term over the epoch; `total` is what was minimised. */
  readonly loss: Readonly<Record<string, number>>;
  /** Share of steps whose gradient was clipped. */
  readonly clipped: number;
  /** Training accuracy over the epoch's batches, as drawn. */
  readonly trainAccuracy: number;
  readonly validation: SplitMetrics;
  /** What methods report, by method: scalars, and histograms as counts by label. */
  readonly methods: Readonly<Record<string, Readonly<Record<string, number | Readonly<Record<string, number>>>>>>;
}

/** One line of `test-curve.jsonl`. */
export interface TestPoint {
  /** From 0. */
  readonly epoch: number;
  /** On test, with the parameters after it. */
  readonly accuracy: number;
}

/** The result of a finished run. Holds no wall-clock time. */
export interface RunSummary {
  readonly format: 1;
  readonly id: string;
  readonly seed: number;
  /** Which split chose the tested parameters. */
  readonly selectedOn: "validation" | "none";
  /** The epoch that was tested. */
  readonly selectedEpoch: number;
  readonly epochs: number;
  readonly steps: number;
  readonly samplesDrawn: number;
  /** Runs that this one learnt from, by the method's names for them, with the samples that they drew. */
  readonly teachers?: Readonly<Record<string, { readonly id: string; readonly samplesDrawn: number }>>;
  readonly validation: SplitMetrics;
  readonly test: SplitMetrics;
  /** Names of the dataset's classes, in the order of `recall`. Absent in what older versions wrote. */
  readonly classes?: readonly string[];
  /** Present if predictions were computed from the labels of what was predicted: not a result, a demonstration. */
  readonly readsLabels?: true;
  /** Trainable scalars, in all and by group. */
  readonly parameters: number;
  readonly parametersByGroup: Readonly<Record<string, number>>;
  /**
   * Multiply-adds of one sample's forward pass through encoders and fusion, without methods; `null` where a kernel's cannot
   * be counted. Absent in what older versions wrote.
   */
  readonly multiplyAdds?: number | null;
  /** The same by part: `encoder:<modality>`, `fusion`. */
  readonly multiplyAddsByPart?: Readonly<Record<string, number | null>>;
  /**
   * Multiply-adds of all training steps by the usual count, a backward as two forwards: samples drawn x multiply-adds x
   * (forwards + 2 backwards), with the passes that the methods declare. Passes between steps are left out.
   */
  readonly trainingMultiplyAdds?: number | null;
}

/** Wall-clock figures of a run, summed over interruptions. */
export interface RunTiming {
  readonly seconds: number;
  readonly trainSeconds: number;
  readonly evaluationSeconds: number;
  readonly compileSeconds: number;
  /** Median milliseconds of a training step. */
  readonly stepMs: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly device: string;
  /** Processors that trained it, one behind the other. Absent in what older versions wrote. */
  readonly processor?: string;
  readonly deno: string;
}

/** Where a running run stands. */
export interface RunProgress {
  /** The last epoch that ended, from 0; -1 before the first. */
  readonly epoch: number;
  readonly epochs: number;
  readonly samplesDrawn: number;
  readonly samplesBudget: number;
  readonly samplesPerSecond: number;
  readonly validationAccuracy: number | null;
  readonly pid: number;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** A step of training as a curve shows it. What was not finite, or not measured, is `null`. */
export interface StepPoint {
  /** Steps before it. */
  readonly step: number;
  /** What was minimised. */
  readonly loss: number | null;
  /** Global norm of the gradient before clipping; measured where gradients are clipped. */
  readonly gradientNorm: number | null;
}

/** Why a run stopped by itself. */
export interface RunFailure {
  readonly message: string;
  readonly epoch: number | null;
  readonly step: number | null;
  /** The loss term or input that went wrong, if one did. */
  readonly term: string | null;
  /** The last good checkpoint's epoch, if there is one. */
  readonly checkpointEpoch: number | null;
  /** Steps of the epoch in which it diverged, thinned. Absent if it did not, and in what older versions wrote. */
  readonly curve?: readonly StepPoint[];
  /** Where a defect was thrown. Absent of what was refused or diverged, and in what older versions wrote. */
  readonly stack?: string;
  /** The command that runs this cell again. */
  readonly command: string;
  readonly at: string;
}

/**
 * What the tested parameters predict for one split: N samples in the split's order, C classes, modalities by name.
 *
 * Tests, calibration and confusion matrices follow from it without training again.
 */
export interface Predictions {
  readonly split: "validation" | "test";
  /** Place of each sample in its split [N]. */
  readonly ids: Int32Array;
  /** Numbers of the samples' groups, by first appearance [N]: samples of one group are not independent. */
  readonly groups: Int32Array;
  /** True classes [N]. */
  readonly labels: Int32Array;
  /** Classes of the fused prediction [N]. */
  readonly predicted: Int32Array;
  /** Probability of the predicted class [N]. */
  readonly confidence: Float32Array;
  /** Probabilities of all classes [N, C]; `null` where they would be too many to keep. */
  readonly fused: Float32Array | null;
  /** The same by each modality's own readout. */
  readonly solo: ByModality<Float32Array> | null;
  /** Raw contributions phi^CMI of each modality [N] (methods: ARM Eq. 11). */
  readonly phi: ByModality<Float32Array>;
}

/**
 * One line of `valuation.jsonl`: how an epoch left the samples of validation that are followed, the same ones in all runs on
 * a split. Raw contributions phi^CMI (methods: ARM Eq. 11) and probabilities of the true class, to six digits.
 */
export interface ValuationRecord {
  /** From 0. */
  readonly epoch: number;
  /** Places in the validation split [n]. */
  readonly ids: readonly number[];
  /** Contribution of each modality [n]. */
  readonly phi: ByModality<readonly number[]>;
  /** Probability of the true class [n]. */
  readonly fused: readonly number[];
  /** The same by each modality's own readout [n]. */
  readonly solo: ByModality<readonly number[]>;
}

/** Pooled features of the test split by the tested parameters: N samples in the split's order. */
export interface PooledFeatures {
  /** True classes [N]. */
  readonly labels: Int32Array;
  /** Of each modality [N, d_u]. */
  readonly pooled: ByModality<Float32Array>;
  /** The fused feature [N, d]. */
  readonly fused: Float32Array;
}

/** The place of a row in a comparison over several data sets. */
export interface AcrossPlace {
  /** What is compared: the same on all data sets. */
  readonly subject: string;
  /** What the data set is called. */
  readonly data: string;
}

/** One row of an experiment: a configuration with its seeds. */
export interface ExperimentRow {
  /** As the grid names it; unique within the experiment. */
  readonly label: string;
  /** Id of the configuration. */
  readonly configuration: string;
  /** Its place in a comparison over several data sets. Absent if it has none. */
  readonly across?: AcrossPlace;
  /** Planned runs, in the order of the seeds. */
  readonly runs: readonly { readonly seed: number; readonly id: string }[];
}

/** Which rows of an experiment are trials of which. */
export interface ExperimentTuning {
  /** Trials of a configuration in each study. */
  readonly trials: number;
  /** Configurations that are tuned. */
  readonly rows: readonly {
    /** Of the row with the configuration as given. */
    readonly label: string;
    /** Options that are tuned, as `--set` names them. */
    readonly tuned: readonly string[];
    readonly trials: readonly {
      /** Of the trial's row. */
      readonly label: string;
      /** The study's seed. */
      readonly study: number;
      /** As `--set` takes them. */
      readonly settings: readonly string[];
    }[];
  }[];
}

/** What a bench asked, kept before its first run starts. */
export interface Experiment {
  readonly format: 1;
  /** Of the file, without its ending. */
  readonly name: string;
  readonly question: string | null;
  /** The command that runs it again. */
  readonly command: string;
  /** Rows in the order of the grid. */
  readonly rows: readonly ExperimentRow[];
  /** Label of the row that others are compared with. */
  readonly reference: string;
  readonly seeds: readonly number[];
  /** In words. */
  readonly budget: string;
  /** Modules of plugins, as given. */
  readonly plugins: readonly string[];
  /** Which rows are trials of which, where it tunes. Absent if it does not. */
  readonly tuning?: ExperimentTuning;
  /** ISO 8601. */
  readonly writtenAt: string;
}
