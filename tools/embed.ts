/**
 * Writing embedded datasets: compressed files and their digests.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import type { StoredFile } from "../datasets/embedded.ts";
import { hex } from "../datasets/fingerprint.ts";

async function sha256(bytes: Uint8Array): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
}

/** Writes contents compressed into a folder. @returns The file's entry for a manifest, and its compressed size in bytes. */
export async function embed(
  folder: string,
  path: string,
  content: Uint8Array,
): Promise<{ readonly file: StoredFile; readonly bytes: number }> {
  await Deno.mkdir(folder, { recursive: true });
  const packed = new Uint8Array(gzipSync(content, { level: 9 }));
  await Deno.writeFile(join(folder, path), packed);
  return { file: { path, stored: await sha256(packed), decoded: await sha256(content) }, bytes: packed.length };
}

/** Writes a manifest: JSON that a person can read. */
export async function writeManifest(folder: string, path: string, manifest: object): Promise<void> {
  await Deno.writeTextFile(join(folder, path), JSON.stringify(manifest, null, 1) + "\n");
}

/** JSON of a package, imported at run time only, so that nothing but builds ever downloads it. */
export async function packageJson<T>(specifier: string): Promise<T> {
  return (await import(specifier, { with: { type: "json" } }) as { default: T }).default;
}
