/**
 * Files of arrays that others write and read: one decoder for datasets, valuation and checkpoints.
 *
 * @module
 */
export { type ArrayFile, type ArrayHead, MAX_HELD_BYTES } from "./arrays.ts";
export {
  type ForeignArray,
  narrowFloats,
  type NumberArray,
  type NumberData,
  type NumberType,
  tensorOf,
  type TextArray,
} from "./elements.ts";
export { decodeNpy, encodeNpy } from "./npy.ts";
export { decodeNpz } from "./npz.ts";
export { openArrays } from "./open.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  type Safetensors,
  type SafetensorsFile,
} from "./safetensors.ts";
export { type ByteSource, bytesSource, fileSource } from "./source.ts";
export { openCsv } from "./csv.ts";
export { openJsonl } from "./jsonl.ts";
export { openParquet } from "./parquet.ts";
export { decodeWav, type WavRecording } from "./wav.ts";
export { decodeSound } from "./sound.ts";
