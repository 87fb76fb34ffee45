/** The sizes that have published weights: their parameters by count, and what is new in them against references. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import type { EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import { float32, type NamedHostTensors, sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import {
  bert,
  bertBase,
  distilbert,
  resnet18,
  resnet34,
  resnet50,
  vitBase,
  vitSmall,
  vitTiny,
} from "../../encoders/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { bindScope, discover, fromTorch, torchName, torchShape } from "../../nn/mod.ts";
import { encodeWith } from "../helpers/encoder.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

const engine = await onnxCpu.create();
const photo: ModalityInfo = { shape: [224, 224, 3], dtype: "float32", about: "a photograph" };
const words: ModalityInfo = { shape: [16], dtype: "int32", vocabulary: 30522, about: "ids" };

/** Parameters and buffers of an encoder by name, with their shapes. */
function layout(plugin: EncoderPlugin, options: Record<string, unknown>, { shape, dtype }: ModalityInfo) {
  const encoder = plugin.create(options, { shape, dtype, about: "", vocabulary: 30522 });
  const { params, buffers } = discover((scope) => {
    encodeWith(encoder, tf.zeros([1, ...shape], dtype), scope.group("encoder:x"));
  }, { abstract: (run) => engine.abstract(run), mode: "eval" });
  const shapes = (own: typeof params) => Object.fromEntries([...own].map(([name, { shape }]) => [name, shape]));
  return { encoder, params: shapes(params), buffers: shapes(buffers) };
}

const count = (shapes: Record<string, readonly number[]>) =>
  Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);

Deno.test("published sizes have as many parameters as torchvision, timm and Hugging Face count without heads", () => {
  const cases: [EncoderPlugin, Record<string, unknown>, ModalityInfo, number][] = [
    [resnet18, {}, photo, 11_176_512],
    [resnet34, {}, photo, 21_284_672],
    [resnet50, {}, photo, 23_508_032],
    [vitTiny, {}, photo, 5_524_416],
    [vitSmall, {}, photo, 21_665_664],
    [vitBase, {}, photo, 85_798_656],
    [bertBase, { positions: 512 }, words, 109_482_240],
    [distilbert, { positions: 512 }, words, 66_362_880],
  ];
  for (const [plugin, options, info, expected] of cases) {
    assertEquals([plugin.name, count(layout(plugin, options, info).params)], [plugin.name, expected]);
  }
});

/** A tensor in PyTorch's layout as the reference script makes it from its name. */
function valueOf(name: string, shape: readonly number[]): Float32Array {
  const sum = [...name].reduce((total, letter, i) => total + (i + 1) * letter.charCodeAt(0), 0);
  const norm = /(^|\.)(bn\d|1)\.weight$/.test(name);
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const own = Math.sin(1.7 * i + (sum % 97) / 10);
    return name.endsWith("running_var") ? 1 + 0.3 * own : norm ? 1 + 0.1 * own : 0.4 * own;
  });
}

const device = (tensors: NamedHostTensors) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
  );

for (const [plugin, label] of [[resnet34, "resnet34"], [resnet50, "resnet50"]] as const) {
  Deno.test(`${label} equals the reference under torchvision's names`, () => {
    const reference =
      golden<Record<string, { shapes: Record<string, number[]>; pooled: number[] }>>("resnet_small")[label];
    const info: ModalityInfo = { shape: [32, 32, 3], dtype: "float32", about: "" };
    const { encoder, params, buffers } = layout(plugin, { width: 2 }, info);
    const wanted = Object.fromEntries(
      Object.entries({ ...params, ...buffers }).map(([name, shape]) => [name, { shape }]),
    );
    const within = (name: string) => torchName(name).slice("encoder.x.".length);
    assertEquals(
      Object.fromEntries(
        Object.entries(wanted).map(([name, { shape }]) => [within(name), [...torchShape(name, shape)]]),
      ),
      reference.shapes,
    );
    const theirs = Object.fromEntries(
      Object.entries(reference.shapes).map((
        [name, shape],
      ) => [`encoder.x.${name}`, float32(valueOf(name, shape), shape)]),
    );
    tf.tidy(() => {
      const ours = device(fromTorch(wanted, theirs));
      const { scope } = bindScope({ params: ours, buffers: ours, controls: {}, key: null, mode: "eval" });
      const pooled = values(encodeWith(encoder, wave([2, 32, 32, 3], 1, 0.2), scope.group("encoder:x")));
      // The reference's features run into the thousands: to four digits of the largest.
      const scale = Math.max(...reference.pooled.map(Math.abs));
      assertClose(pooled.map((value) => value / scale), reference.pooled.map((value) => value / scale), 1e-4);
    });
  });
}

Deno.test("distilbert is bert without segments and pooler, under Hugging Face's names", () => {
  const options = { width: 4, depth: 2, heads: 2, hidden: 6, dropout: 0, pooling: "cls" };
  const info: ModalityInfo = { shape: [5], dtype: "int32", vocabulary: 30522, about: "" };
  const small = { ...options, vocabulary: 30522 };
  const [theirs, ours] = [layout(bert, small, info), layout(distilbert, small, info)];
  const renamed = (name: string) =>
    name.replace("transformer/layer", "encoder/layer")
      .replace(/attention\/([qkv])_lin/, (_, letter) =>
        `attention/self/${{ q: "query", k: "key", v: "value" }[letter as "q"]}`)
      .replace("attention/out_lin", "attention/output/dense").replace("sa_layer_norm", "attention/output/LayerNorm")
      .replace("ffn/lin1", "intermediate/dense").replace("ffn/lin2", "output/dense")
      .replace("output_layer_norm", "output/LayerNorm");
  assertEquals(
    torchName(Object.keys(ours.params).find((name) => name.includes("q_lin/kernel"))!),
    "encoder.x.transformer.layer.0.attention.q_lin.weight",
  );
  const segments = "encoder:x/embeddings/token_type_embeddings/table";
  assertEquals(
    Object.keys(ours.params).map(renamed).sort(),
    Object.keys(theirs.params).filter((name) => name !== segments).sort(),
  );
  tf.tidy(() => {
    const random = new Random(3);
    const own: NamedHostTensors = Object.fromEntries(
      Object.entries(ours.params).map(([name, shape]) => [
        name,
        float32(Float32Array.from({ length: sizeOf(shape) }, () => random.normal()), shape),
      ]),
    );
    const of = (encoder: typeof ours.encoder, tensors: NamedHostTensors) => {
      const { scope } = bindScope({ params: device(tensors), buffers: {}, controls: {}, key: null, mode: "eval" });
      const ids = tf.tensor2d([[101, 7, 9, 102, 0]], [1, 5], "int32");
      return values(encodeWith(encoder, ids, scope.group("encoder:x")));
    };
    const asBert = {
      ...Object.fromEntries(Object.entries(own).map(([name, value]) => [renamed(name), value])),
      [segments]: float32(new Float32Array(8), [2, 4]),
    };
    assertClose(of(ours.encoder, own), of(theirs.encoder, asBert), 1e-6);
  });
});
