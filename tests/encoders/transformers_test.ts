/** The transformers against PyTorch's own layer, on weights that both sides compute. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import { type HostTensor, int32 } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { bert, vit } from "../../encoders/mod.ts";
import { attend, bindScope, torchName, torchShape, toTorch } from "../../nn/mod.ts";
import { channelsLast, filled, hostNoise, projection, run, startOf } from "../helpers/encoder.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

interface Probe {
  pooled: number[];
  names: Record<string, number[]>;
  gradients: Record<string, { dot: number; norm: number }>;
}
const reference = golden<{ vit: Record<"cls" | "mean", Probe>; bert: Record<"pooler" | "cls" | "mean", Probe> }>(
  "transformers",
);
const compiled = await onnxCpu.create();
const eager = await cpu.create();

/** The weights of tests/golden/transformers.py. */
function weight(name: string, shape: readonly number[], place: number): HostTensor {
  const norm = name.toLowerCase().includes("norm") && name.endsWith("weight");
  return hostNoise(shape, norm ? 0.3 : 0.4, place, norm ? 1 : 0);
}

const infoOf = (input: HostTensor, more: Partial<ModalityInfo> = {}): ModalityInfo => ({
  shape: input.shape.slice(1),
  dtype: input.dtype as "float32" | "int32",
  about: "noise",
  ...more,
});

async function check(expected: Probe, plugin: EncoderPlugin, input: HostTensor, options: Record<string, unknown>) {
  const info = infoOf(input);
  assertEquals(plugin.refuses(info, options), null);
  const encoder = plugin.create(options, info);
  const state = filled(startOf(eager, encoder, input), weight);
  const shapes = Object.entries(state.params).map((
    [name, { shape }],
  ) => [torchName(name).replace("encoder.x.", ""), [...torchShape(name, shape)]]);
  assertEquals(Object.fromEntries(shapes), expected.names);
  const weighting = hostNoise([input.shape[0], 12], 1, 0.3);
  for (const engine of [eager, compiled]) {
    const { pooled, gradients } = await run(engine, encoder, input, state, "train", weighting);
    assertClose(pooled.data, expected.pooled, 1e-4);
    const named = Object.entries(toTorch(gradients));
    assertEquals(named.length, Object.keys(expected.gradients).length);
    for (const [name, gradient] of named) {
      const theirs = expected.gradients[name.replace("encoder.x.", "")];
      const ours = projection(gradient);
      const bound = 1e-3 * Math.max(0.01, theirs.norm);
      assert(Math.abs(ours.norm - theirs.norm) <= bound, `${name}: norm ${ours.norm} is not ${theirs.norm}`);
      assert(Math.abs(ours.dot - theirs.dot) <= bound, `${name}: ${ours.dot} is not ${theirs.dot}`);
    }
  }
}

for (const pooling of ["cls", "mean"] as const) {
  Deno.test(`vit with ${pooling} pooling equals PyTorch's pre-norm layers, gradients too`, async () => {
    const input = channelsLast(hostNoise([2, 2, 8, 12], 1, 0.1));
    const options = { patch: 4, width: 12, depth: 2, heads: 3, mlpRatio: 2, pooling };
    await check(reference.vit[pooling], vit, input, options);
  });
}

const ids = int32([3, 7, 1, 9, 10, 2, 4, 3, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0], [3, 6]);
const tiny = { vocabulary: 11, positions: 8, width: 12, depth: 2, heads: 2, hidden: 20, dropout: 0 };

for (const pooling of ["pooler", "cls", "mean"] as const) {
  Deno.test(`bert with ${pooling} pooling equals PyTorch's post-norm layers under a padding mask, gradients too`, async () => {
    await check(reference.bert[pooling], bert, ids, { ...tiny, pooling });
  });
}

Deno.test("bert: more padding changes nothing, and its tokens of padding are 0", () => {
  tf.tidy(() => {
    const features = (rows: number[][], length: number, params?: Record<string, tf.Tensor>) => {
      const input = int32(rows.flat(), [rows.length, length]);
      const encoder = bert.create({ ...tiny, positions: 9 }, infoOf(input));
      const given = params ?? Object.fromEntries(
        Object.entries(startOf(eager, encoder, input).params)
          .map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
      );
      const { scope } = bindScope({ params: given, buffers: {}, controls: {}, key: null, mode: "eval" });
      const x = tf.tensor(input.data, [...input.shape], "int32");
      const map = encoder.stages.reduce<tf.Tensor>((t, stage) => stage(t, scope.group("encoder:x"), x), x);
      return { ...encoder.head(map, scope.group("encoder:x"), x), params: given };
    };
    const short = features([[3, 7, 1], [4, 0, 0]], 3);
    const long = features([[3, 7, 1, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0]], 7, short.params);
    assertClose(values(long.pooled), values(short.pooled), 1e-6);
    assertEquals(values(short.tokenMask!), [1, 1, 1, 1, 0, 0]);
    assertEquals(values(tf.slice(long.tokens!, [1, 1, 0], [1, 6, 12])).every((value) => value === 0), true);
    // Nothing but padding: finite all the same.
    assertEquals(values(features([[0, 0, 0]], 3, short.params).pooled).every(Number.isFinite), true);
  });
});

Deno.test("bert and vit say why an input does not fit", () => {
  const text: ModalityInfo = { shape: [6], dtype: "int32", about: "ids" };
  assertEquals(bert.refuses(text, {}), "it needs the number of ids, which the dataset does not say: set vocabulary");
  assertEquals(bert.refuses({ ...text, vocabulary: 20 }, {}), null);
  assertEquals(
    bert.refuses({ ...text, vocabulary: 20 }, { vocabulary: 9 }),
    "its vocabulary of 9 must hold the dataset's 20 ids",
  );
  assertEquals(bert.refuses(text, { vocabulary: 9, positions: 5 }), "its 5 positions must hold 6 tokens");
  assertEquals(bert.refuses(text, { vocabulary: 9, heads: 3 }), "its 3 heads must divide its width of 128");
  const image: ModalityInfo = { shape: [8, 12, 1], dtype: "float32", about: "image" };
  assertEquals(vit.refuses(image, { patch: 5 }), "its patch of 5 must divide 8 and 12");
  assertEquals(
    vit.refuses(text, {}),
    "it needs [height, width, channels] or [frames, height, width, channels] of numbers",
  );
  const { scope } = bindScope({ params: {}, buffers: {}, controls: {}, key: null, mode: "eval" });
  const x = wave([1, 2, 5]);
  assertThrows(() => attend(scope, x, x, x, { heads: 2 }), Refusal, "the heads must divide the width 5: found 2");
});

Deno.test("vit takes the patches of all frames of a film together where that is asked for", async () => {
  const input = hostNoise([2, 3, 8, 8, 1]);
  const encoder = vit.create({ width: 8, heads: 2, depth: 1, frames: "joint" }, infoOf(input));
  const state = startOf(eager, encoder, input);
  // 3 frames of 2 x 2 patches, and the class token.
  assertEquals(state.params["encoder:x/pos_embed"].shape, [1, 13, 8]);
  assertEquals((await run(compiled, encoder, input, state, "eval")).pooled.shape, [2, 8]);
});
