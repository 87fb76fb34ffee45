/**
 * What every estimator promises. Symbols: N rows, n observations each, m modalities.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { firstNonFinite } from "../core/check.ts";
import type { EstimatorPlugin, EstimatorPromises } from "../core/kinds/mod.ts";
import type { RawOptions } from "../core/options.ts";
import { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { type Contract, type ContractTools, difference, type Found, must } from "./contract.ts";
import {
  mapped,
  type Measured,
  measured,
  OBSERVATIONS,
  reordered,
  ROWS,
  slope,
  traces,
  type Vectors,
  vectors,
} from "./estimator_probe.ts";
import { choicesWork, optionsAreSound } from "./options.ts";

/** How far two ways of computing one number in single precision may lie apart. */
const ROUNDING = 1e-4;

function promised(plugin: EstimatorPlugin, options: RawOptions = {}): Required<EstimatorPromises> {
  return { bounded: true, symmetric: true, scaleFree: true, gradient: "none", ...plugin.promises?.(options) };
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
