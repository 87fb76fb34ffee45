/**
 * Parquet tables, by `hyparquet`: a column an array; a column of lists of one length is a matrix.
 *
 * @module
 */
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import type { ForeignArray } from "./elements.ts";
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

/** A value as text; dates as ISO 8601. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return String(value);
}

/** A number; NaN where nothing is; `null` for what is none. */
function numberOf(value: unknown): number | null {
  if (value === null || value === undefined) return NaN;
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "bigint") return Number(value);
  return null;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array));
}

/** Values of a column as an array. @throws {Refusal} If lists differ in length or hold no numbers. */
function arrayOf(values: readonly unknown[], what: string): ForeignArray {
  const first = values.find((value) => value !== null && value !== undefined);
  if (isList(first)) {
    const width = first.length;
    const data = new Float64Array(values.length * width).fill(NaN);
    values.forEach((value, n) => {
      if (value === null || value === undefined) return;
      if (!isList(value) || value.length !== width) {
        throw new Refusal({
          what: `read ${what}`,
          must: `its lists must have one length, ${width} as the first has`,
          found: `row ${n} has ${isList(value) ? value.length : "none"}`,
        });
      }
      for (let k = 0; k < width; k++) {
        const number = numberOf(value[k]);
        if (number === null) {
          throw new Refusal({ what: `read ${what}`, must: "its lists must hold numbers", found: `row ${n} does not` });
        }
        data[n * width + k] = number;
      }
    });
    return { type: "float64", shape: [values.length, width], data };
  }
  const numbers = values.map(numberOf);
  const shape = [values.length];
  const exact = values.every((value) => typeof value !== "bigint" || Number.isSafeInteger(Number(value)));
  return first !== undefined && exact && numbers.every((number) => number !== null)
    ? { type: "float64", shape, data: Float64Array.from(numbers as number[]) }
    : { type: "text", shape, data: values.map(textOf) };
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
          read = await parquetReadObjects({ file, metadata, compressors, columns: [name] });
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
