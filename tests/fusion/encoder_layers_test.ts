/** mbt and pmf in the layers of transformer encoders themselves. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { withSteps } from "../../contracts/steps.ts";
import { fusionRig } from "../../contracts/toy.ts";
import { at } from "../../core/modality.ts";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Scope } from "../../core/scope.ts";
import { bert, mlp, vit } from "../../encoders/mod.ts";
import { cpu } from "../../engines/mod.ts";
import { mbt, pmf } from "../../fusion/mod.ts";
import { createLibrary } from "../../library.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { encode, misfit, type Model } from "../../training/model.ts";
import { assertClose, values, wave } from "../helpers/tensors.ts";

const infos: Record<string, ModalityInfo> = {
  image: { shape: [8, 8, 1], dtype: "float32", about: "an image" },
  text: { shape: [5], dtype: "int32", vocabulary: 10, about: "ids" },
};
const inputs = {
  image: wave([2, 8, 8, 1]),
  text: tf.tensor2d([[3, 4, 5, 6, 7], [3, 4, 0, 0, 0]], [2, 5], "int32"),
};
const modalities = ["image", "text"];

/** A model of a vision and a text transformer and a fusion in their layers, and a scope over its start. */
function model(plugin: typeof pmf, options: Record<string, unknown>, textWidth = 8): { model: Model; scope: Scope } {
  const context = { modalities, classes: 2 };
  const encoders = {
    image: vit.create({ width: 8, depth: 3, heads: 2, dropout: 0 }, infos.image),
    text: bert.create({ width: textWidth, depth: 3, heads: 2, hidden: 12, dropout: 0, pooling: "cls" }, infos.text),
  };
  const fusion = plugin.create({ layers: "encoder", ...options }, context);
  const made: Model = { context, encoders, fusion, methods: [] };
  const { params } = initialise((scope) => {
    fusion.forward(encode(made, inputs, null, scope), null, scope, {});
  }, { random: new Random(5), controls: {}, abstract: (run) => void tf.tidy(() => run()) });
  const tensors = Object.fromEntries(
    Object.entries(params).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
  );
  const { scope } = bindScope({ params: tensors, buffers: {}, controls: {}, key: null, mode: "eval" });
  return { model: made, scope };
}

for (
  const [plugin, options] of [[pmf, { fused: 2, fusionContexts: 0 }], [pmf, { fused: 3, fusionContexts: 0 }]] as const
) {
  Deno.test(`${plugin.name} alone in the ${options.fused} deepest layers is the encoder with a head`, () => {
    tf.tidy(() => {
      const { model: made, scope } = model(plugin, options);
      const solo = made.fusion.solo!(encode(made, inputs, null, scope), scope);
      for (const name of modalities) {
        const encoder = at(made.encoders, name);
        const own = scope.group(`encoder:${name}`);
        const x = inputs[name as keyof typeof inputs];
        const { pooled } = encoder.head(encoder.stages.reduce((map, stage) => stage(map, own, x), x), own, x);
        const head = scope.group(`head:${name}`);
        const kernel = head.param("kernel", [8, 2], () => new Float32Array()) as tf.Tensor2D;
        const logits = tf.add(tf.matMul(pooled, kernel), head.param("bias", [2], () => new Float32Array()));
        assertClose(values(solo.logits[name]), values(logits), 1e-5);
      }
    });
  });
}

for (const plugin of [mbt, pmf]) {
  Deno.test(`${plugin.name} in the encoders' layers does not see what lies in the padding of a text`, () => {
    tf.tidy(() => {
      const { model: made, scope } = model(plugin, { fused: 2 });
      const features = encode(made, inputs, null, scope);
      const changed = {
        ...features,
        text: {
          ...features.text,
          tokens: tf.add(features.text.tokens!, tf.expandDims(tf.sub(1, features.text.tokenMask!), 2)) as tf.Tensor3D,
        },
      };
      const [plain, other] = [features, changed].map((own) => values(made.fusion.forward(own, null, scope, {}).logits));
      assertClose(other, plain, 1e-6);
      // And the one modality does reach the other's head.
      const moved = {
        ...features,
        image: { ...features.image, tokens: tf.square(features.image.tokens!) as tf.Tensor3D },
      };
      const heads = [features, moved].map((own) => values(made.fusion.forward(own, null, scope, {}).own!.text));
      assert(heads[0].some((value, i) => Math.abs(value - heads[1][i]) > 1e-7));
    });
  });

  Deno.test(`${plugin.name} in the encoders' layers trains them`, async () => {
    const rig = fusionRig(plugin, createLibrary(), { fusionOptions: { layers: "encoder" } })!;
    await withSteps(rig, await cpu.create(), async (steps) => {
      const { gradients } = await steps.train();
      for (const group of rig.model.context.modalities.map((name) => `encoder:${name}/`)) {
        const moved = Object.keys(gradients).filter((name) =>
          name.startsWith(group) && gradients[name].some((value) => value !== 0)
        );
        assert(moved.some((name) => name.includes("encoder/layer/0")), group);
        assert(moved.some((name) => name.includes("encoder/layer/1")), group);
      }
    });
  });
}

Deno.test("pmf joins encoders of unequal widths, mbt refuses them", () => {
  tf.tidy(() => {
    const { model: made, scope } = model(pmf, { fused: 2 }, 6);
    const { fused } = made.fusion.forward(encode(made, inputs, null, scope), null, scope, {});
    assertEquals(fused.shape, [2, 14]);
    assertThrows(
      () => model(mbt, { fused: 2 }, 6),
      Refusal,
      "bottlenecks need tokens of one width: found image 8, text 6; set layers=own",
    );
    model(mbt, { fused: 2, layers: "own" }, 6);
  });
});

Deno.test("a fusion in the encoders' layers says which encoder is no transformer or has too few", () => {
  const context = { modalities: ["a"], classes: 2 };
  const fusion = pmf.create({ layers: "encoder", fused: 3 }, context);
  const flat: ModalityInfo = { shape: [5], dtype: "float32", about: "a vector" };
  assertEquals(
    misfit(fusion, "pmf", { a: mlp.create({}, flat) }, { a: "mlp" })?.refusal.message,
    'Cannot use fusion "pmf" with encoder "mlp" of modality "a" as the fusion runs the 3 deepest layers of ' +
      "transformers: the encoder is none",
  );
  assertEquals(
    misfit(fusion, "pmf", { a: vit.create({ depth: 2, width: 8, heads: 2 }, infos.image) }, { a: "vit" })?.refusal
      .message,
    'Cannot use fusion "pmf" with encoder "vit" of modality "a" as the fusion runs the 3 deepest layers of ' +
      "transformers: the encoder has 2 with these options",
  );
});
