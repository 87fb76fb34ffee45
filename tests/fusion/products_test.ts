/** lmf, tfn and multiplicative against loops over their definitions, and their parameters by count. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertThrows } from "@std/assert";
import { fixedKeep, type FusionPlugin } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { lmf, multiplicative, tfn } from "../../fusion/mod.ts";
import { bind, counted } from "../helpers/fusion.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

const reference = golden<Record<string, { fused: number[]; logits: number[]; withoutFirst: number[] }>>(
  "fusion_products",
);
const names = ["audio", "image", "text", "video"];
const widths = [4, 5, 3, 2];
const head = { "head/kernel": wave([5, 2], 0.5, 2), "head/bias": wave([2], 0.2, 3) };
const features = (m: number) =>
  Object.fromEntries(names.slice(0, m).map((name, u) => [name, wave([3, widths[u]], 1, 0.1 * u)]));

function check(plugin: FusionPlugin, options: Record<string, unknown>, m: number, params: Record<string, tf.Tensor>) {
  const modalities = names.slice(0, m);
  const given = features(m);
  const bound = bind(plugin.create(options, { modalities, classes: 2 }), given, { ...params, ...head });
  const expected = reference[`${plugin.name}/${m}`];
  const output = bound.forward(given);
  assertClose(values(output.fused), expected.fused);
  assertClose(values(output.logits), expected.logits);
  const keep = Object.fromEntries(modalities.map((name, u) => [name, tf.fill([3, 1], u === 0 ? 0 : 1) as tf.Tensor2D]));
  assertClose(values(bound.forward(given, keep).logits), expected.withoutFirst);
}

Deno.test("lmf is the outer product of all features and 1, weighted by the sum of its factors' outer products", () => {
  for (const m of [2, 3, 4]) {
    const factors = names.slice(0, m).map((name, u) => [
      `fusion/factor/${name}`,
      wave([2, widths[u] + 1, 5], 0.4, 0.3 * u),
    ]);
    check(lmf, { rank: 2, width: 5 }, m, {
      ...Object.fromEntries(factors),
      "fusion/weight": wave([1, 2], 0.7, 2.5),
      "fusion/bias": wave([5], 0.3, 4),
    });
  }
});

Deno.test("tfn is a perceptron on the outer product, rows in row-major order, wide features projected", () => {
  for (const m of [2, 3, 4]) {
    const projections = names.slice(0, m).flatMap((name, u) =>
      widths[u] <= 3 ? [] : [
        [`fusion/projection/${name}/kernel`, wave([widths[u], 3], 0.4, 0.2 * u)],
        [`fusion/projection/${name}/bias`, wave([3], 0.1, u)],
      ]
    );
    const size = names.slice(0, m).reduce((product, _, u) => product * (Math.min(widths[u], 3) + 1), 1);
    check(tfn, { projection: 3, width: 5 }, m, {
      ...Object.fromEntries(projections),
      "fusion/kernel": wave([size, 5], 0.3, 5),
      "fusion/bias": wave([5], 0.3, 4),
    });
  }
});

Deno.test("multiplicative is a bilinear form with linear terms", () => {
  check(multiplicative, { width: 5 }, 2, {
    "fusion/form": wave([4, 5, 5], 0.3, 6),
    "fusion/bias": wave([5], 0.3, 4),
    "fusion/audio/kernel": wave([4, 5], 0.4, 0.2),
    "fusion/image/kernel": wave([5, 5], 0.4, 0.4),
  });
});

Deno.test("multiplicative of features that are dropped of all samples is that of features at 0", () => {
  const given = features(2);
  const modalities = names.slice(0, 2);
  const fusion = multiplicative.create({ width: 5 }, { modalities, classes: 2 });
  const { forward } = bind(fusion, given, {
    "fusion/form": wave([4, 5, 5], 0.3, 6),
    "fusion/bias": wave([5], 0.3, 4),
    "fusion/audio/kernel": wave([4, 5], 0.4, 0.2),
    "fusion/image/kernel": wave([5, 5], 0.4, 0.4),
    ...head,
  });
  for (const kept of [[], ["audio"], ["image"], modalities]) {
    const columns = Object.fromEntries(
      modalities.map((name) => [name, tf.fill([3, 1], kept.includes(name) ? 1 : 0) as tf.Tensor2D]),
    );
    const plain = forward(given, { ...columns });
    const fixed = forward(given, fixedKeep(columns, kept));
    assertClose(values(fixed.fused), [...values(plain.fused)]);
    assertClose(values(fixed.logits), [...values(plain.logits)]);
  }
});

Deno.test("products have the parameters that their definitions have", () => {
  const of = (plugin: FusionPlugin, options: Record<string, unknown>, m: number) =>
    counted(plugin.create(options, { modalities: names.slice(0, m), classes: 2 }), features(m));
  const [rank, d, head] = [3, 7, 2 * 7 + 2];
  assertEquals(of(lmf, { rank, width: d }, 4), rank * (5 + 6 + 4 + 3) * d + rank + d + head);
  // Audio and image are wider than 3 and projected with bias; the others enter as they are.
  assertEquals(of(tfn, { projection: 3, width: d }, 4), (4 + 1) * 3 + (5 + 1) * 3 + (4 * 4 * 4 * 3 + 1) * d + head);
  assertEquals(of(multiplicative, { width: d }, 2), d * (4 * 5 + 4 + 5 + 1) + head);
});

Deno.test("multiplicative refuses other numbers than two and names lmf; tfn refuses a product too large", () => {
  assertThrows(
    () => multiplicative.create({}, { modalities: names.slice(0, 3), classes: 2 }),
    Refusal,
    'Cannot use fusion "multiplicative" as its form is of two modalities: found 3 (audio, image, text); for others take lmf',
  );
  const wide = Object.fromEntries(names.map((name) => [name, tf.zeros([1, 40])]));
  assertThrows(
    () => bind(tfn.create({}, { modalities: names, classes: 2 }), wide),
    Refusal,
    "widths 33 x 33 x 33 x 33 give 1185921; set a smaller projection, or take lmf",
  );
  bind(tfn.create({ projection: 4 }, { modalities: names, classes: 2 }), wide);
  bind(lmf.create({}, { modalities: names, classes: 2 }), wide);
});
