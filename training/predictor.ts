/**
 * Prediction with a run's state: needs no optimiser, no budget and no labels. Symbols: N samples, C classes, m modalities.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { PassResult, Split } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { Turns } from "../core/turns.ts";
import { measureInformation } from "../miv/measure.ts";
import type { ReadAhead } from "../loading/read_ahead.ts";
import { Batches } from "./batches.ts";
import type { CompiledPrograms } from "./compiled.ts";
import { InterruptedError } from "./errors.ts";
import { predictProgram } from "./programs/predict.ts";
import type { RunState } from "./run_state.ts";

/** Per-sample arrays of an evaluation pass with everything that valuation needs. */
export interface DetailedPass extends PassResult {
  /** Logits [N, C] with all other modalities at their training means. */
  readonly ablateMean: Readonly<Record<string, Float32Array>>;
  /** [N, m]. */
  readonly nmi: Float32Array;
  /** [N, m, m]. */
  readonly ncmi: Float32Array;
  /** Bias-free fused feature [N, d] and each modality's part in it, not centred. */
  readonly fused: Float32Array;
  readonly parts: Readonly<Record<string, Float32Array>>;
}

/** Which samples are predicted, from what. */
export interface PassSelection {
  /** The modalities that are kept, at feature level. @default all, without a mask */
  readonly kept?: readonly string[];
  /** Indices of samples. @default the whole split */
  readonly items?: Int32Array;
}

/** Batches that are announced at once. */
const BATCHES_AHEAD = 16;

/** A state with the programs that predict from it. */
export class Predictor {
  readonly state: RunState;
  readonly #programs: CompiledPrograms;
  readonly #batches: Batches;
  readonly #signal?: AbortSignal;
  readonly #turns = new Turns();

  /** @param programs Shared with whoever trains the same state; freed by whoever made them. */
  constructor(
    state: RunState,
    options: { readonly programs: CompiledPrograms; readonly signal?: AbortSignal; readonly ahead?: ReadAhead },
  ) {
    const { model, dataset, batchSize } = state.parts;
    this.state = state;
    this.#programs = options.programs;
    this.#batches = new Batches(dataset, state.modalities, batchSize, { ahead: options.ahead, blank: model.blank });
    this.#signal = options.signal;
  }

  /** How a modality's own readout is defined in this run. */
  get readout(): string {
    const { fusion, methods } = this.state.parts.model;
    return methods.some(({ readout }) => readout !== undefined) ? "own" : fusion.soloMode;
  }

  /** Logits [N, C]. */
  async logits(split: Split, selection: PassSelection = {}): Promise<Float32Array> {
    return (await this.#outputs(split, selection, false))["logits"];
  }

  /** Logits, pooled features and every modality's own logits. */
  async pass(split: Split, selection: PassSelection = {}): Promise<PassResult> {
    const outputs = await this.#outputs(split, selection, true);
    return { logits: outputs["logits"], pooled: this.#by(names.pooled, outputs), solo: this.#by(names.solo, outputs) };
  }

  /** Everything that metrics and valuation need of a split. */
  async detail(split: Split): Promise<DetailedPass> {
    const outputs = await this.#outputs(split, {}, true);
    const parts = this.#by(names.part, outputs);
    return {
      logits: outputs["logits"],
      pooled: this.#by(names.pooled, outputs),
      solo: this.#by(names.solo, outputs),
      ablateMean: this.#by(names.ablateMean, outputs),
      ...await this.#information(parts, outputs["fused"], split.size),
      fused: outputs["fused"],
      parts,
    };
  }

  /** Outputs of a family by modality, in sorted order. */
  #by(family: names.NameFamily, outputs: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> {
    return byModality(this.state.modalities, (modality) => outputs[family.of(modality)]);
  }

  async #outputs(
    split: Split,
    { kept, items = Int32Array.from({ length: split.size }, (_, i) => i) }: PassSelection,
    detail: boolean,
  ): Promise<Record<string, Float32Array>> {
    const { device, merged, parts: { batchSize } } = this.state;
    const sorted = kept === undefined ? null : [...kept].sort();
    const { compiled } = await this.#programs.get(
      `predict/${sorted === null ? "*" : sorted.join(",")}/${detail}`,
      () => predictProgram(this.state.programParts, sorted, detail),
    );
    const results: Record<string, Float32Array> = {};
    const batches: Int32Array[] = [];
    for (let from = 0; from < items.length; from += batchSize) {
      batches.push(items.subarray(from, Math.min(from + batchSize, items.length)));
    }
    for (const [k, batch] of batches.entries()) {
      const from = k * batchSize;
      if (this.#signal?.aborted) {
        throw new InterruptedError(`Stopped while evaluating after epoch ${this.state.epoch + 1}`);
      }
      // Passes at the same time share the arrays of a batch.
      await this.#turns.next(async () => {
        this.#batches.announce(split, batches.slice(k, k + BATCHES_AHEAD));
        const outputs = await compiled.run(device, {
          ...await this.#batches.inputs(split, batch),
          ...this.state.controlFeeds(),
          ...(merged.readsLabels ? { labels: this.#batches.targets(split, batch).labels } : {}),
        });
        for (const [name, { data, shape }] of Object.entries(outputs)) {
          const width = sizeOf(shape.slice(1));
          results[name] ??= new Float32Array(items.length * width);
          results[name].set((data as Float32Array).subarray(0, batch.length * width), from * width);
        }
      });
    }
    return results;
  }

  /** Centres parts by their split's mean per coordinate and measures information on every sample. */
  async #information(
    parts: Readonly<Record<string, Float32Array>>,
    fused: Float32Array,
    size: number,
  ): Promise<{ nmi: Float32Array; ncmi: Float32Array }> {
    const { batchSize, engine } = this.state.parts;
    const none = engine.createState({});
    try {
      return await measureInformation({
        parts,
        fused,
        size,
      }, {
        batchSize,
        run: async (program, feeds) => {
          const { compiled } = await this.#programs.get(program.name, () => program);
          return await compiled.run(none, feeds);
        },
      });
    } finally {
      none.dispose();
    }
  }
}
