/**
 * Names of runs: the same configuration always has the same name, whatever order its keys were written in.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../core/canonical.ts";
import type { RunConfig, WeightsConfig } from "../core/record.ts";

function shortHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 16);
}

/** What of a configuration says what is run: all but where its code was. Format 1 counted the places of plugins. */
function essence(config: RunConfig): Partial<RunConfig> {
  const { git: _, ...rest } = config;
  if (config.format === 1) return rest;
  const { plugins: __, weights, ...kept } = rest;
  if (weights === undefined) return kept;
  const digests = Object.fromEntries(
    Object.entries(weights).map(([modality, { digest }]) => [modality, { digest } as WeightsConfig]),
  );
  return { ...kept, weights: digests };
}

/**
 * The name of a run: the first 16 hexadecimal digits of the SHA-256 of its configuration's canonical JSON, without
 * `git`, `plugins` and the paths of weights and data, which say where things were and not what was run.
 *
 * @throws {Refusal} If the configuration holds what JSON cannot hold.
 */
export function runId(config: RunConfig): string {
  return shortHash(placeless(essence(config)));
}

/** Without where the data lies: its fingerprint says what it is. */
function placeless({ dataset, ...rest }: Partial<RunConfig>): Partial<RunConfig> {
  if (dataset?.places === undefined) return { dataset, ...rest };
  const { places, options, ...kept } = dataset;
  const named = Object.entries(options).filter(([name]) => !places.includes(name));
  return { ...rest, dataset: { ...kept, options: Object.fromEntries(named) } };
}

/** What runs share that differ in nothing but what their parts and their data were made of. */
export function sourceId(config: RunConfig): string {
  const { code: _, dataset: { fingerprint: __, ...dataset }, ...rest } = placeless(essence(config)) as RunConfig;
  return shortHash({ ...rest, dataset });
}

/**
 * The name of a configuration: like `runId`, without the seed; the seeds of one configuration share it.
 *
 * @throws {Refusal} If the configuration holds what JSON cannot hold.
 */
export function configurationId(config: RunConfig): string {
  const { seed: _, ...rest } = placeless(essence(config));
  return shortHash(rest);
}

/** Whether a text has the form of a run's name. */
export function isRunId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}
