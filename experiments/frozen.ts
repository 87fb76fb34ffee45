/**
 * Frozen encoders in a run: their features are made once, before training, and kept for other runs.
 *
 * @module
 */
import { at } from "../core/modality.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import { Random } from "../core/random.ts";
import type { RunConfig } from "../core/record.ts";
import { StoreError } from "../store/files.ts";
import {
  type FeatureRows,
  type Model,
  type ReadyEncoder,
  readyEncoder,
  readyModalities,
  type ReadyModel,
  type RowsOn,
  withFeatures,
} from "../training/mod.ts";
import { FeatureStore } from "./feature_store.ts";

/** Most bytes of features that a run holds in memory; beyond, encoders run in every step. */
const MAX_HELD_BYTES = 2 ** 30;

/** What goes on beside. */
export interface Aside {
  /** Is told what became of each frozen encoder. */
  readonly tell: (text: string) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** Makes features of frozen encoders; holds those of the last run, as neighbouring runs share them. */
export class FrozenFeatures {
  readonly #kept: FeatureStore | null;
  #held: ReadonlyMap<string, FeatureRows> = new Map();

  /** @param kept Where they are kept; `null` keeps none. @default what the environment asks for */
  constructor(kept: FeatureStore | null = FeatureStore.asked()) {
    this.#kept = kept;
  }

  /**
   * A model and its data with features in the place of what its frozen encoders would be fed.
   *
   * @returns `null` if there are no such encoders.
   */
  async prepare(
    config: RunConfig,
    model: Model,
    dataset: Dataset,
    engine: Engine,
    { tell, signal }: Aside,
  ): Promise<ReadyModel | null> {
    // What changes samples as they are drawn gives encoders other inputs in every epoch.
    if ((config.training.augment ?? []).length > 0) return null;
    const random = new Random(config.seed).split("init");
    const found: { encoder: ReadyEncoder; rows: FeatureRows }[] = [];
    const held = new Map<string, FeatureRows>();
    const samples = Object.values(dataset.splits).reduce((sum, { size }) => sum + size, 0);
    let bytes = 0;
    for (const modality of readyModalities(model)) {
      const encoder = readyEncoder(model, modality, at(dataset.modalities, modality), engine, random);
      if (encoder === null) continue;
      const own = 4 * encoder.width * samples;
      if (bytes + own > MAX_HELD_BYTES) {
        await tell(
          `features of frozen "${modality}" would take ${mib(own)}, more than ${
            mib(MAX_HELD_BYTES)
          } with all others: ` +
            "its encoder runs in every step",
        );
        continue;
      }
      bytes += own;
      const key = keyOf(config, encoder, dataset);
      const rows = this.#held.get(key) ??
        await this.#rows(key, encoder, { dataset, engine, batchSize: config.training.batchSize, signal }, tell);
      held.set(key, rows);
      found.push({ encoder, rows });
    }
    this.#held = held;
    return found.length === 0 ? null : withFeatures(model, dataset, found);
  }

  /** Features from disk, or made and put there. */
  async #rows(
    key: string,
    encoder: ReadyEncoder,
    on: RowsOn,
    tell: Aside["tell"],
  ): Promise<FeatureRows> {
    const what = `features of frozen "${encoder.modality}"`;
    const make = async () => {
      const started = performance.now();
      const rows = await encoder.rows(on);
      await tell(`${what} made in ${((performance.now() - started) / 1000).toFixed(1)} s`);
      return rows;
    };
    if (this.#kept === null) return await make();
    let rows: FeatureRows | null = null;
    try {
      using _alone = await this.#kept.alone(key);
      rows = await this.#kept.get(key, encoder.width);
      if (rows !== null) {
        // What is kept was made by the same code on a machine that computes alike, or it is made anew.
        const blank = await encoder.blank(on.engine);
        if (blank.every((value, k) => Object.is(value, rows!.blank[k]))) {
          await tell(`${what} found as they were kept`);
          return rows;
        }
      }
      rows = await make();
      const fits = await this.#kept.put(key, rows, encoder.width);
      if (!fits) await tell(`${what} are too many to be kept on disk`);
      return rows;
    } catch (error) {
      // Without a folder that can be written a run only takes longer.
      if (!(error instanceof StoreError)) throw error;
      await tell(`${what} are not kept: ${error.message}`);
      return rows ?? await make();
    }
  }
}

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** All that decides the features of an encoder. */
function keyOf(config: RunConfig, { modality, fields }: ReadyEncoder, { modalities, fingerprint }: Dataset): string {
  const weights = config.weights?.[modality];
  const { name, options } = config.encoders[modality];
  const { shape, dtype, vocabulary = null } = modalities[modality];
  return FeatureStore.key({
    modality,
    encoder: { name, options },
    // Without weights, or for what they lack, the start is drawn from the seed.
    weights: weights?.digest ?? null,
    seed: config.seed,
    dataset: fingerprint,
    input: { shape, dtype, vocabulary },
    fields,
    batchSize: config.training.batchSize,
    engine: config.engine,
    code: config.code?.[`encoder ${name}`] ?? null,
    version: config.version,
  });
}
