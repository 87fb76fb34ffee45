import * as tf from "@tensorflow/tfjs";
import fc from "../helpers/properties.ts";
import { assert, assertAlmostEquals } from "@std/assert";
import {
  centred,
  contributions,
  contributionsOf,
  fusionWeights,
  jointContribution,
  lowerBound,
  ranged,
  softmin,
} from "../../miv/mod.ts";
import { assertClose, values } from "../helpers/tensors.ts";

// Hand-computed example, m = 2: I = (.3, .1), NC[1,2] = .2, NC[2,1] = .35, p_y = .6, p = (.5, .2).
// phi_1 = .6*.3 + .2*(.1 - .2) = .16; phi_2 = .6*.1 + .5*(.3 - .35) = .035.
const p = [0.6];
const solo = [[0.5, 0.2]];
const nmi = [[0.3, 0.1]];
const ncmi = [[[0, 0.2], [0.35, 0]]];
const tensors = () => [tf.tensor1d(p), tf.tensor2d(solo), tf.tensor2d(nmi), tf.tensor3d(ncmi)] as const;

Deno.test("contributions() and what follows from them equal the hand-computed example", () => {
  tf.tidy(() => {
    const phi = contributions(...tensors());
    assertClose(values(phi), [0.16, 0.035], 1e-6);
    assertClose(values(jointContribution(phi)), [0.0975], 1e-6);
    // m (phi + m - 1) / (2m - 1) = 2 (phi + 1) / 3.
    const shifted = ranged(phi, "shift");
    assertClose(values(shifted), [0.773333, 0.69], 1e-5);
    assertClose(values(fusionWeights(shifted)), [1.056948, 0.943052], 1e-5);
    assertClose(values(fusionWeights(phi)), [1.641026, 0.358974], 1e-5);
    assertClose(values(softmin(tf.tensor2d(nmi), 20)), [0.099093], 1e-5);
    assertClose(values(lowerBound(tf.tensor1d(p), tf.tensor2d(nmi))), [0.6 * 0.099093], 1e-5);
    assertClose(values(lowerBound(tf.tensor1d(p), tf.tensor2d(nmi), "min")), [0.06], 1e-6);
  });
});

Deno.test('contributions() with index "own" credits the modality\'s own interaction', () => {
  tf.tidy(() => {
    // phi_1 = .6*.3 + .2*(I_1 - NC[2,1]) = .18 + .2*(.3 - .35); phi_2 = .06 + .5*(I_2 - NC[1,2]) = .06 + .5*(.1 - .2).
    assertClose(values(contributions(...tensors(), "own")), [0.17, 0.01], 1e-6);
  });
});

Deno.test("contributionsOf() on arrays equals contributions() on tensors, for 1 to 4 modalities", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }).chain((m) =>
        fc.record({
          m: fc.constant(m),
          values: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
            minLength: 3 * (1 + 2 * m + m * m),
            maxLength: 3 * (1 + 2 * m + m * m),
          }),
        })
      ),
      ({ m, values: list }) => {
        tf.tidy(() => {
          let at = 0;
          const take = (n: number) => list.slice(at, at += n);
          const [py, pu, i, nc] = [take(3), take(3 * m), take(3 * m), take(3 * m * m)];
          const phi = contributions(
            tf.tensor1d(py),
            tf.tensor2d(pu, [3, m]),
            tf.tensor2d(i, [3, m]),
            tf.tensor3d(nc, [3, m, m]),
          );
          const host = contributionsOf({
            nmi: i,
            ncmi: nc,
            jointProbability: py,
            soloProbability: Array.from({ length: m }, (_, u) => [0, 1, 2].map((n) => pu[n * m + u])),
            modalities: m,
          });
          assertClose([...host.phi], values(phi), 1e-5);
          assertClose([...host.mean], values(jointContribution(phi)), 1e-5);
          // Bounds: phi in [-(m - 1), m]; shifted in [0, m]; weights sum to m.
          for (const value of values(phi)) assert(value >= -(m - 1) - 1e-6 && value <= m + 1e-6);
          const shifted = ranged(phi, "shift");
          for (const value of values(shifted)) assert(value >= -1e-6 && value <= m + 1e-6);
          const means = values(jointContribution(shifted));
          const sums = values(tf.sum(fusionWeights(shifted), 1));
          sums.forEach((sum, n) => {
            if (means[n] > 1e-2) assertAlmostEquals(sum, m, 1e-4);
          });
        });
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("softmin() is below the minimum by at most log(m) / tau; printed Eq. 16 lowers information when minimised", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }), (list) => {
      tf.tidy(() => {
        const [soft] = values(softmin(tf.tensor2d([list]), 20));
        const least = Math.min(...list);
        assert(soft <= least + 1e-6 && soft >= least - Math.log(list.length) / 20 - 1e-6);
      });
    }),
  );
  tf.tidy(() => {
    const bound = (i: number) => values(lowerBound(tf.tensor1d([1]), tf.tensor2d([[i, 0.5]]), "paper-literal"))[0];
    // 1 - phi falls as I falls: the sign is the wrong way round.
    assert(bound(0.1) > bound(0.2));
    const mended = (i: number) => values(lowerBound(tf.tensor1d([1]), tf.tensor2d([[i, 0.5]])))[0];
    assert(mended(0.1) < mended(0.2));
  });
});

Deno.test("centred() uses the weighted mean and leaves rows of weight 0 out of it", () => {
  tf.tidy(() => {
    const vectors = tf.tensor2d([[1, 10], [3, 20], [100, 1000]]);
    assertClose(values(centred(vectors, tf.tensor1d([1, 3, 0]))), [-1.5, -7.5, 0.5, 2.5, 97.5, 982.5], 1e-5);
  });
});
