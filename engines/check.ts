/**
 * Checks that all engines make at their border.
 *
 * @module
 */
import type { DType, HostTensor, NamedHostTensors, NamedSpecs, Program, TensorSpec } from "../core/program.ts";
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";

const print = ({ shape, dtype }: TensorSpec): string => `${dtype} [${shape.join(", ")}]`;

function same(a: TensorSpec, b: TensorSpec): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length &&
    a.shape.every((extent, axis) => extent === b.shape[axis]);
}

/** The arrays that hold values of each type. An engine reads their bytes: another array of that length is garbage. */
const arrays: Readonly<Record<DType, { readonly name: string; new (size: number): HostTensor["data"] }>> = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
};

function constructorName(data: unknown): string {
  return Object.getPrototypeOf(data ?? {})?.constructor?.name ?? "an object";
}

/**
 * Whether an array can be what its shape and type say.
 *
 * @param what What is done with it, after "Cannot": `run program "train"`.
 * @param which What it is: `input "x"`.
 * @throws {Refusal} If its type or shape is none, its array is of another element type or length, or a truth is neither 0
 * nor 1.
 */
export function checkHost(what: string, which: string, value: HostTensor): void {
  const { data, shape, dtype } = value;
  const refuse = (must: string, found: string): never => {
    throw new Refusal({ what, must: `${which} must be ${must}`, found: `found ${found}` });
  };
  if (!Object.hasOwn(arrays, dtype)) refuse(`of type ${Object.keys(arrays).join(", ")}`, String(dtype));
  if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    refuse("of a shape of integers >= 0", `[${shape.join(", ")}]`);
  }
  const wanted = arrays[dtype];
  if (!(data instanceof wanted)) {
    refuse(`${dtype} in ${wanted === Int32Array ? "an" : "a"} ${wanted.name}`, `${constructorName(data)}`);
  }
  if (data.length !== sizeOf(shape)) refuse(`${print(value)}, ${sizeOf(shape)} values`, `${data.length}`);
  if (dtype !== "bool") return;
  for (let i = 0; i < data.length; i++) if (data[i] > 1) refuse("bool, bytes of 0 and 1", `${data[i]} at place ${i}`);
}

/** @throws {Refusal} If an input is missing, unknown, or of another shape, type, array or length. */
export function checkFeeds(program: Program, inputs: NamedHostTensors): void {
  const what = `run program "${program.name}"`;
  for (const [name, spec] of Object.entries(program.inputs)) {
    const found = inputs[name];
    if (found === undefined) throw new Refusal({ what, found: `input "${name}" is missing` });
    if (!same(found, spec)) {
      throw new Refusal({ what, must: `input "${name}" must be ${print(spec)}`, found: `found ${print(found)}` });
    }
    checkHost(what, `input "${name}"`, found);
  }
  const unknown = Object.keys(inputs).find((name) => !Object.hasOwn(program.inputs, name));
  if (unknown !== undefined) {
    throw new Refusal({ what, found: `input "${unknown}" is not among ${Object.keys(program.inputs).join(", ")}` });
  }
}

/** The specs of states that were found to fit a program; they never change. */
const fitting: WeakMap<Program, WeakSet<NamedSpecs>> = new WeakMap();

/** @throws {Refusal} If the state lacks a tensor of the program or has it in another shape or type. */
export function checkState(program: Program, specs: NamedSpecs): void {
  if (fitting.get(program)?.has(specs)) return;
  for (const [name, spec] of Object.entries(program.state)) {
    const found = specs[name];
    if (found === undefined || !same(found, spec)) {
      throw new Refusal({
        what: `run program "${program.name}"`,
        must: `state "${name}" must be ${print(spec)}`,
        found: `found ${found === undefined ? "none" : print(found)}`,
      });
    }
  }
  const found = fitting.get(program) ?? new WeakSet();
  fitting.set(program, found.add(specs));
}

/** What is said of a state that another engine made. */
export function foreignState(program: Program): Refusal {
  return new Refusal({ what: `run program "${program.name}"`, must: "its state must be made by the same engine" });
}

/** @throws {Refusal} If an array cannot be what its shape and type say. */
export function checkStart(values: NamedHostTensors): void {
  for (const [name, value] of Object.entries(values)) checkHost("make a state", `"${name}"`, value);
}

/** @throws {Refusal} If a name that is to be read is unknown. */
export function checkRead(held: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(held, name));
  if (unknown !== undefined) {
    throw new Refusal({ what: `read state "${unknown}"`, found: "there is none of that name" });
  }
}

/** @throws {Refusal} If a written name is unknown or its value of another shape, type, array or length. */
export function checkWrite(specs: NamedSpecs, values: NamedHostTensors): void {
  for (const [name, value] of Object.entries(values)) {
    const what = `write state "${name}"`;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw new Refusal({ what, found: "there is none of that name" });
    if (!same(spec, value)) {
      throw new Refusal({ what, must: `it must be ${print(spec)}`, found: `found ${print(value)}` });
    }
    checkHost(what, "it", value);
  }
}

/** @throws {Refusal} If a program sets state that it does not declare, or to a value of another shape or type. */
export function checkSet(program: Program, name: string, shape: readonly number[], dtype: TensorSpec["dtype"]): void {
  const what = `run program "${program.name}"`;
  const spec = Object.hasOwn(program.state, name) ? program.state[name] : undefined;
  if (spec === undefined) {
    throw new Refusal({ what, must: "it may set declared state only", found: `it sets "${name}"` });
  }
  if (!same(spec, { shape, dtype })) {
    throw new Refusal({
      what,
      must: `it must set state "${name}" to ${print(spec)}`,
      found: `found ${print({ shape, dtype })}`,
    });
  }
}
