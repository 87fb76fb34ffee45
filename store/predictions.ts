/**
 * Predictions of a run, a safetensors file for each split, which Python reads too.
 *
 * Tensors: `id`, `group`, `label`, `predicted` [N] (int32), `confidence` [N], `fused` [N, C], and for each modality
 * `solo:<modality>` [N, C] and `phi:<modality>` [N] (float32).
 *
 * @module
 */
import { type ByModality, byModality } from "../core/modality.ts";
import type { HostTensor } from "../core/program.ts";
import type { Predictions } from "../core/record.ts";
import { readSafetensors, writeSafetensors } from "./tensors.ts";
import { StoreError } from "./files.ts";
import { canonicalJson } from "../core/canonical.ts";

/** Writes the predictions of a run for one split. @throws {StoreError} If the file cannot be written. */
export async function writePredictions(path: string, run: string, own: Predictions): Promise<void> {
  const size = own.labels.length;
  const whole = (data: Int32Array): HostTensor => ({ dtype: "int32", shape: [size], data });
  const real = (data: Float32Array): HostTensor => ({
    dtype: "float32",
    shape: data.length === size ? [size] : [size, data.length / size],
    data,
  });
  const each = (prefix: string, values: ByModality<Float32Array>) =>
    Object.fromEntries(Object.entries(values).map(([modality, data]) => [`${prefix}:${modality}`, real(data)]));
  await writeSafetensors(path, {
    id: whole(own.ids),
    group: whole(own.groups),
    label: whole(own.labels),
    predicted: whole(own.predicted),
    confidence: real(own.confidence),
    ...(own.fused === null ? {} : { fused: real(own.fused) }),
    ...(own.solo === null ? {} : each("solo", own.solo)),
    ...each("phi", own.phi),
  }, { format: "1", run, split: own.split, modalities: canonicalJson(Object.keys(own.phi)) });
}

/**
 * Reads the predictions of a run for one split.
 *
 * @param path Of the file: `openRun(runs, id).file("predictions-test")`.
 * @param run The run's id.
 * @returns `null` if none were kept.
 * @throws {StoreError} If the file is damaged, of another run or split, or cannot be read.
 */
export async function readPredictions(
  path: string,
  run: string,
  split: Predictions["split"],
): Promise<Predictions | null> {
  const stored = await readSafetensors(path);
  if (stored === null) return null;
  const { metadata, tensors } = stored;
  const refuse = (must: string, found: string) =>
    new StoreError("corrupt", path, { what: `read predictions "${path}"`, must, found: `found ${found}` });
  if (metadata.format !== "1" || metadata.run !== run || metadata.split !== split) {
    const quoted = (text: string | undefined) => JSON.stringify(text?.slice(0, 40) ?? null);
    throw refuse(
      `it must hold the ${split} split of run ${run}`,
      `${quoted(metadata.split)} of ${quoted(metadata.run)}`,
    );
  }
  const size = Object.hasOwn(tensors, "label") ? tensors.label.data.length : 0;
  if (size === 0) throw refuse("it must hold the labels of at least one sample", "none");
  const classes = Object.hasOwn(tensors, "fused") ? tensors.fused.data.length / size : 0;
  const take = (name: string, dtype: HostTensor["dtype"], width: number = 1) => {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    const fits = tensor?.dtype === dtype && tensor.shape[0] === size && tensor.data.length === size * width;
    if (!fits) {
      throw refuse(`it must hold "${name}" of ${size} samples`, tensor === undefined ? "none" : "another kind");
    }
    return tensor.data;
  };
  const modalities = Object.keys(tensors).filter((name) => name.startsWith("phi:")).map((name) => name.slice(4)).sort();
  const each = (prefix: string, width: number) =>
    byModality(modalities, (modality) => take(`${prefix}:${modality}`, "float32", width) as Float32Array);
  return {
    split,
    ids: take("id", "int32") as Int32Array,
    groups: take("group", "int32") as Int32Array,
    labels: take("label", "int32") as Int32Array,
    predicted: take("predicted", "int32") as Int32Array,
    confidence: take("confidence", "float32") as Float32Array,
    fused: classes === 0 ? null : take("fused", "float32", classes) as Float32Array,
    solo: classes === 0 ? null : each("solo", classes),
    phi: each("phi", 1),
  };
}
