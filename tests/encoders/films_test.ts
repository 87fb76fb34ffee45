/** Encoders of pictures on films: frame by frame through the same weights. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import type { EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import { byModality } from "../../core/modality.ts";
import { float32, type HostTensor } from "../../core/program.ts";
import { description } from "../../cli/describe.ts";
import { cnn, resnet18, resnet34, resnet50, vit } from "../../encoders/mod.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { bindScope } from "../../nn/mod.ts";
import { misfit } from "../../training/mod.ts";
import { hostNoise, run, startOf } from "../helpers/encoder.ts";
import { assertClose, values } from "../helpers/tensors.ts";

const compiled = await onnxCpu.create();
const eager = await cpu.create();

const infoOf = ({ shape }: HostTensor): ModalityInfo => ({ shape: shape.slice(1), dtype: "float32", about: "noise" });

/** Films [2, 3, 16, 16, 2], and their six frames as pictures. */
const films = hostNoise([2, 3, 16, 16, 2], 1, 0.3);
const frames = float32(films.data as Float32Array, [6, 16, 16, 2]);

const cases: readonly (readonly [EncoderPlugin, Record<string, unknown>])[] = [
  [cnn, { channels: [3, 4], width: 6, norm: "batch" }],
  [resnet18, { width: 2 }],
  [resnet34, { width: 2 }],
  [resnet50, { width: 1 }],
  [vit, { patch: 8, width: 8, heads: 2, depth: 2 }],
  [vit, { patch: 8, width: 8, heads: 2, depth: 2, pooling: "mean" }],
];

for (const [plugin, options] of cases) {
  const own = "pooling" in options ? " that pools all tokens" : "";
  Deno.test(`${plugin.name}${own}: a film's feature is the mean of its frames', with the parameters of a picture`, async () => {
    const film = plugin.create(options, infoOf(films));
    const picture = plugin.create(options, infoOf(frames));
    const state = startOf(eager, picture, frames);
    // Weights of pictures fit as they are: the same names and shapes.
    assertEquals(startOf(eager, film, films), state);
    const { pooled: { data, shape: [, width] } } = await run(compiled, picture, frames, state, "eval");
    const mean = Array.from({ length: 2 * width }, (_, i) => {
      const [b, k] = [Math.floor(i / width), i % width];
      return [0, 1, 2].reduce((sum, t) => sum + data[(3 * b + t) * width + k] / 3, 0);
    });
    assertClose((await run(compiled, film, films, state, "eval")).pooled.data, mean, 1e-5);
  });
}

for (const [plugin, options] of [cases[0], cases[4]]) {
  Deno.test(`${plugin.name}: films give the same features and gradients traced as op by op`, async () => {
    const film = plugin.create(options, infoOf(films));
    const state = startOf(eager, film, films);
    const weighting = hostNoise([2, options.width as number], 1, 0.3);
    const [a, b] = await Promise.all(
      [compiled, eager].map((engine) => run(engine, film, films, state, "train", weighting)),
    );
    assertClose(a.pooled.data, b.pooled.data, 1e-5);
    assertEquals(Object.keys(a.gradients).sort(), Object.keys(b.gradients).sort());
    assert(Object.keys(a.gradients).length >= Object.keys(state.params).length);
    for (const [name, { data }] of Object.entries(a.gradients)) assertClose(data, b.gradients[name].data, 1e-4);
  });
}

Deno.test("vit gives the tokens of all frames of a film, each attending within its own", () => {
  tf.tidy(() => {
    const encoder = vit.create(cases[4][1], infoOf(films));
    const start = startOf(eager, encoder, films);
    const params = byModality(Object.keys(start.params), (name) => {
      const { data, shape } = start.params[name];
      return tf.tensor(data, [...shape], "float32") as tf.Tensor;
    });
    const tokensOf = (input: Float32Array) => {
      const { scope } = bindScope({ params, buffers: {}, controls: {}, key: null, mode: "eval" });
      const x = tf.tensor(input, [...films.shape]) as tf.Tensor;
      const own = scope.group("encoder:x");
      return encoder.head(encoder.stages.reduce((map, stage) => stage(map, own, x), x), own, x).tokens!;
    };
    const before = tokensOf(films.data as Float32Array);
    // 3 frames of 2 x 2 patches and a class token.
    assertEquals(before.shape, [2, 15, 8]);
    const changed = Float32Array.from(films.data);
    // Another second frame of the first film.
    changed.fill(1, 16 * 16 * 2, 2 * 16 * 16 * 2);
    const after = tokensOf(changed);
    const moved = (frame: number) => {
      const part = (tokens: tf.Tensor3D) => values(tf.slice(tokens, [0, 5 * frame, 0], [1, 5, 8]));
      const [a, b] = [part(before), part(after)];
      return a.some((value, i) => Math.abs(value - b[i]) > 1e-4);
    };
    assertEquals([0, 1, 2].map(moved), [false, true, false]);
  });
});

Deno.test("films meet every fusion that looks at maps or tokens; those that run layers need joint attention", () => {
  const library = createLibrary();
  const info = infoOf(films);
  const context = { modalities: ["film"], classes: 2 };
  const mbt = library.of("fusion").get("mbt").create({ layers: "encoder", fused: 2 }, context);
  const refusal = (frames: string) =>
    misfit(mbt, "mbt", { film: vit.create({ ...cases[4][1], frames }, info) }, { film: "vit" })?.refusal.reason;
  assertEquals(refusal("joint"), undefined);
  assert(refusal("each")!.includes("runs the 2 deepest layers of transformers"), refusal("each"));
  assert(refusal("each")!.includes("leaves its layers to nobody with these options and this input"), refusal("each"));
  for (const name of ["mmtm", "centralnet", "cross-attention"]) {
    const fusion = library.of("fusion").get(name).create({}, { ...context, modalities: ["film", "other"] });
    const encoders = { film: resnet18.create({}, info), other: resnet18.create({}, infoOf(frames)) };
    assertEquals(misfit(fusion, name, encoders, { film: "resnet18", other: "resnet18" }), null);
  }
});

Deno.test("describe says which encoders take films", () => {
  const library = createLibrary();
  for (const [name, takes] of [["cnn", true], ["resnet50", true], ["vit", true], ["gru", false]] as const) {
    const [taken] = description(library, name).split("\n").filter((line) => line.includes("Takes, for instance"));
    assertEquals(taken.includes("a film of colour images [3, 16, 16, 3]"), takes, taken);
  }
});
