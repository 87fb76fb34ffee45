/** Seven modalities and more: the same numbers as of two at a time, and no limit that reaches a user. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { Random } from "../../core/random.ts";
import { use } from "../../core/options.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { histogram, informationOf, type ProgramRunner, valuate, type ValuateOptions } from "../../miv/mod.ts";
import { assertClose, values } from "../helpers/tensors.ts";

const engine = await onnxCpu.create();
const compiled: ProgramRunner = async (program, inputs) => {
  const [state, ready] = [engine.createState({}), await engine.compile(program)];
  const outputs = await ready.run(state, inputs);
  ready.dispose();
  state.dispose();
  return outputs;
};

const [size, classes, width] = [12, 3, 32];
const nameOf = (u: number) => `m${String(u).padStart(2, "0")}`;

/** Parts drawn by name, and a fused feature that all of them enter. */
function drawn(m: number) {
  const normals = (name: string, count: number) => {
    const random = new Random(5).split(name);
    return Float32Array.from({ length: count }, () => random.normal());
  };
  const names = Array.from({ length: m }, (_, u) => nameOf(u));
  const parts = Object.fromEntries(names.map((name) => [name, normals(name, size * width)]));
  const fused = normals("fused", size * width);
  for (const name of names) parts[name].forEach((value, i) => fused[i] += value);
  const solo = Object.fromEntries(names.map((name) => [name, normals(`${name} logits`, size * classes)]));
  const labels = Int32Array.from({ length: size }, (_, n) => n % classes);
  return { labels, classes, width, logits: normals("logits", size * classes), solo, fused, parts };
}

for (const m of [8, 12]) {
  for (const [bins, binning] of [[3, "hard"], [3, "soft"], [12, "hard"]] as const) {
    Deno.test(`valuate() of ${m} modalities gives what pairs of them give, compiled, ${binning} bins: ${bins}`, async () => {
      const options: ValuateOptions = { run: compiled, estimator: use(histogram, { bins, binning }) };
      const all = drawn(m);
      const { perSample: { nmi, ncmi } } = await valuate(all, options);
      for (const [i, j] of [[0, 1], [2, m - 1]]) {
        const pick = <T>(values: Record<string, T>) => ({
          [nameOf(i)]: values[nameOf(i)],
          [nameOf(j)]: values[nameOf(j)],
        });
        const { perSample: pair } = await valuate({ ...all, parts: pick(all.parts), solo: pick(all.solo) }, options);
        for (let n = 0; n < size; n++) {
          assertClose([nmi[n * m + i], nmi[n * m + j]], [pair.nmi[2 * n], pair.nmi[2 * n + 1]], 1e-5);
          const both = [ncmi[(n * m + i) * m + j], ncmi[(n * m + j) * m + i]];
          assertClose(both, [pair.ncmi[4 * n + 1], pair.ncmi[4 * n + 2]], 1e-5);
        }
      }
      assertEquals(ncmi.filter((_, k) => Math.floor(k / m) % m === k % m).every((value) => value === 0), true);
    });
  }
}

Deno.test("gradients of the information of eight modalities equal those of two of them", () => {
  tf.tidy(() => {
    const all = drawn(8);
    const [first, last] = [nameOf(0), nameOf(7)];
    const gradientOf = (names: readonly string[]) => {
      const parts = Object.fromEntries(names.map((name) => [name, tf.tensor2d(all.parts[name], [size, width])]));
      const pass = record(() => {
        const found = informationOf(parts, tf.tensor2d(all.fused, [size, width]), {
          estimator: use(histogram, { bins: 3, binning: "soft" }),
        });
        const at = (name: string) => names.indexOf(name);
        // Of the pair alone: its two NMIs and NCMI of the last given the first.
        const column = (name: string) => tf.slice(found.nmi, [0, at(name)], [-1, 1]);
        const given = tf.slice(found.ncmi, [0, at(first), at(last)], [-1, 1, 1]);
        return tf.addN([tf.sum(column(first)), tf.mul(2, tf.sum(column(last))), tf.mul(3, tf.sum(given))]);
      });
      const [gradient] = pass.gradients(pass.value, [parts[first]]);
      pass.dispose();
      return values(gradient);
    };
    const pair = gradientOf([first, last]);
    assertEquals(pair.some((value) => Math.abs(value) > 1e-3), true);
    assertClose(gradientOf(Array.from({ length: 8 }, (_, u) => nameOf(u))), pair, 1e-5);
  });
});
