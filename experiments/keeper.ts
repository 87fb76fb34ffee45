/**
 * What a cell keeps while it is trained: epochs, checkpoints, progress.
 *
 * @module
 */
import type { EpochRecord, RunConfig, ValuationRecord } from "../core/record.ts";
import type { RunFolder } from "../store/run_folder.ts";
import { type Checkpoint, type CheckpointState, sampleBudget } from "../training/mod.ts";
import { processorName } from "./machine.ts";
import type { CellEvent } from "./run_cell.ts";

/** What a checkpoint holds beside tensors. */
export interface SavedState {
  readonly checkpoint: CheckpointState;
  readonly timing: { readonly seconds: number; readonly startedAt: string; readonly processor?: string };
}

/** What a checkpoint covers. */
type Covered = Pick<CheckpointState, "epochs" | "within"> & { readonly steps: number };

/** Whether people want a line of an epoch: of thousands every tenth, of tens of thousands every hundredth. */
function isLogged(epoch: number): boolean {
  return epoch % 10 ** Math.max(0, Math.floor(Math.log10(epoch)) - 2) === 0;
}

/** Keeps a cell's epochs and checkpoints in its folder, and knows how far they go. */
export class CheckpointKeeper {
  /** Training samples drawn so far. */
  drawn = 0;
  /** The epoch that is trained, from 0. */
  epoch = 0;
  /** Processors that trained it so far, this one the last. */
  processor: string = processorName();
  /** When the run was first started, ISO 8601. */
  startedAt: string = new Date().toISOString();
  readonly #folder: RunFolder;
  readonly #config: RunConfig;
  readonly #emit: (event: CellEvent) => void;
  readonly #checkHeld: () => void;
  readonly #started = performance.now();
  #secondsBefore = 0;
  #drawnBefore = 0;
  #samplesBudget = 0;
  /** `null` if there is no checkpoint, `undefined` while nobody has looked. */
  #covered: Covered | null | undefined;

  /** @param checkHeld Throws if the folder is another's by now. */
  constructor(folder: RunFolder, config: RunConfig, emit: (event: CellEvent) => void, checkHeld: () => void) {
    this.#folder = folder;
    this.#config = config;
    this.#emit = emit;
    this.#checkHeld = checkHeld;
  }

  /** Seconds of the run, all its parts together. */
  get seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#started) / 1000;
  }

  /** Takes up what the folder holds. @throws {StoreError} If it is damaged. */
  async begin(trainSize: number): Promise<Checkpoint | undefined> {
    const { training } = this.#config;
    const saved = await this.#folder.loadCheckpoint<SavedState>();
    const state = saved?.state.checkpoint;
    this.epoch = state?.epochs ?? 0;
    await this.#folder.truncateEpochs(this.epoch);
    this.#cover(state ?? null);
    if (saved !== null) this.#resume(saved.state.timing);
    const budget = sampleBudget(training, trainSize);
    this.#samplesBudget = Number.isFinite(budget) ? budget : training.epochs * trainSize;
    this.drawn = this.#drawnBefore = state?.counters.samplesDrawn ?? 0;
    this.#emit({
      type: "started",
      epochs: training.epochs,
      samplesBudget: this.#samplesBudget,
      samplesDrawn: this.drawn,
    });
    return saved === null ? undefined : { tensors: saved.tensors, state: saved.state.checkpoint };
  }

  #resume({ seconds, startedAt, processor }: SavedState["timing"]): void {
    this.#secondsBefore = seconds;
    this.startedAt = startedAt;
    const before = processor === undefined ? [] : processor.split(" + ");
    this.processor = [...new Set([...before, this.processor])].join(" + ");
  }

  /** Keeps an epoch's valuation and record, then its checkpoint. */
  async endEpoch(
    record: EpochRecord,
    checkpoint: () => Promise<Checkpoint>,
    valuation: ValuationRecord,
  ): Promise<void> {
    this.#checkHeld();
    await this.#folder.appendValuation(valuation);
    await this.#folder.appendEpoch(record);
    await this.keep(checkpoint);
    const { accuracy } = record.validation;
    this.epoch = record.epoch + 1;
    await this.#folder.writeProgress({
      epoch: record.epoch,
      epochs: this.#config.training.epochs,
      samplesDrawn: this.drawn,
      samplesBudget: this.#samplesBudget,
      samplesPerSecond: (this.drawn - this.#drawnBefore) / ((performance.now() - this.#started) / 1000),
      validationAccuracy: accuracy,
      pid: Deno.pid,
      updatedAt: new Date().toISOString(),
    });
    if (isLogged(record.epoch + 1)) {
      await this.#folder.log(
        `epoch ${record.epoch + 1}: loss ${record.loss.total.toPrecision(4)}, ` +
          `train ${(100 * record.trainAccuracy).toFixed(2)} %, validation ${(100 * accuracy).toFixed(2)} %`,
      );
    }
    this.#emit({ type: "epoch", epoch: record.epoch, validationAccuracy: accuracy });
  }

  /** Keeps a checkpoint. */
  async keep(checkpoint: () => Promise<Checkpoint>): Promise<void> {
    this.#checkHeld();
    const { tensors, state } = await checkpoint();
    const { seconds, startedAt, processor } = this;
    const kept: SavedState = { checkpoint: state, timing: { seconds, startedAt, processor } };
    await this.#folder.saveCheckpoint(tensors, kept);
    this.#cover(state);
  }

  /** How far the checkpoint goes: its last whole epoch from 0, if there is one, and in words. */
  async standing(): Promise<{ readonly epoch: number | null; readonly words: string | null }> {
    if (this.#covered === undefined) this.#cover(await this.#folder.checkpointState<SavedState["checkpoint"]>());
    const covered = this.#covered ?? null;
    if (covered === null) return { epoch: null, words: null };
    const { epochs, steps, within } = covered;
    return {
      epoch: epochs === 0 ? null : epochs - 1,
      words: within ? `in epoch ${epochs + 1}, after step ${steps}` : `epoch ${epochs}`,
    };
  }

  #cover(state: CheckpointState | null): void {
    this.#covered = state === null ? null : { epochs: state.epochs, within: state.within, steps: state.counters.steps };
  }
}
