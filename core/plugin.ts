/**
 * Contracts of everything that can be swapped. A plugin is a plain value; importing it does nothing.
 *
 * Symbols: B batch, d width, C classes, m modalities, N samples.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { ByModality } from "./modality.ts";
import type { OptionSpecs, RawOptions } from "./options.ts";
import type { NamedTensors } from "./program.ts";
import type { Random } from "./random.ts";
import type { Scope } from "./scope.ts";

/** What every plugin says of itself, for `--list` and `--describe`. */
export interface About {
  /** Kebab-case name from the paper. */
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** The formula in plain text, where there is one. */
  readonly formula?: string;
  /** Author et al., "Title", venue and year, equation; or where else it comes from. */
  readonly source?: string;
  /** Its options. */
  readonly options: OptionSpecs;
  /** Options that make it as small as it gets with all its structure: what contracts are checked with. @default {} */
  readonly tiny?: RawOptions;
  /** Version of armlab whose `define...` made it. */
  readonly madeWith?: string;
}

// ---------------------------------------------------------------------------------------------------------- encoders

/** What an encoder makes of one modality's input. */
export interface Features {
  /** [B, d]. */
  readonly pooled: tf.Tensor2D;
  /** Token sequence [B, T, D], if the encoder has one. */
  readonly tokens?: tf.Tensor3D;
  /** 1 where `tokens` are, 0 for padding, [B, T]. Without it, all are. */
  readonly tokenMask?: tf.Tensor2D;
  /** Outputs of the deepest stages that a fusion asked for, shallow to deep: [B, ..., c] each. */
  readonly stages?: readonly tf.Tensor[];
}

/**
 * One stage of an encoder: feature map to feature map, `[B, ..., c]`. The first stage's map is the input.
 *
 * @param input The modality's input, from which any stage can tell what is padding.
 */
export type Stage = (map: tf.Tensor, scope: Scope, input: tf.Tensor) => tf.Tensor;

/**
 * An encoder as a chain of stages and a head. The harness runs the stages, so that a fusion may gate the maps between
 * them (MMTM, CentralNet) without the encoder knowing.
 */
export interface Encoder {
  /** At least one; the output of the last goes to `head`. */
  readonly stages: readonly Stage[];
  /** Whether `head` returns tokens. */
  readonly tokens: boolean;
  /** Last feature map to features; `input` as in `Stage`. */
  head(map: tf.Tensor, scope: Scope, input: tf.Tensor): Omit<Features, "stages">;
}

/** A registered encoder. */
export interface EncoderPlugin extends About {
  readonly kind: "encoder";
  /** Says why an input cannot be encoded, or `null`. */
  refuses(input: ModalityInfo, options: RawOptions): string | null;
  /** Builds the encoder for one modality. */
  create(options: RawOptions, input: ModalityInfo): Encoder;
}

// ------------------------------------------------------------------------------------------------------------ fusion

/** What every part of a model knows of the task. */
export interface ModelContext {
  /** Sorted names. */
  readonly modalities: readonly string[];
  /** Number of classes C. */
  readonly classes: number;
}

/** Which modalities of a sample take part: one column [B, 1] of 0 and 1 per modality, or `null` if all of all. */
export type Keep = ByModality<tf.Tensor2D> | null;

/** How a dropped modality's feature is filled. */
export type KeepFill = "zero" | "mean";

/** What a fusion makes of all features. */
export interface FusionOutput {
  /** Fused feature f_y, [B, d]. */
  readonly fused: tf.Tensor2D;
  /** [B, C]. */
  readonly logits: tf.Tensor2D;
  /** Logits of heads that belong to one modality each, if the fusion has such heads: [B, C]. */
  readonly own?: ByModality<tf.Tensor2D>;
  /** The modalities' parts of the fused feature, if it is their sum: `solo` may use them, so that gradients meet there. */
  readonly parts?: ByModality<tf.Tensor2D>;
}

/** Each modality's part in the fused feature and its own readout. */
export interface Solo {
  /** Bias-free solo image z_u in fused space, [B, d]. */
  readonly parts: ByModality<tf.Tensor2D>;
  /** Bias-free fused feature, [B, d]: what `parts` are compared with. */
  readonly fused: tf.Tensor2D;
  /** Unimodal logits, [B, C]. */
  readonly logits: ByModality<tf.Tensor2D>;
}

/** How a fusion's unimodal readout is defined; named beside every per-modality number. */
export type SoloMode = "split" | "own" | "ablate-zero" | "ablate-mean";

/** What a fusion needs of its encoders. */
export interface FusionNeeds {
  /** How many of the deepest stages it wants to see and gate. @default {0} */
  readonly stages?: number;
  /** Whether it needs token sequences. @default {false} */
  readonly tokens?: boolean;
  /** Whether all pooled widths must be equal. @default {false} */
  readonly equalWidths?: boolean;
}

/** A fusion with its head. All functions are pure and may be called several times in one pass. */
export interface Fusion {
  readonly needs: FusionNeeds;
  /** What `solo` does, or `"ablate-mean"`/`"ablate-zero"` where the harness derives it from keep masks. */
  readonly soloMode: SoloMode;
  /**
   * Called between the encoders' stages, once per level, shallow to deep: may change the maps.
   *
   * @param level 0 .. needs.stages - 1; the last is the deepest stage.
   */
  gate?(level: number, maps: ByModality<tf.Tensor>, keep: Keep, scope: Scope): ByModality<tf.Tensor>;
  /**
   * Multiplicative channel gates [B, c_u] of each modality's map, applied by the harness before `gate`. Apart from `gate`,
   * so that a method can look at gates and replace them.
   */
  channelGates?(level: number, maps: ByModality<tf.Tensor>, keep: Keep, scope: Scope): ByModality<tf.Tensor2D>;
  /**
   * The modalities into which a parameter carries information from other modalities: what a balancing method treats as
   * the path around a modality's own encoder. Empty for parameters that carry none.
   *
   * @param param Full parameter name.
   */
  bypass?(param: string): readonly string[];
  /**
   * Features to logits. Parameters live in `scope.group("fusion")`, `scope.group("head")` and
   * `scope.group("head:<modality>")`.
   *
   * @param keep Modalities dropped here must not influence the output; the fusion says how it fills them.
   * @param means Mean pooled feature [1, d_u] of each modality over the training set, for `keepFill: "mean"`.
   */
  forward(
    features: ByModality<Features>,
    keep: Keep,
    scope: Scope,
    means: ByModality<tf.Tensor2D>,
  ): FusionOutput;
  /**
   * Exact unimodal parts and readouts. Without it, the harness uses one-hot keep masks according to `soloMode`.
   *
   * @param output What `forward` gave for the same features with all modalities kept, if it ran.
   */
  solo?(features: ByModality<Features>, scope: Scope, output?: FusionOutput): Solo;
  /**
   * The fusion's own training loss, where it is not cross-entropy on `logits`: per-sample terms [B] by key.
   * The sum of all keys is minimised. A head of a modality that a sample lacks must have loss 0 there.
   */
  loss?(output: FusionOutput, labels: tf.Tensor1D, scope: Scope, keep: Keep): Record<string, tf.Tensor1D>;
}

/** A registered fusion. */
export interface FusionPlugin extends About {
  readonly kind: "fusion";
  /**
   * Whether other names for the same modalities change nothing. False where one is treated apart, or where one parameter
   * holds parts of all in sorted order.
   *
   * @default {true}
   */
  readonly symmetric?: boolean;
  /** Builds the fusion. @throws {RangeError} If it cannot serve this many modalities. */
  create(options: RawOptions, context: ModelContext): Fusion;
}

// ----------------------------------------------------------------------------------------------------------- methods

/** A traced step as methods see it, in training and evaluation. */
export interface Step {
  readonly scope: Scope;
  /** Sorted names. */
  readonly modalities: readonly string[];
  readonly classes: number;
  /** Pooled features (and more) after all `features` hooks that ran so far. */
  readonly features: ByModality<Features>;
  /** The fusion's output after all `output` hooks that ran so far. */
  readonly output: FusionOutput;
  /** Modality mask of the batch, or `null` if every sample has all. */
  readonly keep: Keep;
  /** Class indices, int32 [B]: in training. `null` in prediction, but for methods that declare `leaksLabels`. */
  readonly visibleLabels: tf.Tensor1D | null;
  /** The modalities into which a parameter carries information from others, as the fusion says. */
  bypass(param: string): readonly string[];
  /** Unimodal parts and readouts of the current features; computed once per step. */
  solo(): Solo;
  /** Output with only these modalities kept (feature level, no buffer updates); computed once per step and subset. */
  subset(kept: readonly string[]): FusionOutput;
  /** Gathered rows [B, width] of a per-sample table column that a method declared. In evaluation: the initial value. */
  rows(column: string): tf.Tensor2D;
  /** Shares one result among methods: computed at the first call with this key in this step. */
  memo<T>(key: string, make: () => T): T;
}

/** A training step: a step with labels and weights. */
export interface TrainStep extends Step {
  /** Class indices, int32 [B]. */
  readonly labels: tf.Tensor1D;
  /** Sample weights [B]; 0 marks padding. */
  readonly weights: tf.Tensor1D;
  /** Weighted mean over the batch: sum(w x) / sum(w), for per-sample terms [B]. */
  mean(perSample: tf.Tensor1D): tf.Scalar;
}

/** Gradients of a training step, by full parameter name. */
export interface GradientBook {
  /** Gradients of the sum of all loss terms. A fresh record at each call. */
  total(): NamedTensors;
  /** Gradients of the sum of some loss terms. */
  of(keys: readonly string[]): NamedTensors;
  /** The parameters' values. */
  readonly params: Readonly<NamedTensors>;
}

/** A column of the per-sample table. */
export interface ColumnSpec {
  /** Values per sample. */
  readonly width: number;
  /** Initial value of every entry. */
  readonly init: number;
}

/** A training program: which loss terms move which parameter groups. */
export interface ProgramSpec {
  readonly name: string;
  /** Groups that are trained; a trailing `*` fits any ending (`"encoder:*"`). @default {["*"]} */
  readonly train?: readonly string[];
  /** Loss terms that are minimised. @default all */
  readonly lossKeys?: readonly string[];
}

/** What a method adds to the harness. */
export interface Declarations {
  /** Values that the host feeds at each step, with their start values. */
  readonly controls?: Readonly<Record<string, number | readonly number[]>>;
  /** Columns of the per-sample table. */
  readonly columns?: Readonly<Record<string, ColumnSpec>>;
  /** Training programs beside (or instead of) `main`. */
  readonly programs?: readonly ProgramSpec[];
  /** Whether plans of this method carry keep masks. @default {false} */
  readonly keep?: boolean;
  /** Whether the method needs every modality's own readout trained or read in the step. @default {false} */
  readonly solo?: boolean;
  /**
   * Whether predictions are computed from the labels of what is predicted, as some released codes do. Prediction is then
   * fed with labels, every result is marked, and none of them is ranked. @default {false}
   */
  readonly leaksLabels?: boolean;
  /**
   * What only one method of a run may do, as the end of "both ...": "replace the task's loss". Methods that share a claim
   * are refused together.
   */
  readonly claims?: readonly string[];
  /**
   * Whether `plan` passes on the keep masks of the plan that it gets. A method that plans and does not must stand before
   * those that drop modalities. @default {false}
   */
  readonly passesKeep?: boolean;
}

/** Claims that the harness itself knows. */
export const CLAIMS = {
  /** `taskLoss` returns terms of its own, whatever it got. */
  taskLoss: "replace the task's loss",
  /** `channelGates` returns gates of its own. */
  channelGates: "replace the channel gates",
} as const;

/** Part of an epoch: programs run on every batch of an index list. */
export interface Segment {
  /** Run in turn on each batch. */
  readonly programs: readonly string[];
  /** Indices into the training split, in the order of use; may repeat. */
  readonly items: Int32Array;
  /** One 0/1 flag per item and modality, row-major [items, m]; absent means all kept. */
  readonly keep?: Uint8Array;
  /** How often the list is run through. @default {1} */
  readonly epochs?: number;
  /** Groups whose optimiser state is cleared first. */
  readonly resetOptimizer?: readonly string[];
}

/** What can be asked of a split that holds labels for selection. The test split is not among them. */
export type OpenSplit = "train" | "validation";

/** Loss and accuracy over a split. */
export interface EvaluationResult {
  readonly loss: number;
  readonly accuracy: number;
}

/** Arrays of one pass over a split in evaluation mode, row-major. */
export interface PassResult {
  /** [N, C]. */
  readonly logits: Float32Array;
  /** [N, d_u] per modality. */
  readonly pooled: ByModality<Float32Array>;
  /** Unimodal logits [N, C] per modality. */
  readonly solo: ByModality<Float32Array>;
}

/** The host side of a run, as methods see it between steps and epochs. */
export interface Host {
  readonly epoch: number;
  readonly epochs: number;
  readonly random: Random;
  readonly modalities: readonly string[];
  readonly classes: number;
  /** Labels of an open split. */
  labels(split: OpenSplit): Int32Array;
  /** The per-sample table column, row-major [N, width]; may be written. */
  table(column: string): Float32Array;
  /** Reads or sets a control. */
  control(name: string): readonly number[];
  setControl(name: string, value: number | readonly number[]): void;
  /** A pass over a split in evaluation mode, optionally with only some modalities kept (feature level). */
  pass(split: OpenSplit, kept?: readonly string[], items?: Int32Array): Promise<PassResult>;
  /** Logits [n, C] alone of such a pass, which costs less. */
  logits(split: OpenSplit, kept?: readonly string[], items?: Int32Array): Promise<Float32Array>;
  /** Loss and accuracy of a split, optionally with only some modalities kept. */
  evaluate(split: OpenSplit, kept?: readonly string[]): Promise<EvaluationResult>;
  /** Nested training; its samples are counted as drawn. Returns the mean of each loss term. */
  train(segments: readonly Segment[]): Promise<Record<string, number>>;
  /** Copies of parameters (by groups) on the host. */
  params(groups: readonly string[]): Promise<Record<string, Float32Array>>;
  setParams(values: Record<string, Float32Array>): Promise<void>;
  /** Saves parameters, optimiser state and buffers in memory; `restore` brings them back. */
  snapshot(): Promise<number>;
  restore(id: number): Promise<void>;
}

/**
 * A balancing method: pure tensor functions inside the step and ordinary code between steps. All hooks are optional.
 * Hooks of composed methods run in the order given.
 */
export interface Method {
  readonly name: string;
  readonly declares?: Declarations;
  // ---- traced, in this order ----
  /** Changes raw inputs. */
  input?(inputs: ByModality<tf.Tensor>, scope: Scope): ByModality<tf.Tensor>;
  /** Changes features before fusion; may drop samples (weights) or modalities (keep). */
  features?(step: Step): {
    readonly features: ByModality<Features>;
    readonly weights?: tf.Tensor1D;
    readonly keep?: Keep;
  };
  /** Changes the fusion's channel gates, [B, c_u] per modality. */
  channelGates?(level: number, gates: ByModality<tf.Tensor2D>, scope: Scope): ByModality<tf.Tensor2D>;
  /** Changes between-stage gating: called with the fusion's gate result. */
  gate?(level: number, maps: ByModality<tf.Tensor>, gated: ByModality<tf.Tensor>, scope: Scope): ByModality<tf.Tensor>;
  /** Changes the output, at training and at prediction. */
  output?(step: Step): FusionOutput;
  /** Loss terms by key: per sample [B], or scalars. The key `"joint"` is taken by the task's own loss. */
  loss?(step: TrainStep): Record<string, tf.Tensor>;
  /** Replaces or scales the task's own loss term(s), e.g. by a weight per sample. */
  taskLoss?(terms: Record<string, tf.Tensor1D>, step: TrainStep): Record<string, tf.Tensor>;
  /** Changes the gradients that go to the optimiser. */
  gradients?(gradients: NamedTensors, book: GradientBook, step: TrainStep): NamedTensors;
  /** New table rows [B, width] by column, and scalars to log. Buffers are updated through the scope. */
  emit?(step: TrainStep): {
    readonly rows?: Record<string, tf.Tensor2D>;
    readonly stats?: Record<string, tf.Scalar>;
  };
  // ---- host ----
  beforeEpoch?(host: Host): void | Promise<void>;
  /** The index plan of the coming epoch. */
  plan?(host: Host, base: readonly Segment[]): readonly Segment[] | Promise<readonly Segment[]>;
  afterEpoch?(host: Host): void | Promise<void>;
  /** After each step, with the step's scalars by name (`loss/joint`, `<method>/<stat>`). Rarely needed. */
  afterStep?(stats: Readonly<Record<string, number>>, host: Host): void;
  /** What the method wants in the epoch's log: scalars and histograms (counts by label). */
  report?(host: Host): Record<string, number | Record<string, number>>;
  /** Host memory that must survive a restart, as JSON; tables, buffers and controls are kept anyway. */
  save?(): unknown;
  load?(saved: unknown): void;
}

/** A registered method. */
export interface MethodPlugin extends About {
  readonly kind: "method";
  /** Whether it treats all modalities alike, so that other names for them change nothing. @default {true} */
  readonly symmetric?: boolean;
  /** Which encoder widths it takes: any, or only that of the fused feature. @default {"any"} */
  readonly widths?: "any" | "fused";
  /** Which fusions it works with, in words; `null` means all. */
  readonly worksWith?: string;
  /** Says why it cannot be combined with a fusion, or `null`. */
  refuses?(fusion: Fusion, context: ModelContext, options: RawOptions): string | null;
  /** Forward and backward passes per step relative to plain training, for cost tables. @default 1 and 1 */
  readonly cost?: { readonly forwards: number; readonly backwards: number };
  /**
   * Forward passes between the steps of an epoch past any warm-up, in multiples of the training set, for cost tables.
   * @default 0
   */
  passes?(options: RawOptions, context: ModelContext): number;
  create(options: RawOptions, context: ModelContext): Method;
}

// ---------------------------------------------------------------------------------------------------------- datasets

/** What one modality's input is. */
export interface ModalityInfo {
  /** Shape of one sample, without the batch axis: [28, 28, 1], [32, 32, 1], [300]. */
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  /** Number of ids V, for token ids in 0..V-1 of which 0 is padding. */
  readonly vocabulary?: number;
  /** What it is, with units. */
  readonly about: string;
}

/** One split, in memory. */
export interface Split {
  /** Number of samples N. */
  readonly size: number;
  /** Class indices [N]. */
  readonly labels: Int32Array;
  /** Inputs, row-major [N, ...shape], per modality. */
  readonly inputs: ByModality<Float32Array | Int32Array>;
  /** Group id per sample: splits share no group. */
  readonly groups: readonly string[];
}

/** Names of splits. */
export type SplitName = "train" | "validation" | "test";

/** A loaded dataset. */
export interface Dataset {
  readonly name: string;
  readonly modalities: ByModality<ModalityInfo>;
  /** Class names; C = classes.length. */
  readonly classes: readonly string[];
  readonly splits: Readonly<Record<SplitName, Split>>;
  /** SHA-256 (hex) over the decoded contents of all splits, as loaded. */
  readonly fingerprint: string;
  /** Licence notices of the sources. */
  readonly notices: readonly string[];
}

/** A registered dataset. */
export interface DatasetPlugin extends About {
  readonly kind: "dataset";
  /** Loads it. @throws {RangeError} If stored data does not have the hash that its manifest says. */
  load(options: RawOptions): Promise<Dataset>;
}
