/** Encoders of ready features and of sequences. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import { identity, linearEncoder, transformer } from "../../encoders/mod.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { Random } from "../../core/random.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

const info = (...shape: number[]): ModalityInfo => ({ shape, dtype: "float32", about: "features" });
const ids: ModalityInfo = { shape: [4], dtype: "int32", vocabulary: 9, about: "ids" };

/** Runs an encoder on x with parameters that are waves with phases from their names. */
function run(plugin: EncoderPlugin, options: Record<string, unknown>, x: tf.Tensor) {
  const encoder = plugin.create(options, info(...x.shape.slice(1)));
  const apply = (scope: Parameters<typeof encoder.head>[1]) =>
    encoder.head(encoder.stages.reduce((map, stage) => stage(map, scope, x), x), scope, x);
  const { params } = initialise((scope) => void apply(scope.group("encoder:x")), {
    random: new Random(1),
    controls: {},
    abstract: (build) => void tf.tidy(() => build()),
  });
  const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, [...shape]]));
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const sum = [...name].reduce((total, letter, i) => total + (i + 1) * letter.charCodeAt(0), 0);
      const phase = (sum % 97) / 10;
      return [name, name.endsWith("/scale") ? tf.add(1, wave(shape, 0.1, phase)) : wave(shape, 0.4, phase)];
    }),
  );
  const { scope } = bindScope({ params: tensors, buffers: {}, controls: {}, key: null, mode: "eval" });
  return { ...apply(scope.group("encoder:x")), shapes, tensors, encoder };
}

Deno.test("identity gives a vector as it is, and a sequence as tokens with their mean; it has no parameters", () => {
  const x = wave([2, 3]);
  const flat = run(identity, {}, x);
  assertEquals(values(flat.pooled), values(x));
  assertEquals([flat.tokens, flat.shapes], [undefined, {}]);
  const sequence = tf.tensor3d([[[1, 2], [3, 6]]]);
  const { pooled, tokens, encoder } = run(identity, {}, sequence);
  assertEquals(values(pooled), [2, 4]);
  assertEquals(values(tokens!), [1, 2, 3, 6]);
  assertEquals(encoder.tokens, true);
});

Deno.test("linear is W x + b of a vector, of each step, of a flattened map", () => {
  const [x, steps, map] = [wave([2, 3]), wave([2, 4, 3]), wave([2, 2, 2, 3])];
  const flat = run(linearEncoder, { width: 5 }, x);
  const of = (rows: tf.Tensor, { tensors }: { tensors: Record<string, tf.Tensor> }) =>
    tf.add(
      tf.matMul(rows as tf.Tensor2D, tensors["encoder:x/out/kernel"] as tf.Tensor2D),
      tensors["encoder:x/out/bias"],
    );
  assertClose(values(flat.pooled), values(of(x, flat)));
  assertEquals(flat.encoder.tokens, false);
  const each = run(linearEncoder, { width: 5 }, steps);
  const mapped = tf.reshape(of(tf.reshape(steps, [8, 3]), each), [2, 4, 5]);
  assertClose(values(each.tokens!), values(mapped));
  assertClose(values(each.pooled), values(tf.mean(mapped, 1)));
  const whole = run(linearEncoder, { width: 5 }, map);
  assertClose(values(whole.pooled), values(of(tf.reshape(map, [2, 12]), whole)));
});

interface Case {
  readonly shapes: Record<string, number[]>;
  readonly tokens: number[];
  readonly pooled: number[];
}

for (const pooling of ["cls", "mean"] as const) {
  Deno.test(`transformer equals the reference with pooling ${pooling}`, () => {
    tf.tidy(() => {
      const reference = golden<Record<string, Case>>("sequence_transformer")[pooling];
      const options = { width: 4, depth: 2, heads: 2, mlpRatio: 2, pooling };
      const found = run(transformer, options, wave([3, 5, 3], 1, 0.1));
      assertEquals(found.shapes, reference.shapes);
      assertClose(values(found.tokens!), reference.tokens, 1e-4);
      assertClose(values(found.pooled), reference.pooled, 1e-4);
    });
  });
}

Deno.test("encoders of features say what they need", () => {
  assertStringIncludes(identity.refuses(info(4, 4, 1), {})!, "what has more axes is no feature yet");
  assertStringIncludes(identity.refuses(ids, {})!, "[steps, width] of numbers");
  assertStringIncludes(linearEncoder.refuses(ids, {})!, "the input holds indices");
  assertEquals(transformer.refuses(info(4), {}), "it needs [steps, width] of numbers");
  assertEquals(transformer.refuses(info(4, 3), { width: 10, heads: 4 }), "its 4 heads must divide its width of 10");
  assertEquals(transformer.refuses(info(4, 3), {}), null);
});
