/**
 * Whether what a configuration asks for can be held in memory, found out before anything is allocated.
 *
 * @module
 */
import type { Dataset } from "../core/kinds/mod.ts";
import { modalitiesOf } from "../core/modality.ts";
import { sizeOf } from "../core/program.ts";
import type { RunConfig } from "../core/record.ts";
import { selectModalities } from "../datasets/select.ts";
import { keptOf } from "../store/run_records.ts";
import { FOLLOWED } from "../training/followed.ts";
import { type Abstract, keptValues, modelCost } from "../training/mod.ts";
import type { Model } from "../training/model.ts";
import { Unfit } from "./config.ts";

/** Copies of every parameter: itself, its gradient, its slot, and that of the best epoch. */
const COPIES = 4;

/** Bytes of this machine's memory; unbounded where the runtime may not tell. */
export function machineBytes(): number {
  try {
    return Deno.systemMemoryInfo().total;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return Infinity;
    throw error;
  }
}

/** Bytes of a number. */
const NUMBER = 4;

/** What is large in a model that is trained: counts of numbers. */
export interface Footprint {
  readonly parameters: number;
  /** Of one sample, kept from the forward pass for its gradients at the least; 0 where nothing is known of it. */
  readonly kept: number;
}

/** Bytes of one sample of a batch: its inputs, and what is kept for its gradients. */
function rowBytes({ kept }: Footprint, { modalities }: Pick<Dataset, "modalities">): number {
  return NUMBER * (kept + modalitiesOf(modalities).reduce((sum, name) => sum + sizeOf(modalities[name].shape), 0));
}

/** Bytes that training a model takes at the least: its parameters in all their copies, and a step of one batch. */
export function leastBytes(footprint: Footprint, batch: number, dataset: Pick<Dataset, "modalities">): number {
  return NUMBER * COPIES * footprint.parameters + batch * rowBytes(footprint, dataset);
}

/** Bytes of an epoch's record and log line, about: what it holds in any case, and by modality. */
const [RECORD, RECORD_BY_MODALITY] = [600, 250];

/** Bytes of a figure of a sample that is followed, of which there are two by modality and two more. */
const FIGURE = 10;

/**
 * Bytes that a finished run takes on the disk, about: its model, its predictions, its epochs. While it is trained, a
 * checkpoint of some four times the model comes to that.
 */
export function diskBytes(
  { training, modalities }: Pick<RunConfig, "training" | "modalities">,
  parameters: number,
  { classes, splits }: Pick<Dataset, "classes" | "splits">,
): number {
  const m = modalities.length;
  const row = 5 + classes.length * (1 + m) + m;
  const predictions = (splits.validation.size + splits.test.size) * row * NUMBER;
  const followed = Math.min(FOLLOWED, splits.validation.size) * FIGURE * (2 + 2 * m);
  const epoch = RECORD + RECORD_BY_MODALITY * m + followed;
  return NUMBER * parameters + predictions + keptOf(training.epochs) * epoch;
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;

/**
 * What a configuration trains, its methods left out.
 *
 * @param abstract As `Engine.abstract`.
 * @param elsewhere Whether steps run on a card, whose memory nobody tells.
 */
export function footprintOf(
  config: RunConfig,
  model: Model,
  loaded: Dataset,
  abstract: Abstract,
  elsewhere: boolean = false,
): Footprint {
  const { modalities } = selectModalities(loaded, config.modalities);
  const { parameters } = modelCost(model, modalities, abstract);
  // What is frozen keeps nothing for gradients.
  const unknown = elsewhere || (config.freeze ?? []).length > 0;
  return { parameters, kept: unknown ? 0 : keptValues(model, modalities, abstract) };
}

/**
 * Checks that a configuration can be trained on this machine at all.
 *
 * @throws {Unfit} If its parameters or a step of one batch take more than the memory there is; it says which batch would
 * not.
 */
export function checkMemory(
  config: RunConfig,
  footprint: Footprint,
  loaded: Dataset,
  available: number = machineBytes(),
): void {
  const dataset = selectModalities(loaded, config.modalities);
  const { batchSize } = config.training;
  const needed = leastBytes(footprint, batchSize, dataset);
  if (needed <= available) return;
  const fits = Math.floor((available - leastBytes(footprint, 0, dataset)) / rowBytes(footprint, dataset));
  throw new Unfit({
    what: `train ${footprint.parameters} parameters with batches of ${batchSize}`,
    must: `they must fit into the ${gibibytes(available)} of this machine`,
    found: `they take ${gibibytes(needed)} at the least`,
    // As little as is counted leaves no room: half of it is likely to be trained.
    hint: fits < 2 ? "take smaller widths" : `take smaller widths, or --set training.batchSize=${Math.floor(fits / 2)}`,
  });
}
