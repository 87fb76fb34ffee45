/** Costs against numbers worked out by hand and published ones. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { builtinEncoders } from "../../encoders/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { builtinFusions } from "../../fusion/mod.ts";
import { multiplyAdds } from "../../nn/mod.ts";
import { encoderCost, modelCost, stepForwards } from "../../training/mod.ts";

const engine = await onnxCpu.create();
const abstract = (run: () => void) => engine.abstract(run);
const encoder = (name: string) => builtinEncoders.find((plugin) => plugin.name === name)!;
const fusion = (name: string) => builtinFusions.find((plugin) => plugin.name === name)!;
const float = (...shape: number[]): ModalityInfo => ({ shape, dtype: "float32", about: "" });
const costOf = (name: string, options: Record<string, unknown>, info: ModalityInfo) =>
  encoderCost(encoder(name).create(options, info), info, abstract);

Deno.test("multiplyAdds() counts convolutions of every kind and matrix products by their shapes", () => {
  const count = (run: () => void) => {
    let found: number | null = 0;
    tf.engine().startScope();
    const pass = record(run);
    found = multiplyAdds(pass.kernels());
    pass.dispose();
    tf.engine().endScope();
    return found;
  };
  const image = () => tf.zeros([2, 6, 5, 3]) as tf.Tensor4D;
  // Output [2, 3, 3, 4], 3 x 3 x 3 each.
  assertEquals(count(() => tf.conv2d(image(), tf.zeros([3, 3, 3, 4]), 2, "same")), 2 * 3 * 3 * 4 * 27);
  assertEquals(count(() => tf.depthwiseConv2d(image(), tf.zeros([3, 2, 3, 2]), 1, "same")), 2 * 6 * 5 * 6 * 6);
  const clip = tf.zeros([1, 4, 6, 5, 3]) as tf.Tensor5D;
  assertEquals(count(() => tf.conv3d(clip, tf.zeros([2, 3, 3, 3, 7]), 1, "same")), 4 * 6 * 5 * 7 * 54);
  // Each of the 2 x 6 x 5 x 3 inputs goes to 2 x 2 x 8 places.
  const wide: [number, number, number, number] = [2, 12, 10, 8];
  assertEquals(count(() => tf.conv2dTranspose(image(), tf.zeros([2, 2, 8, 3]), wide, 2, "same")), 2 * 6 * 5 * 3 * 32);
  const [a, b] = [tf.zeros([2, 5, 4]), tf.zeros([2, 4, 3])];
  assertEquals(count(() => tf.matMul(a, b)), 2 * 5 * 4 * 3);
  assertEquals(count(() => tf.matMul(tf.zeros([2, 4, 5]), tf.zeros([2, 3, 4]), true, true)), 2 * 5 * 4 * 3);
  assertEquals(count(() => tf.relu(tf.add(a, 1))), 0);
  assertEquals(count(() => tf.einsum("bij,bjk->bik", a, b)), null);
});

Deno.test("resnet18 at 224 x 224 costs what torchvision states", () => {
  const info = float(224, 224, 3);
  const model = {
    context: { modalities: ["image"], classes: 1000 },
    encoders: { image: encoder("resnet18").create({}, info) },
    fusion: fusion("concat").create({ width: 0 }, { modalities: ["image"], classes: 1000 }),
    methods: [],
  };
  const cost = modelCost(model, { image: info }, abstract);
  // torchvision's ResNet18_Weights: 11,689,512 parameters, 1.814 GFLOPS, which are multiply-adds there. By hand: the stem
  // 112^2 64 147, four 3 x 3 layers 56^2 64 576, then per stage 3 + 1/2 such of equal cost and a projection, the head.
  const layer = 56 * 56 * 64 * 576;
  const projection = 28 * 28 * 128 * 64;
  const encoderOnly = 112 * 112 * 64 * 147 + 4 * layer + 3 * (3.5 * layer + projection);
  assertEquals(cost.parameters, 11_689_512);
  assertEquals(cost.multiplyAdds, 1_814_073_344);
  assertEquals(cost.encoders.image, { parameters: 11_689_512 - 513_000, multiplyAdds: encoderOnly });
  assertEquals(cost.fusion, { parameters: 513_000, multiplyAdds: 512_000 });
});

Deno.test("transformers cost 4 T D^2 + 2 T^2 D for attention and 2 T D H for the MLP, per block", () => {
  const [T, D] = [197, 192];
  const tiny = costOf("vit", { patch: 16, width: D, depth: 12, heads: 3 }, float(224, 224, 3));
  // timm's vit_tiny_patch16_224 has 5,717,416 parameters, of which 193,000 are its head.
  assertEquals(tiny.parameters, 5_717_416 - 193_000);
  assertEquals(tiny.multiplyAdds, 196 * 768 * D + 12 * (4 * T * D * D + 2 * T * T * D + 8 * T * D * D));

  const ids: ModalityInfo = { shape: [128], dtype: "int32", vocabulary: 30522, about: "" };
  const base = costOf("bert", { positions: 512, width: 768, depth: 12, heads: 12, hidden: 3072 }, ids);
  // BERT-base uncased: 109,482,240 parameters with the pooler.
  assertEquals(base.parameters, 109_482_240);
  const [L, W] = [128, 768];
  assertEquals(base.multiplyAdds, 12 * (4 * L * W * W + 2 * L * L * W + 2 * L * W * 3072) + W * W);
});

Deno.test("mlp and cnn cost what their layers do", () => {
  assertEquals(costOf("mlp", { hidden: [9, 8], width: 6 }, float(5)), {
    parameters: 5 * 9 + 9 + 9 * 8 + 8 + 8 * 6 + 6,
    multiplyAdds: 5 * 9 + 9 * 8 + 8 * 6,
  });
  assertEquals(costOf("cnn", { channels: [4, 6], width: 5 }, float(7, 8, 2)), {
    parameters: 9 * 2 * 4 + 4 + 9 * 4 * 6 + 6 + 2 * 2 * 6 * 5 + 5,
    multiplyAdds: 4 * 4 * 4 * 18 + 2 * 2 * 6 * 36 + 24 * 5,
  });
});

/** Costs of a fusion over mlps of stage widths 9, 8 and feature widths 10, 11 (, 12), for 3 classes. */
function fusionCost(name: string, options: Record<string, unknown>, m: number) {
  const modalities = ["a", "b", "c"].slice(0, m);
  const context = { modalities, classes: 3 };
  const info = float(5);
  const encoders = Object.fromEntries(
    modalities.map((modality, u) => [modality, encoder("mlp").create({ hidden: [9, 8], width: 10 + u }, info)]),
  );
  const model = { context, encoders, fusion: fusion(name).create(options, context), methods: [] };
  const inputs = Object.fromEntries(modalities.map((modality) => [modality, info]));
  const { parameters, multiplyAdds } = modelCost(model, inputs, abstract).fusion;
  return { parameters, multiplyAdds };
}

Deno.test("fusions cost what their formulas say", () => {
  // Sums of widths: 21 for two, 33 for three modalities.
  assertEquals(fusionCost("concat", { width: 7 }, 3), {
    parameters: 33 * 7 + 7 + 7 * 3 + 3,
    multiplyAdds: 33 * 7 + 7 * 3,
  });
  assertEquals(fusionCost("concat", { width: 0 }, 2), { parameters: 21 * 3 + 3, multiplyAdds: 21 * 3 });
  for (const name of ["sum", "decision"]) {
    assertEquals(fusionCost(name, {}, 3), { parameters: 33 * 3 + 9, multiplyAdds: 33 * 3 });
  }
  assertEquals(fusionCost("sum", { level: "feature", width: 7 }, 2), {
    parameters: 21 * 7 + 7 * 3 + 3,
    multiplyAdds: 21 * 7 + 7 * 3,
  });
  // The second, of width 11, is the target of the two others.
  assertEquals(fusionCost("film", {}, 3), {
    parameters: (10 + 12) * 22 + 2 * 22 + 11 * 3 + 3,
    multiplyAdds: (10 + 12) * 22 + 11 * 3,
  });
  for (const name of ["gated", "bigated"]) {
    assertEquals(fusionCost(name, { width: 7 }, 3), {
      parameters: 33 * 7 + 21 + 7 * 3 + 3,
      multiplyAdds: 33 * 7 + 7 * 3,
    });
  }
  assertEquals(fusionCost("bigated", { variant: "bilinear-gated", rank: 4 }, 2), {
    parameters: 4 * 21 + 2 * 4 + 3 * 16 + 3,
    multiplyAdds: 4 * 21 + 3 * 16,
  });
  // Two modules over 2 x 9 and 2 x 8 channels at ratio 4: joint widths 9 and 8; then heads.
  const module = (channels: number, joint: number) => 2 * channels * joint + joint + 2 * (channels * joint + channels);
  assertEquals(fusionCost("mmtm", { stages: 2 }, 2), {
    parameters: module(9, 9) + module(8, 8) + 21 * 3 + 6,
    multiplyAdds: 4 * 81 + 4 * 64 + 21 * 3,
  });
  // Levels of width 4: projections with bias, W without, mixing weights (none for c_0); heads on the last stages; own head.
  assertEquals(fusionCost("centralnet", { stages: 2, width: 4 }, 3), {
    parameters: 3 * (9 * 4 + 4) + 3 * (8 * 4 + 4) + 2 * 16 + 3 + 4 + 3 * (8 * 3 + 3) + 4 * 3 + 3,
    multiplyAdds: 3 * 9 * 4 + 3 * 8 * 4 + 2 * 16 + 3 * 8 * 3 + 4 * 3,
  });
});

Deno.test("stepForwards() counts a backward as two forwards and adds up what methods add", () => {
  assertEquals(stepForwards([]), 3);
  assertEquals(stepForwards([undefined, { forwards: 1, backwards: 1 }]), 3);
  assertEquals(stepForwards([{ forwards: 3, backwards: 1 }, { forwards: 2, backwards: 4 }]), 3 + 2 + 1 + 6);
});
