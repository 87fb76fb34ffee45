/**
 * Encoders that start from weights trained elsewhere.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs";
import { canonicalJson } from "../core/canonical.ts";
import type { Library } from "../core/library.ts";
import { at, type ByModality } from "../core/modality.ts";
import type { CellRequest, Dataset, Encoder, ModalityInfo } from "../core/kinds/mod.ts";
import type { NamedHostTensors } from "../core/program.ts";
import type { RunConfig, WeightsConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { cpu } from "../engines/mod.ts";
import { tensorOf } from "../formats/elements.ts";
import { openWeights } from "../formats/weights.ts";
import { adaptWeights, type LoadReport, matchWeights, reportText } from "../nn/pretrained.ts";
import { discover } from "../nn/scope.ts";
import { buildModel } from "./config.ts";

/** The SHA-256 of a file, in hexadecimal. @throws {Refusal} If it is not there or no file of weights. */
export async function digestOf(path: string): Promise<string> {
  const file = await openWeights(path); // says what is wrong with it
  file.close();
  const hash = createHash("sha256");
  using reader = await Deno.open(path);
  for await (const chunk of reader.readable) hash.update(chunk);
  return hash.digest("hex");
}

/** Shapes of an encoder's parameters and buffers, by their names within it. */
function askedBy(encoder: Encoder, { shape, dtype }: ModalityInfo, abstract: (run: () => void) => void) {
  const group = "encoder:it";
  const { params, buffers } = discover((scope) => {
    const own = scope.group(group);
    const x = tf.zeros([1, ...shape], dtype);
    encoder.head(encoder.stages.reduce((map, stage) => stage(map, own, x), x as tf.Tensor), own, x);
  }, { abstract, mode: "eval" });
  const within = (name: string) => name.slice(group.length + 1);
  return Object.fromEntries([...params, ...buffers].map(([name, { shape }]) => [within(name), shape]));
}

/** Rows and columns of an input's patches, if its encoder has any. */
function gridOf(asked: Readonly<Record<string, readonly number[]>>, { shape }: ModalityInfo): [number, number] | null {
  const kernel = asked["patch_embed/proj/kernel"];
  const [rows, columns] = shape.slice(-3);
  return kernel === undefined || shape.length < 3 ? null : [rows / kernel[0], columns / kernel[1]];
}

/**
 * Reads weights for an encoder.
 *
 * @returns Values by full name, and what became of the file's tensors.
 * @throws {Refusal} If the file is damaged, of another architecture or shape, or holds what is no number.
 */
export async function readWeights(
  path: string,
  modality: string,
  encoder: Encoder,
  info: ModalityInfo,
): Promise<{ readonly values: NamedHostTensors; readonly report: LoadReport }> {
  const what = `start the encoder of "${modality}" from "${path}"`;
  const file = await openWeights(path);
  const engine = await cpu.create();
  try {
    const asked = askedBy(encoder, info, (run) => engine.abstract(run));
    if (Object.keys(asked).length === 0) {
      throw new Refusal({ what, must: "the encoder must have parameters", found: "it has none" });
    }
    const { names, ...found } = matchWeights(asked, [...file.heads.keys()], what);
    const tensors: NamedHostTensors = {};
    for (const name of Object.values(names)) tensors[name] = tensorOf(await file.read(name), `"${name}" of "${path}"`);
    const { values, reshaped } = adaptWeights(asked, names, tensors, gridOf(asked, info), what);
    return {
      values: Object.fromEntries(Object.entries(values).map(([name, value]) => [`encoder:${modality}/${name}`, value])),
      report: { ...found, reshaped },
    };
  } finally {
    file.close();
    await engine.dispose();
  }
}

/**
 * Start values of all encoders that have weights, as a run's configuration names them.
 *
 * @param onReport Is told what became of each file.
 * @throws {Refusal} Also if a file is not what it was when the run was asked for.
 */
export async function startFrom(
  weights: ByModality<WeightsConfig>,
  encoders: ByModality<Encoder>,
  dataset: Pick<Dataset, "modalities">,
  onReport: (modality: string, report: LoadReport) => void | Promise<void> = () => {},
): Promise<NamedHostTensors> {
  const start: NamedHostTensors = {};
  for (const [modality, { path, digest }] of Object.entries(weights)) {
    const now = await digestOf(path);
    if (now !== digest) {
      throw new Refusal({
        what: `start the encoder of "${modality}" from "${path}"`,
        must: `its SHA-256 must be ${digest.slice(0, 16)}…, with which this run was begun`,
        found: `it is ${now.slice(0, 16)}…`,
        hint: "put the old file back, or run with the new one, which is another run",
      });
    }
    const { values, report } = await readWeights(
      path,
      modality,
      at(encoders, modality),
      at(dataset.modalities, modality),
    );
    Object.assign(start, values);
    await onReport(modality, report);
  }
  return start;
}

/** Start values of runs; holds those of the last one, as neighbouring runs share them. */
export class StartValues {
  #held: {
    readonly key: string;
    readonly start: NamedHostTensors;
    readonly reports: readonly (readonly [modality: string, report: LoadReport])[];
  } | null = null;

  /** As `startFrom`, of the weights that a configuration names. */
  async of(
    { weights = {}, encoders }: RunConfig,
    built: ByModality<Encoder>,
    dataset: Pick<Dataset, "modalities">,
    onReport: (modality: string, report: LoadReport) => void | Promise<void>,
  ): Promise<NamedHostTensors> {
    const named = Object.entries(weights).map(([modality, { digest }]) => {
      const { name, options } = encoders[modality];
      return { modality, digest, name, options, shape: dataset.modalities[modality].shape };
    });
    const key = canonicalJson(named);
    if (this.#held?.key !== key) {
      this.#held = null;
      const reports: [string, LoadReport][] = [];
      const start = await startFrom(weights, built, dataset, (...report) => void reports.push(report));
      this.#held = { key, start, reports };
    }
    for (const [modality, report] of this.#held.reports) await onReport(modality, report);
    return this.#held.start;
  }
}

/** Weights that requests name: each file is looked at once, before anything runs. */
export class Pretrained {
  /** What became of each file, for people. */
  readonly notes: string[] = [];
  readonly #digests = new Map<string, Promise<string>>();
  readonly #checked = new Set<string>();

  /** The weights of a request with their digests. @throws {Refusal} If a file cannot be read, or a modality is unknown. */
  async of({ weights, label }: CellRequest, dataset: Pick<Dataset, "modalities">): Promise<RunConfig["weights"]> {
    if (weights === undefined || Object.keys(weights).length === 0) return undefined;
    const found: Record<string, WeightsConfig> = {};
    for (const [modality, path] of Object.entries(weights)) {
      if (!Object.hasOwn(dataset.modalities, modality)) {
        throw new Refusal({
          what: `start "${label}" from weights`,
          must: "they must be of a modality of the dataset",
          found: `"${modality}" is none of ${Object.keys(dataset.modalities).sort().join(", ")}`,
        });
      }
      if (!this.#digests.has(path)) this.#digests.set(path, digestOf(path));
      found[modality] = { path, digest: await this.#digests.get(path)! };
    }
    return found;
  }

  /** Reads the weights for the encoders of a configuration once. @throws {Refusal} If they do not fit. */
  async check(config: RunConfig, library: Library, dataset: Pick<Dataset, "modalities" | "classes">): Promise<void> {
    for (const [modality, { path, digest }] of Object.entries(config.weights ?? {})) {
      const key = JSON.stringify([modality, digest, config.encoders[modality]]);
      if (this.#checked.has(key)) continue;
      this.#checked.add(key);
      const { encoders } = buildModel(config, library, dataset);
      const { report } = await readWeights(path, modality, encoders[modality], dataset.modalities[modality]);
      this.notes.push(`weights of "${modality}" from ${path}: ${reportText(report)}`);
    }
  }
}
