/**
 * Clips of videos on disk: recordings, frames and films, found by the names that download scripts and pre-processing give.
 *
 * @module
 */
import type { SetFolder, SplitName } from "../../core/kinds/mod.ts";

/** Names of the splits' folders. */
export const SPLIT_FOLDERS: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train"],
  validation: ["validation", "val", "valid"],
  test: ["test", "val", "validation"],
};

/** A video's name at YouTube, and the seconds at which the clip begins and ends: x_000058_000068, x_58_68, x_58. */
const CLIP = /^([\w-]{11})_(\d+)(?:_\d+)?$/;
const ENDING = /\.(mp4|mkv|webm|avi|mov|flv|wav|flac|mp3|ogg|m4a|npy)$/i;

/** What a clip's names have in common, however its seconds are written. */
export function clipKey(name: string): string {
  const found = CLIP.exec(name);
  return found === null ? name : `${found[1]}_${Number(found[2])}`;
}

/** The video of a clip. */
export function videoOf(name: string): string {
  return CLIP.exec(name)?.[1] ?? name;
}

/** Files and folders of clips by `clipKey`. */
export type ClipIndex = ReadonlyMap<string, { readonly path: string; readonly folder: boolean }>;

/** Clips in a folder, themselves or in folders of classes. */
export async function clipsIn(
  folder: SetFolder,
  at: string,
  classes: ReadonlySet<string> = new Set(),
): Promise<ClipIndex> {
  const found = new Map<string, { path: string; folder: boolean }>();
  const entries = await folder.entries(at);
  for (const [name, isFolder] of entries) {
    if (!isFolder || !classes.has(className(name))) continue;
    for (const [key, own] of await clipsIn(folder, `${at}/${name}`)) found.set(key, own);
  }
  if (found.size > 0) return found;
  for (const [name, isFolder] of await folder.media(at)) {
    // VGGSound's frames lie in folders that keep the ending of their film.
    const bare = name.replace(ENDING, "");
    if (isFolder || bare !== name) found.set(clipKey(bare), { path: `${at}/${name}`, folder: isFolder });
  }
  return found;
}

/** The first of some folders that holds anything, as an index; `null` if none does. */
export async function firstClips(
  folder: SetFolder,
  names: readonly string[],
  classes?: ReadonlySet<string>,
): Promise<ClipIndex | null> {
  for (const name of names) {
    const found = await clipsIn(folder, name, classes);
    if (found.size > 0) return found;
  }
  return null;
}

/** A class as its folder is named: Kinetics has spaces, others underscores. */
export function className(name: string): string {
  return name.replaceAll("_", " ").toLowerCase();
}

/** A recording within the folder of a clip: `train/x/x.wav`; "" if there is none. */
export async function soundInside(folder: SetFolder, path: string): Promise<string> {
  for (const [name, isFolder] of await folder.entries(path)) {
    if (!isFolder && /\.(wav|flac|mp3|ogg|m4a)$/i.test(name)) return `${path}/${name}`;
  }
  return "";
}
