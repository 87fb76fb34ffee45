/**
 * What every estimator promises. Symbols: N rows, n observations each, m modalities.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { firstNonFinite } from "../core/check.ts";
import type { EstimatorPlugin, EstimatorPromises } from "../core/kinds/mod.ts";
import type { RawOptions } from "../core/options.ts";
import { type Engine, float32, type HostTensor, type NamedHostTensors, type Program } from "../core/program.ts";
import { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { record } from "../tensor/autodiff.ts";
import { type Contract, type ContractTools, difference, type Found, must } from "./contract.ts";
import { choicesWork, optionsAreSound } from "./options.ts";

const ROWS = 3;
const OBSERVATIONS = 64;
/** How far two ways of computing one number in single precision may lie apart. */
const ROUNDING = 1e-4;

/** Vectors [N, 1 + m, n], row-major: the fused feature, then the parts. */
interface Vectors {
  readonly data: Float32Array;
  readonly m: number;
}

/** Information on the host. */
interface Measured {
  /** [N, m]. */
  readonly nmi: Float32Array;
  /** [N, m, m]. */
  readonly ncmi: Float32Array;
}

/** Parts of falling dependence on the fused feature: the last shares nothing with it. */
function vectors(m: number, seed = 1): Vectors {
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
function mapped(
  { data, m }: Vectors,
  change: (value: number, vector: number, observation: number, row: number) => number,
): Vectors {
  const vector = (i: number) => Math.floor(i / OBSERVATIONS) % (1 + m);
  const row = (i: number) => Math.floor(i / (OBSERVATIONS * (1 + m)));
  return { data: data.map((value, i) => change(value, vector(i), i % OBSERVATIONS, row(i))), m };
}

/** The same with vectors and observations in another order. */
function reordered({ data, m }: Vectors, order: readonly number[], observations: ArrayLike<number>): Vectors {
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
async function measured(
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

function promised(plugin: EstimatorPlugin, options: RawOptions = {}): Required<EstimatorPromises> {
  return { bounded: true, symmetric: true, scaleFree: true, gradient: "none", ...plugin.promises?.(options) };
}

function traces(plugin: EstimatorPlugin): boolean {
  return plugin.create({}, { coordinates: OBSERVATIONS }).information !== undefined;
}

const HOST_ONLY: Found = { skipped: "it runs on the host alone" };

function mustBeInformation(where: string, { nmi, ncmi }: Measured, m: number, bounded: boolean): void {
  for (const [name, values] of Object.entries({ nmi, ncmi })) {
    const index = firstNonFinite(values);
    must(index === -1, () => `${where}, ${name} is ${values[index]} at position ${index}`);
    if (!bounded) continue;
    const outside = values.findIndex((value) => value < -ROUNDING || value > 1 + ROUNDING);
    must(
      outside === -1,
      () => `${where}, ${name} is ${values[outside]}, outside of 0..1 (else promise bounded: false)`,
    );
  }
  for (let i = 0; i < ncmi.length; i++) {
    const onDiagonal = Math.floor(i / m) % m === i % m;
    must(!onDiagonal || ncmi[i] === 0, () => `${where}, ncmi is ${ncmi[i]} on its diagonal and must be 0`);
  }
}

/** Two measurements are the same. */
function mustEqual(what: string, found: Measured, expected: Measured, tolerance = ROUNDING): void {
  for (const name of ["nmi", "ncmi"] as const) {
    const text = difference(found[name], expected[name], tolerance);
    must(text === null, () => `${what}: ${name} is ${text}`);
  }
}

const bounds: Contract<EstimatorPlugin> = {
  claim: "gives finite NMI [N, m] and NCMI [N, m, m], within 0..1, also of constants, equal and extreme vectors",
  async check(plugin, { eager }) {
    const { bounded } = promised(plugin);
    for (const m of [1, 2, 3, 4]) {
      const given = vectors(m);
      const cases: Record<string, Vectors> = {
        [`for ${m} parts`]: given,
        "where all vectors are equal": mapped(given, (_, _vector, k) => Math.sin(k)),
        "where a part is constant": mapped(given, (value, vector) => vector === 1 ? 3 : value),
        "where everything is 0": mapped(given, () => 0),
        "where one value is far from the others": mapped(given, (value, _, k) => k === 7 ? 1e6 : value),
      };
      for (const [where, own] of Object.entries(cases)) {
        mustBeInformation(where, await measured(plugin, own, eager), m, bounded);
      }
    }
    return bounded ? {} : { note: "not bounded, as it says" };
  },
};

const tells: Contract<EstimatorPlugin> = {
  claim: "finds more information in a part that the fused feature is made of than in noise",
  async check(plugin, { eager }) {
    const mean = ({ nmi }: Measured, m: number, u: number) =>
      nmi.reduce((sum, value, i) => i % m === u ? sum + value / ROWS : sum, 0);
    const m = 3;
    const found = await measured(plugin, vectors(m), eager);
    const [dependent, independent] = [mean(found, m, 0), mean(found, m, m - 1)];
    must(
      dependent > independent,
      `a part of correlation .9 has NMI ${dependent}, one that is independent ${independent}`,
    );
  },
};

const symmetry: Contract<EstimatorPlugin> = {
  claim: "gives I(x; y) = I(y; x)",
  async check(plugin, { eager }) {
    if (!promised(plugin).symmetric) return { skipped: "it promises no symmetry" };
    const given = vectors(1);
    const straight = Array.from({ length: OBSERVATIONS }, (_, k) => k);
    const turned = reordered(given, [1, 0], straight);
    const [one, two] = [await measured(plugin, given, eager), await measured(plugin, turned, eager)];
    mustEqual("with the two vectors exchanged (else promise symmetric: false)", two, one);
    return {};
  },
};

const scale: Contract<EstimatorPlugin> = {
  claim: "does not care for the units of its observations",
  async check(plugin, { eager }) {
    if (!promised(plugin).scaleFree) return { skipped: "it promises nothing of units" };
    const given = vectors(3);
    const plain = await measured(plugin, given, eager);
    // Powers of two, so that the numbers themselves lose nothing.
    for (const factors of [[8, 1, 1, 1], [1, 0.25, 64, 1], [2 ** -5, 2 ** 12, 2 ** -5, 2 ** 20]]) {
      const found = await measured(plugin, mapped(given, (value, vector) => value * factors[vector]), eager);
      mustEqual(`with vectors times ${factors.join(", ")} (else promise scaleFree: false)`, found, plain);
    }
    return {};
  },
};

const order: Contract<EstimatorPlugin> = {
  claim: "does not care for the order of observations, parts and rows",
  async check(plugin, { eager }) {
    const m = 3;
    const given = vectors(m);
    const plain = await measured(plugin, given, eager);
    const shuffled = new Random(5).permutation(OBSERVATIONS);
    mustEqual(
      "with the observations in another order",
      await measured(plugin, reordered(given, [0, 1, 2, 3], shuffled), eager),
      plain,
    );
    const straight = Array.from({ length: OBSERVATIONS }, (_, k) => k);
    const turned = await measured(plugin, reordered(given, [0, 3, 1, 2], straight), eager);
    // Part u of the turned one is part [2, 0, 1][u] of the plain one.
    const from = [2, 0, 1];
    mustEqual("with the parts in another order", turned, {
      nmi: plain.nmi.map((_, i) => plain.nmi[Math.floor(i / m) * m + from[i % m]]),
      ncmi: plain.ncmi.map((_, i) => {
        const [row, a, b] = [Math.floor(i / (m * m)), Math.floor(i / m) % m, i % m];
        return plain.ncmi[(row * m + from[a]) * m + from[b]];
      }),
    });
    const other = await measured(plugin, mapped(given, (value, _, k, row) => row === 0 ? value : Math.cos(k)), eager);
    const first = ({ nmi, ncmi }: Measured) => ({ nmi: nmi.slice(0, m), ncmi: ncmi.slice(0, m * m) });
    mustEqual("a row depends on the others", first(other), first(plain));
  },
};

const padding: Contract<EstimatorPlugin> = {
  claim: "is not influenced by observations of weight 0",
  async check(plugin, { eager }) {
    if (!traces(plugin)) return HOST_ONLY;
    const given = vectors(3);
    const share = new Float32Array(OBSERVATIONS).fill(1).fill(0, OBSERVATIONS - 9);
    const other = mapped(given, (value, _, k) => k >= OBSERVATIONS - 9 ? 40 - 3 * value : value);
    const [plain, found] = [
      await measured(plugin, given, eager, { share }),
      await measured(plugin, other, eager, { share }),
    ];
    mustEqual("with other values in observations of weight 0", found, plain);
    // Weights of 1 for all are no weights.
    const even = await measured(plugin, given, eager, { share: new Float32Array(OBSERVATIONS).fill(1) });
    mustEqual("with weight 1 for all observations instead of none", even, await measured(plugin, given, eager));
    return {};
  },
};

/** A weighted sum of all values, and its gradient. */
async function slope(
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

/** Options that promise a gradient of a sort: the defaults or one choice away from them. */
function promising(plugin: EstimatorPlugin, sort: EstimatorPromises["gradient"]): RawOptions | null {
  const choices = Object.entries(plugin.options).flatMap(([name, spec]) =>
    spec.type === "choice" ? spec.choices.map((choice) => ({ [name]: choice })) : []
  );
  return [{}, ...choices].find((options) => {
    try {
      return promised(plugin, options).gradient === sort;
    } catch (error) {
      if (error instanceof Refusal) return false; // a choice that needs another one beside it
      throw error;
    }
  }) ?? null;
}

const gradient: Contract<EstimatorPlugin> = {
  claim: "has the gradient that it promises: that of finite differences, or a finite surrogate",
  async check(plugin, { eager }) {
    if (!traces(plugin)) return HOST_ONLY;
    const given = vectors(3, 4);
    const exact = promising(plugin, "exact");
    const surrogate = promising(plugin, "surrogate");
    if (exact === null && surrogate === null) return { skipped: "it promises no gradient" };
    for (const options of [exact, surrogate]) {
      if (options === null) continue;
      const { gradient: found } = await slope(plugin, options, given, eager);
      const index = firstNonFinite(found);
      must(index === -1, () => `the gradient is ${found[index]} at position ${index}`);
      must(found.some((value) => value !== 0), "the gradient is 0 everywhere (else promise gradient: none)");
      if (options === surrogate) continue;
      const random = new Random(9);
      for (let trial = 0; trial < 4; trial++) {
        // Along a direction: a step large enough for single precision moves every value a little.
        const direction = found.map((value) => Math.sign(value) * random.uniform());
        const step = 2e-3;
        const moved = async (sign: number) => {
          const data = given.data.map((value, i) => value + sign * step * direction[i]);
          return (await slope(plugin, options, { ...given, data }, eager)).value;
        };
        const numeric = (await moved(1) - await moved(-1)) / (2 * step);
        const analytic = found.reduce((sum, value, i) => sum + value * direction[i], 0);
        must(
          Math.abs(numeric - analytic) <= 0.03 * Math.abs(analytic) + 1e-3,
          `along a direction it is ${analytic}, finite differences give ${numeric} (else promise gradient: surrogate)`,
        );
      }
    }
    return {
      note: exact === null ? "a surrogate" : surrogate === null ? "exact" : "exact or a surrogate, by its options",
    };
  },
};

const traced: Contract<EstimatorPlugin> = {
  claim: "computes the same when traced and compiled as when run operation by operation",
  async check(plugin, { eager, compiled }: ContractTools) {
    if (!traces(plugin)) return HOST_ONLY;
    for (const m of [1, 3]) {
      const given = vectors(m);
      mustEqual(
        `compiled and eager values of ${m} parts differ; does something traced read values?`,
        await measured(plugin, given, compiled),
        await measured(plugin, given, eager),
      );
    }
    return {};
  },
};

/** Contracts of estimators. */
export const estimatorContracts: readonly Contract<EstimatorPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed, and refuses others",
    check: (plugin, { library }) =>
      optionsAreSound(plugin, library, (options) => plugin.create(options, { coordinates: OBSERVATIONS })),
  },
  bounds,
  tells,
  symmetry,
  scale,
  order,
  padding,
  gradient,
  traced,
  {
    claim: "leaves no tensor behind",
    async check(plugin, { eager }) {
      await measured(plugin, vectors(2), eager); // what is made once and kept is no leak
      const before = tf.memory().numTensors;
      await measured(plugin, vectors(2), eager);
      const left = tf.memory().numTensors - before;
      must(left === 0, `a measurement leaves ${left} tensors behind`);
    },
  },
  {
    claim: "works with every value of its choices",
    check: (plugin, { library, eager }) =>
      choicesWork(plugin, library, async (options) => {
        try {
          plugin.create(options, { coordinates: OBSERVATIONS });
        } catch (error) {
          if (error instanceof Refusal) return false; // it contradicts another option
          throw error;
        }
        const m = 2;
        const found = await measured(plugin, vectors(m), eager, { options });
        mustBeInformation("with it", found, m, promised(plugin, options).bounded);
        return true;
      }),
  },
];
