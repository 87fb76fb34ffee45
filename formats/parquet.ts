/**
 * Parquet tables, by `hyparquet`: a column an array; a column of lists of one length is a matrix,
 * one of lists of lists an array of as many axes.
 *
 * @module
 */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import { arrayOf } from "./columns.ts";
import { type ByteSource, fileSource } from "./source.ts";

/** What hyparquet reads from. */
function bufferOf(source: ByteSource): AsyncBuffer {
  return {
    byteLength: source.size,
    async slice(from, to = source.size) {
      return (await source.read(from, to)).buffer;
    },
  };
}

/** Opens a table. @throws {Refusal} If it is none, is damaged, or too large. */
export async function openParquet(path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  const source = await fileSource(path);
  const refuse = (must: string, error: unknown) => {
    const found = error instanceof Error ? error.message.split("\n")[0].slice(0, 200) : "it is not";
    return new Refusal({ what: `read "${path}"`, must, found, hint: "save or copy it again" }, { cause: error });
  };
  try {
    const file = bufferOf(source);
    const whole = "it must be a whole Parquet file";
    const metadata = await parquetMetadataAsync(file).catch((error) => {
      throw refuse(whole, error);
    });
    const rows = Number(metadata.num_rows);
    const heads = new Map<string, ArrayHead>();
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    const bytes = metadata.row_groups.flatMap(({ columns }) => columns).reduce((sums, { meta_data: own }) => {
      if (own === undefined) return sums;
      const name = own.path_in_schema[0];
      return sums.set(name, (sums.get(name) ?? 0) + Number(own.total_uncompressed_size));
    }, new Map<string, number>());
    for (const name of names) {
      const held = Math.max(8 * rows, 2 * (bytes.get(name) ?? 0));
      heads.set(name, { name, shape: [rows], type: "float64", held, what: `column "${name}" of "${path}"` });
    }
    checkHeld(path, heads.values(), most);
    return {
      path,
      heads,
      async read(name) {
        const { what } = headOf(path, heads, name);
        let read: Record<string, unknown>[];
        try {
          read = await parquetReadObjects({ file, metadata, compressors, columns: [name], utf8: false });
        } catch (error) {
          if (error instanceof Refusal) throw error;
          throw refuse(whole, error);
        }
        return arrayOf(read.map((row) => row[name]), what);
      },
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}
