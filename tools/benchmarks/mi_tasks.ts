/**
 * Distributions with known mutual information: the tasks of the public benchmark, rendered anew, and graded ladders.
 *
 * @see Czyz et al., "Beyond Normal: On the Evaluation of Mutual Information Estimators", NeurIPS 2023 (PyPI benchmark-mi).
 * @module
 */
import {
  additiveUniformSet,
  eachCoordinate,
  type EllipticalOptions,
  ellipticalSet,
  halfCube,
  type InformationSet,
  inverse,
  normalCdf,
  spiral,
  swissRoll,
  type Transform,
  tripleCorrelation,
} from "../../datasets/mod.ts";

const identity = (row: Float64Array) => row;

/** Correlations of x and y: every pair of columns (dense), or column k of x with column k of y for the first two. */
function correlations(width: number, kind: "dense" | "sparse" | "none"): number[] {
  const total = 2 * width;
  return Array.from({ length: total * total }, (_, cell) => {
    const [a, b] = [Math.floor(cell / total), cell % total];
    if (a === b) return 1;
    if (kind === "dense") return 0.5;
    // A shared part of strength 2 beside noise of strength 1: 4 / 5.
    return kind === "sparse" && Math.abs(a - b) === width && Math.min(a, b) < 2 ? 0.8 : 0;
  });
}

function set(name: string, covariance: number[], width: number, rest: Partial<EllipticalOptions> = {}): InformationSet {
  return ellipticalSet({ name, about: name, covariance, widths: [width], targetWidth: width, ...rest });
}

const both = (map: Transform): Partial<EllipticalOptions> => ({ transformSource: map, transformTarget: map });
const pair = (rho: number) => [1, rho, rho, 1];

const wigglyX = (x: number) => x + 0.4 * Math.sin(x) + 0.2 * Math.sin(1.7 * x + 1) + 0.03 * Math.sin(3.3 * x - 2.5);
const wigglyY = (x: number) =>
  x - 0.4 * Math.sin(0.4 * x) + 0.17 * Math.sin(1.3 * x + 3.5) + 0.02 * Math.sin(4.3 * x - 2.5);
const bimodalX = inverse((x) => 0.3 * normalCdf(x) + 0.7 * normalCdf(x - 5), -10, 10);
const bimodalY = inverse((x) => 0.5 * normalCdf(x + 1) + 0.5 * normalCdf(x - 3), -10, 10);

/** How a bivariate normal pair is disguised without losing information. */
const disguises: Readonly<Record<string, Partial<EllipticalOptions>>> = {
  normal: {},
  "normal-cdf": both(eachCoordinate(normalCdf)),
  "half-cube": both(eachCoordinate(halfCube)),
  wiggly: { transformSource: eachCoordinate(wigglyX), transformTarget: eachCoordinate(wigglyY) },
  bimodal: {
    transformSource: eachCoordinate((x) => bimodalX(normalCdf(x))),
    transformTarget: eachCoordinate((y) => bimodalY(normalCdf(y))),
  },
};

/** The benchmark's tasks by its names. */
export function benchmarkTasks(): InformationSet[] {
  const cdf = eachCoordinate(normalCdf);
  const tasks = [
    set("1v1-normal-0.75", pair(0.75), 1),
    set("normal_cdf-1v1-normal-0.75", pair(0.75), 1, disguises["normal-cdf"]),
    { ...additiveUniformSet(0.1), name: "1v1-additive-0.1" },
    { ...additiveUniformSet(0.75), name: "1v1-additive-0.75" },
    set("1v1-bimodal-0.75", pair(0.75), 1, disguises["bimodal"]),
    set("wiggly-1v1-normal-0.75", pair(0.75), 1, disguises["wiggly"]),
    set("half_cube-1v1-normal-0.75", pair(0.75), 1, disguises["half-cube"]),
    set("swissroll_x-normal_cdf-1v1-normal-0.75", pair(0.75), 1, {
      transformSource: (row) => swissRoll(cdf(row)),
      transformTarget: cdf,
    }),
  ];
  for (const width of [2, 3, 5, 25, 50]) {
    tasks.push(set(`multinormal-dense-${width}-${width}-0.5`, correlations(width, "dense"), width));
  }
  for (const width of [2, 3, 5, 25]) {
    const name = `multinormal-sparse-${width}-${width}-2-2.0`;
    const sparse = correlations(width, "sparse");
    tasks.push(set(name, sparse, width));
    if (width === 2) continue;
    const turn = (map: Transform): Partial<EllipticalOptions> => ({
      transformSource: (row) => spiral(0, 1, 1 / width)(map(row)),
      transformTarget: (row) => spiral(1, 2, 1 / width)(map(row)),
    });
    tasks.push(
      set(`normal_cdf-${name}`, sparse, width, both(cdf)),
      set(`half_cube-${name}`, sparse, width, both(eachCoordinate(halfCube))),
      set(`spiral-${name}`, sparse, width, turn(identity)),
      set(`spiral-normal_cdf-${name}`, sparse, width, turn(cdf)),
    );
  }
  for (const [width, degrees] of [[1, 1], [2, 1], [2, 2], [3, 2], [3, 3], [5, 2], [5, 3]]) {
    const name = `student-identity-${width}-${width}-${degrees}`;
    const none = correlations(width, "none");
    tasks.push(set(name, none, width, { degrees }));
    if (degrees < 3 && !(width === 2 && degrees === 2)) {
      tasks.push(set(`asinh-${name}`, none, width, { degrees, ...both(eachCoordinate(Math.asinh)) }));
    }
  }
  return tasks;
}

/** Pairs of graded dependence, plain and disguised: what rankings are judged on. */
export function ladder(): InformationSet[] {
  const sets = Object.entries(disguises).flatMap(([name, options]) =>
    [0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.9, 0.97].map((rho) => set(`${name}-${rho}`, pair(rho), 1, options))
  );
  return [...sets, ...[0.05, 0.1, 0.2, 0.4, 0.75, 1.5].map(additiveUniformSet)];
}

/** Triples x1, x2, y with known conditional information. */
export function triples(): InformationSet[] {
  return ([[0.7, 0.5, 0.2], [0.6, 0.6, 0.6], [0.8, 0, 0.5], [0.5, 0.5, -0.4], [0, 0, 0]] as const).map(([a, b, c]) =>
    ellipticalSet({
      name: `triple-${a}-${b}-${c}`,
      about: `normal x1, x2, y with correlations x1 y ${a}, x2 y ${b}, x1 x2 ${c}`,
      covariance: tripleCorrelation(a, b, c),
      widths: [1, 1],
      targetWidth: 1,
    })
  );
}
