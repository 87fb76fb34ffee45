import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { decodeWav } from "../../formats/mod.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

const reference = golden<{ wav: Record<string, string> }>("log_mel");

Deno.test("decodeWav() reads PCM and floats of every width, and takes the mean of channels", () => {
  const bytes = (name: string) => Uint8Array.from(atob(reference.wav[name]), (letter) => letter.charCodeAt(0));
  // Means of the two channels that were written.
  const expected = [0.25, 0.5, -0.375, 0.5];
  for (
    const [name, tolerance] of [
      ["PCM_U8", 1 / 100],
      ["PCM_16", 1e-4],
      ["PCM_24", 1e-6],
      ["PCM_32", 1e-7],
      ["FLOAT", 0],
      ["DOUBLE", 0],
      ["extended", 1e-4],
    ] as const
  ) {
    const { rate, channels, signal } = decodeWav(bytes(name), name);
    assertEquals([rate, channels], [8000, 2], name);
    assertClose([...signal], expected, tolerance + 1e-12);
  }
  assertThrows(
    () => decodeWav(bytes("ULAW"), "x.wav"),
    Refusal,
    '"x.wav" as it must hold PCM or floats: found mu-law, 8 bits; convert it: ffmpeg',
  );
  assertThrows(() => decodeWav(bytes("MS_ADPCM"), "x.wav"), Refusal, "found ADPCM, 4 bits");
  const whole = bytes("PCM_16");
  assertThrows(
    () => decodeWav(whole.subarray(0, whole.length - 3), "x.wav"),
    Refusal,
    "its sound is cut off at 13 of 16 bytes",
  );
  assertThrows(() => decodeWav(whole.subarray(0, 40), "x.wav"), Refusal, "it holds no sound");
  assertThrows(() => decodeWav(new Uint8Array(0), "x.wav"), Refusal, "it is empty");
  assertThrows(() => decodeWav(new Uint8Array(100), "x.wav"), Refusal, "it does not begin like one");
  const silent = whole.slice(0, 44);
  new DataView(silent.buffer).setUint32(40, 0, true);
  assertThrows(() => decodeWav(silent, "x.wav"), Refusal, "it must hold sound: it has length 0");
});

Deno.test("decodeWav() passes over other chunks, of odd length too", () => {
  const whole = Uint8Array.from(atob(reference.wav["PCM_16"]), (letter) => letter.charCodeAt(0));
  const note = [...new TextEncoder().encode("LIST"), 3, 0, 0, 0, 1, 2, 3, 0];
  const longer = Uint8Array.of(...whole.subarray(0, 36), ...note, ...whole.subarray(36));
  assertEquals(decodeWav(longer, "x"), decodeWav(whole, "x"));
});
