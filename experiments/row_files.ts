/**
 * Arrays that are written row by row, anywhere in their file.
 *
 * @module
 */

/** Writes bytes at places of a file, and flushes them to the disk. */
export async function writeBytes(
  path: string,
  parts: readonly { readonly at: number; readonly bytes: Uint8Array }[],
): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  for (const { at, bytes } of parts) {
    await file.seek(at, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  }
  await file.syncData();
}

/** Cells of a table, quoted where they must be. */
export function tableLine(cells: readonly string[]): string {
  return cells.map((cell) => /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell).join(",");
}
