/**
 * Checks that all engines make at their border.
 *
 * @module
 */
import type { NamedHostTensors, NamedSpecs, Program, TensorSpec } from "../core/program.ts";
import { sizeOf } from "../core/program.ts";

const print = ({ shape, dtype }: TensorSpec): string => `${dtype} [${shape.join(", ")}]`;

function same(a: TensorSpec, b: TensorSpec): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length &&
    a.shape.every((extent, axis) => extent === b.shape[axis]);
}

/** @throws {TypeError} If an input is missing, unknown, or of another shape, type or length. */
export function checkFeeds(program: Program, inputs: NamedHostTensors): void {
  for (const [name, spec] of Object.entries(program.inputs)) {
    const found = inputs[name];
    if (found === undefined) throw new TypeError(`Cannot run program "${program.name}": input "${name}" is missing`);
    if (!same(found, spec) || found.data.length !== sizeOf(spec.shape)) {
      throw new TypeError(
        `Cannot run program "${program.name}" as input "${name}" must be ${print(spec)}: found ${print(found)} with ` +
          `${found.data.length} values`,
      );
    }
  }
  const unknown = Object.keys(inputs).find((name) => !Object.hasOwn(program.inputs, name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot run program "${program.name}": input "${unknown}" is not among ${Object.keys(program.inputs).join(", ")}`,
    );
  }
}

/** The specs of states that were found to fit a program; they never change. */
const fitting: WeakMap<Program, WeakSet<NamedSpecs>> = new WeakMap();

/** @throws {TypeError} If the state lacks a tensor of the program or has it in another shape or type. */
export function checkState(program: Program, specs: NamedSpecs): void {
  if (fitting.get(program)?.has(specs)) return;
  for (const [name, spec] of Object.entries(program.state)) {
    const found = specs[name];
    if (found === undefined || !same(found, spec)) {
      throw new TypeError(
        `Cannot run program "${program.name}" as state "${name}" must be ${print(spec)}: found ${
          found === undefined ? "none" : print(found)
        }`,
      );
    }
  }
  const found = fitting.get(program) ?? new WeakSet();
  fitting.set(program, found.add(specs));
}

/** @throws {TypeError} If a written name is unknown or its value of another shape or type. */
export function checkWrite(specs: NamedSpecs, values: NamedHostTensors): void {
  for (const [name, value] of Object.entries(values)) {
    const spec = specs[name];
    if (spec === undefined) throw new TypeError(`Cannot write state "${name}": there is none of that name`);
    if (!same(spec, value) || value.data.length !== sizeOf(spec.shape)) {
      throw new TypeError(
        `Cannot write state "${name}" as it must be ${print(spec)}: found ${
          print(value)
        } with ${value.data.length} values`,
      );
    }
  }
}

/**
 * @throws {RangeError} If a program sets state that it does not declare.
 * @throws {TypeError} If it sets state to a value of another shape or type.
 */
export function checkSet(program: Program, name: string, shape: readonly number[], dtype: TensorSpec["dtype"]): void {
  const spec = Object.hasOwn(program.state, name) ? program.state[name] : undefined;
  if (spec === undefined) {
    throw new RangeError(
      `Cannot run program "${program.name}" as it may set declared state only: it sets "${name}"`,
    );
  }
  if (!same(spec, { shape, dtype })) {
    throw new TypeError(
      `Cannot run program "${program.name}" as it must set state "${name}" to ${print(spec)}: found ${
        print({ shape, dtype })
      }`,
    );
  }
}
