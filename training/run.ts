/**
 * A run in progress: its state, with what predicts, trains and serves methods on it.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import { Augmenter, type AugmentPlan } from "../augment/augmenter.ts";
import { ReadAhead } from "../loading/read_ahead.ts";
import { CompiledPrograms } from "./compiled.ts";
import { RunHost, type Teachers } from "./host.ts";
import { Predictor } from "./predictor.ts";
import { RunState, type StateParts } from "./run_state.ts";
import { Trainer, type TrainerParts } from "./trainer.ts";

/** What a run is made of. */
export type RunParts = StateParts & Omit<TrainerParts, "afterStep" | "batches"> & {
  /** What changes the samples that training draws. @default nothing */
  readonly augment?: AugmentPlan;
  /** What the teachers that methods declare give on a split. @default none can be asked */
  readonly teachers?: Teachers;
};

/** A run in progress. */
export interface Run {
  readonly state: RunState;
  readonly predictor: Predictor;
  readonly trainer: Trainer;
  /** What methods get. */
  readonly host: RunHost;
  readonly programs: CompiledPrograms;
  /** Frees programs and tensors. */
  dispose(): void;
}

/** Builds the start of a run; compiles nothing yet. */
export function startRun(parts: RunParts): Run {
  const { model, dataset, engine, batchSize, augment, ...training } = parts;
  const programs = new CompiledPrograms(engine);
  const state = RunState.start({ model, dataset, engine, batchSize }, parts.optimizer, parts.random.split("init"));
  const { modalities } = state;
  const infos = byModality(modalities, (modality) => dataset.modalities[modality]);
  const augmenter = augment === undefined ? undefined : new Augmenter(augment, infos, dataset.splits.train.size);
  const ahead = new ReadAhead(dataset, modalities, batchSize, augment ?? null);
  const predictor = new Predictor(state, { programs, signal: parts.signal, ahead });
  const acting = model.methods.filter((method) => method.afterStep !== undefined);
  const trainer = new Trainer(state, programs, {
    ...training,
    batches: { ahead, augmenter },
    afterStep: acting.length === 0 ? undefined : (stats) => {
      for (const method of acting) method.afterStep!(stats, host);
    },
  });
  const host = new RunHost(state, predictor, trainer, parts.teachers);
  return {
    state,
    predictor,
    trainer,
    host,
    programs,
    dispose() {
      ahead.dispose();
      programs.dispose();
      state.dispose();
    },
  };
}

/** A trained model that predicts, and nothing else. */
export interface PredictingModel {
  readonly predictor: Predictor;
  /** Frees programs and tensors. */
  dispose(): void;
}

/** Prediction with a state, which is freed with it. */
export function predictWith(state: RunState): PredictingModel {
  const programs = new CompiledPrograms(state.parts.engine);
  return {
    predictor: new Predictor(state, { programs }),
    dispose() {
      programs.dispose();
      state.dispose();
    },
  };
}
