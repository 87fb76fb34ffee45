/**
 * Rows of arrays of all samples: features [N, T, d] that somebody has of a set.
 *
 * @module
 */
import { sizeOf } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { DataFiles } from "../files/refs.ts";

/** A row that is named: its array, place, and length. */
interface Place {
  readonly reference: string;
  readonly row: number;
  readonly length: number | null;
}

/** Names a row of an array. @param length Steps that are there; what lies behind them is not read. @default all */
export function rowName(reference: string, row: number, length?: number): string {
  return `${reference}#${row}${length === undefined ? "" : `:${length}`}`;
}

function placeOf(name: string): Place {
  const found = /^(.*)#(\d+)(?::(\d+))?$/.exec(name);
  if (found === null) throw new Error(`"${name}" names no row of an array`);
  return { reference: found[1], row: Number(found[2]), length: found[3] === undefined ? null : Number(found[3]) };
}

/** Shape [T, d] of the rows of an array. @throws {Refusal} If it is none of sequences. */
function rowShape(reference: string, shape: readonly number[]): readonly number[] {
  if (shape.length === 3) return shape.slice(1);
  throw new Refusal({
    what: `read "${reference}"`,
    must: "its shape must be [N, T, d]",
    found: `found [${shape.join(", ")}]`,
  });
}

/** Rows of an array: from its file, or of the whole where they do not lie one behind the other in it. */
async function rowsOf(files: DataFiles, reference: string) {
  const streamed = await files.rowsOf(reference);
  if (streamed !== null) {
    return { shape: streamed.shape, row: (n: number): ArrayLike<number> => streamed.rows(n, n + 1) };
  }
  const whole = await files.read(reference);
  if (whole.type === "text") {
    throw new Refusal({ what: `read "${reference}"`, must: "it must hold numbers", found: "found texts" });
  }
  const width = sizeOf(whole.shape.slice(1));
  return { shape: whole.shape, row: (n: number) => whole.data.subarray(n * width, (n + 1) * width) };
}

/** The shape of the first sequence. @throws {Refusal} If no sample has one. */
export async function firstSequence(root: string, names: readonly string[]): Promise<readonly number[]> {
  if (names.length === 0) {
    throw new Refusal({ what: "read sequences", must: "some sample must have one", found: "none has" });
  }
  const { reference } = placeOf(names[0]);
  const files = new DataFiles(root);
  try {
    return rowShape(reference, (await rowsOf(files, reference)).shape);
  } finally {
    await files.close();
  }
}

/** Reads the files of a modality. */
export interface FileReader {
  /** The values that a file, or whatever names them, stands for; `null` where it holds nothing of the modality. */
  read(name: string): Promise<Float32Array | null>;
  close(): Promise<void>;
}

/**
 * Makes what reads sequences of one shape, which end at the end of the window.
 *
 * @param infiniteIsZero Whether infinities stand for 0.
 * @throws {Refusal} If an array has rows of another shape, or too few.
 */
export function sequenceReader(
  root: string,
  shape: readonly number[],
  infiniteIsZero: boolean,
): FileReader {
  const files = new DataFiles(root);
  const arrays = new Map<string, ReturnType<typeof rowsOf>>();
  const read = async (name: string) => {
    const { reference, row, length } = placeOf(name);
    let array = arrays.get(reference);
    if (array === undefined) arrays.set(reference, array = rowsOf(files, reference));
    const found = await array;
    if (rowShape(reference, found.shape).join() !== shape.join()) {
      throw new Refusal({
        what: `read "${reference}"`,
        must: `its rows must be [${shape.join(", ")}], as those of the first`,
        found: `found [${found.shape.slice(1).join(", ")}]`,
      });
    }
    const values = Float32Array.from(found.row(row));
    if (infiniteIsZero) {
      for (let i = 0; i < values.length; i++) if (Math.abs(values[i]) === Infinity) values[i] = 0;
    }
    const [window, width] = shape;
    const there = (length ?? window) * width;
    const ended = new Float32Array(values.length);
    ended.set(values.subarray(0, there), values.length - there);
    return ended;
  };
  return { read, close: () => files.close() };
}
