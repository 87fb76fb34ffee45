/**
 * The tested model of a finished run for other programs: as an ONNX model, or as weights under PyTorch's names.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { Library } from "../core/library.ts";
import type { ModalityInfo } from "../core/kinds/mod.ts";
import * as names from "../core/names.ts";
import type { NamedHostTensors, Program } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import type { RunConfig, RunSummary } from "../core/record.ts";
import { selectModalities } from "../datasets/select.ts";
import { onnxCpu } from "../engines/mod.ts";
import { toTorch } from "../nn/torch.ts";
import { openRun } from "../store/run_folder.ts";
import type { StoredModel } from "../store/run_tensors.ts";
import { predictProgram } from "../training/programs/predict.ts";
import { layoutOf, mergedOf } from "../training/state.ts";
import { VERSION } from "../version.ts";
import { buildModel } from "./config.ts";
import { loadSameDataset } from "./data.ts";

/** A finished run as it lies on disk. */
export interface ExportableRun {
  readonly id: string;
  readonly config: RunConfig;
  readonly summary: RunSummary;
  readonly model: StoredModel;
}

/** What is said of an exported file, in it and beside it. */
export interface ExportDescription {
  readonly format: "onnx" | "safetensors";
  readonly run: string;
  readonly armlab: string;
  readonly about: string;
  readonly inputs: readonly ExportedInput[];
  readonly outputs: readonly ExportedOutput[];
  /** Class names, in the order of the logits. */
  readonly classes: readonly string[];
  readonly dataset: RunConfig["dataset"];
  readonly preprocessing: string;
  readonly testAccuracy: number;
}

/** One modality's input. */
export interface ExportedInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype: string;
  /** What it holds and how that was made of raw data. */
  readonly about: string;
}

/** One output. */
export interface ExportedOutput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly about: string;
}

/** An exported file. */
export interface Exported {
  readonly bytes: Uint8Array;
  readonly description: ExportDescription;
}

/** Weights to write, and their description. */
export interface ExportedWeights {
  readonly tensors: NamedHostTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a finished run.
 *
 * @param path Its folder.
 * @throws {Refusal} If nothing is there, or the run is not finished.
 * @throws {StoreError} If a file is damaged.
 */
export async function readFinishedRun(path: string): Promise<ExportableRun> {
  const what = `export run "${path}"`;
  const full = resolve(path);
  const folder = openRun(dirname(full), basename(full));
  const config = await folder.config();
  if (config === null) {
    throw new Refusal({ what, must: "it must be the folder of a run", found: "it has no config.json" });
  }
  const [summary, model] = [await folder.summary(), await folder.model()];
  if (summary === null || model === null) {
    throw new Refusal({
      what,
      must: "it must be finished",
      found: `it has no ${summary === null ? "summary.json" : "model.safetensors"}`,
      hint: summary === null
        ? "run its bench again, which goes on where it stopped"
        : "run its bench again, which trains it anew",
    });
  }
  return { id: folder.id, config, summary, model };
}

/**
 * Parameters and buffers under PyTorch's names and in its layouts; those of the harness itself are left out.
 *
 * @param encoder A modality: its encoder's alone, under the names that they have in the encoder (`conv1.weight`), as
 *   `load_state_dict(strict=True)` of the same architecture wants them.
 * @throws {Refusal} If the run has no encoder of that modality.
 */
export function exportWeights(run: ExportableRun, encoder?: string): ExportedWeights {
  const { config } = run;
  if (encoder !== undefined && !Object.hasOwn(config.encoders, encoder)) {
    throw new Refusal({
      what: `export an encoder of run "${run.id}"`,
      must: `it must be that of ${Object.keys(config.encoders).join(" or ")}`,
      found: `asked for ${JSON.stringify(encoder.slice(0, 200))}`,
    });
  }
  const all = Object.entries({ ...run.model.params, ...run.model.buffers });
  const prefix = `encoder:${encoder}/`;
  const own = encoder === undefined
    ? all.filter(([name]) => !name.startsWith("harness/"))
    : all.filter(([name]) => name.startsWith(prefix)).map(([name, value]) =>
      [name.slice(prefix.length), value] as const
    );
  return {
    tensors: toTorch(Object.fromEntries(own)),
    metadata: {
      format: "pt",
      run: run.id,
      armlab: VERSION,
      ...(encoder === undefined ? { fusion: JSON.stringify(config.fusion) } : {}),
      encoders: JSON.stringify(encoder === undefined ? config.encoders : { [encoder]: config.encoders[encoder] }),
      layout: "PyTorch: linear [out, in], convolution [out, in, ...spatial]; inputs there are channels first",
    },
  };
}

function inputAbout({ about, shape }: ModalityInfo): string {
  return `${about}; [${["batch", ...shape].join(", ")}], channels last`;
}

/**
 * The model's prediction as ONNX: inputs by modality, outputs `logits` and `probabilities`, any batch size.
 *
 * @param library Must hold the run's plugins.
 * @throws {Refusal} If the dataset is not the one the run was trained on, or the prediction cannot stand alone.
 */
export async function exportOnnx(run: ExportableRun, library: Library): Promise<Exported> {
  const { config } = run;
  const plugin = library.of("dataset").get(config.dataset.name);
  const loaded = await loadSameDataset(library, config, `export run "${run.id}"`);
  const dataset = selectModalities(loaded, config.modalities);
  const model = buildModel(config, library, dataset);
  // Imported here, as weights are exported without ONNX Runtime.
  const [{ onnxModel }, engine] = [await import("../engines/onnx/export.ts"), await onnxCpu.create()];
  const merged = mergedOf(model, dataset, engine);
  const layout = layoutOf(model, dataset, merged, engine, 2);
  await engine.dispose();
  const programOf = (batchSize: number): Program => {
    const parts = { model, modalities: dataset.modalities, merged, layout, batchSize };
    const predict = predictProgram(parts, null, false);
    return {
      ...predict,
      apply(state, inputs) {
        const { logits } = predict.apply(state, inputs).outputs;
        return { state: {}, outputs: { logits, probabilities: tf.softmax(logits as tf.Tensor2D) } };
      },
    };
  };
  const state = { ...names.param.over(run.model.params), ...names.buffer.over(run.model.buffers) };
  const missing = Object.keys(programOf(2).state).find((name) => state[name] === undefined);
  if (missing !== undefined) {
    throw new Refusal({
      what: `export run "${run.id}"`,
      must: `its model.safetensors must hold "${missing}"`,
      found: "it does not",
    });
  }

  const parts = [config.fusion.name, ...config.methods.map(({ name }) => name)].join(" + ");
  const about = `${config.dataset.name}: ${parts}, seed ${config.seed} (armlab run ${run.id})`;
  const preprocessing = config.modalities.map((name) => `${name}: ${dataset.modalities[name].about}`).join("; ") +
    `. Dataset ${config.dataset.name}, options ${JSON.stringify(config.dataset.options)}: ${plugin.about}`;
  const made = onnxModel({
    programOf,
    state,
    batchInput: names.input.of(config.modalities[0]),
    inputs: Object.fromEntries(
      config.modalities.map((name) => [names.input.of(name), { name, about: inputAbout(dataset.modalities[name]) }]),
    ),
    outputs: {
      logits: { name: "logits", about: `scores of the classes ${dataset.classes.join(", ")}` },
      probabilities: { name: "probabilities", about: "softmax of the logits" },
    },
    name: `armlab-${run.id}`,
    about,
    version: VERSION,
    metadata: {
      run: run.id,
      classes: JSON.stringify(dataset.classes),
      modalities: JSON.stringify(config.modalities),
      preprocessing,
      dataset: JSON.stringify(config.dataset),
    },
  });
  return {
    bytes: made.bytes,
    description: {
      format: "onnx",
      run: run.id,
      armlab: VERSION,
      about,
      inputs: made.inputs,
      outputs: made.outputs,
      classes: dataset.classes,
      dataset: config.dataset,
      preprocessing,
      testAccuracy: run.summary.test.accuracy,
    },
  };
}
