/**
 * What estimators are tried on, and how: vectors of known dependence, measured on an engine or on the host, and the gradient of
 * what was measured.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { EstimatorPlugin } from "../core/kinds/mod.ts";
import type { RawOptions } from "../core/options.ts";
import { type Engine, float32, type HostTensor, type NamedHostTensors, type Program } from "../core/program.ts";
import { Random } from "../core/random.ts";
import { record } from "../tensor/autodiff.ts";
import { must } from "./contract.ts";

/** Rows N. */
export const ROWS = 3;
/** Observations n of each. */
export const OBSERVATIONS = 64;
/** Vectors [N, 1 + m, n], row-major: the fused feature, then the parts. */
export interface Vectors {
  readonly data: Float32Array;
  readonly m: number;
}

/** Information on the host. */
export interface Measured {
  /** [N, m]. */
  readonly nmi: Float32Array;
  /** [N, m, m]. */
  readonly ncmi: Float32Array;
}

/** Parts of falling dependence on the fused feature: the last shares nothing with it. */
export function vectors(m: number, seed = 1): Vectors {
  const random = new Random(seed).split("estimator", m);
  const data = new Float32Array(ROWS * (1 + m) * OBSERVATIONS);
  for (let row = 0; row < ROWS; row++) {
    for (let k = 0; k < OBSERVATIONS; k++) {
      const fused = random.normal();
      const at = (vector: number) => (row * (1 + m) + vector) * OBSERVATIONS + k;
      data[at(0)] = fused;
      for (let u = 0; u < m; u++) {
        const share = m === 1 ? 0.9 : 0.9 * (1 - u / (m - 1));
        data[at(1 + u)] = share * fused + Math.sqrt(1 - share ** 2) * random.normal();
      }
    }
  }
  return { data, m };
}

/** The same with every value changed: by its vector (0 is the fused feature), row and observation. */
export function mapped(
  { data, m }: Vectors,
  change: (value: number, vector: number, observation: number, row: number) => number,
): Vectors {
  const vector = (i: number) => Math.floor(i / OBSERVATIONS) % (1 + m);
  const row = (i: number) => Math.floor(i / (OBSERVATIONS * (1 + m)));
  return { data: data.map((value, i) => change(value, vector(i), i % OBSERVATIONS, row(i))), m };
}

/** The same with vectors and observations in another order. */
export function reordered({ data, m }: Vectors, order: readonly number[], observations: ArrayLike<number>): Vectors {
  const at = (row: number, vector: number, k: number) => (row * (1 + m) + vector) * OBSERVATIONS + k;
  const result = new Float32Array(data.length);
  for (let row = 0; row < ROWS; row++) {
    order.forEach((from, to) => {
      for (let k = 0; k < OBSERVATIONS; k++) result[at(row, to, k)] = data[at(row, from, observations[k])];
    });
  }
  return { data: result, m };
}

/** The estimator as a program. */
function programOf(plugin: EstimatorPlugin, options: RawOptions, m: number, weighted: boolean): Program {
  const made = plugin.create(options, { coordinates: OBSERVATIONS });
  const shape = [ROWS, 1 + m, OBSERVATIONS];
  return {
    name: `estimator/${plugin.name}`,
    state: {},
    inputs: {
      vectors: { shape, dtype: "float32" },
      ...(weighted ? { share: { shape: [1, OBSERVATIONS], dtype: "float32" as const } } : {}),
    },
    apply(_state, fed) {
      const { nmi, ncmi } = made.information!(fed["vectors"] as tf.Tensor3D, (fed["share"] ?? null) as tf.Tensor2D);
      return { state: {}, outputs: { nmi, ncmi } };
    },
  };
}

async function run(engine: Engine, program: Program, feeds: NamedHostTensors): Promise<NamedHostTensors> {
  const compiled = await engine.compile(program);
  const state = engine.createState({});
  try {
    return await compiled.run(state, feeds);
  } finally {
    state.dispose();
    compiled.dispose();
  }
}

function shaped(name: string, { data, shape }: HostTensor, expected: readonly number[]): Float32Array {
  must(shape.join() === expected.join(), `${name} is [${shape.join(", ")}] and must be [${expected.join(", ")}]`);
  return data as Float32Array;
}

/** Measures: traced where the estimator can be, else on the host. */
export async function measured(
  plugin: EstimatorPlugin,
  given: Vectors,
  engine: Engine,
  { options = {}, share }: { options?: RawOptions; share?: Float32Array } = {},
): Promise<Measured> {
  const { data, m } = given;
  const made = plugin.create(options, { coordinates: OBSERVATIONS });
  if (made.information === undefined) {
    must(made.onHost !== undefined, "it has neither information nor onHost");
    const rows = (vector: number) =>
      Float32Array.from({ length: ROWS * OBSERVATIONS }, (_, i) => {
        const row = Math.floor(i / OBSERVATIONS);
        return data[(row * (1 + m) + vector) * OBSERVATIONS + i % OBSERVATIONS];
      });
    const parts = Object.fromEntries(Array.from({ length: m }, (_, u) => [`part${u}`, rows(1 + u)]));
    const { nmi, ncmi } = made.onHost(parts, rows(0), OBSERVATIONS);
    must(nmi.length === ROWS * m, `nmi has ${nmi.length} values and must have ${ROWS} x ${m}`);
    must(ncmi.length === ROWS * m * m, `ncmi has ${ncmi.length} values and must have ${ROWS} x ${m} x ${m}`);
    return { nmi, ncmi };
  }
  const found = await run(engine, programOf(plugin, options, m, share !== undefined), {
    vectors: float32(data, [ROWS, 1 + m, OBSERVATIONS]),
    ...(share === undefined ? {} : { share: float32(share, [1, OBSERVATIONS]) }),
  });
  return { nmi: shaped("nmi", found["nmi"], [ROWS, m]), ncmi: shaped("ncmi", found["ncmi"], [ROWS, m, m]) };
}

/** Whether programs can trace it. */
export function traces(plugin: EstimatorPlugin): boolean {
  return plugin.create({}, { coordinates: OBSERVATIONS }).information !== undefined;
}

/** A weighted sum of all values, and its gradient. */
export async function slope(
  plugin: EstimatorPlugin,
  options: RawOptions,
  given: Vectors,
  engine: Engine,
): Promise<{ value: number; gradient: Float32Array }> {
  const made = plugin.create(options, { coordinates: OBSERVATIONS });
  const shape = [ROWS, 1 + given.m, OBSERVATIONS];
  const program: Program = {
    name: `estimator/${plugin.name}/gradient`,
    state: {},
    inputs: { vectors: { shape, dtype: "float32" } },
    apply(_state, { vectors: x }) {
      const pass = record(() => {
        const { nmi, ncmi } = made.information!(x as tf.Tensor3D, null);
        const weigh = (values: tf.Tensor) => {
          const weights = Array.from({ length: values.size }, (_, i) => Math.cos(i + 1));
          return tf.sum(tf.mul(values, tf.tensor(weights, values.shape)));
        };
        return tf.add(weigh(nmi), weigh(ncmi)) as tf.Scalar;
      });
      const [gradient] = pass.gradients(pass.value, [x]);
      const outputs = { value: tf.clone(pass.value), gradient: gradient ?? tf.zerosLike(x) };
      pass.dispose();
      return { state: {}, outputs };
    },
  };
  const found = await run(engine, program, { vectors: float32(given.data, shape) });
  return { value: found["value"].data[0], gradient: found["gradient"].data as Float32Array };
}
