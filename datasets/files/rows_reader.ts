/**
 * Rows of somebody's files, read in another thread than the one that found them.
 *
 * @module
 */
import type { RowsReader } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { mediaReaderAgain } from "./media.ts";
import { DataFiles } from "./refs.ts";
import { rowsOfPlace, type RowsPlace } from "./inputs.ts";
import { rowsReader } from "./streamed_arrays.ts";

/** Opens what `Rows.elsewhere` says. @throws {Refusal} If the files are not there any more. */
export async function openRows(given: unknown): Promise<RowsReader> {
  const own = given as RowsPlace;
  if ("media" in own.place) {
    const { form, names, root } = own.place.media;
    const read = mediaReaderAgain(form, root);
    return { copy: rowsOfPlace(own, (n) => read(names[n])), close: () => {} };
  }
  const { root, reference } = own.place.array;
  const files = new DataFiles(root);
  const found = await files.rowsOf(reference);
  if (found === null) {
    throw new Refusal({
      what: `read "${reference}"`,
      must: "its rows must lie one behind the other",
      found: "not now",
    });
  }
  return { copy: rowsOfPlace(own, rowsReader(reference, found.rows)), close: () => files.close() };
}
