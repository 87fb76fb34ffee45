/** Files of published sets, as small as they can be. */
import { dirname, join } from "node:path";
import sharp from "sharp";
import { dataCommand } from "../../cli/data.ts";
import { Random } from "../../core/random.ts";
import { encodeWav } from "./wav.ts";

/** Writes a file, with its folders. */
export async function put(path: string, data: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, typeof data === "string" ? new TextEncoder().encode(data) : data);
}

/** A JPEG of one colour. */
export async function jpeg(path: string, red: number, size = 16): Promise<void> {
  const background = { r: red, g: 90, b: 30 };
  const bytes = await sharp({ create: { width: size, height: size, channels: 3, background } }).jpeg().toBuffer();
  await put(path, bytes);
}

/** Frames of a film, `00000.jpg` on. */
export async function frames(folder: string, red: number, count = 2): Promise<void> {
  for (let k = 0; k < count; k++) await jpeg(join(folder, `${String(k).padStart(5, "0")}.jpg`), red + k);
}

/** A recording of a tone. */
export async function tone(path: string, hertz: number, size = 800, rate = 16_000): Promise<void> {
  const signal = Float32Array.from({ length: size }, (_, n) => 0.5 * Math.sin(2 * Math.PI * hertz * n / rate));
  await put(path, encodeWav([signal], rate));
}

/** A JPEG of noise, another for every seed. */
export async function grain(path: string, seed: number, size = 12): Promise<void> {
  const random = new Random(seed);
  const pixels = Uint8Array.from({ length: 3 * size * size }, () => random.integer(256));
  await put(path, await sharp(pixels, { raw: { width: size, height: size, channels: 3 } }).jpeg().toBuffer());
}

/** Runs `armlab data` in this process. */
export async function data(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = (line: string) => void lines.push(line);
  console.error = console.log;
  try {
    const code = await dataCommand.run(args);
    return { code, out: lines.join("\n") };
  } finally {
    console.log = log;
    console.error = error;
  }
}
