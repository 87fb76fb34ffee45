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
import { type Abstract, modelCost } from "../training/mod.ts";
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

/** Bytes that training a model takes at the least: its parameters in all their copies, and one batch of inputs. */
export function leastBytes(parameters: number, batch: number, dataset: Pick<Dataset, "modalities">): number {
  const { modalities } = dataset;
  const row = modalitiesOf(modalities).reduce((sum, name) => sum + sizeOf(modalities[name].shape), 0);
  return 4 * (COPIES * parameters + batch * row);
}

/** Bytes of a number. */
const NUMBER = 4;

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

/** Parameters that a configuration trains, those of its methods left out. @param abstract As `Engine.abstract`. */
export function parametersOf(config: RunConfig, model: Model, loaded: Dataset, abstract: Abstract): number {
  return modelCost(model, selectModalities(loaded, config.modalities).modalities, abstract).parameters;
}

/**
 * Checks that a configuration can be trained on this machine at all.
 *
 * @param parameters Those that it trains.
 * @throws {Unfit} If its parameters or batches take more than the memory there is.
 */
export function checkMemory(
  config: RunConfig,
  parameters: number,
  loaded: Dataset,
  available: number = machineBytes(),
): void {
  const dataset = selectModalities(loaded, config.modalities);
  const needed = leastBytes(parameters, config.training.batchSize, dataset);
  if (needed <= available) return;
  throw new Unfit({
    what: `train ${parameters} parameters with batches of ${config.training.batchSize}`,
    must: `they must fit into the ${gibibytes(available)} of this machine`,
    found: `they take ${gibibytes(needed)} at the least`,
    hint: "take smaller widths or batches",
  });
}
