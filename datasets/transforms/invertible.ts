/**
 * Invertible maps of a variable, which leave its information about others as it is and its histogram not.
 *
 * @module
 */

/** Standard normal distribution function, to 1.2e-7 relative (a Chebyshev fit of erfc). */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  // Horner's scheme, highest power first.
  const coefficients = [
    0.17087277,
    -0.82215223,
    1.48851587,
    -1.13520398,
    0.27886807,
    -0.18628806,
    0.09678418,
    0.37409196,
    1.00002368,
    -1.26551223,
  ];
  const tail = t * Math.exp(-z * z + coefficients.reduce((sum, coefficient) => sum * t + coefficient));
  return x > 0 ? 1 - tail / 2 : tail / 2;
}

/** x sqrt|x|: light tails become heavy. */
export function halfCube(x: number): number {
  return x * Math.sqrt(Math.abs(x));
}

/** The inverse of an increasing function on an interval, by bisection. */
export function inverse(increasing: (x: number) => number, low: number, high: number): (y: number) => number {
  return (y) => {
    let [a, b] = [low, high];
    for (let step = 0; step < 60; step++) {
      const middle = (a + b) / 2;
      if (increasing(middle) < y) a = middle;
      else b = middle;
    }
    return (a + b) / 2;
  };
}

/** A map of every coordinate by one function. */
export function eachCoordinate(map: (x: number) => number): (row: Float64Array) => Float64Array {
  return (row) => row.map((value) => map(value));
}

/** Turns the plane of two coordinates by speed ||x||^2: a spiral. */
export function spiral(first: number, second: number, speed: number): (row: Float64Array) => Float64Array {
  return (row) => {
    const angle = speed * row.reduce((sum, value) => sum + value * value, 0);
    const turned = row.slice();
    turned[first] = Math.cos(angle) * row[first] - Math.sin(angle) * row[second];
    turned[second] = Math.sin(angle) * row[first] + Math.cos(angle) * row[second];
    return turned;
  };
}

/** A scalar in [0, 1] rolled up in the plane. */
export function swissRoll(row: Float64Array): Float64Array {
  const t = 1.5 * Math.PI * (1 + 2 * row[0]);
  return Float64Array.of(t * Math.cos(t) / 21, t * Math.sin(t) / 21);
}
