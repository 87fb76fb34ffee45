/**
 * Previews as files that every browser shows and plays: BMP and WAV, which need no compression.
 *
 * @module
 */
import type { Preview } from "../core/kinds/mod.ts";
import { brightness } from "../experiments/previews.ts";

/** A file. */
export interface Media {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Pixels [height, width] of red, green and blue as a BMP of 24 bits: rows from below, padded to four bytes. */
function bmp(width: number, height: number, rgb: (x: number, y: number) => readonly [number, number, number]): Media {
  const row = 4 * Math.ceil(3 * width / 4);
  const bytes = new Uint8Array(54 + row * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, row * height, true);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue] = rgb(x, y);
      bytes.set([blue, green, red], 54 + row * (height - 1 - y) + 3 * x);
    }
  }
  return { type: "image/bmp", bytes };
}

/** Samples in -1..1 as a WAV of 16 bits and one channel. */
function wav(values: Float32Array, sampleRate: number): Media {
  const bytes = new Uint8Array(44 + 2 * values.length);
  const view = new DataView(bytes.buffer);
  const text = (at: number, letters: string) => bytes.set(new TextEncoder().encode(letters), at);
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * values.length, true);
  values.forEach((value, i) => view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, value))), true));
  return { type: "audio/wav", bytes };
}

/** From quiet to loud: dark violet over orange to light yellow, brighter with every step. */
function heat(value: number): [number, number, number] {
  const share = value / 255;
  const stops = [[12, 7, 42], [110, 30, 109], [219, 80, 60], [250, 170, 40], [252, 253, 180]];
  const at = Math.min(stops.length - 2, Math.floor(share * (stops.length - 1)));
  const part = share * (stops.length - 1) - at;
  const channel = (c: number) => Math.round(stops[at][c] + part * (stops[at + 1][c] - stops[at][c]));
  return [channel(0), channel(1), channel(2)];
}

/** A preview as a file; `null` for text and values, which stand on the page. Time goes to the right, pitch upwards. */
export function mediaOf(preview: Preview): Media | null {
  switch (preview.kind) {
    case "image": {
      const { width, height, channels, values } = preview;
      return bmp(width, height, (x, y) => {
        const at = channels * (width * y + x);
        return channels === 1 ? [values[at], values[at], values[at]] : [values[at], values[at + 1], values[at + 2]];
      });
    }
    case "spectrogram": {
      const { frames, bands } = preview;
      const loudness = brightness(preview.values);
      return bmp(frames, bands, (x, y) => heat(loudness[x * bands + bands - 1 - y]));
    }
    case "sound":
      return wav(preview.values, preview.sampleRate);
    case "text":
    case "values":
      return null;
  }
}
