/**
 * The host side of a run: what may be asked and changed between steps and epochs. Symbols: N samples, C classes.
 *
 * @module
 */
import type { ByModality } from "../modality.ts";
import type { Random } from "../random.ts";

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
  /** Samples of a batch. */
  readonly batchSize: number;
  /** Training samples that may still be drawn; infinite where epochs are counted. */
  readonly samplesLeft: number;
  readonly random: Random;
  readonly modalities: readonly string[];
  readonly classes: number;
  /** Labels of an open split. */
  labels(split: OpenSplit): Int32Array;
  /** Whether a sample of an open split has a modality in the dataset. */
  has(split: OpenSplit, sample: number, modality: string): boolean;
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
  /** Start values of parameters (by groups), whatever they are now. */
  startParams(groups: readonly string[]): Record<string, Float32Array>;
  /** What a declared teacher gives on a split, with all the modalities that it sees kept. */
  teacher(name: string, split: OpenSplit): Promise<PassResult>;
  setParams(values: Record<string, Float32Array>): Promise<void>;
  /** Copies of buffers (by groups) on the host. */
  buffers(groups: readonly string[]): Promise<Record<string, Float32Array>>;
  setBuffers(values: Record<string, Float32Array>): Promise<void>;
  /** Saves parameters, optimiser state and buffers in memory; `restore` brings them back. */
  snapshot(): Promise<number>;
  restore(id: number): Promise<void>;
}
