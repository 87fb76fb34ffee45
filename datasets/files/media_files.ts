/**
 * Bytes of media: files within the dataset's folder, and what ffmpeg makes of them.
 *
 * @module
 */
import { isAbsolute, join, normalize, relative } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { fileSource } from "../../formats/source.ts";

/** Endings of pictures. */
export const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|bmp|avif)$/i;
/** Endings of recordings; those that no decoder here reads go through ffmpeg. */
export const SOUND = /\.(wav|flac|mp3|ogg|oga|opus|m4a|aac|wma|aiff?)$/i;
/** Endings of films. */
export const FILM = /\.(mp4|m4v|mov|avi|mkv|webm|mpe?g|flv|wmv)$/i;

/** Largest file of one sample. */
const MAX_MEDIA_BYTES = 500_000_000;

const outside = (name: string, found: string) =>
  new Refusal({ what: `read "${name}"`, must: "it must lie in the folder of the dataset", found });

/** Where a file of the dataset lies; `null` if nothing is there. @throws {Refusal} If that is outside of its folder. */
export async function placeIfThere(root: string, name: string): Promise<string | null> {
  if (isAbsolute(name) || normalize(name).split(/[\\/]/)[0] === "..") {
    throw outside(name, "its path leads out of it");
  }
  const path = join(root, name);
  let real: string;
  try {
    real = relative(await Deno.realPath(root), await Deno.realPath(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    return null;
  }
  if (real.split(/[\\/]/)[0] === ".." || isAbsolute(real)) throw outside(name, "it is a link out of it");
  return path;
}

/** Where a file of the dataset lies. @throws {Refusal} If that is outside of its folder, or nothing is there. */
export async function placeOf(root: string, name: string): Promise<string> {
  const path = await placeIfThere(root, name);
  if (path !== null) return path;
  throw new Refusal({
    what: `read "${join(root, name)}"`,
    must: "it must exist",
    found: "nothing is there",
    hint: "leave its cell empty if the sample lacks it",
  });
}

/** Reads a file of the dataset's folder. @throws {Refusal} If it lies outside of it, or cannot be read. */
export async function bytesOfFile(root: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = await fileSource(await placeOf(root, name));
  try {
    if (source.size <= MAX_MEDIA_BYTES) return await source.read(0, source.size);
    throw new Refusal({
      what: `read "${name}"`,
      must: `it must have at most ${MAX_MEDIA_BYTES} bytes`,
      found: `found ${source.size}`,
    });
  } finally {
    source.close();
  }
}

/** A command as it would be typed. */
export function ffmpegCommand(args: readonly string[]): string {
  return ["ffmpeg", ...args].map((arg) => /^[\w./:=,+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`)
    .join(" ");
}

/** Before all other arguments: what cannot be decoded ends it, where it would go on with what is left of a cut-off file. */
export const WHOLE_OR_NOTHING: readonly string[] = ["-v", "error", "-xerror"];

/** Most bytes that are taken of what ffmpeg gives. */
const MAX_OUTPUT_BYTES = 2_000_000_000;

/** What ffmpeg says of a film without sound, and of a recording without pictures. */
const NO_STREAM = /does not contain any stream/;

/**
 * What ffmpeg writes to its output; `null` where the file is one that it reads, and has no stream of the kind that is asked
 * for.
 *
 * @param name For messages.
 * @throws {Refusal} If it is not installed, or does not read the file; both say the command.
 */
export async function fromFfmpeg(args: readonly string[], name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const command = ffmpegCommand(args);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("ffmpeg", { args: [...args], stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Refusal({
      what: `read "${name}"`,
      must: "ffmpeg must be installed to decode it",
      found: "it is not on the PATH",
      hint: `install it; it is then run as: ${command}`,
    });
  }
  if (output.success && output.stdout.length <= MAX_OUTPUT_BYTES) return output.stdout as Uint8Array<ArrayBuffer>;
  // An address in memory is another at every call; reports of the same files are the same bytes.
  const [line] = new TextDecoder().decode(output.stderr).trim().split("\n");
  const first = line.replaceAll(/ @ 0x[0-9a-f]+/g, "").slice(0, 200);
  if (NO_STREAM.test(first)) return null;
  throw new Refusal({
    what: `read "${name}"`,
    must: "ffmpeg must decode it",
    found: output.success ? `it gave ${output.stdout.length} bytes` : first || `it ended with code ${output.code}`,
    hint: `it was run as: ${command}`,
  });
}
