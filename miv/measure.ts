/**
 * Information over a whole split on the host: centred by the split's own mean, batch by batch.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ByModality, mapByModality, modalitiesOf } from "../core/modality.ts";
import * as names from "../core/names.ts";
import { float32, type HostTensor, type NamedHostTensors, type NamedTensors, type Program } from "../core/program.ts";
import type { EstimatorPlugin } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { histogram } from "./estimators/histogram.ts";
import type { InformationOptions } from "./estimators/information.ts";
import { informationProgram } from "./information_program.ts";
import type { Centring } from "./views.ts";

/** Runs a program without state once; engines give a faster one than `runEagerly`. */
export type ProgramRunner = (program: Program, inputs: NamedHostTensors) => Promise<NamedHostTensors>;

/** Runs a program operation by operation on the current tfjs backend. */
export async function runEagerly(program: Program, inputs: NamedHostTensors): Promise<NamedHostTensors> {
  const outputs = tf.tidy(() => {
    const fed: NamedTensors = {};
    for (const [name, { data, shape, dtype }] of Object.entries(inputs)) {
      fed[name] = tf.tensor(data as Float32Array, [...shape], dtype);
    }
    return program.apply({}, fed).outputs;
  });
  const read: Record<string, HostTensor> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    read[name] = float32(await tensor.data() as Float32Array, tensor.shape);
    tensor.dispose();
  }
  return read;
}

/** Vectors of N samples, row-major. */
export interface MeasuredVectors {
  /** [N, d] each. */
  readonly parts: ByModality<Float32Array>;
  /** [N, d]. */
  readonly fused: Float32Array;
  /** N. */
  readonly size: number;
}

/** How a split is measured. */
export interface MeasureOptions extends InformationOptions {
  /** Nothing is differentiated here: straight-through bins would give the same values at twice the cost. @default hard bins */
  readonly estimator?: BoundPart<EstimatorPlugin>;
  /** @default {"batch"} */
  readonly centring?: Centring;
  /** Samples at once; with granularity `"batch"` these share a value. @default {128, or N if that is less} */
  readonly batchSize?: number;
  /** @default {runEagerly} */
  readonly run?: ProgramRunner;
}

/** Hard bins: the estimator of measurements where nothing is said. */
export const measuringEstimator: BoundPart<EstimatorPlugin> = use(histogram, { binning: "hard" });

/** Subtracts the mean of each coordinate over all rows. */
export function centredRows(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / rows;
  return values.map((value, i) => value - mean[i % width]);
}

/** NMI [N, m] and NCMI [N, m, m] of every sample; the last batch is padded with rows of weight 0. */
export async function measureInformation(
  { parts, fused, size }: MeasuredVectors,
  options: MeasureOptions = {},
): Promise<{ nmi: Float32Array; ncmi: Float32Array }> {
  const { centring = "batch", run = runEagerly, estimator = measuringEstimator, granularity } = options;
  const batchSize = options.batchSize ?? Math.min(128, size);
  const modalities = modalitiesOf(parts);
  const m = modalities.length;
  const width = fused.length / size;
  const centre = (values: Float32Array) => centring === "batch" ? centredRows(values, width) : values;
  const { information, onHost } = estimator.plugin.create(estimator.options, { coordinates: width });
  if (information === undefined && onHost !== undefined) {
    return onHost(mapByModality(parts, centre), centre(fused), width);
  }
  const program = informationProgram(modalities, batchSize, width, { estimator, granularity });
  const vectors: Record<string, Float32Array> = { fused: centre(fused) };
  for (const modality of modalities) vectors[names.part.of(modality)] = centre(parts[modality]);
  const nmi = new Float32Array(size * m);
  const ncmi = new Float32Array(size * m * m);
  for (let from = 0; from < size; from += batchSize) {
    const count = Math.min(batchSize, size - from);
    const weights = new Float32Array(batchSize).fill(1, 0, count);
    const feeds: NamedHostTensors = { weights: float32(weights, [batchSize]) };
    Object.assign(
      feeds,
      mapByModality(vectors, (values) => {
        const data = new Float32Array(batchSize * width);
        data.set(values.subarray(from * width, (from + count) * width));
        return float32(data, [batchSize, width]);
      }),
    );
    const found = await run(program, feeds);
    nmi.set((found["nmi"].data as Float32Array).subarray(0, count * m), from * m);
    ncmi.set((found["ncmi"].data as Float32Array).subarray(0, count * m * m), from * m * m);
  }
  return { nmi, ncmi };
}
