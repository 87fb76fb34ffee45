/** transfusion, cross-attention, mbt, pmf and dynmm against NumPy: every subset kept, own readouts, parameters by count. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Features, fixedKeep, type Fusion, type FusionPlugin, type Keep } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Scope } from "../../core/scope.ts";
import { crossAttention, dynmm, mbt, pmf, transfusion } from "../../fusion/mod.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

interface Found {
  readonly fused: number[];
  readonly logits: number[];
}
type Case = Record<string, Found> & { readonly params: never };
const reference = golden<Record<string, Case>>("fusion_attention");
const names = ["audio", "image", "text", "video"];
const widths = [4, 5, 3, 2];
const lengths = [3, 1, 2, 4];
const [B, C, D] = [3, 2, 4];

/** Tokens and pooled features; the last token of text is padding in sample 1. */
function featuresOf(m: number): Record<string, Features> {
  return Object.fromEntries(
    names.slice(0, m).map((name, u) => {
      const tokens = wave([B, lengths[u], widths[u]], 1, 0.1 * u) as tf.Tensor3D;
      const pooled = wave([B, widths[u]], 1, 0.5 + 0.1 * u) as tf.Tensor2D;
      const tokenMask = tf.tensor2d([[1, 1], [1, 0], [1, 1]]);
      return [name, { pooled, tokens, ...(name === "text" ? { tokenMask } : {}) }];
    }),
  );
}

/** A parameter's value: a wave whose phase comes from its name. */
function valueOf(name: string, shape: readonly number[]): tf.Tensor {
  const sum = [...name].reduce((total, letter, i) => total + (i + 1) * letter.charCodeAt(0), 0);
  const phase = (sum % 97) / 10;
  return name.endsWith("/scale") ? tf.add(1, wave(shape, 0.1, phase)) : wave(shape, 0.4, phase);
}

/** A scope over such parameters, and how many numbers they are. */
function scopeOf(
  fusion: Fusion,
  features: Record<string, Features>,
): { scope: Scope; shapes: Record<string, number[]> } {
  const { params } = initialise((scope) => void fusion.forward(features, null, scope, {}), {
    random: new Random(1),
    controls: {},
    abstract: (run) => void tf.tidy(() => run()),
  });
  const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, [...shape]]));
  const tensors = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, valueOf(name, shape)]));
  const { scope } = bindScope({ params: tensors, buffers: {}, controls: {}, key: null, mode: "eval" });
  return { scope, shapes };
}

const keepOf = (modalities: readonly string[], kept: readonly string[]): Keep =>
  Object.fromEntries(
    modalities.map((name) => [name, tf.fill([B, 1], kept.includes(name) ? 1 : 0) as tf.Tensor2D]),
  );

const cases: readonly [string, FusionPlugin, Record<string, unknown>][] = [
  ["transfusion", transfusion, { depth: 2, width: D, heads: 2, dropout: 0 }],
  ["cross-attention", crossAttention, { depth: 2, width: D, heads: 2 }],
  ["mbt", mbt, { depth: 4, fused: 3, bottlenecks: 2, width: D, heads: 2 }],
  ["pmf", pmf, { fused: 2, queries: 2, contexts: 1, fusionContexts: 2, width: D, heads: 2 }],
  ["dynmm", dynmm, { hidden: 5, tau: 0.7 }],
  ["dynmm-hard", dynmm, { hidden: 5, tau: 0.7, gate: "hard" }],
];

for (const [key, plugin, options] of cases) {
  for (const m of [2, 3, 4]) {
    Deno.test(`${key} of ${m} modalities equals its formula, for every subset kept`, () => {
      tf.tidy(() => {
        const modalities = names.slice(0, m);
        const fusion = plugin.create(options, { modalities, classes: C });
        const features = featuresOf(m);
        const { scope, shapes } = scopeOf(fusion, features);
        const { params, ...subsets } = reference[`${key}/${m}`];
        assertEquals(shapes, params);
        const near = ({ fused, logits }: { fused: tf.Tensor; logits: tf.Tensor }, expected: Found) => {
          assertClose(values(fused), expected.fused, 1e-4);
          assertClose(values(logits), expected.logits, 1e-4);
        };
        near(fusion.forward(features, null, scope, {}), subsets["all"]);
        // The others do not look whether a mask is fixed.
        for (const fixed of plugin === crossAttention ? [false, true] : [false]) {
          const kept = (subset: readonly string[]) => {
            const mask = keepOf(modalities, subset)!;
            return fusion.forward(features, fixed ? fixedKeep(mask, subset) : mask, scope, {});
          };
          near(kept(modalities), subsets["all"]);
          near(kept([]), subsets["none"]);
          near(kept(modalities.slice(1)), subsets["without-audio"]);
          for (const name of modalities) near(kept([name]), subsets[`only-${name}`]);
        }
        // A readout that the fusion gives itself is what one-hot masks give, and its part is its own block.
        const solo = fusion.solo?.(features, scope);
        if (solo === undefined) return;
        assertClose(values(solo.fused), subsets["all"].fused, 1e-4);
        for (const name of modalities) {
          near({ fused: solo.parts[name], logits: solo.logits[name] }, subsets[`only-${name}`]);
        }
      });
    });
  }
}

/** Numbers that a fusion trains on the features above. */
function counted(plugin: FusionPlugin, options: Record<string, unknown>, m: number): number {
  const fusion = plugin.create(options, { modalities: names.slice(0, m), classes: C });
  const { shapes } = scopeOf(fusion, featuresOf(m));
  return Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((size, extent) => size * extent, 1), 0);
}
const sumOf = (m: number, count: (u: number) => number) =>
  Array.from({ length: m }, (_, u) => count(u)).reduce((sum, own) => sum + own, 0);

Deno.test("fusions by attention have the parameters that their definitions have", () => {
  const block = 12 * D ** 2 + 13 * D;
  for (const m of [2, 3, 4]) {
    assertEquals(
      counted(transfusion, { depth: 3, width: D, heads: 2 }, m),
      3 * block + sumOf(m, (u) => widths[u] * D + D + lengths[u] * D) + D + m * D + 2 * D + C * D + C,
    );
    assertEquals(
      counted(crossAttention, { depth: 2, width: D, heads: 2 }, m),
      2 * m * block + sumOf(m, (u) => 2 * widths[u] * D + 2 * D) + 2 * m * D + C * m * D + C,
    );
    const stream = (layers: number) =>
      sumOf(m, (u) => widths[u] * D + D + (lengths[u] + 1) * D + layers * block + 2 * D);
    const heads = m * (C * D + C);
    assertEquals(
      counted(mbt, { depth: 3, bottlenecks: 5, width: D, heads: 2 }, m),
      5 * D + heads + stream(3),
    );
    const [n, q, k, f, h] = [2, 3, 1, 2, D / 2];
    assertEquals(
      counted(pmf, { fused: n, queries: q, contexts: k, fusionContexts: f, width: D, heads: 2 }, m),
      m * (m - 1) * n * ((q + k) * D + 2 * D * h + h + D) + m * n * f * D + heads + stream(n),
    );
    const wide = sumOf(m, (u) => widths[u]);
    const own = sumOf(m, (u) => C * widths[u] + C);
    assertEquals(
      counted(dynmm, { hidden: 7 }, m),
      own + C * wide + C + 7 * (wide + 1) + (m + 1) * (7 + 1),
    );
  }
});

Deno.test("tokens are the encoder's, else the places of the last map, else the pooled feature", () => {
  tf.tidy(() => {
    const map = wave([B, 2, 3, 4], 1, 0.2);
    const features: Record<string, Features> = {
      audio: { pooled: wave([B, 4]) as tf.Tensor2D, stages: [wave([B, 9]), map] },
      image: { pooled: wave([B, 5]) as tf.Tensor2D },
    };
    const fusion = mbt.create({ width: D, heads: 2 }, { modalities: ["audio", "image"], classes: C });
    const { scope, shapes } = scopeOf(fusion, features);
    assertEquals(shapes["fusion/audio/positions"], [6, D]);
    assertEquals(shapes["fusion/image/positions"], [1, D]);
    const given = { ...features, audio: { pooled: features.audio.pooled, tokens: tf.reshape(map, [B, 6, 4]) } };
    const [ofMap, ofTokens] = [features, given].map((own) =>
      values(fusion.forward(own as Record<string, Features>, null, scope, {}).logits)
    );
    assertEquals(ofMap, ofTokens);
  });
});

Deno.test("pmf works without fusion contexts and without query contexts", () => {
  tf.tidy(() => {
    const options = { fused: 1, contexts: 0, fusionContexts: 0, width: D, heads: 2 };
    const fusion = pmf.create(options, { modalities: names.slice(0, 2), classes: C });
    const { scope, shapes } = scopeOf(fusion, featuresOf(2));
    assertEquals(Object.keys(shapes).filter((name) => name.includes("context")), []);
    assert(values(fusion.forward(featuresOf(2), null, scope, {}).logits).every(Number.isFinite));
    assert(values(fusion.solo!(featuresOf(2), scope).logits.audio).every(Number.isFinite));
  });
});

Deno.test("fusions by attention refuse heads that do not divide, and mbt layers that exchange nothing", () => {
  const context = { modalities: ["a", "b"], classes: 2 };
  for (const plugin of [transfusion, crossAttention, mbt, pmf]) {
    assertThrows(
      () => plugin.create({ width: 10, heads: 4 }, context),
      Refusal,
      `Cannot use fusion "${plugin.name}" as its heads must divide its width: 4 do not divide 10`,
    );
  }
  assertThrows(() => mbt.create({ fused: 1 }, context), Error, 'option "fused" of fusion "mbt"');
  assertThrows(() => mbt.create({ fused: 3, depth: 2 }, context), Refusal, "fused is 3, depth 2");
});
