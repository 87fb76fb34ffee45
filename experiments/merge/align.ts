/**
 * Two trained models merged layer by layer, with the second's neurons aligned to the first's.
 *
 * @module
 */
import type { AlignedLayer, Alignment, Transport } from "../../core/kinds/mod.ts";
import { float32, type HostTensor, type NamedHostTensors, sizeOf } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Activations } from "./activations.ts";
import { distances, type Matrix } from "./transport.ts";

/** How two models are merged. */
export interface MergeOptions {
  /** The coupling of least cost between rows of the second model and of the first. */
  readonly solve: (cost: Matrix) => Transport;
  /** Share of the second model. @default {0.5} */
  readonly share?: number;
  /** What the neurons of the first and of the second model answer to the same samples. @default they align by weights */
  readonly answers?: readonly [Activations, Activations];
}

/** Each neuron with its own. */
export function identity(size: number): Transport {
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1 / size;
  return { from: size, to: size, values };
}

/** An alignment of two models' tensors by optimal transport, and what it has merged so far. */
export class TransportMerge implements Alignment {
  /** Merged tensors by name, in the first model's shapes. */
  readonly merged: NamedHostTensors = {};
  readonly #a: Readonly<NamedHostTensors>;
  readonly #b: Readonly<NamedHostTensors>;
  readonly #solve: (cost: Matrix) => Transport;
  readonly #share: number;
  readonly #answers: MergeOptions["answers"];

  constructor(
    a: Readonly<NamedHostTensors>,
    b: Readonly<NamedHostTensors>,
    { solve, share = 0.5, answers }: MergeOptions,
  ) {
    [this.#a, this.#b, this.#solve, this.#share, this.#answers] = [a, b, solve, share, answers];
  }

  /**
   * W_B <- W_B diag(n) T_in, T from the distances of output neurons (of their weights, biases apart, or of what they
   * answer to the same samples), then (1 - s) W_A + s diag(n) T' W_B;
   * kernels here are [in, out], the transposes of W.
   */
  layer({ inputs, bias, parts = 1, fixed = false }: AlignedLayer): Transport[] {
    const ours = inputs.map(([kernel]) => outputsOf(this.#of(this.#a, kernel)));
    const theirs = inputs.map(([kernel, incoming]) => arriving(outputsOf(this.#of(this.#b, kernel)), incoming, kernel));
    const answers = fixed ? undefined : this.#answers?.map((all, which) => this.#answersOf(all, inputs, bias, which));
    const [a, b] = answers ?? [beside(ours), beside(theirs)];
    const transports = Array.from({ length: parts }, (_, part) => {
      const [rowsA, rowsB] = [partOf(a, part, parts), partOf(b, part, parts)];
      if (!fixed) return this.#solve(distances(rowsB, rowsA));
      if (rowsA.rows !== rowsB.rows) throw otherWidth(inputs[0][0], rowsA.rows, rowsB.rows);
      return identity(rowsA.rows);
    });
    inputs.forEach(([kernel], k) => {
      const moved = stacked(transports.map((transport, part) => leaving(partOf(theirs[k], part, parts), transport)));
      this.#put(kernel, kernelOf(moved));
    });
    if (bias !== undefined) {
      const theirBias = row(this.#of(this.#b, bias));
      const moved = stacked(transports.map((transport, part) => leaving(partOf(theirBias, part, parts), transport)));
      this.#put(bias, moved.values);
    }
    return transports;
  }

  columns(names: readonly string[]): Transport {
    const of = (tensors: Readonly<NamedHostTensors>) => beside(names.map((name) => outputsOf(this.#of(tensors, name))));
    return this.#solve(distances(of(this.#b), of(this.#a)));
  }

  follow(names: readonly string[], transport: Transport): void {
    for (const name of names) {
      this.#put(name, kernelOf(leaving(outputsOf(this.#of(this.#b, name)), transport)));
    }
  }

  average(a: Transport, b: Transport): Transport {
    return { ...a, values: a.values.map((value, k) => 0.5 * (value + b.values[k])) };
  }

  identity(size: number): Transport {
    return identity(size);
  }

  /** What a layer answers: the sum of its kernels' answers, and the bias. */
  #answersOf(all: Activations, inputs: AlignedLayer["inputs"], bias: string | undefined, which: number): Matrix {
    const [first, ...more] = inputs.map(([kernel]) => {
      if (Object.hasOwn(all, kernel)) return all[kernel];
      throw new Refusal({
        what: "align by activations",
        must: `every layer must answer to samples`,
        found: `nothing reads "${kernel}"`,
        hint: "align by weights",
      });
    });
    const { rows, columns } = first;
    const added = bias === undefined ? null : this.#of(which === 0 ? this.#a : this.#b, bias).data;
    const values = first.values.map((value, k) =>
      more.reduce((sum, other) => sum + other.values[k], value) + (added?.[Math.floor(k / columns)] ?? 0)
    );
    return { rows, columns, values };
  }

  #of(tensors: Readonly<NamedHostTensors>, name: string): HostTensor {
    const found = tensors[name];
    if (found === undefined) {
      throw new Refusal({
        what: "merge two models",
        must: "both must have the same parts",
        found: `one has no "${name}"`,
      });
    }
    return found;
  }

  #put(name: string, theirs: Float64Array): void {
    const { data, shape } = this.#of(this.#a, name);
    if (theirs.length !== data.length) throw otherWidth(name, data.length, theirs.length);
    const share = this.#share;
    this.merged[name] = float32(Float32Array.from(data, (own, k) => (1 - share) * own + share * theirs[k]), shape);
  }
}

/** The plain average, (1 - s) A + s B of every tensor. */
export function averaged(
  a: Readonly<NamedHostTensors>,
  b: Readonly<NamedHostTensors>,
  share = 0.5,
): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(a).map(([name, { data, shape }]) => {
      const other = b[name];
      if (other === undefined || other.shape.join() !== shape.join()) {
        throw new Refusal({
          what: "average two models",
          must: "both must have the same tensors",
          found: `"${name}" is [${shape.join(", ")}] in the first and ${
            other === undefined ? "not there" : `[${other.shape.join(", ")}]`
          } in the second`,
        });
      }
      return [name, float32(Float32Array.from(data, (own, k) => (1 - share) * own + share * other.data[k]), shape)];
    }),
  );
}

function otherWidth(name: string, first: number, second: number): Refusal {
  return new Refusal({
    what: "merge two models",
    must: `"${name}" must fit`,
    found: `it has ${first} numbers in the first and ${second} in the second`,
  });
}

/** A tensor [..., in, out] as one row per output: [out, everything else]. */
function outputsOf({ data, shape }: HostTensor): Matrix {
  const rows = shape[shape.length - 1];
  const columns = sizeOf(shape.slice(0, -1));
  const values = new Float64Array(data.length);
  for (let c = 0; c < columns; c++) for (let r = 0; r < rows; r++) values[r * columns + c] = data[c * rows + r];
  return { rows, columns, values };
}

/** A bias as one number per output. */
function row({ data }: HostTensor): Matrix {
  return { rows: data.length, columns: 1, values: Float64Array.from(data) };
}

/** Back to the layout [..., in, out]. */
function kernelOf({ rows, columns, values }: Matrix): Float64Array {
  const data = new Float64Array(values.length);
  for (let c = 0; c < columns; c++) for (let r = 0; r < rows; r++) data[c * rows + r] = values[r * columns + c];
  return data;
}

/** W diag(n_B) T_in, at each of the positions that the inputs are. */
function arriving({ rows, columns, values }: Matrix, { from, to, values: t }: Transport, name: string): Matrix {
  const positions = columns / from;
  if (!Number.isInteger(positions)) throw otherWidth(name, from, columns);
  const moved = new Float64Array(rows * positions * to);
  for (let r = 0; r < rows * positions; r++) {
    for (let i = 0; i < from; i++) {
      const value = from * values[r * from + i];
      if (value === 0) continue;
      for (let j = 0; j < to; j++) moved[r * to + j] += value * t[i * to + j];
    }
  }
  return { rows, columns: positions * to, values: moved };
}

/** diag(n_A) T' W. */
function leaving({ columns, values }: Matrix, { from, to, values: t }: Transport): Matrix {
  const moved = new Float64Array(to * columns);
  for (let i = 0; i < from; i++) {
    for (let j = 0; j < to; j++) {
      const share = to * t[i * to + j];
      if (share === 0) continue;
      for (let c = 0; c < columns; c++) moved[j * columns + c] += share * values[i * columns + c];
    }
  }
  return { rows: to, columns, values: moved };
}

/** Matrices of equally many rows beside each other. */
function beside(matrices: readonly Matrix[]): Matrix {
  if (matrices.length === 1) return matrices[0];
  const rows = matrices[0].rows;
  const columns = matrices.reduce((sum, own) => sum + own.columns, 0);
  const values = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    let at = r * columns;
    for (const own of matrices) {
      values.set(own.values.subarray(r * own.columns, (r + 1) * own.columns), at);
      at += own.columns;
    }
  }
  return { rows, columns, values };
}

/** Matrices of equally many columns below each other. */
function stacked(matrices: readonly Matrix[]): Matrix {
  const values = new Float64Array(matrices.reduce((size, own) => size + own.values.length, 0));
  let at = 0;
  for (const own of matrices) {
    values.set(own.values, at);
    at += own.values.length;
  }
  return { rows: matrices.reduce((sum, own) => sum + own.rows, 0), columns: matrices[0].columns, values };
}

/** One of several equal parts of the rows. */
function partOf({ rows, columns, values }: Matrix, part: number, parts: number): Matrix {
  const own = rows / parts;
  return { rows: own, columns, values: values.slice(part * own * columns, (part + 1) * own * columns) };
}
