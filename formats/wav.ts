/**
 * WAV files: PCM of 8 to 32 bits and floats, any number of channels.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";

/** A recording. */
export interface WavRecording {
  /** Samples per second. */
  readonly rate: number;
  readonly channels: number;
  /** The mean of all channels, in [-1, 1] for PCM. */
  readonly signal: Float32Array;
}

/** How one value is read, by format and bits. */
function reader(format: number, bits: number): ((view: DataView, at: number) => number) | null {
  switch (`${format}/${bits}`) {
    case "1/8":
      return (view, at) => (view.getUint8(at) - 128) / 128;
    case "1/16":
      return (view, at) => view.getInt16(at, true) / 2 ** 15;
    case "1/24":
      return (view, at) => (view.getUint16(at, true) | view.getInt8(at + 2) << 16) / 2 ** 23;
    case "1/32":
      return (view, at) => view.getInt32(at, true) / 2 ** 31;
    case "3/32":
      return (view, at) => view.getFloat32(at, true);
    case "3/64":
      return (view, at) => view.getFloat64(at, true);
    default:
      return null;
  }
}

/** Formats that are named in refusals. */
const names: Readonly<Record<number, string>> = { 2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 85: "MP3" };

/**
 * Reads a WAV file.
 *
 * @param path For messages.
 * @param options With `unfinished` what says of itself to be longer than it is, as in a pipe, ends where it ends.
 * @throws {Refusal} If it is none, is cut off, compressed, or holds no sound.
 */
export function decodeWav(
  bytes: Uint8Array,
  path: string,
  { unfinished = false }: { readonly unfinished?: boolean } = {},
): WavRecording {
  const refuse = (must: string, found: string, hint?: string) =>
    new Refusal({ what: `read "${path}"`, must, found, hint });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  const whole = "it must be a WAV file";
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") {
    throw refuse(
      whole,
      bytes.length === 0 ? "it is empty" : "it does not begin like one",
      "convert it: ffmpeg -i IN OUT.wav",
    );
  }
  let form: { format: number; channels: number; rate: number; frame: number; bits: number } | null = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = tag(at);
    const from = at + 8;
    const said = view.getUint32(at + 4, true);
    const length = unfinished && name === "data" ? Math.min(said, bytes.length - from) : said;
    if (name === "fmt " && length >= 16 && from + length <= bytes.length) {
      const format = view.getUint16(from, true);
      form = {
        // The extended form says what it is in the first bytes of its last field.
        format: format === 0xfffe && length >= 26 ? view.getUint16(from + 24, true) : format,
        channels: view.getUint16(from + 2, true),
        rate: view.getUint32(from + 4, true),
        frame: view.getUint16(from + 12, true),
        bits: view.getUint16(from + 14, true),
      };
    }
    if (name === "data") {
      if (form === null) throw refuse(whole, "it does not say how it is stored");
      const { format, channels, rate, frame, bits } = form;
      const read = reader(format, bits);
      if (read === null) {
        throw refuse(
          "it must hold PCM or floats",
          `found ${names[format] ?? `format ${format}`}, ${bits} bits`,
          "convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav",
        );
      }
      if (channels < 1 || rate < 1 || frame !== channels * bits / 8) throw refuse(whole, "its head contradicts itself");
      // A recorder that was killed leaves a length of 0 or of all ones.
      if (from + length > bytes.length) {
        throw refuse("it must be whole", `its sound is cut off at ${bytes.length - from} of ${length} bytes`);
      }
      const size = Math.floor(length / frame);
      if (size === 0) throw refuse("it must hold sound", "it has length 0");
      const signal = new Float32Array(size);
      if (format === 1 && bits === 16 && channels === 1) {
        // Most recordings are such.
        for (let n = 0; n < size; n++) signal[n] = view.getInt16(from + 2 * n, true) / 2 ** 15;
        return { rate, channels, signal };
      }
      for (let n = 0; n < size; n++) {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += read(view, from + n * frame + c * bits / 8);
        signal[n] = sum / channels;
      }
      return { rate, channels, signal };
    }
    at = from + length + length % 2;
  }
  throw refuse(whole, "it holds no sound");
}
