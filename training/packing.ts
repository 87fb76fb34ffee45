/**
 * Plain values with arrays in them as JSON and tensors apart: what a checkpoint keeps beside a run's own tensors.
 *
 * @module
 */
import type { HostTensor, NamedHostTensors } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";

/** How a reference to a tensor looks in the JSON. */
const REFERENCE = "$tensor";

const dtypes = { Float32Array: "float32", Int32Array: "int32", Uint8Array: "bool" } as const;

function typeOf(value: unknown): HostTensor["dtype"] | null {
  if (!ArrayBuffer.isView(value)) return null;
  const name = value.constructor.name;
  if (Object.hasOwn(dtypes, name)) return dtypes[name as keyof typeof dtypes];
  throw new TypeError(
    `Cannot keep a ${name} in a checkpoint: it must be a Float32Array, an Int32Array or a Uint8Array`,
  );
}

/**
 * Takes the arrays out of a plain value.
 *
 * @param prefix Tensors are called `<prefix><number>`, in the order of the value.
 * @returns The value with references in their places, and the arrays.
 * @throws {TypeError} If it holds another typed array.
 */
export function pack(value: unknown, prefix: string): { json: unknown; tensors: NamedHostTensors } {
  const tensors: NamedHostTensors = {};
  const walk = (from: unknown): unknown => {
    const dtype = typeOf(from);
    if (dtype !== null) {
      const data = from as HostTensor["data"];
      const name = prefix + Object.keys(tensors).length;
      tensors[name] = { data, shape: [data.length], dtype };
      return { [REFERENCE]: name };
    }
    if (Array.isArray(from)) return from.map(walk);
    if (typeof from !== "object" || from === null) return from;
    // What is undefined is left out, as JSON does.
    const entries = Object.entries(from).filter(([_, own]) => own !== undefined);
    return Object.fromEntries(entries.map(([key, own]) => [key, walk(own)]));
  };
  return { json: walk(value), tensors };
}

/** Puts the arrays back. @throws {Refusal} If one is missing. */
export function unpack(json: unknown, tensors: NamedHostTensors): unknown {
  if (Array.isArray(json)) return json.map((own) => unpack(own, tensors));
  if (typeof json !== "object" || json === null) return json;
  const reference = (json as Record<string, unknown>)[REFERENCE];
  if (typeof reference === "string") {
    if (Object.hasOwn(tensors, reference)) return tensors[reference].data;
    throw new Refusal({ what: "resume", must: `the checkpoint must hold "${reference}"`, found: "it does not" });
  }
  return Object.fromEntries(Object.entries(json).map(([key, own]) => [key, unpack(own, tensors)]));
}
