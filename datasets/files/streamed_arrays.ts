/**
 * Arrays whose rows are read when a batch asks for them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { sizeOf } from "../../core/program.ts";
import { narrowFloats, type NumberData } from "../../formats/mod.ts";
import { heldInfo } from "./holds.ts";
import { identityOf, kept, unchanged } from "./kept.ts";
import { parseReference } from "./refs.ts";
import type { FilesModality } from "./spec.ts";
import { type ArrayPlace, type Broken, lookedAt, sampleShape, type Stream, type Values } from "./values.ts";

/** Bytes of a digest. */
const DIGEST = 32;
/** Values that are read at once where all are looked at. */
const AT_ONCE = 2 ** 18;
/** Rows that are compared with the digests that were kept of them. */
const COMPARED = 64;

/** SHA-256 of a sample's values. */
function digestOfRow(row: Float32Array): Uint8Array {
  return createHash("sha256").update(new Uint8Array(row.buffer, row.byteOffset, row.byteLength)).digest();
}

type RowsOf = (from: number, to: number) => NumberData;

const floatsOf = (values: NumberData, about: () => string): Float32Array =>
  values instanceof Float64Array || values instanceof Float32Array
    ? narrowFloats(values, about())
    : Float32Array.from(values);

/** Makes a function that reads a sample's row of an array. */
export function rowsReader(name: string, rows: RowsOf): (sample: number) => Float32Array {
  return (n) => floatsOf(rows(n, n + 1), () => `modality "${name}" of sample ${n}`);
}

/** What was found in all rows of an array. */
interface Found {
  /** Whether each sample has it [N]. */
  readonly present: Uint8Array;
  /** Digests of rows one behind the other, NaN alone as 0. */
  readonly digests: Uint8Array;
  readonly broken: readonly Broken[];
}

/** Looks at all rows, once. @throws {Refusal} If a value is no finite number, unless broken samples are gathered. */
function lookAtAll(name: string, [size, ...rest]: readonly number[], rows: RowsOf, gather: boolean): Found {
  const width = sizeOf(rest);
  const present = new Uint8Array(size);
  const digests = new Uint8Array(size * DIGEST);
  const broken: Broken[] = [];
  const many = Math.max(1, Math.floor(AT_ONCE / width));
  for (let from = 0; from < size; from += many) {
    const to = Math.min(size, from + many);
    const values = rows(from, to);
    for (let n = from; n < to; n++) {
      const own = values.subarray((n - from) * width, (n - from + 1) * width);
      const row = floatsOf(own, () => `modality "${name}" of sample ${n}`);
      present[n] = lookedAt(name, row, n, gather ? broken : null);
      digests.set(digestOfRow(row), n * DIGEST);
    }
  }
  return { present, digests, broken };
}

const encoded = ({ present, digests, broken }: Found): Uint8Array<ArrayBuffer> => {
  const listed = new TextEncoder().encode(JSON.stringify(broken));
  const bytes = new Uint8Array(present.length + digests.length + listed.length);
  bytes.set(present);
  bytes.set(digests, present.length);
  bytes.set(listed, present.length + digests.length);
  return bytes;
};

const decodedFound = (bytes: Uint8Array, size: number): Found => ({
  present: bytes.slice(0, size),
  digests: bytes.slice(size, size * (1 + DIGEST)),
  broken: JSON.parse(new TextDecoder().decode(bytes.subarray(size * (1 + DIGEST)))),
});

/** Whether some rows, the first and the last among them, still have the digests that were kept. */
function sameRows(name: string, read: (sample: number) => Float32Array, { digests }: Found): boolean {
  const size = digests.length / DIGEST;
  const count = Math.min(size, COMPARED);
  for (let k = 0; k < count; k++) {
    const n = count === 1 ? 0 : Math.floor(k * (size - 1) / (count - 1));
    const row = read(n);
    lookedAt(name, row, n, []);
    if (digestOfRow(row).some((byte, i) => byte !== digests[n * DIGEST + i])) return false;
  }
  return true;
}

/**
 * The inputs of a modality whose values are read by index. Looks at all of them once, if no command before has.
 *
 * @param source The array: its shape [N, ...], what reads rows of it, and where it is.
 * @param broken As for `valuesOf`.
 * @throws {Refusal} If its shape or a value does not fit its kind.
 */
export async function streamedValues(
  name: string,
  spec: FilesModality,
  { shape, rows, place }: {
    readonly shape: readonly number[];
    readonly rows: RowsOf;
    readonly place: ArrayPlace;
  },
  broken: Broken[] | null,
): Promise<Values> {
  const own = sampleShape(name, spec, shape);
  const [size] = shape;
  const read = rowsReader(name, rows);
  const began = Date.now();
  const file = await identityOf(join(place.root, parseReference(place.reference).file));
  const bytes = await kept(
    { rows: place.reference, name, shape, file },
    () => encoded(lookAtAll(name, shape, rows, broken !== null)),
    {
      fits: (bytes) => sameRows(name, read, decodedFound(bytes, size)),
      lasting: () => unchanged(file, began),
    },
  );
  const found = decodedFound(bytes, size);
  if (broken !== null) broken.push(...found.broken);
  else for (const { sample } of found.broken) lookedAt(name, read(sample), sample, null);
  return {
    data: new Float32Array(0),
    present: found.present,
    stream: { read, digests: found.digests, elsewhere: { array: place } },
    info: {
      shape: own,
      dtype: "float32",
      about: `${spec.kind} of ${spec.from}, read by index`,
      ...heldInfo(spec.holds, own),
    },
  };
}

/** The digest of a sample's values. */
export function digestAt({ digests }: Stream, sample: number): Uint8Array {
  return digests.subarray(sample * DIGEST, (sample + 1) * DIGEST);
}
