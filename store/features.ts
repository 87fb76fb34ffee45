/**
 * Pooled features of a run's test split, a safetensors file, which Python reads too.
 *
 * Tensors: `label` [N] (int32), `fused` [N, d] and for each modality `pooled:<modality>` [N, d_u] (float32).
 *
 * @module
 */
import { canonicalJson } from "../core/canonical.ts";
import { byModality } from "../core/modality.ts";
import type { HostTensor } from "../core/program.ts";
import type { PooledFeatures } from "../core/record.ts";
import { StoreError } from "./files.ts";
import { readSafetensors, writeSafetensors } from "./tensors.ts";

/** Writes the features of a run. @throws {StoreError} If the file cannot be written. */
export async function writeFeatures(
  path: string,
  run: string,
  { labels, pooled, fused }: PooledFeatures,
): Promise<void> {
  const real = (data: Float32Array): HostTensor => ({
    dtype: "float32",
    shape: [labels.length, data.length / labels.length],
    data,
  });
  await writeSafetensors(path, {
    label: { dtype: "int32", shape: [labels.length], data: labels },
    fused: real(fused),
    ...Object.fromEntries(Object.entries(pooled).map(([modality, data]) => [`pooled:${modality}`, real(data)])),
  }, { format: "1", run, split: "test", modalities: canonicalJson(Object.keys(pooled)) });
}

/**
 * Reads the features of a run.
 *
 * @returns `null` if none were kept.
 * @throws {StoreError} If the file is damaged, of another run, or cannot be read.
 */
export async function readFeatures(path: string, run: string): Promise<PooledFeatures | null> {
  const stored = await readSafetensors(path);
  if (stored === null) return null;
  const { metadata, tensors } = stored;
  const refuse = (must: string, found: string) =>
    new StoreError("corrupt", path, {
      what: `read features "${path}"`,
      must,
      found: `found ${found}`,
      hint: "remove it and run the same bench again with --keep features",
    });
  if (metadata.format !== "1" || metadata.run !== run) {
    throw refuse(`it must be of run ${run}`, `${JSON.stringify(metadata.run?.slice(0, 40) ?? null)}`);
  }
  const label = Object.hasOwn(tensors, "label") ? tensors.label : undefined;
  if (label?.dtype !== "int32" || label.data.length === 0) {
    throw refuse("it must hold the labels of at least one sample", "none");
  }
  const take = (name: string): Float32Array => {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (tensor?.dtype === "float32" && tensor.shape.length === 2 && tensor.shape[0] === label.data.length) {
      return tensor.data as Float32Array;
    }
    throw refuse(
      `it must hold "${name}" of ${label.data.length} samples`,
      tensor === undefined ? "none" : "another kind",
    );
  };
  const modalities = Object.keys(tensors).filter((name) => name.startsWith("pooled:")).map((name) => name.slice(7));
  return {
    labels: label.data as Int32Array,
    fused: take("fused"),
    pooled: byModality(modalities.sort(), (modality) => take(`pooled:${modality}`)),
  };
}
