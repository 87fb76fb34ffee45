/**
 * What neurons answer to samples, as rows by which they are aligned.
 *
 * @module
 */
import type { NamedHostTensors } from "../../core/program.ts";
import type { Matrix } from "./transport.ts";

/** Answers by the full name of a layer's kernel: a row per output, a column per sample and place. */
export type Activations = Readonly<Record<string, Matrix>>;

/** Answers [samples x places, outputs] with a row per output. */
export function rowsByNeuron(answers: Readonly<NamedHostTensors>): Activations {
  return Object.fromEntries(
    Object.entries(answers).map(([full, { data, shape: [columns, rows] }]) => {
      const values = new Float64Array(data.length);
      for (let c = 0; c < columns; c++) for (let r = 0; r < rows; r++) values[r * columns + c] = data[c * rows + r];
      return [full, { rows, columns, values }];
    }),
  );
}
