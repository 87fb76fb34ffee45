/**
 * Samples as people see, hear or read them.
 *
 * @module
 */
import { type ByModality, byModality, modalitiesOf } from "../core/modality.ts";
import type { Dataset, ModalityInfo, Preview, Split, SplitName } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";

/** Values of a sample in one modality, as they are trained on. */
async function valuesOf(
  split: Split,
  modality: string,
  { shape, dtype }: ModalityInfo,
  sample: number,
): Promise<Float32Array | Int32Array> {
  const width = sizeOf(shape);
  if (Object.hasOwn(split.inputs, modality)) {
    return split.inputs[modality].subarray(sample * width, (sample + 1) * width);
  }
  const values = dtype === "int32" ? new Int32Array(width) : new Float32Array(width);
  await split.rows![modality].copy(sample, values, 0);
  return values;
}

/** Numbers as brightness: their least is 0, their largest 255. */
export function brightness(values: ArrayLike<number>): Uint8Array {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const range = high > low ? high - low : 1;
  return Uint8Array.from({ length: values.length }, (_, i) => Math.round(255 * (values[i] - low) / range));
}

/** What can be seen of values that say nothing of themselves but their shape. */
function plain(values: Float32Array | Int32Array, { shape, dtype, logPower }: ModalityInfo): Preview[] {
  const [height, width, channels] = shape.slice(-3);
  if (logPower !== undefined && values instanceof Float32Array) {
    return [{ kind: "spectrogram", frames: shape[0], bands: shape[1], values }];
  }
  const pictures = dtype === "float32" && (shape.length === 3 || shape.length === 4);
  if (!pictures || (channels !== 1 && channels !== 3)) return [{ kind: "values", shape, values }];
  const bright = brightness(values);
  const own = height * width * channels;
  return Array.from({ length: values.length / own }, (_, frame) => ({
    kind: "image",
    height,
    width,
    channels,
    values: bright.subarray(frame * own, (frame + 1) * own),
  }));
}

/**
 * Previews of a sample by modality: what the dataset shows of it, else the values that are trained on: those of shape
 * [h, w, 1] or [h, w, 3] as a picture, films as a picture for each frame, from their least to their largest, others as
 * numbers.
 *
 * @param sample Its place in the split.
 * @returns Of every modality that the sample has.
 * @throws {Refusal} If the split has no such sample.
 */
export async function previewOf(
  dataset: Dataset,
  name: SplitName,
  sample: number,
): Promise<ByModality<readonly Preview[]>> {
  const split = dataset.splits[name];
  if (!Number.isInteger(sample) || sample < 0 || sample >= split.size) {
    throw new Refusal({
      what: `show sample ${sample} of dataset "${dataset.name}"`,
      must: `its ${name} split must have it`,
      found: `it has ${split.size}`,
    });
  }
  const modalities = modalitiesOf(dataset.modalities);
  const own = await dataset.preview?.(name, sample) ?? {};
  const has = (_: string, u: number) =>
    split.present === undefined || split.present[sample * modalities.length + u] === 1;
  const shown: Record<string, readonly Preview[]> = {};
  for (const modality of modalities.filter(has)) {
    const info = dataset.modalities[modality];
    shown[modality] = Object.hasOwn(own, modality)
      ? own[modality]
      : plain(await valuesOf(split, modality, info, sample), info);
  }
  return byModality(Object.keys(shown), (modality) => shown[modality]);
}
