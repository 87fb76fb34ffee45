/** Every fusion against PyTorch, for two, three and four modalities, with gradients. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import type { Features, Fusion, FusionOutput, FusionPlugin } from "../../core/kinds/mod.ts";
import { float32, type HostTensor } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { Random } from "../../core/random.ts";
import type { Scope } from "../../core/scope.ts";
import { bigated, centralnet, concat, decision, film, gated, mmtm, sum } from "../../fusion/mod.ts";
import { bindScope, globalAveragePool, initialise, toTorch } from "../../nn/mod.ts";
import { filled, hostNoise, projection } from "../helpers/encoder.ts";
import { assertClose, golden, values } from "../helpers/tensors.ts";

interface Case {
  logits: number[];
  fused?: number[];
  own?: number[][];
  /** Product with noise, and norm. */
  gradients: Record<string, [number, number]>;
  inputs: [number, number][];
}
const reference = golden<Record<string, Case>>("fusions_torch");
const names = ["audio", "image", "text", "video"];
const widths = [4, 5, 3, 6];
const mapShapes = [[3, 4, 3, 2], [3, 5, 3], [3, 4], [3, 2, 3, 2, 5]];

type Inputs = Record<string, tf.Tensor>;
/** How the harness runs a fusion on inputs that stand for features or maps. */
type Run = (fusion: Fusion, inputs: Inputs, scope: Scope) => FusionOutput;

const each = <T>(inputs: Inputs, make: (x: tf.Tensor, name: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, make(x, name)]));
const zeroMeans = (features: Record<string, Features>) =>
  Object.fromEntries(
    Object.entries(features).map(([name, { pooled }]) => [name, tf.zeros([1, pooled.shape[1]]) as tf.Tensor2D]),
  );

const onFeatures: Run = (fusion, inputs, scope) => {
  const features: Record<string, Features> = each(inputs, (x) => ({ pooled: x as tf.Tensor2D }));
  return fusion.forward(features, null, scope, zeroMeans(features));
};

/** Two gated levels; between them a ReLU stands for the encoders' stage. */
const gatedMaps: Run = (fusion, inputs, scope) => {
  let maps: Inputs = inputs;
  for (const level of [0, 1]) {
    const gates = fusion.channelGates!(level, maps, null, scope);
    maps = each(maps, (map, name) => {
      const shape = [3, ...new Array<number>(map.rank - 2).fill(1), map.shape[map.rank - 1]];
      return tf.mul(map, tf.reshape(gates[name], shape));
    });
    if (level === 0) maps = each(maps, (map) => tf.relu(map));
  }
  return onFeatures(fusion, each(maps, globalAveragePool), scope);
};

/** Three stages: the maps, their ReLU, the root of 1 + that. */
const tappedMaps: Run = (fusion, inputs, scope) => {
  const features: Record<string, Features> = each(inputs, (first) => {
    const second = tf.relu(first);
    const third = tf.sqrt(tf.add(second, 1));
    return { pooled: globalAveragePool(third), stages: [first, second, third] };
  });
  return fusion.forward(features, null, scope, zeroMeans(features));
};

function check(plugin: FusionPlugin, options: Record<string, unknown>, key: string, m: number, run: Run): void {
  const expected = reference[`${key}/${m}`];
  const modalities = names.slice(0, m);
  const fusion = plugin.create(options, { modalities, classes: 2 });
  const shapes = run === onFeatures ? widths.map((width) => [3, width]) : mapShapes;
  tf.tidy(() => {
    const tensor = ({ data, shape }: HostTensor) => tf.tensor(data, [...shape], "float32");
    const inputs = Object.fromEntries(
      modalities.map((name, u) => [name, tensor(hostNoise(shapes[u], 1, 0.1 * (u + 1)))]),
    );
    const start = initialise((scope) => void run(fusion, inputs, scope), {
      random: new Random(1),
      controls: {},
      abstract: (build) => void tf.tidy(() => build()),
    });
    const state = filled({ params: start.params, buffers: {} }, (_, shape, place) => hostNoise(shape, 0.6, place));
    const params = Object.fromEntries(Object.entries(state.params).map(([name, value]) => [name, tensor(value)]));
    const buffers = Object.fromEntries(Object.entries(start.buffers).map(([name, value]) => [name, tensor(value)]));
    const { scope } = bindScope({ params, buffers, controls: {}, key: null, mode: "train" });
    const pass = record(() => {
      const output = run(fusion, inputs, scope);
      const against = (x: tf.Tensor, phase: number) => tf.sum(tf.mul(x, tensor(hostNoise([3, 2], 1, phase))));
      // Without a loss of their own, heads count only where the reference's do.
      const own = expected.own === undefined ? [] : modalities.map((name, u) => against(output.own![name], 1.3 + u));
      return { output, loss: tf.addN([against(output.logits, 0.3), ...own]) };
    });
    const { output, loss } = pass.value;
    assertClose(values(output.logits), expected.logits, 1e-4);
    if (expected.fused !== undefined) assertClose(values(output.fused), expected.fused, 1e-4);
    expected.own?.forEach((logits, u) => assertClose(values(output.own![modalities[u]]), logits, 1e-4));
    const paramNames = Object.keys(params);
    const gradients = pass.gradients(loss, [...paramNames.map((name) => params[name]), ...Object.values(inputs)]);
    const host = (x: tf.Tensor) => float32(Float32Array.from(values(x)), x.shape);
    const byName = toTorch(
      Object.fromEntries(paramNames.flatMap((name, k) => gradients[k] === null ? [] : [[name, host(gradients[k]!)]])),
    );
    assertEquals(Object.keys(byName).sort(), Object.keys(expected.gradients).sort());
    const near = (name: string, gradient: HostTensor, [dot, norm]: [number, number]) => {
      const ours = projection(gradient);
      const bound = 1e-3 * Math.max(1e-3, norm);
      assert(Math.abs(ours.dot - dot) <= bound && Math.abs(ours.norm - norm) <= bound, `gradient of ${name}`);
    };
    for (const [name, gradient] of Object.entries(byName)) near(name, gradient, expected.gradients[name]);
    modalities.forEach((name, u) => near(name, host(gradients[paramNames.length + u]!), expected.inputs[u]));
    pass.dispose();
  });
}

type Options = Record<string, unknown> | ((m: number) => Record<string, unknown>);
const cases: readonly [string, FusionPlugin, Options, readonly number[], Run][] = [
  ["concat", concat, { width: 7 }, [2, 3, 4], onFeatures],
  ["concat-0", concat, { width: 0 }, [2, 3, 4], onFeatures],
  ["sum", sum, {}, [2, 3, 4], onFeatures],
  ["sum-feature", sum, { level: "feature", width: 7 }, [2, 3, 4], onFeatures],
  ["decision-logit", decision, {}, [2, 3, 4], onFeatures],
  ["decision-probability", decision, { average: "probability" }, [2, 3, 4], onFeatures],
  [
    "decision-weighted",
    decision,
    (m) => ({ average: "weighted", weights: [1, 2, 3, 4].slice(0, m) }),
    [2, 3, 4],
    onFeatures,
  ],
  ["film", film, {}, [2, 3, 4], onFeatures],
  ["film-plain", film, { residualGamma: false }, [2, 3, 4], onFeatures],
  ["film-first", film, { target: "audio" }, [2, 3, 4], onFeatures],
  ["film-product", film, { generalisation: "product" }, [2, 3, 4], onFeatures],
  ["film-cyclic", film, { generalisation: "cyclic" }, [2, 3, 4], onFeatures],
  ["gated", gated, { width: 7 }, [2, 3, 4], onFeatures],
  ["gated-pairwise", gated, { width: 7, generalisation: "pairwise" }, [2, 3, 4], onFeatures],
  ["bigated", bigated, { width: 7 }, [2, 3, 4], onFeatures],
  ["bigated-pairwise", bigated, { width: 7, generalisation: "pairwise" }, [2, 3, 4], onFeatures],
  ["bilinear", bigated, { variant: "bilinear-gated", rank: 3 }, [2], onFeatures],
  ["mmtm", mmtm, { stages: 2 }, [2, 3, 4], gatedMaps],
  ["mmtm-1", mmtm, { stages: 2, scale: 1, ratio: 1.5 }, [2, 3, 4], gatedMaps],
  ["centralnet", centralnet, { width: 4 }, [2, 3, 4], tappedMaps],
  ["centralnet-taps", centralnet, { width: 4, taps: [3, 1] }, [2, 3, 4], tappedMaps],
];

for (const [key, plugin, options, counts, run] of cases) {
  Deno.test(`${key} equals PyTorch's for ${counts.join(", ")} modalities, gradients too`, () => {
    for (const m of counts) check(plugin, typeof options === "function" ? options(m) : options, key, m, run);
  });
}

Deno.test("the reference has no case that is not compared", () => {
  const compared = cases.flatMap(([key, _plugin, _options, counts]) => counts.map((m) => `${key}/${m}`));
  assertEquals(Object.keys(reference).sort(), compared.sort());
});

Deno.test("film and centralnet refuse options that contradict each other", () => {
  const context = { modalities: ["a", "b"], classes: 2 };
  assertThrows(
    () => film.create({ generalisation: "cyclic", target: "a" }, context),
    Refusal,
    'cyclic has no target: found target "a"',
  );
  assertThrows(
    () => centralnet.create({ taps: [1, 2] }, context),
    Refusal,
    "whole numbers from 1, falling: found [1, 2]",
  );
  assertThrows(() => centralnet.create({ betas: [1] }, context), Refusal, "for each of a, b: found [1]");
  assertThrows(() => film.create({ target: "c" }, context), Refusal);
});

Deno.test("a head's loss does not count samples that lack its modality", () => {
  tf.tidy(() => {
    const two = { modalities: ["audio", "image"], classes: 2 };
    for (const plugin of [decision, mmtm, centralnet]) {
      const fusion = plugin.create(plugin === centralnet ? {} : { loss: "both" }, two);
      const own = { audio: tf.ones([3, 2]) as tf.Tensor2D, image: tf.tensor2d([[0, 2], [1, 0], [3, 3]]) };
      const output = { fused: tf.zeros([3, 2]) as tf.Tensor2D, logits: tf.zeros([3, 2]) as tf.Tensor2D, own };
      const { scope } = bindScope({ params: {}, buffers: {}, controls: {}, key: null, mode: "train" });
      const keep = { audio: tf.tensor2d([[1], [0], [1]]), image: tf.tensor2d([[0], [1], [1]]) };
      const labels = tf.tensor1d([0, 0, 1], "int32");
      const terms = fusion.loss!(output, labels, scope, keep);
      assertClose(values(terms["head:audio"]), [Math.log(2), 0, Math.log(2)]);
      // -log softmax([1, 0])_0 = log(1 + 1/e).
      assertClose(values(terms["head:image"]), [0, Math.log1p(Math.exp(-1)), Math.log(2)]);
      assertClose(values(terms["joint"]), [Math.log(2), Math.log(2), Math.log(2)]);
    }
  });
});

Deno.test("mmtm squeezes a dropped modality at its running mean, closes its gates and keeps its rows out of that mean", () => {
  tf.tidy(() => {
    const two = { modalities: ["audio", "image"], classes: 2 };
    const fusion = mmtm.create({ stages: 1 }, two);
    const tensor = ({ data, shape }: HostTensor) => tf.tensor(data, [...shape], "float32");
    const maps = { audio: tensor(hostNoise([3, 4, 2], 1, 1)), image: tensor(hostNoise([3, 5, 3], 1, 2)) };
    const start = initialise((scope) => void fusion.channelGates!(0, maps, null, scope), {
      random: new Random(1),
      controls: {},
      abstract: (build) => void tf.tidy(() => build()),
    });
    const params = Object.fromEntries(Object.entries(start.params).map(([name, value]) => [name, tensor(value)]));
    const audioMean = tf.tensor2d([[0.3, -0.4]]);
    const buffers = {
      "fusion/mmtm1/audio/squeeze-mean": audioMean,
      "fusion/mmtm1/image/squeeze-mean": tf.zeros([1, 3]),
    };
    const gatesOf = (audio: tf.Tensor, kept: number[] | null, weights: tf.Tensor1D | null = null) => {
      const bound = bindScope({ params, buffers, controls: {}, key: null, mode: "train", weights });
      const column = kept === null ? null : tf.tensor2d(kept, [3, 1]);
      const keep = column === null ? null : { audio: column, image: tf.ones([3, 1]) as tf.Tensor2D };
      return { gates: fusion.channelGates!(0, { ...maps, audio }, keep, bound.scope), updates: bound.updates() };
    };
    const dropped = gatesOf(maps.audio, [1, 0, 1]);
    assertEquals(values(tf.slice(dropped.gates.audio, [1, 0], [1, 2])), [0, 0]);
    // The same as if the row's map were the running mean everywhere.
    const rows = tf.unstack(maps.audio);
    rows[1] = tf.tile(audioMean, [4, 1]);
    const asMean = gatesOf(tf.stack(rows), null);
    assertClose(values(dropped.gates.image), values(asMean.gates.image), 1e-6);
    // 0.9 running + 0.1 mean of rows 0 and 2.
    const mean = values(tf.mean(tf.gather(globalAveragePool(maps.audio), [0, 2]), 0));
    const expected = [0.27 + 0.1 * mean[0], -0.36 + 0.1 * mean[1]];
    assertClose(values(dropped.updates["fusion/mmtm1/audio/squeeze-mean"]), expected, 1e-6);
    const padded = gatesOf(maps.audio, [1, 1, 1], tf.tensor1d([1, 0, 1]));
    assertClose(values(padded.updates["fusion/mmtm1/audio/squeeze-mean"]), expected, 1e-6);
    const none = gatesOf(maps.audio, [0, 0, 0]);
    assertClose(values(none.updates["fusion/mmtm1/audio/squeeze-mean"]), [0.3, -0.4], 1e-6);
  });
});
