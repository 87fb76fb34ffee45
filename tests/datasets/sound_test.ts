import { assert, assertEquals, assertRejects } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { spectrogram, type SpectrogramOptions } from "../../datasets/transforms/log_mel.ts";
import { transformOf } from "../../datasets/transforms/fourier.ts";
import { resampler } from "../../datasets/transforms/resample.ts";
import { decodeSound } from "../../formats/mod.ts";
import { Random } from "../../core/random.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

const reference = golden<{
  rate: number;
  forms: Record<string, { bytes: string; rate: number; size: number; mean: number[] }>;
  signal: number[];
  resampled: { from: number; to: number; signal: number[] }[];
  stft: { of: string; options: SpectrogramOptions; power: number[] }[];
}>("sound");

const bytesOf = (form: string) => Uint8Array.from(atob(reference.forms[form].bytes), (letter) => letter.charCodeAt(0));

for (const [form, { rate, size, mean }] of Object.entries(reference.forms)) {
  Deno.test(`decodeSound() reads ${form} as libsndfile does: rate, channels, values`, async () => {
    const bytes = bytesOf(form);
    // Twice: a decoder keeps nothing of the file before.
    for (let round = 0; round < 2; round++) {
      const { rate: found, channels, signal } = await decodeSound(bytes, form);
      // Opus always has 48,000; libsndfile brings it back to what it was made of.
      const times = form === "opus" ? 3 : 1;
      assertEquals([found, channels], [rate * times, 2]);
      // Decoders differ in how much of the silence before the start they leave.
      assert(Math.abs(signal.length - size * times) < 400, `${signal.length} of ${size}`);
      // Lossless values are scaled by 2^15 or by 2^15 - 1; lossy decoders round differently.
      if (times === 1) assertClose([...signal.subarray(1000, 1200)], mean, form === "flac" ? 4e-5 : 2e-3);
    }
  });
}

Deno.test("decodeSound() refuses what is cut off, damaged, empty or no recording, and reads whole files after it", async () => {
  for (const form of Object.keys(reference.forms)) {
    const bytes = bytesOf(form);
    for (const cut of [40, bytes.length >> 1]) {
      const told = `${form}, ${cut} bytes`;
      await assertRejects(() => decodeSound(bytes.slice(0, cut), "a"), Refusal, 'Cannot read "a" as it must', told);
    }
    assertEquals((await decodeSound(bytes, form)).channels, 2);
  }
  await assertRejects(() => decodeSound(new Uint8Array(0), "a"), Refusal, "it is empty");
  await assertRejects(
    () => decodeSound(new TextEncoder().encode("a song"), "a"),
    Refusal,
    "it must be WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus: it does not begin like one; convert it: ffmpeg -i IN OUT.wav",
  );
});

Deno.test("resampler() equals torchaudio's to 1e-4, up and down", () => {
  for (const { from, to, signal } of reference.resampled) {
    const found = [...resampler(from, to)(Float32Array.from(reference.signal))];
    assertEquals(found.length, signal.length, `${from} to ${to}`);
    assertClose(found, signal, 1e-4);
  }
  const same = Float32Array.of(1, 2);
  assertEquals(resampler(8000, 8000)(same), same);
});

for (const { of, options, power } of reference.stft) {
  Deno.test(`spectrogram() equals ${of}'s for frames of ${options.fft} samples to 1e-4`, () => {
    const found = [...spectrogram(options)(Float32Array.from(reference.signal))];
    assertEquals(found.length, power.length);
    assertClose(found, power, 1e-4 * Math.max(...power));
    const log = (values: readonly number[]) => values.map((value) => Math.log(value + 1e-6));
    assertClose(log(found), log(power), 1e-4);
  });
}

Deno.test("transformOf() is the sum that it stands for, of any length", () => {
  const random = new Random(3);
  for (const size of [1, 2, 3, 4, 5, 7, 8, 12, 13, 17, 20, 34, 60, 77, 225]) {
    const [re, im] = [0, 1].map(() => Float64Array.from({ length: size }, () => random.normal()));
    const [real, imaginary] = [re.slice(), im.slice()];
    transformOf(size)(real, imaginary);
    for (let k = 0; k < size; k++) {
      let [a, b] = [0, 0];
      for (let n = 0; n < size; n++) {
        const angle = -2 * Math.PI * (k * n % size) / size;
        a += re[n] * Math.cos(angle) - im[n] * Math.sin(angle);
        b += re[n] * Math.sin(angle) + im[n] * Math.cos(angle);
      }
      assertClose([real[k], imaginary[k]], [a, b], 1e-10);
    }
  }
});
