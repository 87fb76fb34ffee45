/**
 * Recordings in whatever form: WAV, FLAC, MP3, Ogg Vorbis and Opus.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { decodeWav, type WavRecording } from "./wav.ts";

/** What a decoder gives. */
interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly sampleRate: number;
  readonly errors: readonly { readonly message: string }[];
}

/** A decoder of the family of wasm-audio-decoders; whole files, one after another. */
interface Decoder {
  readonly ready: Promise<void>;
  reset(): Promise<void>;
  decode(bytes: Uint8Array): Promise<Decoded> | Decoded;
  decodeFile?(bytes: Uint8Array): Promise<Decoded>;
}

type Form = "FLAC" | "MP3" | "Ogg Vorbis" | "Ogg Opus";

/** Loaded where a file asks for them: each brings machine code of its own. */
const makers: Readonly<Record<Form, () => Promise<Decoder>>> = {
  "FLAC": async () => new (await import("@wasm-audio-decoders/flac")).FLACDecoder() as unknown as Decoder,
  "MP3": async () => new (await import("mpg123-decoder")).MPEGDecoder() as unknown as Decoder,
  "Ogg Vorbis": async () =>
    new (await import("@wasm-audio-decoders/ogg-vorbis")).OggVorbisDecoder() as unknown as Decoder,
  "Ogg Opus": async () => new (await import("ogg-opus-decoder")).OggOpusDecoder() as unknown as Decoder,
};
const made = new Map<Form, Promise<Decoder>>();

/** What a file is by its first bytes; `null` if it is nothing that is read here. */
function formOf(bytes: Uint8Array): Form | null {
  const tag = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
  if (tag(0, 4) === "fLaC") return "FLAC";
  if (tag(0, 4) === "OggS") {
    // The first packet of a stream says what it carries.
    const head = tag(0, 128);
    return head.includes("OpusHead") ? "Ogg Opus" : head.includes("vorbis") ? "Ogg Vorbis" : null;
  }
  // A frame of MPEG audio begins with eleven ones; tags may stand before the first.
  const frame = bytes[0] === 0xff && (bytes[1] & 0xe0) === 0xe0 && (bytes[1] & 0x06) !== 0;
  return tag(0, 3) === "ID3" || frame ? "MP3" : null;
}

/** Whether the first bytes are those of a recording that is read here. */
export function isSound(bytes: Uint8Array): boolean {
  return formOf(bytes) !== null || String.fromCharCode(...bytes.subarray(0, 4)) === "RIFF";
}

/** Samples of each channel that a file must give; 0 if it does not say. A cut-off file gives fewer. */
function promised(bytes: Uint8Array, form: Form): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (form === "FLAC") return bytes.length < 26 ? 1 : (bytes[21] & 0x0f) * 2 ** 32 + view.getUint32(22);
  if (form !== "MP3") return 0;
  // The first frame may be a tag that counts the others.
  for (let at = 0; at + 12 < Math.min(bytes.length, 4096); at++) {
    const tag = String.fromCharCode(...bytes.subarray(at, at + 4));
    if (tag !== "Xing" && tag !== "Info") continue;
    // Frames of half rates have half as many samples; decoders cut off the silence that encoders put at both ends.
    return (view.getUint32(at + 4) & 1) === 1 ? (view.getUint32(at + 8) - 4) * 576 : 0;
  }
  return 0;
}

/** Whether the last page of an Ogg file says that it is the last, and is whole. */
function endsWell(bytes: Uint8Array): boolean {
  for (let at = bytes.length - 27; at >= 0; at--) {
    const page = bytes[at] === 0x4f && bytes[at + 1] === 0x67 && bytes[at + 2] === 0x67 && bytes[at + 3] === 0x53;
    if (!page) continue;
    const segments = bytes.subarray(at + 27, at + 27 + bytes[at + 26]);
    const end = at + 27 + bytes[at + 26] + segments.reduce((sum, length) => sum + length, 0);
    return (bytes[at + 5] & 4) === 4 && end <= bytes.length;
  }
  return false;
}

// A decoder has one state: files of a form take turns.
let turn: Promise<unknown> = Promise.resolve();

async function decoded(bytes: Uint8Array, form: Form): Promise<Decoded> {
  let maker = made.get(form);
  if (maker === undefined) made.set(form, maker = makers[form]());
  const decoder = await maker;
  await decoder.ready;
  await decoder.reset();
  return decoder.decodeFile === undefined ? await decoder.decode(bytes) : await decoder.decodeFile(bytes);
}

/**
 * Reads a recording of any form; the first bytes say which.
 *
 * @param path For messages.
 * @throws {Refusal} If it is none, is cut off or damaged, or holds no sound.
 */
export async function decodeSound(bytes: Uint8Array, path: string): Promise<WavRecording> {
  const refuse = (must: string, found: string, hint?: string, cause?: unknown) =>
    new Refusal({ what: `read "${path}"`, must, found, hint }, { cause });
  const form = formOf(bytes);
  if (form === null) {
    if (bytes.length === 0 || String.fromCharCode(...bytes.subarray(0, 4)) === "RIFF") return decodeWav(bytes, path);
    throw refuse(
      "it must be WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus",
      "it does not begin like one",
      "convert it: ffmpeg -i IN OUT.wav",
    );
  }
  const whole = `it must be whole ${form}`;
  const mine = turn.then(() => decoded(bytes, form));
  turn = mine.catch(() => {
    // Whoever asked for it is told; the next in turn does not care.
  });
  let result: Decoded;
  try {
    result = await mine;
  } catch (cause) {
    throw refuse(whole, (cause instanceof Error ? cause.message : String(cause)).split("\n")[0], undefined, cause);
  }
  const { channelData, sampleRate, errors } = result;
  if (errors.length > 0) throw refuse(whole, `found ${errors[0].message.toLowerCase()}`);
  const size = channelData[0]?.length ?? 0;
  const least = promised(bytes, form);
  if (size < least || (form.startsWith("Ogg") && !endsWell(bytes))) {
    throw refuse(
      whole,
      `its sound is cut off or damaged: ${size} samples${least === 0 ? "" : ` of at least ${least}`}`,
    );
  }
  if (size === 0) throw refuse("it must hold sound", "it has length 0");
  const signal = new Float32Array(size);
  for (let n = 0; n < size; n++) {
    let sum = 0;
    for (const channel of channelData) sum += channel[n];
    signal[n] = sum / channelData.length;
  }
  return { rate: sampleRate, channels: channelData.length, signal };
}
