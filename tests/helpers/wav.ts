/** WAV files of tests. */

/** Channels as PCM of 16 bits. */
export function encodeWav(channels: readonly Float32Array[], rate: number): Uint8Array {
  const [size, count] = [channels[0].length, channels.length];
  const bytes = new Uint8Array(44 + 2 * count * size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("RIFF    WAVEfmt "));
  bytes.set(new TextEncoder().encode("data"), 36);
  const long = [[4, 36 + 2 * count * size], [16, 16], [24, rate], [28, 2 * count * rate], [40, 2 * count * size]];
  for (const [at, value] of long) view.setUint32(at, value, true);
  for (const [at, value] of [[20, 1], [22, count], [32, 2 * count], [34, 16]]) view.setUint16(at, value, true);
  for (let n = 0; n < size; n++) {
    for (let c = 0; c < count; c++) {
      view.setInt16(44 + 2 * (n * count + c), Math.round(32_767 * Math.max(-1, Math.min(1, channels[c][n]))), true);
    }
  }
  return bytes;
}
