/**
 * Samples of somebody's files as people see them: values before they were scaled, texts as they are written.
 *
 * @module
 */
import { modalitiesOf } from "../../core/modality.ts";
import type { ModalityInfo, Preview, Split, SplitName } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { brightness } from "../preview.ts";
import type { Samples } from "./samples.ts";
import type { FilesModality, FilesSpec } from "./spec.ts";
import { splitNames } from "./splits.ts";
import type { Scaling } from "./inputs.ts";

/** What previews are made of. */
interface Previewed {
  readonly spec: FilesSpec;
  readonly samples: Samples;
  readonly splits: Readonly<Record<SplitName, Split>>;
  readonly described: Readonly<Record<string, ModalityInfo>>;
  readonly scalings: Readonly<Record<string, Scaling | null>>;
}

/** Values as they were before they were scaled. */
async function unscaled(
  split: Split,
  modality: string,
  sample: number,
  { shape }: ModalityInfo,
  scaling: Scaling | null,
): Promise<Float32Array> {
  const width = sizeOf(shape);
  const values = new Float32Array(width);
  if (Object.hasOwn(split.inputs, modality)) {
    values.set(split.inputs[modality].subarray(sample * width, (sample + 1) * width));
  } else await split.rows![modality].copy(sample, values, 0);
  if (scaling === null) return values;
  const axis = scaling.mean.length;
  return values.map((value, i) => {
    const factor = scaling.factor[i % axis];
    return scaling.mean[i % axis] + (factor === 0 ? 0 : value / factor);
  });
}

/** Bytes of a picture: numbers of 0..255 as they are, others from the least to the greatest. */
function bytesOf(values: Float32Array, { kind, holds }: FilesModality): Uint8Array {
  if (kind !== "picture" && kind !== "film" && kind !== "flow" && holds !== "flow") return brightness(values);
  return Uint8Array.from(values, (value) => Math.max(0, Math.min(255, Math.round(value))));
}

/** The frames of a film along time, each a picture, or one for each channel. */
function framesInTime(values: Uint8Array, [frames, height, width, channels]: readonly number[]): Preview[] {
  const area = height * width;
  const own = channels === 3 ? 3 : 1;
  return Array.from({ length: frames * channels / own }, (_, k) => {
    const [frame, channel] = [Math.floor(k * own / channels), k * own % channels];
    const at = (i: number) => (frame * area + Math.floor(i / own)) * channels + channel + i % own;
    return {
      kind: "image",
      height,
      width,
      channels: own,
      values: Uint8Array.from({ length: own * area }, (_, i) => values[at(i)]),
    };
  });
}

/** The frames of a film in the channels, each a picture. */
function framesOf(values: Uint8Array, [height, width, channels]: readonly number[]): Preview[] {
  const frames = channels / 3;
  return Array.from({ length: frames }, (_, frame) => ({
    kind: "image",
    height,
    width,
    channels: 3,
    values: Uint8Array.from({ length: 3 * height * width }, (_, i) => {
      return values[Math.floor(i / 3) * channels + 3 * frame + i % 3];
    }),
  }));
}

function shown(values: Float32Array, info: ModalityInfo, own: FilesModality, rate: number): Preview[] {
  const [first, second, channels] = info.shape;
  if (info.shape.length === 4) return framesInTime(bytesOf(values, own), info.shape);
  if (own.kind === "film") return framesOf(bytesOf(values, own), info.shape);
  if (own.kind === "sound" && info.waveform) return [{ kind: "sound", sampleRate: rate, values }];
  if (channels === 1 && (info.logPower !== undefined || own.holds === "spectrogram")) {
    return [{ kind: "spectrogram", frames: first, bands: second, values }];
  }
  if (info.shape.length === 3 && (channels === 1 || channels === 3)) {
    return [{ kind: "image", height: first, width: second, channels, values: bytesOf(values, own) }];
  }
  return [{ kind: "values", shape: info.shape, values }];
}

/** Previews of a sample by modality; of those alone that it has. */
export async function previewsOf(
  { spec, samples, splits, described, scalings }: Previewed,
  name: SplitName,
  sample: number,
): Promise<Record<string, readonly Preview[]>> {
  const split = splits[name];
  const names = modalitiesOf(described);
  const k = splitNames.indexOf(name);
  let place = -1;
  for (let left = sample; left >= 0; left--) place = samples.split.indexOf(k, place + 1);
  const result: Record<string, readonly Preview[]> = {};
  for (const modality of names) {
    const { present, texts, rate = 16_000 } = samples.values[modality];
    if (present[place] === 0) continue;
    if (texts !== undefined) result[modality] = [{ kind: "text", text: texts[place] }];
    else if (described[modality].vocabulary === undefined) {
      const info = described[modality];
      const values = await unscaled(split, modality, sample, info, scalings[modality]);
      result[modality] = shown(values, info, spec.modalities[modality], rate);
    }
  }
  return result;
}
