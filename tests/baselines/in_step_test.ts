/** Methods that act within a training step: three steps, buffers and predictions against autograd over NumPy. */
import { assertAlmostEquals } from "@std/assert";
import { cpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { type ReferenceOptions, referenceRun } from "../helpers/reference_run.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

interface Case extends ReferenceOptions {
  /** How far single precision may be off after three steps. @default 3e-4 */
  readonly tolerance?: number;
  readonly options: Record<string, unknown>;
  readonly first: Record<string, number[]>;
  readonly last: Record<string, number[]>;
  readonly stats: Record<string, number>;
  readonly buffers?: Record<string, number[]>;
  readonly tables?: Record<string, number[]>;
  readonly logits?: number[];
  readonly solo?: Record<string, number[]>;
}
const reference = golden<Record<string, readonly Case[]>>("in_step");
const library = createLibrary();
const engine = await cpu.create();

for (const [name, cases] of Object.entries(reference)) {
  for (const found of cases) {
    const where = `${found.m} modalities on ${found.fusion}, epoch ${found.epoch}, ${JSON.stringify(found.options)}`;
    Deno.test(`${name}: parameters, state and predictions of three steps; ${where}`, async () => {
      const late = found.tolerance ?? 3e-4;
      const run = await referenceRun(library, engine, name, found.options, found);
      for (const [stat, value] of Object.entries(found.stats)) {
        assertAlmostEquals(
          run.stats[stat.startsWith("loss/") ? stat : `${name}/${stat}`],
          value,
          1e-4 * Math.max(1, Math.abs(value)),
          stat,
        );
      }
      for (const [full, values] of Object.entries(found.first)) assertClose(run.first[full], values, 1e-4);
      for (const [full, values] of Object.entries(found.last)) assertClose(run.last[full], values, late);
      for (const [full, values] of Object.entries(found.buffers ?? {})) assertClose(run.buffers[full], values, late);
      for (const [column, values] of Object.entries(found.tables ?? {})) assertClose(run.tables[column], values, late);
      if (found.logits !== undefined) assertClose(run.logits, found.logits, 3 * late);
      for (const [modality, values] of Object.entries(found.solo ?? {})) {
        assertClose(run.solo[modality], values, 3 * late);
      }
    });
  }
}
