/**
 * Two finished runs of one task merged into one model.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import type { Library } from "../core/library.ts";
import { at, mapByModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import type { Engine, NamedHostTensors } from "../core/program.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { selectModalities } from "../datasets/select.ts";
import { toTorch } from "../nn/torch.ts";
import { openRun } from "../store/run_folder.ts";
import type { StoredModel } from "../store/run_tensors.ts";
import { measure } from "../training/evaluate.ts";
import { featureBuffers, type Model } from "../training/model.ts";
import { predictWith } from "../training/run.ts";
import { RunState } from "../training/run_state.ts";
import { buildModel } from "./config.ts";
import { loadSameDataset } from "./data.ts";
import { answersOf } from "../training/answers.ts";
import { rowsByNeuron } from "./merge/activations.ts";
import { averaged, type MergeOptions, TransportMerge } from "./merge/align.ts";

/** A model's weights and how often it is right. */
export interface Merged {
  readonly label: string;
  readonly params: NamedHostTensors;
  readonly buffers: NamedHostTensors;
  readonly validation: number;
  readonly test: number;
}

/** How neurons are aligned. */
export interface OtOptions extends Pick<MergeOptions, "solve"> {
  /** How many training samples neurons answer to, by which they are aligned. @default they align by weights */
  readonly samples?: number;
}

interface Finished {
  readonly id: string;
  readonly config: RunConfig;
  readonly model: StoredModel;
}

async function finished(path: string): Promise<Finished> {
  const full = resolve(path);
  const folder = openRun(dirname(full), basename(full));
  const [config, model] = [await folder.config(), await folder.model()];
  if (config === null || model === null) {
    throw new Refusal({
      what: `merge run "${path}"`,
      must: "it must be the folder of a finished run",
      found: config === null ? "it has no config.json" : "it has no model.safetensors",
    });
  }
  return { id: folder.id, config, model };
}

/** Refuses runs that are not of one task and one kind of model. */
function mustMatch(a: RunConfig, b: RunConfig): void {
  const pairs: [string, unknown, unknown][] = [
    ["dataset", a.dataset, b.dataset],
    ["modalities", a.modalities, b.modalities],
    ["encoders", mapByModality(a.encoders, ({ name }) => name), mapByModality(b.encoders, ({ name }) => name)],
    ["fusion", a.fusion.name, b.fusion.name],
  ];
  for (const [what, first, second] of pairs) {
    if (JSON.stringify(first) === JSON.stringify(second)) continue;
    throw new Refusal({
      what: "merge two runs",
      must: `their ${what} must be the same`,
      found: `found ${JSON.stringify(first)} and ${JSON.stringify(second)}`,
    });
  }
}

/** Aligns and merges all tensors of a model; the harness's means of features follow the encoders. */
export function transported(
  model: Model,
  config: RunConfig,
  [a, b]: readonly [StoredModel, StoredModel],
  options: MergeOptions,
): { readonly params: NamedHostTensors; readonly buffers: NamedHostTensors } {
  const merge = new TransportMerge({ ...a.params, ...a.buffers }, { ...b.params, ...b.buffers }, options);
  const features = mapByModality(model.encoders, (encoder, modality) => {
    if (encoder.align === undefined) throw cannotAlign("encoder", at(config.encoders, modality).name);
    const transport = encoder.align(merge, `encoder:${modality}`);
    const { mean } = featureBuffers(modality);
    if (a.buffers[mean] !== undefined) merge.follow([mean], transport);
    return transport;
  });
  if (model.fusion.align === undefined) throw cannotAlign("fusion", config.fusion.name);
  model.fusion.align(merge, features);
  const left = Object.keys(a.params).find((name) => merge.merged[name] === undefined);
  if (left !== undefined) {
    throw new Refusal({
      what: "merge two runs",
      must: "their parts must say how every parameter is aligned",
      found: `nothing is said of "${left}"`,
      hint: "take runs without methods that have parameters of their own, or --by average",
    });
  }
  const of = (own: NamedHostTensors) =>
    Object.fromEntries(Object.entries(own).map(([name, value]) => [name, merge.merged[name] ?? value]));
  return { params: of(a.params), buffers: of(a.buffers) };
}

function cannotAlign(kind: "encoder" | "fusion", name: string): Refusal {
  return new Refusal({
    what: "merge two runs by optimal transport",
    must: `their ${kind} must say how its layers connect`,
    found: `"${name}" does not`,
    hint: kind === "encoder"
      ? "identity, linear, mlp, cnn and vit do; or take --by average"
      : "concat, sum, decision and transfusion do; or take --by average",
  });
}

async function datasetOf(config: RunConfig, library: Library): Promise<Dataset> {
  const loaded = await loadSameDataset(library, config, "merge two runs");
  return selectModalities(loaded, config.modalities);
}

/**
 * Merges two finished runs of one task, and measures both, their plain average where shapes allow it, and the merge.
 *
 * @param paths Their folders; the merged model has the first one's widths.
 * @param ot How neurons are aligned, or `null` for the plain average alone.
 * @throws {Refusal} If the runs are not of one task and one kind of model, or a part cannot be aligned.
 */
export async function mergeRuns(
  paths: readonly [string, string],
  ot: OtOptions | null,
  share: number,
  library: Library,
  engine: Engine,
): Promise<{ readonly config: RunConfig; readonly rows: readonly Merged[] }> {
  const [a, b] = [await finished(paths[0]), await finished(paths[1])];
  mustMatch(a.config, b.config);
  const dataset = await datasetOf(a.config, library);
  const model = buildModel(a.config, library, dataset);
  type Weights = Pick<Merged, "params" | "buffers">;
  const candidates: [string, RunConfig, Weights][] = [[a.id, a.config, a.model], [b.id, b.config, b.model]];
  const sameShapes = Object.entries(a.model.params).every(([name, { shape }]) =>
    b.model.params[name]?.shape.join() === shape.join()
  );
  // A plain average needs equal shapes; asked for alone, it says itself why not.
  if (sameShapes || ot === null) {
    candidates.push(["average", a.config, {
      params: averaged(a.model.params, b.model.params, share),
      buffers: averaged(a.model.buffers, b.model.buffers, share),
    }]);
  }
  if (ot !== null) {
    const { samples, ...how } = ot;
    const asked = async ({ config, model: { params, buffers } }: Finished) => {
      const weights = { ...names.param.over(params), ...names.buffer.over(buffers) };
      return rowsByNeuron(
        await answersOf(buildModel(config, library, dataset), dataset, weights, samples!, engine),
      );
    };
    const answers = samples === undefined ? {} : { answers: [await asked(a), await asked(b)] as const };
    candidates.push([
      "optimal transport",
      a.config,
      transported(model, a.config, [a.model, b.model], { ...how, share, ...answers }),
    ]);
  }
  const rows: Merged[] = [];
  for (const [label, config, weights] of candidates) {
    rows.push({ label, ...weights, ...await accuracies(config, weights, dataset, library, engine) });
  }
  return { config: a.config, rows };
}

/** A merged model's weights under PyTorch's names and in its layouts; those of the harness itself are left out. */
export function mergedWeights({ params, buffers }: Merged): NamedHostTensors {
  return toTorch(
    Object.fromEntries(Object.entries({ ...params, ...buffers }).filter(([name]) => !name.startsWith("harness/"))),
  );
}

/** Accuracy of weights on validation and test. */
async function accuracies(
  config: RunConfig,
  { params, buffers }: Pick<Merged, "params" | "buffers">,
  dataset: Dataset,
  library: Library,
  engine: Engine,
): Promise<Pick<Merged, "validation" | "test">> {
  const model = buildModel(config, library, dataset);
  const tensors = { ...names.param.over(params), ...names.buffer.over(buffers) };
  const { predictor, dispose } = predictWith(
    RunState.ofModel(
      { model, dataset, engine, batchSize: config.training.batchSize },
      tensors,
      "measure a merged model",
    ),
  );
  try {
    const { validation, test } = dataset.splits;
    return {
      validation: (await measure(predictor, validation)).accuracy,
      test: (await measure(predictor, test, "test")).accuracy,
    };
  } finally {
    dispose();
  }
}
